// Keeps the summaries in step: what the console and the CLI show of hours, days and months.
import { Construct } from 'constructs';
import { BY_LISTING, BY_STATE } from '../lambdas/stores/tables.ts';
import type { DeadLetters } from './constructs/dead-letters.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { Schedule, TIME_TO_RUN, TOLERATED_ERRORS } from './constructs/schedule.ts';
import type { Deployment } from './deployment.ts';
import type { StorageStack } from './storage-stack.ts';

interface SummariesProps {
  readonly deployment: Deployment;
  readonly storage: StorageStack;
  readonly deadLetters: DeadLetters;
}

export class Summaries extends Construct {
  constructor(scope: Construct, id: string, { deployment, storage, deadLetters }: SummariesProps) {
    super(scope, id);
    const impact = 'the seller’s people see what hours and months came to some time ago; billing goes on';
    const run = new HandlerFunction(this, 'SummarizeHours', {
      handler: 'summarize-hours',
      description: 'Adds up the hours that have changed, for people to look at',
      settings: {
        CUSTOMERS_TABLE: storage.customers.access(['GetItem'], [BY_LISTING]),
        USAGE_TABLE: storage.usage.access(['Query']),
        LEDGER_TABLE: storage.ledger.access(['BatchGetItem', 'Query'], [BY_STATE]),
        WORK_TABLE: storage.work.access(['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem']),
        NOTICES_TABLE: storage.notices.access(['Query']),
        REJECTS_TABLE: storage.rejects.access(['Query']),
        SUMMARIES_TABLE: storage.summaries.access(['BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem']),
        METERING_POLICY: JSON.stringify(deployment.meteringPolicy),
        USAGE_WARNING_HOURS: JSON.stringify(deployment.usageWarningHours),
        STAGE: deployment.stage,
      },
      impact,
      remedy: 'docs/runbook.md#summariesincomplete-summaryfailed',
      severity: 'low',
      timeout: TIME_TO_RUN,
      toleratedErrors: TOLERATED_ERRORS,
      logRetention: deployment.logRetentionDays,
      // As the closer, whose reading it does.
      memoryMb: 1_024,
    });
    new Schedule(this, 'EveryFiveMinutes', {
      run,
      handler: 'summarize-hours',
      everyMinutes: 5,
      deadLetters,
      impact,
      remedy: 'docs/runbook.md#dead-letters',
      severity: 'low',
    });
  }
}
