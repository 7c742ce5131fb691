// Every minute: seals the hours that are over, and carries what came late.
import pLimit from 'p-limit';
import { parseMeteringPolicy, parseProducts } from './contracts/product-settings.ts';
import { closeDueHours } from './flow/close-due-hours.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { measuredRun, unmeasured } from './runtime/metric.ts';
import { scheduleHandler } from './runtime/schedule.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { DynamoEntitlementStore } from './stores/entitlement-store.ts';
import { DynamoLedgerStore } from './stores/ledger-store.ts';
import { DynamoRejectStore } from './stores/reject-store.ts';
import { DynamoUsageStore } from './stores/usage-store.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

const WRITES_AT_ONCE = 32;

export function createCloseHoursHandler({ environment, clock, log, measure = unmeasured }: Surroundings) {
  const settings = readSettings('close-hours', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const ports = {
    customers: new DynamoCustomerStore(client, settings.CUSTOMERS_TABLE),
    usage: new DynamoUsageStore(client, settings.USAGE_TABLE),
    ledger: new DynamoLedgerStore(client, settings.LEDGER_TABLE),
    entitlements: new DynamoEntitlementStore(client, settings.CUSTOMERS_TABLE),
    work: new DynamoWorkStore(client, settings.WORK_TABLE),
    rejects: new DynamoRejectStore(client, settings.REJECTS_TABLE),
    clock,
    limit: pLimit(WRITES_AT_ONCE),
    log,
    products: parseProducts(settings.PRODUCTS),
    policy: parseMeteringPolicy(settings.METERING_POLICY),
  };
  return scheduleHandler(log, 'HoursClosed', async (hasTime) => {
    const result = await measuredRun(
      () => closeDueHours(ports, hasTime),
      (count) =>
        measure('close-hours', {
          RecordsSealed: count('sealed'),
          MetersBroken: count('broken'),
          MetersAwaitingLicence: count('awaiting'),
        }),
    );
    return { ...result };
  });
}

export const handler = built(createCloseHoursHandler);
