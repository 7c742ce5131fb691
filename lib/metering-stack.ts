// From a usage event to AWS's answer: the product's API, and the functions that run every minute.
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { BY_STATE } from '../lambdas/stores/tables.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { Schedule, TIME_TO_RUN, TOLERATED_ERRORS } from './constructs/schedule.ts';
import { type Deployment, productsSetting } from './deployment.ts';
import { allowMarketplace, callerRole, marketplaceAccess } from './marketplace-actions.ts';
import type { StorageStack } from './storage-stack.ts';
import { Summaries } from './summaries.ts';
import { addUsageApi } from './usage-api.ts';

export interface MeteringStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly storage: StorageStack;
}

export class MeteringStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, storage, ...props }: MeteringStackProps) {
    super(scope, id, props);
    // The stage of the API needs the role for its logs, which nothing else refers to.
    this.addStackDependency(storage);
    addUsageApi(this, deployment, storage);
    this.#addSchedules(deployment, storage);
  }

  /**
   * No concurrency is reserved for the sender: a lease in the work table keeps it single, and an account's first
   * quota of ten functions at once leaves nothing to reserve, so that the deployment would fail.
   */
  #addSchedules(deployment: Deployment, storage: StorageStack): void {
    const deadLetters = new DeadLetters(this, 'FailedRuns');
    const house = {
      timeout: TIME_TO_RUN,
      toleratedErrors: TOLERATED_ERRORS,
      logRetention: deployment.logRetentionDays,
      // Half a processor: both parse and hash thousands of rows in a run.
      memoryMb: 1_024,
    };
    const METERING_POLICY = JSON.stringify(deployment.meteringPolicy);
    const closeHours = new HandlerFunction(this, 'CloseHours', {
      ...house,
      handler: 'close-hours',
      description: 'Seals the hours that are over and carries what came late',
      settings: {
        CUSTOMERS_TABLE: storage.customers.access([
          'GetItem',
          'Query',
          'BatchGetItem',
          'DeleteItem',
          'ConditionCheckItem',
        ]),
        USAGE_TABLE: storage.usage.access(['Query']),
        LEDGER_TABLE: storage.ledger.access(['Query', 'GetItem', 'PutItem', 'UpdateItem', 'ConditionCheckItem']),
        WORK_TABLE: storage.work.access(['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem']),
        REJECTS_TABLE: storage.rejects.access(['UpdateItem']),
        PRODUCTS: productsSetting(deployment.products),
        METERING_POLICY,
        STAGE: deployment.stage,
      },
      impact: 'usage is not sealed; after about a day AWS no longer takes it and the seller is not paid for it',
      remedy: 'docs/runbook.md#schedulefailed',
    });
    const sendMetering = new HandlerFunction(this, 'SendMetering', {
      ...house,
      handler: 'send-metering',
      ...callerRole(deployment, 'send-metering'),
      description: 'Sends sealed hours to AWS Marketplace and writes down its answers',
      settings: {
        LEDGER_TABLE: storage.ledger.access(['GetItem', 'BatchGetItem', 'UpdateItem'], [BY_STATE]),
        WORK_TABLE: storage.work.access(['Query', 'PutItem', 'UpdateItem', 'DeleteItem']),
        MARKETPLACE_ACCESS: marketplaceAccess(this, deployment, 'BatchMeterUsage'),
        METERING_POLICY,
        STAGE: deployment.stage,
      },
      impact: 'sealed usage does not reach AWS; after about a day AWS no longer takes it and the seller is not paid',
      remedy: 'docs/runbook.md#schedulefailed',
    });
    allowMarketplace(sendMetering, 'BatchMeterUsage', deployment);
    new Schedule(this, 'CloseEveryMinute', {
      run: closeHours,
      handler: 'close-hours',
      everyMinutes: 1,
      deadLetters,
      impact: 'usage is not sealed, and is lost to the seller about a day after its hour',
      remedy: 'docs/runbook.md#dead-letters',
    });
    new Schedule(this, 'SendEveryMinute', {
      run: sendMetering,
      handler: 'send-metering',
      everyMinutes: 1,
      deadLetters,
      impact: 'sealed usage does not reach AWS, and is lost to the seller about a day after its hour',
      remedy: 'docs/runbook.md#dead-letters',
    });
    new Summaries(this, 'Summaries', { deployment, storage, deadLetters });
  }
}
