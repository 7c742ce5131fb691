// How many calls an hour costs: the real sender, with a ledger in memory and an AWS that only counts.
import { hourEndMs, parseHour } from '../lambdas/domain/hour.ts';
import { hourShardKey, meterKey } from '../lambdas/domain/keys.ts';
import type { SealedHour } from '../lambdas/domain/ledger.ts';
import { MAX_RECORDS_PER_CALL } from '../lambdas/domain/marketplace-limits.ts';
import type { MeteringBatch } from '../lambdas/domain/metering-batch.ts';
import { DEFAULT_METERING_POLICY } from '../lambdas/domain/metering-policy.ts';
import type { Product } from '../lambdas/domain/product.ts';
import type { ItemKey, LedgerStore, LiveRecord } from '../lambdas/flow/ports.ts';
import { sendMetering } from '../lambdas/flow/send-metering.ts';
import { STATE_SHARDS } from '../lambdas/stores/ledger-items.ts';
import { openRecord } from './records.ts';
import { licenceArn, PRODUCT } from './world.ts';

interface CallsBench {
  readonly customers: number;
  readonly dimensions: number;
  /** Products, identity styles and regions that no call may mix. */
  readonly groups: number;
  readonly records: number;
  readonly calls: number;
  /** The fewest that AWS's 25 a call allow: each group's records by 25, rounded up. */
  readonly fewest: number;
  /** The AWS sample makes a call a customer. */
  readonly awsSample: number;
}

const DIMENSIONS = ['requests', 'kib_sent', 'gb_stored', 'seats', 'jobs'];

/** What no call may mix: another product, another identity style, another region. */
const GROUPS: readonly Product[] = [
  PRODUCT,
  { ...PRODUCT, productCode: 'second-product' },
  { ...PRODUCT, productCode: 'legacy-product', identityStyle: 'legacy' },
  { ...PRODUCT, productCode: 'european-product', meteringRegion: 'eu-central-1' },
];

/** Sends one hour of 1, 100 and 10,000 customers in five dimensions, of one product and of four. */
export async function benchCalls(): Promise<CallsBench[]> {
  const rows: CallsBench[] = [];
  for (const groups of [GROUPS.slice(0, 1), GROUPS]) {
    for (const customers of [1, 100, 10_000]) rows.push(await callsFor(customers, groups));
  }
  return rows;
}

async function callsFor(customers: number, groups: readonly Product[]): Promise<CallsBench> {
  const hour = parseHour('2026-09-21T10');
  if (!hour) throw new Error('The hour of the bench is not an hour.');
  const records = Array.from({ length: customers }, (_, customer) => {
    const product = groups[customer % groups.length] ?? PRODUCT;
    const buyer = {
      licenceArn: licenceArn(customer),
      awsAccountId: '111122223333',
      customerIdentifier: `c${customer}`,
    };
    return DIMENSIONS.map((dimension) => openRecord(product, buyer, dimension, hour));
  }).flat();
  const ledger = new CountedLedger(records);
  let ids = 0;
  const { calls, honoured } = await sendMetering(
    {
      ledger,
      work: {
        takeLease: async () => true,
        dropLease: async () => {},
        heldGroups: async () => new Map(),
        holdGroup: async () => {},
        markTouched: async () => {},
      },
      metering: {
        send: async (batch) => ({ kind: 'answered', answers: batch.records.map(() => ({ kind: 'success' })) }),
      },
      pace: { take: async () => {}, depart: async () => {}, throttled: () => {} },
      clock: () => hourEndMs(hour) + 30 * 60_000,
      newId: () => String(++ids),
      limitCalls: (task) => task(),
      limitWrites: (task) => task(),
      log: console,
      lingerMs: DEFAULT_METERING_POLICY.lingerMs,
      stateShards: STATE_SHARDS,
    },
    () => true,
  );
  if (honoured !== records.length) throw new Error(`${records.length - honoured} records were not honoured.`);
  return {
    customers,
    dimensions: DIMENSIONS.length,
    groups: groups.length,
    records: records.length,
    calls,
    fewest: fewestCalls(records),
    awsSample: customers,
  };
}

function fewestCalls(records: readonly MeteringBatch['records'][number][]): number {
  const groups = Map.groupBy(records, (each) => `${each.productCode} ${each.identityStyle} ${each.meteringRegion}`);
  return [...groups.values()].reduce((sum, group) => sum + Math.ceil(group.length / MAX_RECORDS_PER_CALL), 0);
}

/** As much of a ledger as a sender needs whose every record is honoured at once. */
class CountedLedger implements Pick<LedgerStore, 'open' | 'refused' | 'records' | 'intend' | 'settle' | 'sealed'> {
  readonly #open = new Map<string, SealedHour>();

  constructor(records: readonly SealedHour[]) {
    for (const record of records) this.#open.set(keyText(keyOf(record)), record);
  }

  async *refused(): AsyncGenerator<readonly LiveRecord[]> {}

  async *open(stateShard: number): AsyncGenerator<readonly LiveRecord[]> {
    const ours = [...this.#open.values()].filter(({ shard }) => shard % STATE_SHARDS === stateShard);
    yield ours.map((record) => ({ ...keyOf(record), deadlineAt: record.deadlineAt, status: record.status }));
  }

  async records(references: readonly ItemKey[]): Promise<readonly SealedHour[]> {
    return references.flatMap((key) => this.#open.get(keyText(key)) ?? []);
  }

  async intend(): Promise<boolean> {
    return true;
  }

  async settle(sealed: SealedHour): Promise<boolean> {
    return this.#open.delete(keyText(keyOf(sealed)));
  }

  async sealed(): Promise<undefined> {
    return undefined;
  }
}

function keyOf({ hour, shard, licenceKey, dimension }: SealedHour): ItemKey {
  return { partition: hourShardKey(hour, shard), meter: meterKey(licenceKey, dimension) };
}

function keyText({ partition, meter }: ItemKey): string {
  return `${partition} ${meter}`;
}
