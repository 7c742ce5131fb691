// How many writes a unit of work costs: as the database counts them while the real flow runs.
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { hourStartMs, parseHour } from '../lambdas/domain/hour.ts';
import { SHARD_COUNT } from '../lambdas/domain/keys.ts';
import { closeHour } from '../lambdas/flow/close-hour.ts';
import { type ReportEntry, recordUsage } from '../lambdas/flow/record-usage.ts';
import { sendMetering } from '../lambdas/flow/send-metering.ts';
import { STATE_SHARDS } from '../lambdas/stores/ledger-items.ts';
import { CapacityCounter } from './capacity.ts';
import { licenceArn, PRODUCT, startBenchWorld } from './world.ts';

interface WriteCount {
  readonly step: string;
  readonly unit: string;
  readonly units: number;
  readonly writes: number;
  /** Writes to the state index: a key set, or a key removed. */
  readonly indexWrites: number;
  readonly perUnit: number;
}

type Counted = Pick<WriteCount, 'writes' | 'indexWrites'>;

const EVENTS = 900;
const CUSTOMERS = 30;

/** Counts the writes of usage in, close and send for 30 customers in three dimensions. */
export async function benchWrites(): Promise<WriteCount[]> {
  const hour = parseHour('2026-09-21T10') ?? '';
  if (hour === '') throw new Error('The hour of the bench is not an hour.');
  let nowMs = hourStartMs(hour) + 30 * 60_000;
  await using world = await startBenchWorld(() => nowMs);
  const { ports, tables } = world;
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const buyer = {
      productCode: PRODUCT.productCode,
      licenceArn: licenceArn(customer),
      customerAwsAccountId: '111122223333',
    };
    await ports.customers.upsert(buyer, PRODUCT, nowMs);
  }
  const counter = new CapacityCounter(world.client);
  // No item here reaches a kilobyte: a unit is a write.
  const count = async (table: string, task: () => Promise<unknown>) => {
    const { writes, indexWrites } = (await counter.of(task))(table);
    return { writes: writes - indexWrites, indexWrites };
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
        pace: { take: async () => {}, depart: async () => {}, throttled: () => {} },
        newId: randomUUID,
        limitCalls: pLimit(16),
        limitWrites: pLimit(32),
        lingerMs: 0,
        stateShards: STATE_SHARDS,
      },
      () => true,
    ),
  );
  const row = (step: string, unit: string, units: number, counted: Counted): WriteCount => ({
    step,
    unit,
    units,
    ...counted,
    perUnit: (counted.writes + counted.indexWrites) / units,
  });
  return [
    row('usage in', 'event', EVENTS, recorded),
    // The state index: an entry when a record is sealed, and none any more when it is settled.
    row('seal', 'sealed hour', sealed.writes, sealed),
    row('intent and result', 'sealed hour', sealed.writes, sent),
  ];
}
