// Mail to buyers and to the seller, beside everything else: what fails here keeps nothing from its work.
import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { ACCESS_EVENT_SOURCE } from '../lambdas/contracts/access-event.ts';
import { mailsWanted } from '../lambdas/contracts/mail-settings.ts';
import { PRODUCT_PAGES_FILE } from '../lambdas/contracts/registration-settings.ts';
import { MAIL_KINDS } from '../lambdas/domain/mail.ts';
import type { AccessStack } from './access-stack.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { MessageQueue, TIME_FOR_A_BATCH } from './constructs/message-queue.ts';
import { type Deployment, productPagesFile, productsSetting, registrationsOf } from './deployment.ts';
import { type MailDeployment, mailSetting } from './mail-deployment.ts';
import { mailTemplates } from './mail-templates.ts';
import type { StorageStack } from './storage-stack.ts';

/** Six minutes each: the day for which a mail is tried, and an hour. */
const MAIL_RECEIVES = 250;

const IMPACT = 'buyers and the seller get no mail; registrations, access and billing go on';
const REMEDY = 'docs/runbook.md#mail-waiting';

export interface MailStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly mail: MailDeployment;
  readonly storage: StorageStack;
  readonly access: AccessStack;
}

export class MailStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, mail, storage, access, ...props }: MailStackProps) {
    super(scope, id, props);
    const queue = new MessageQueue(this, 'Mail', {
      name: 'mails',
      receives: MAIL_RECEIVES,
      // SES lets a new account send one a second, and the queue holds what comes faster.
      batchesAtOnce: 2,
      // Brought twice and failed; from the third time on SQS leaves a message out of the age.
      waiting: { impact: IMPACT, remedy: REMEDY, longerThan: Duration.minutes(10) },
      dead: { impact: IMPACT, remedy: 'docs/runbook.md#dead-letters-of-mail' },
      severity: 'low',
    });
    const rule = new Rule(this, 'MailWanted', {
      eventBus: access.bus,
      description: 'Hands on the events that cause a mail',
      eventPattern: {
        source: [ACCESS_EVENT_SOURCE],
        detailType: [...new Set(mailsWanted(mail).map((kind) => MAIL_KINDS[kind].on))].sort(),
      },
    });
    // As lambdas/contracts/mail-event.ts reads it.
    queue.take(rule, RuleTargetInput.fromEventPath('$.detail'));
    const sendMail = new HandlerFunction(this, 'SendMail', {
      handler: 'send-mail',
      description: 'Writes to buyers and to the seller what an access event gives cause for',
      settings: {
        CUSTOMERS_TABLE: storage.customers.access(['GetItem']),
        BUYERS_TABLE: storage.buyers.access(['GetItem']),
        DELIVERIES_TABLE: storage.deliveries.access(['GetItem', 'Query', 'PutItem', 'UpdateItem']),
        PRODUCTS: productsSetting(deployment.products),
        REGISTRATION: JSON.stringify(deployment.registration),
        MAIL: mailSetting(mail),
      },
      files: {
        'mail-templates.json': JSON.stringify(mailTemplates(mail, registrationsOf(deployment))),
        [PRODUCT_PAGES_FILE]: productPagesFile(deployment.products),
      },
      statements: [maySend(mail)],
      impact: IMPACT,
      remedy: REMEDY,
      severity: 'low',
      timeout: TIME_FOR_A_BATCH,
      logRetention: deployment.logRetentionDays,
    });
    queue.feed(sendMail);
  }
}

/** From the one address, by the one identity; SES asks for the configuration set apart. */
function maySend({ identityArn, from, configurationSet }: MailDeployment): PolicyStatement {
  const [identities = ''] = identityArn.split(':identity/');
  const sets = configurationSet === undefined ? [] : [`${identities}:configuration-set/${configurationSet}`];
  return new PolicyStatement({
    actions: ['ses:SendEmail'],
    resources: [identityArn, ...sets],
    conditions: { StringEquals: { 'ses:FromAddress': from } },
  });
}
