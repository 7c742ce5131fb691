// How many writes a unit of work costs: counted at the SDK client while the real flow runs.
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { hourStartMs, parseHour } from '../lambdas/domain/hour.ts';
import { SHARD_COUNT } from '../lambdas/domain/keys.ts';
import { closeHour } from '../lambdas/flow/close-hour.ts';
import { type ReportEntry, recordUsage } from '../lambdas/flow/record-usage.ts';
import { sendMetering } from '../lambdas/flow/send-metering.ts';
import { STATE_SHARDS } from '../lambdas/stores/ledger-items.ts';
import { licenceArn, PRODUCT, startBenchWorld } from './world.ts';

interface WriteCount {
  readonly step: string;
  readonly unit: string;
  readonly units: number;
  readonly writes: number;
  /** Writes to the state index that follow: a key set, or a key removed. */
  readonly indexWrites: number;
  readonly perUnit: number;
}

const EVENTS = 900;
const CUSTOMERS = 30;
const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems', 'BatchWriteItem']);

/** Counts the writes of usage in, close and send for 30 customers in three dimensions. */
export async function benchWrites(): Promise<WriteCount[]> {
  const hour = parseHour('2026-09-21T10') ?? '';
  if (hour === '') throw new Error('The hour of the bench is not an hour.');
  let nowMs = hourStartMs(hour) + 30 * 60_000;
  await using world = await startBenchWorld(() => nowMs);
  const { ports, tables, calls } = world;
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const buyer = {
      productCode: PRODUCT.productCode,
      licenceArn: licenceArn(customer),
      customerAwsAccountId: '111122223333',
    };
    await ports.customers.upsert(buyer, PRODUCT, nowMs);
  }
  const writesTo = (table: string) =>
    [...calls].reduce((sum, [name, count]) => {
      const [command = '', to] = name.split(' ');
      return sum + (WRITES.has(command) && to === table ? count : 0);
    }, 0);
  const count = async (table: string, task: () => Promise<unknown>) => {
    const before = writesTo(table);
    await task();
    return writesTo(table) - before;
  };

  const entries: ReportEntry[] = Array.from({ length: EVENTS }, (_, index) => ({
    kind: 'event',
    received: '',
    event: {
      id: `event-${index}`,
      subject: { kind: 'licence', name: { style: 'licence', licenceArn: licenceArn(index % CUSTOMERS) } },
      dimension: PRODUCT.dimensions[Math.floor(index / CUSTOMERS) % PRODUCT.dimensions.length] ?? '',
      quantity: 1,
      atMs: nowMs - 1,
    },
  }));
  const recorded = await count(tables.usage, () => recordUsage(ports, entries));

  nowMs += 60 * 60_000;
  const sealed = await count(tables.ledger, async () => {
    for (let shard = 0; shard < SHARD_COUNT; shard++) await closeHour(ports, { hour, shard });
  });
  const answer = { kind: 'answered' as const };
  const sent = await count(tables.ledger, () =>
    sendMetering(
      {
        ...ports,
        metering: {
          send: async ({ records }) => ({ ...answer, answers: records.map(() => ({ kind: 'success' as const })) }),
        },
        pace: { take: async () => {}, throttled: () => {} },
        newId: randomUUID,
        limitCalls: pLimit(16),
        limitWrites: pLimit(32),
        lingerMs: 0,
        stateShards: STATE_SHARDS,
      },
      () => true,
    ),
  );
  const row = (step: string, unit: string, units: number, writes: number, indexWrites: number): WriteCount => ({
    step,
    unit,
    units,
    writes,
    indexWrites,
    perUnit: (writes + indexWrites) / units,
  });
  return [
    row('usage in', 'event', EVENTS, recorded, 0),
    // The state index: one entry put when a record is sealed, one taken out when it is settled; an intent changes
    // nothing that the index carries.
    row('seal', 'sealed hour', sealed, sealed, sealed),
    row('intent and result', 'sealed hour', sealed, sent, sealed),
  ];
}
