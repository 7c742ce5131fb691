// Who watches: the function that measures how much time is left, the alarms on what it finds, and the one dashboard.
import { Stack, type StackProps, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { BY_STATE } from '../lambdas/stores/tables.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { Schedule, TIME_TO_RUN, TOLERATED_ERRORS } from './constructs/schedule.ts';
import { addDashboard } from './dashboard.ts';
import { addDeadlineAlarms } from './deadline-alarms.ts';
import type { Deployment } from './deployment.ts';
import type { StorageStack } from './storage-stack.ts';
import { addTroubleAlarms } from './trouble-alarms.ts';

export interface WatchStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly storage: StorageStack;
  /** The other stacks, whose alarms the dashboard shows. */
  readonly others: readonly Stack[];
}

export class WatchStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, storage, others, ...props }: WatchStackProps) {
    super(scope, id, props);
    this.#addWatch(deployment, storage);
    this.#addExport(deployment, storage);
    addDeadlineAlarms(this, deployment.stage, deployment.alarms);
    addTroubleAlarms(this, deployment.stage, deployment.alarms);
    // Last: it shows every alarm that there is by then.
    addDashboard(this, { stage: deployment.stage, alarmed: [...others, this] });
  }

  #addWatch(deployment: Deployment, storage: StorageStack): void {
    const impact = 'nobody is told in time of usage for which the seller will not be paid';
    const watchDeadlines = new HandlerFunction(this, 'WatchDeadlines', {
      handler: 'watch-deadlines',
      description: 'Measures how much time is left before each deadline, and what is in trouble',
      settings: {
        LEDGER_TABLE: storage.ledger.access(['BatchGetItem'], [BY_STATE]),
        WORK_TABLE: storage.work.access(['GetItem', 'Query']),
        NOTICES_TABLE: storage.notices.access(['Query']),
        // Named where the stores of notices are made; nothing of it is read.
        CUSTOMERS_TABLE: storage.customers.table.tableName,
        METERING_POLICY: JSON.stringify(deployment.meteringPolicy),
        STAGE: deployment.stage,
      },
      impact,
      remedy: 'docs/runbook.md#schedulefailed',
      timeout: TIME_TO_RUN,
      toleratedErrors: TOLERATED_ERRORS,
      logRetention: deployment.logRetentionDays,
    });
    new Schedule(this, 'WatchEveryMinute', {
      run: watchDeadlines,
      handler: 'watch-deadlines',
      everyMinutes: 1,
      deadLetters: new DeadLetters(this, 'FailedRuns'),
      impact,
      remedy: 'docs/runbook.md#dead-letters',
    });
  }

  /** Each hour, though a day would do: a run that fails costs an hour, and silence shows in two. */
  #addExport(deployment: Deployment, storage: StorageStack): void {
    const impact = 'the audit trail ends, so that the seller cannot show later what was sent and what AWS answered';
    const exportAudit = new HandlerFunction(this, 'ExportAudit', {
      handler: 'export-audit',
      description: 'Puts the audit trail of what is final into the locked bucket',
      settings: {
        LEDGER_TABLE: storage.ledger.access(['Query']),
        WORK_TABLE: storage.work.access(['Query', 'PutItem']),
        AUDIT_BUCKET: storage.audit.put(),
        METERING_POLICY: JSON.stringify(deployment.meteringPolicy),
        STAGE: deployment.stage,
      },
      impact,
      severity: 'low',
      remedy: 'docs/runbook.md#auditnotexported',
      timeout: TIME_TO_RUN,
      logRetention: deployment.logRetentionDays,
    });
    Validations.of(exportAudit.role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${storage.audit.objectsAbroad()}]`,
      reason: 'Each hour and day has an object of its own; nothing but the trail stands below v1/.',
    });
    new Schedule(this, 'ExportEveryHour', {
      run: exportAudit,
      handler: 'export-audit',
      everyMinutes: 60,
      deadLetters: new DeadLetters(this, 'FailedExports'),
      impact,
      severity: 'low',
      remedy: 'docs/runbook.md#dead-letters',
    });
  }
}
