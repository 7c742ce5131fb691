// The whole deployment: the stacks and what goes for all of them.
import type { App } from 'aws-cdk-lib';
import { AccessStack } from './access-stack.ts';
import { mailTopicArn, sendAlarms } from './alarm-routes.ts';
import { encryptBelow } from './constructs/encryption.ts';
import { type Deployment, type DeploymentSettings, NOTICE_REGION, parseDeployment } from './deployment.ts';
import { LifecycleStack } from './lifecycle-stack.ts';
import { MailStack } from './mail-stack.ts';
import { MeteringStack } from './metering-stack.ts';
import { NoticeForwardingStack } from './notice-forwarding-stack.ts';
import { PublishingAccountStack } from './publishing-account-stack.ts';
import { RegistrationStack } from './registration-stack.ts';
import { deletesBillingData } from './removal-settings.ts';
import { StorageStack } from './storage-stack.ts';
import { WatchStack } from './watch-stack.ts';

export interface Fulfillment {
  readonly storage: StorageStack;
  readonly registration: RegistrationStack;
  readonly metering: MeteringStack;
  readonly access: AccessStack;
  readonly lifecycle: LifecycleStack;
  readonly watch: WatchStack;
  /** Where mail is set. */
  readonly mail?: MailStack;
  /** Where the products were published by another account: that account's side. */
  readonly publishing?: PublishingAccountStack;
  /** Where the home is not the region of AWS's notices. */
  readonly forwarding?: NoticeForwardingStack;
}

/**
 * Puts a deployment's stacks into a seller's own app, from settings as they are written down. Throws one error that names
 * everything that is wrong with them.
 */
export function addFulfillmentOf(app: App, settings: DeploymentSettings): Fulfillment {
  return addFulfillment(app, parseDeployment(settings));
}

/** Puts a deployment's stacks into an app. */
export function addFulfillment(app: App, deployment: Deployment): Fulfillment {
  const { publishingAccount, homeRegion } = deployment;
  const named = (name: string) => ({
    stackName: `fulfillment-${deployment.stage}-${name}`,
    // Without an account, whose it is shows when it is deployed; where there are two, the CLI can tell them apart.
    env: { region: homeRegion, ...(publishingAccount ? { account: publishingAccount.homeAccountId } : {}) },
    deployment,
  });
  const terminationProtection = !deletesBillingData(deployment);
  const storage = new StorageStack(app, 'Storage', { ...named('storage'), terminationProtection });
  if (storage.encryption) encryptBelow(app, storage.encryption);
  const registration = new RegistrationStack(app, 'Registration', { ...named('registration'), storage });
  const metering = new MeteringStack(app, 'Metering', { ...named('metering'), storage });
  const access = new AccessStack(app, 'Access', { ...named('access'), storage });
  const lifecycle = new LifecycleStack(app, 'Lifecycle', { ...named('lifecycle'), storage, access });
  const mail = deployment.mail
    ? { mail: new MailStack(app, 'Mail', { ...named('mail'), mail: deployment.mail, storage, access }) }
    : {};
  const watched = { storage, registration, metering, access, lifecycle, ...mail };
  const watch = new WatchStack(app, 'Watch', { ...named('watch'), storage, others: Object.values(watched) });
  const atHome = { ...watched, watch };
  const { alarms, alarmTopicArn, noticeAlarmTopicArn } = deployment;
  const { highTopicArn: highArn, lowTopicArn: lowArn } = alarms;
  const topics = { mailsArn: mailTopicArn(storage, deployment), anyArn: alarmTopicArn, highArn, lowArn };
  for (const stack of Object.values(atHome)) sendAlarms(stack, topics, alarms);
  if (publishingAccount) {
    const publishing = new PublishingAccountStack(app, 'PublishingAccount', {
      stackName: `fulfillment-${deployment.stage}-publishing-account`,
      env: { region: NOTICE_REGION, account: publishingAccount.id },
      deployment: { ...deployment, publishingAccount },
    });
    sendAlarms(publishing, { mailsArn: mailTopicArn(publishing, deployment) }, alarms);
    return { ...atHome, publishing };
  }
  if (homeRegion === NOTICE_REGION) return atHome;
  const forwarding = new NoticeForwardingStack(app, 'NoticeForwarding', {
    stackName: `fulfillment-${deployment.stage}-notice-forwarding`,
    env: { region: NOTICE_REGION },
    deployment,
  });
  const mailsArn = mailTopicArn(forwarding, deployment);
  sendAlarms(forwarding, { mailsArn, anyArn: noticeAlarmTopicArn }, alarms);
  return { ...atHome, forwarding };
}
