// Closing an hour, against the bare reads and writes that any close has to make.
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { hourStartMs, parseHour } from '../lambdas/domain/hour.ts';
import { SHARD_COUNT, shardOf } from '../lambdas/domain/keys.ts';
import { licenceKeyOf } from '../lambdas/domain/licence.ts';
import { closeHour } from '../lambdas/flow/close-hour.ts';
import { putItem, queryPages, toItem } from '../lambdas/stores/dynamo.ts';
import { toSealedItem } from '../lambdas/stores/ledger-items.ts';
import { partitionQuery, toUsageItem } from '../lambdas/stores/usage-store.ts';
import { type BenchWorld, licenceArn, PRODUCT, startBenchWorld } from './world.ts';

interface CloseBench {
  readonly events: number;
  readonly customers: number;
  readonly records: number;
  readonly firstCloseMs: number;
  readonly secondCloseMs: number;
  readonly bareReadMs: number;
  readonly bareWriteMs: number;
  /** First close ÷ (bare read of the same partitions + bare conditional puts of the same records). */
  readonly firstRatio: number;
  /** Second close ÷ bare read. */
  readonly secondRatio: number;
}

const HOUR = parseHour('2026-09-21T10') ?? neverHour();
const CUSTOMERS = 1_000;
const ITEMS_PER_TRANSACTION = 100;

/** Seeds one hour with `events` events of 1,000 customers in three dimensions, and closes it twice. */
export async function benchClose(events: number): Promise<CloseBench> {
  await using world = await startBenchWorld(() => hourStartMs(HOUR) + 75 * 60_000);
  await seed(world, events);
  const bareReadMs = await timed(() => bareRead(world));
  const firstCloseMs = await timed(() => closeAll(world));
  const records = await ledgerItems(world);
  const bareWriteMs = await timed(() => bareWrite(world, records));
  const secondCloseMs = await timed(() => closeAll(world));
  const secondReadMs = await timed(() => bareRead(world));
  return {
    events,
    customers: CUSTOMERS,
    records: records.length,
    firstCloseMs,
    secondCloseMs,
    bareReadMs,
    bareWriteMs,
    firstRatio: firstCloseMs / (bareReadMs + bareWriteMs),
    secondRatio: secondCloseMs / secondReadMs,
  };
}

async function seed({ client, tables, ports }: BenchWorld, events: number): Promise<void> {
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const buyer = {
      productCode: PRODUCT.productCode,
      licenceArn: licenceArn(customer),
      customerAwsAccountId: String(100_000_000_000 + customer),
    };
    await ports.limit(() => ports.customers.upsert(buyer, PRODUCT, hourStartMs(HOUR) - 1));
  }
  // Transactions of a hundred puts are how a bench fills a table quickly; nothing that is deployed writes so.
  const batches: Promise<unknown>[] = [];
  for (let from = 0; from < events; from += ITEMS_PER_TRANSACTION) {
    const items = Array.from({ length: Math.min(ITEMS_PER_TRANSACTION, events - from) }, (_, index) => {
      const event = from + index;
      const licenceKey = licenceKeyOf({ style: 'licence', licenceArn: licenceArn(event % CUSTOMERS) });
      const dimension = PRODUCT.dimensions[event % PRODUCT.dimensions.length] ?? '';
      const row = { hour: HOUR, shard: shardOf(licenceKey), licenceKey, dimension, eventId: `event-${event}` };
      return {
        Put: {
          TableName: tables.usage,
          Item: toItem(toUsageItem({ ...row, quantity: 3, atMs: hourStartMs(HOUR) + event })),
        },
      };
    });
    batches.push(ports.limit(() => client.send(new TransactWriteItemsCommand({ TransactItems: items }))));
  }
  await Promise.all(batches);
}

const SHARDS = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
const SHARDS_AT_ONCE = 16;

async function eachShard(task: (shard: number) => Promise<unknown>): Promise<void> {
  const queue = SHARDS.values();
  await Promise.all(
    Array.from({ length: SHARDS_AT_ONCE }, async () => {
      for (const shard of queue) await task(shard);
    }),
  );
}

function closeAll({ ports }: BenchWorld): Promise<void> {
  return eachShard((shard) => closeHour(ports, { hour: HOUR, shard }));
}

/** Both sides of every partition, and the licences: the reads that a close makes, with nothing done with them. */
function bareRead({ client, tables, ports }: BenchWorld): Promise<void> {
  return eachShard(async (shard) => {
    for (const table of [tables.ledger, tables.usage]) {
      const pages = queryPages(client, { TableName: table, ConsistentRead: true, ...partitionQuery(HOUR, shard, {}) });
      for await (const _page of pages);
    }
    for await (const _page of ports.customers.licencesOfShard(shard));
  });
}

async function ledgerItems({ ports }: BenchWorld): Promise<object[]> {
  const items: object[] = [];
  for (const shard of SHARDS) {
    for await (const page of ports.ledger.entries(HOUR, shard)) {
      items.push(...page.flatMap((entry) => (entry.kind === 'sealed' ? [toSealedItem(entry)] : [])));
    }
  }
  return items;
}

/** The same records under other keys, each put under a condition. */
async function bareWrite({ client, tables, ports }: BenchWorld, items: readonly object[]): Promise<void> {
  const put = (item: object, index: number) =>
    putItem(client, {
      TableName: tables.ledger,
      Item: toItem({ ...item, pk: `bare#${index % SHARD_COUNT}` }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
  await Promise.all(items.map((item, index) => ports.limit(() => put(item, index))));
}

async function timed(task: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await task();
  return performance.now() - startedAtMs;
}

function neverHour(): never {
  throw new Error('The hour of the bench is not an hour.');
}
