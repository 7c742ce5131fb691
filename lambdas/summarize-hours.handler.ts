// Every five minutes: brings the summaries of hours that have changed up to date, for people to look at.
import { randomUUID } from 'node:crypto';
import { parseMeteringPolicy } from './contracts/product-settings.ts';
import { parseUsageWarningHours } from './contracts/webhook-settings.ts';
import { summarizeHours } from './flow/summarize-hours.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { measuredRun, unmeasured } from './runtime/metric.ts';
import { scheduleHandler } from './runtime/schedule.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoCustomerDirectory } from './stores/customer-directory.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { STATE_SHARDS } from './stores/ledger-items.ts';
import { DynamoLedgerStore } from './stores/ledger-store.ts';
import { DynamoNoticeStore } from './stores/notice-store.ts';
import { DynamoOutboxStore } from './stores/outbox-store.ts';
import { DynamoRejectStore } from './stores/reject-store.ts';
import { DynamoSummaryStore } from './stores/summary-store.ts';
import { DynamoUsageStore } from './stores/usage-store.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

export function createSummarizeHoursHandler({ environment, clock, log, measure = unmeasured }: Surroundings) {
  const settings = readSettings('summarize-hours', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const { CUSTOMERS_TABLE: customers, NOTICES_TABLE: notices, WORK_TABLE: work } = settings;
  const ports = {
    usage: new DynamoUsageStore(client, settings.USAGE_TABLE),
    ledger: new DynamoLedgerStore(client, settings.LEDGER_TABLE),
    customers: new DynamoCustomerStore(client, customers),
    work: new DynamoWorkStore(client, work),
    notices: new DynamoNoticeStore(client, { notices, customers }),
    directory: new DynamoCustomerDirectory(client, { notices, customers }),
    summaries: new DynamoSummaryStore(client, settings.SUMMARIES_TABLE),
    rejects: new DynamoRejectStore(client, settings.REJECTS_TABLE),
    outbox: new DynamoOutboxStore(client, { notices, customers, work }),
    clock,
    policy: parseMeteringPolicy(settings.METERING_POLICY),
    usageWarningHours: parseUsageWarningHours(settings.USAGE_WARNING_HOURS),
    stateShards: STATE_SHARDS,
    newId: randomUUID,
    log,
  };
  return scheduleHandler(log, 'HoursSummarized', async (hasTime) => {
    const result = await measuredRun(
      () => summarizeHours(ports, hasTime),
      (count) => measure('summarize-hours', { MetersUnbalanced: count('unbalanced') }),
    );
    return { ...result };
  });
}

export const handler = built(createSummarizeHoursHandler);
