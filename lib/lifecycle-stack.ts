// From AWS's notices to a customer's standing, and what contracts include: asked for at notices and on a schedule.
import { CfnResource, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { NOTICE_SOURCE } from '../lambdas/contracts/marketplace-notice.ts';
import type { AccessStack } from './access-stack.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { MessageQueue, TIME_FOR_A_BATCH } from './constructs/message-queue.ts';
import { Schedule, TIME_TO_RUN } from './constructs/schedule.ts';
import { type Deployment, productsSetting } from './deployment.ts';
import { allowMarketplace, callerRole, marketplaceAccess, noticesQueueName } from './marketplace-actions.ts';
import { standingAccess } from './standing-access.ts';
import type { StorageStack } from './storage-stack.ts';

/** Six minutes each: an hour, after which somebody has to look. */
const NOTICE_RECEIVES = 10;

const HARM = 'the product is not told who may use it, and the last usage of buyers who leave may not be billed in time';

export interface LifecycleStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly storage: StorageStack;
  readonly access: AccessStack;
}

export class LifecycleStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, storage, access, ...props }: LifecycleStackProps) {
    super(scope, id, props);
    const hasContracts = deployment.products.some(({ pricingModel }) => pricingModel !== 'subscription');
    const applyNotice = this.#addApplyNotice(deployment, storage, access);
    if (!hasContracts) return;
    allowMarketplace(applyNotice, 'GetEntitlements', deployment);
    this.#addRefresh(deployment, storage);
  }

  #addApplyNotice(deployment: Deployment, storage: StorageStack, access: AccessStack): HandlerFunction<'apply-notice'> {
    const queue = new MessageQueue(this, 'Notices', {
      name: 'notices',
      queueName: noticesQueueName(deployment),
      receives: NOTICE_RECEIVES,
      // The least that SQS takes: notices of one customer that are applied side by side only get into each other's way.
      batchesAtOnce: 2,
      // Brought twice and failed; from the third time on SQS leaves a message out of the age.
      waiting: { impact: HARM, remedy: 'docs/runbook.md#notices-waiting', longerThan: Duration.minutes(10) },
      dead: { impact: HARM, remedy: 'docs/runbook.md#dead-letters-of-notices' },
      severity: 'high',
    });
    const rule = new Rule(this, 'NoticesOfAws', {
      description: 'Everything that AWS Marketplace tells of agreements and licences',
      // Every detail-type: AWS adds some, and those that nobody knows are kept.
      eventPattern: { source: [NOTICE_SOURCE] },
    });
    queue.take(rule);
    if (deployment.publishingAccount) this.#letIn(deployment.publishingAccount.id);
    for (const [index, topicArn] of deployment.legacyTopics.entries()) {
      const topic = Topic.fromTopicArn(this, `LegacyTopic${index}`, topicArn);
      // AWS lets the publishing account alone subscribe. Raw delivery, which loses AWS's id and time, stays off.
      if (deployment.publishingAccount) queue.letPublish(topic);
      else queue.subscribe(topic);
    }
    const applyNotice = new HandlerFunction(this, 'ApplyNotice', {
      handler: 'apply-notice',
      ...callerRole(deployment, 'apply-notice'),
      description: 'Keeps each notice of AWS and brings its customer up to date',
      settings: {
        ...standingAccess(storage),
        PRODUCTS: productsSetting(deployment.products),
        MARKETPLACE_ACCESS: marketplaceAccess(this, deployment, 'GetEntitlements'),
        EVENT_BUS: access.putEvents(),
        // Our own subscriptions need no confirmation.
        LEGACY_TOPICS: JSON.stringify(deployment.publishingAccount ? deployment.legacyTopics : []),
      },
      impact: HARM,
      remedy: 'docs/runbook.md#notices-waiting',
      timeout: TIME_FOR_A_BATCH,
      logRetention: deployment.logRetentionDays,
    });
    queue.feed(applyNotice);
    return applyNotice;
  }

  /** The publishing account may put AWS's notices on this account's bus, and nothing else. */
  #letIn(accountId: string): void {
    // Not by CfnEventBusPolicy, which warns of a member that we do not use.
    const properties = {
      StatementId: `${this.stackName}-publishing-account`,
      EventBusName: 'default',
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: this.formatArn({ service: 'iam', region: '', account: accountId, resource: 'root' }) },
        Action: 'events:PutEvents',
        Resource: this.formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' }),
        Condition: { StringEquals: { 'events:source': NOTICE_SOURCE } },
      },
    };
    new CfnResource(this, 'PublishingAccount', { type: 'AWS::Events::EventBusPolicy', properties });
  }

  #addRefresh(deployment: Deployment, storage: StorageStack): void {
    const impact = 'the product goes by what contracts included hours ago; after two days it is told so';
    const refresh = new HandlerFunction(this, 'RefreshEntitlements', {
      handler: 'refresh-entitlements',
      ...callerRole(deployment, 'refresh-entitlements'),
      description: 'Asks AWS Marketplace what the contracts include',
      settings: {
        // A change that no notice told of is told with the answer: the customer's sequence, and the event.
        CUSTOMERS_TABLE: storage.customers.access(['GetItem', 'Query', 'PutItem', 'UpdateItem', 'ConditionCheckItem']),
        NOTICES_TABLE: storage.notices.access(['PutItem']),
        WORK_TABLE: storage.work.access(['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem']),
        PRODUCTS: productsSetting(deployment.products),
        MARKETPLACE_ACCESS: marketplaceAccess(this, deployment, 'GetEntitlements'),
      },
      impact,
      severity: 'low',
      remedy: 'docs/runbook.md#schedulefailed',
      timeout: TIME_TO_RUN,
      logRetention: deployment.logRetentionDays,
    });
    allowMarketplace(refresh, 'GetEntitlements', deployment);
    new Schedule(this, 'RefreshEveryQuarter', {
      run: refresh,
      handler: 'refresh-entitlements',
      everyMinutes: 15,
      deadLetters: new DeadLetters(this, 'FailedRuns'),
      impact,
      severity: 'low',
      remedy: 'docs/runbook.md#dead-letters',
    });
  }
}
