// Every minute: settles the customers who are due, tells the seller's product what waits, and notes usage in trouble.
import { toBusEntry } from './contracts/access-event.ts';
import { parseProducts } from './contracts/product-settings.ts';
import { parseUsageWarningHours } from './contracts/webhook-settings.ts';
import { settleDue } from './flow/apply-notice.ts';
import { noteUsageTrouble } from './flow/note-usage-trouble.ts';
import { tellProduct } from './flow/tell-product.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { scheduleHandler } from './runtime/schedule.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { EventBridgeBus, eventBridgeClient } from './stores/event-bus.ts';
import { STATE_SHARDS } from './stores/ledger-items.ts';
import { DynamoLedgerStore } from './stores/ledger-store.ts';
import { DynamoNoticeStore } from './stores/notice-store.ts';
import { DynamoOutboxStore } from './stores/outbox-store.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

export function createTellProductHandler({ environment, clock, log }: Surroundings) {
  const settings = readSettings('tell-product', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const { NOTICES_TABLE: notices, CUSTOMERS_TABLE: customers, WORK_TABLE: work } = settings;
  const ports = {
    outbox: new DynamoOutboxStore(client, { notices, customers, work }),
    bus: new EventBridgeBus({
      client: eventBridgeClient(clientSettings(environment, 'EVENTBRIDGE')),
      bus: settings.EVENT_BUS,
      toEntry: toBusEntry,
    }),
    ledger: new DynamoLedgerStore(client, settings.LEDGER_TABLE),
    notices: new DynamoNoticeStore(client, { notices, customers }),
    customers: new DynamoCustomerStore(client, customers),
    work: new DynamoWorkStore(client, work),
    products: parseProducts(settings.PRODUCTS),
    clock,
    log,
    stateShards: STATE_SHARDS,
    warnAtHours: parseUsageWarningHours(settings.USAGE_WARNING_HOURS),
  };
  return scheduleHandler(log, 'ProductTold', async (hasTime) => {
    // First: what it writes is then told by this run. None of the three keeps another from its work.
    const [settled] = await Promise.allSettled([settleDue(ports, clock(), hasTime)]);
    const [told, noted] = await Promise.allSettled([tellProduct(ports, hasTime), noteUsageTrouble(ports, hasTime)]);
    if (settled.status === 'rejected') throw settled.reason;
    if (told.status === 'rejected') throw told.reason;
    if (noted.status === 'rejected') throw noted.reason;
    return { settled: settled.value, ...told.value, ...noted.value };
  });
}

export const handler = built(createTellProductHandler);
