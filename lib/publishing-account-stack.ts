// The publishing account's side, where the deployment stands in another: what AWS Marketplace lets only the account that
// published the products do. Deployed with that account's credentials.
import { Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { EventBus as BusTarget } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSubscription } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { NOTICE_SOURCE } from '../lambdas/contracts/marketplace-notice.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { encryptNotices } from './constructs/sellers-key.ts';
import type { Deployment } from './deployment.ts';
import {
  CALLERS,
  callerRoleName,
  type MarketplaceAction,
  marketplaceStatement,
  marketplaceWildcard,
  noticesQueueName,
  publishingRoleName,
} from './marketplace-actions.ts';

export interface PublishingAccountStackProps extends StackProps {
  readonly deployment: Deployment & { readonly publishingAccount: NonNullable<Deployment['publishingAccount']> };
}

export class PublishingAccountStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, ...props }: PublishingAccountStackProps) {
    super(scope, id, props);
    encryptNotices(this, deployment);
    for (const action of Object.keys(CALLERS) as MarketplaceAction[]) {
      this.#addRole(action, deployment);
    }
    this.#forwardNotices(deployment);
    this.#subscribeHome(deployment);
  }

  /** For the functions that call the action alone, and only with the id that both sides know. */
  #addRole(
    action: MarketplaceAction,
    { stage, publishingAccount: { homeAccountId, externalId } }: PublishingAccountStackProps['deployment'],
  ): void {
    const callers = CALLERS[action].map((handler) => callerRoleName(stage, handler));
    const arnAtHome = (name: string) =>
      this.formatArn({ service: 'iam', region: '', account: homeAccountId, resource: 'role', resourceName: name });
    const role = new Role(this, `${action}Role`, {
      roleName: publishingRoleName(stage, action),
      description: `Lets ${callers.join(' and ')} of account ${homeAccountId} call ${action}`,
      externalIds: [externalId],
      assumedBy: new AccountPrincipal(homeAccountId).withConditions({
        // Not as principals: IAM refuses a trust in a role that does not exist, and not every home has each caller.
        ArnEquals: { 'aws:PrincipalArn': callers.map(arnAtHome) },
      }),
    });
    role.addToPolicy(marketplaceStatement(action));
    Validations.of(role).acknowledge(marketplaceWildcard(action));
  }

  #forwardNotices({
    homeRegion,
    publishingAccount: { homeAccountId },
  }: PublishingAccountStackProps['deployment']): void {
    const deadLetters = new DeadLetters(this, 'Unforwarded');
    deadLetters.raiseAlarm({
      name: 'notices',
      impact: `Some of AWS's notices did not reach account ${homeAccountId}: the product is not told who may use it, and the last usage of buyers who leave may not be billed in time`,
      remedy: 'docs/runbook.md#notices-that-were-not-forwarded',
    });
    const role = new Role(this, 'ForwardingRole', {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
      description: `Lets the rule put AWS's notices on the bus of account ${homeAccountId}`,
    });
    const bus = this.formatArn({
      service: 'events',
      region: homeRegion,
      account: homeAccountId,
      resource: 'event-bus',
      resourceName: 'default',
    });
    new Rule(this, 'NoticesOfAws', {
      description: `Hands AWS's notices on to account ${homeAccountId}`,
      eventPattern: { source: [NOTICE_SOURCE] },
      targets: [
        new BusTarget(EventBus.fromEventBusArn(this, 'HomeBus', bus), { role, deadLetterQueue: deadLetters.queue }),
      ],
    });
  }

  /** SNS asks the queue's owner about each: apply-notice confirms those of the settings. */
  #subscribeHome(deployment: PublishingAccountStackProps['deployment']): void {
    const { homeRegion, publishingAccount, legacyTopics } = deployment;
    const queueName = noticesQueueName(deployment);
    if (queueName === undefined) return;
    const account = publishingAccount.homeAccountId;
    const endpoint = this.formatArn({ service: 'sqs', region: homeRegion, account, resource: queueName });
    for (const [index, topicArn] of legacyTopics.entries()) {
      // Raw delivery, which loses AWS's id and time, stays off.
      new CfnSubscription(this, `LegacyTopic${index}`, { topicArn, protocol: 'sqs', endpoint });
    }
  }
}
