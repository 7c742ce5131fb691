// What the seller's product is told: the bus, the function that puts events on it, and webhooks where there are any.
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { ACCESS_EVENT_SOURCE } from '../lambdas/contracts/access-event.ts';
import { BY_STATE } from '../lambdas/stores/tables.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { type Access, HandlerFunction } from './constructs/handler-function.ts';
import { MessageQueue, TIME_FOR_A_BATCH } from './constructs/message-queue.ts';
import { Schedule, TIME_TO_RUN, TOLERATED_ERRORS } from './constructs/schedule.ts';
import { type Deployment, productsSetting, webhooksSetting } from './deployment.ts';
import { standingAccess } from './standing-access.ts';
import type { StorageStack } from './storage-stack.ts';

/** An event is tried some twenty times in its day; faults of our own, which are no tries, have the rest. */
const WEBHOOK_RECEIVES = 200;

export interface AccessStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly storage: StorageStack;
}

export class AccessStack extends Stack {
  readonly bus: EventBus;

  constructor(scope: Construct, id: string, { deployment, storage, ...props }: AccessStackProps) {
    super(scope, id, props);
    this.bus = new EventBus(this, 'AccessEvents', {
      eventBusName: `fulfillment-${deployment.stage}-access-events`,
      description: 'Tells the product of its customers: who may use it, and what became of that',
    });
    new CfnOutput(this, 'AccessEventBusArn', {
      value: this.bus.eventBusArn,
      description: 'The bus on which the product is told of its customers',
    });
    this.#addTellProduct(deployment, storage);
    if (deployment.webhooks.length > 0) this.#addWebhooks(deployment, storage);
  }

  /** The bus's name, with leave to put events on it. */
  putEvents(): Access {
    const statement = new PolicyStatement({ actions: ['events:PutEvents'], resources: [this.bus.eventBusArn] });
    return { value: this.bus.eventBusName, statements: [statement] };
  }

  #addTellProduct(deployment: Deployment, storage: StorageStack): void {
    const impact = 'the product is not told who may use it: buyers wait for access, or keep it after their end';
    const tellProduct = new HandlerFunction(this, 'TellProduct', {
      handler: 'tell-product',
      description: 'Settles customers who are due, tells the product what waits, and notes usage in trouble',
      settings: {
        ...standingAccess(storage, ['BatchGetItem', 'PutItem']),
        LEDGER_TABLE: storage.ledger.access(['BatchGetItem'], [BY_STATE]),
        PRODUCTS: productsSetting(deployment.products),
        EVENT_BUS: this.putEvents(),
        USAGE_WARNING_HOURS: JSON.stringify(deployment.usageWarningHours),
      },
      impact,
      remedy: 'docs/runbook.md#schedulefailed',
      timeout: TIME_TO_RUN,
      toleratedErrors: TOLERATED_ERRORS,
      logRetention: deployment.logRetentionDays,
    });
    new Schedule(this, 'TellEveryMinute', {
      run: tellProduct,
      handler: 'tell-product',
      everyMinutes: 1,
      deadLetters: new DeadLetters(this, 'FailedRuns'),
      impact,
      remedy: 'docs/runbook.md#dead-letters',
    });
  }

  #addWebhooks(deployment: Deployment, storage: StorageStack): void {
    const impact = 'the product is not told of its customers by webhook';
    const queue = new MessageQueue(this, 'Webhooks', {
      name: 'webhooks',
      receives: WEBHOOK_RECEIVES,
      batchesAtOnce: 5,
      waiting: { impact, remedy: 'docs/runbook.md#webhooks-waiting', longerThan: Duration.hours(1) },
      dead: { impact, remedy: 'docs/runbook.md#dead-letters-of-webhooks' },
      severity: 'low',
    });
    for (const { name, types } of deployment.webhooks) {
      const rule = new Rule(this, `Webhook-${name}`, {
        eventBus: this.bus,
        description: `Hands events to the webhook ${name}`,
        eventPattern: { source: [ACCESS_EVENT_SOURCE], ...(types ? { detailType: [...types] } : {}) },
      });
      // As lambdas/contracts/access-event.ts reads it.
      queue.take(rule, RuleTargetInput.fromObject({ endpoint: name, event: EventField.fromPath('$.detail') }));
    }
    const deliverWebhooks = new HandlerFunction(this, 'DeliverWebhooks', {
      handler: 'deliver-webhooks',
      description: 'Posts each event to its webhook endpoint, and again until it is taken',
      settings: {
        DELIVERIES_TABLE: storage.deliveries.access(['PutItem', 'UpdateItem']),
        WEBHOOKS: webhooksSetting(deployment.webhooks),
        WEBHOOKS_QUEUE: queue.access(['ChangeMessageVisibility']),
        STAGE: deployment.stage,
      },
      statements: [
        new PolicyStatement({
          actions: ['secretsmanager:GetSecretValue'],
          resources: [...new Set(deployment.webhooks.map(({ secretArn }) => secretArn))],
        }),
      ],
      impact,
      remedy: 'docs/runbook.md#webhooks-waiting',
      severity: 'low',
      timeout: TIME_FOR_A_BATCH,
      logRetention: deployment.logRetentionDays,
    });
    queue.feed(deliverWebhooks);
  }
}
