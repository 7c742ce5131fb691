// A licence in memory whose hours are closed, sent and operated on, with an AWS that may fail in any way.
import { expect } from 'vitest';
import { newActionId } from '../../../lambdas/domain/amendment.ts';
import { addHours, HOUR_MS, type HourStart, hourOf, hoursBetween } from '../../../lambdas/domain/hour.ts';
import { shardOf } from '../../../lambdas/domain/keys.ts';
import { type SealedHour, standingQuantity } from '../../../lambdas/domain/ledger.ts';
import type { MeteringBatch } from '../../../lambdas/domain/metering-batch.ts';
import type { BatchAnswer, RecordAnswer } from '../../../lambdas/domain/metering-result.ts';
import type { CallTrail, TrailRecord } from '../../../lambdas/domain/operations/submitted-usage.ts';
import type { Product } from '../../../lambdas/domain/product.ts';
import { closeHour } from '../../../lambdas/flow/close-hour.ts';
import { sendMetering } from '../../../lambdas/flow/send-metering.ts';
import { verifyBooks } from '../../../lambdas/flow/verify-books.ts';
import { STATE_SHARDS } from '../../../lambdas/stores/ledger-items.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../../builders.ts';
import { MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from '../../doubles/memory-ports.ts';
import { AT_ONCE, type Io } from '../../doubles/memory-table.ts';
import { MemoryLicences, MemoryWorkStore } from '../../doubles/memory-work.ts';

export const FIRST = anHour('2026-09-21T00');
export const SHARD = shardOf(LICENCE_KEY);

/** What AWS does to every record of a call. */
export type Mood = 'takes' | 'losesAnswer' | 'losesCall' | 'refusesRecord' | 'notSubscribed' | 'denies';

export class OperatedWorld {
  /** How operations reach the ledger: at once, unless a test has them take turns. */
  io: Io = AT_ONCE;
  readonly usage = new MemoryUsageStore();
  readonly ledger = new MemoryLedgerStore((kind, shard, apply) => this.io(kind, shard, apply));
  readonly customers = new MemoryLicences();
  readonly work = new MemoryWorkStore();
  readonly rejects = new MemoryRejectStore();
  readonly entitlements = { entitlements: async () => undefined };
  readonly policy = aPolicy({ lingerMs: 0 });
  readonly products: Map<string, Product>;
  readonly stateShards = STATE_SHARDS;
  /** What AWS bills, by dimension and hour. */
  readonly billed = new Map<string, number>();
  readonly trail: TrailRecord[] = [];
  readonly alarms: string[] = [];
  mood: Mood = 'takes';
  nowMs = at('2026-09-21T00:30:00Z');
  #ids = 0;

  constructor(product: Partial<Product> = {}) {
    this.products = new Map([['metrics-cloud', aProduct(product)]]);
    this.customers.add(aLicence());
  }

  readonly clock = () => this.nowMs;
  readonly newId = () => (++this.#ids).toString(16).padStart(8, '0');
  readonly limit = <T>(task: () => Promise<T>) => task();
  readonly limitCalls = this.limit;
  readonly limitWrites = this.limit;
  readonly lingerMs = 0;
  readonly pace = { take: async () => {}, depart: async () => {}, throttled: () => {} };
  readonly log = { warn: () => {}, error: (code: string) => void this.alarms.push(code) };
  readonly metering = { send: (batch: MeteringBatch) => this.#answer(batch) };

  act(why = 'the fault was mended') {
    return { actionId: newActionId(this.nowMs, this.newId()), who: 'kim@example.com', why };
  }

  /** Reports usage now for an hour that lies so many hours back. */
  async report(quantity: number, hoursBack = 0, team?: string): Promise<void> {
    const hour = addHours(hourOf(this.nowMs), -hoursBack);
    const atMs = Date.parse(`${hour}:05:00Z`);
    const tags = team === undefined ? {} : { tags: { team } };
    await this.usage.put(aUsageEvent({ hour, atMs, quantity, eventId: this.newId(), ...tags }));
  }

  async close(): Promise<void> {
    for (const hour of hoursBetween(FIRST, hourOf(this.nowMs))) await closeHour(this, { hour, shard: SHARD });
  }

  async send(mood: Mood = 'takes'): Promise<void> {
    this.mood = mood;
    await sendMetering(this, () => true);
  }

  /** Another pipeline of the seller meters an hour, if AWS has none of it yet. */
  foreign(hour: HourStart, quantity: number, dimension = 'requests'): void {
    this.#bill({ hour, dimension, quantity });
  }

  sealed(hour: HourStart, dimension = 'requests'): Promise<SealedHour | undefined> {
    return this.ledger.sealed(hour, LICENCE_KEY, dimension);
  }

  billedOf({ hour, dimension }: Pick<SealedHour, 'hour' | 'dimension'>): number | undefined {
    return this.billed.get(`${dimension} ${hour}`);
  }

  awsLog(): CallTrail {
    return { records: this.trail, unread: [] };
  }

  async #answer({ records }: MeteringBatch): Promise<BatchAnswer> {
    const note = (answer: TrailRecord['answer']) => {
      for (const { hour, dimension, record } of records)
        this.#note({ hour, dimension, quantity: record.quantity }, answer);
    };
    switch (this.mood) {
      case 'losesCall':
        return { kind: 'unknown', code: 'TimeoutError' };
      case 'refusesRecord':
        note('refused');
        return { kind: 'invalid', code: 'InvalidTagException' };
      case 'denies':
        note('refused');
        return { kind: 'refused', code: 'AccessDeniedException', isThrottled: false };
      case 'notSubscribed':
        note('refused');
        return { kind: 'answered', answers: records.map(() => ({ kind: 'notSubscribed' })) };
      case 'losesAnswer':
      case 'takes': {
        const answers = records.map(({ hour, dimension, record }) =>
          this.#bill({ hour, dimension, quantity: record.quantity }),
        );
        return this.mood === 'takes' ? { kind: 'answered', answers } : { kind: 'unknown', code: 'TimeoutError' };
      }
    }
  }

  #bill(amount: { hour: HourStart; dimension: string; quantity: number }): RecordAnswer {
    const key = `${amount.dimension} ${amount.hour}`;
    if (this.billed.has(key)) {
      this.#note(amount, 'duplicate');
      return { kind: 'duplicate' };
    }
    this.billed.set(key, amount.quantity);
    this.#note(amount, 'metered', `m-${key}`);
    return { kind: 'success', meteringRecordId: `m-${key}` };
  }

  #note(
    amount: Pick<TrailRecord, 'hour' | 'dimension' | 'quantity'>,
    answer: TrailRecord['answer'],
    meteringRecordId?: string,
  ): void {
    const id = meteringRecordId === undefined ? {} : { meteringRecordId };
    this.trail.push({ ...amount, ...id, licenceKey: LICENCE_KEY, region: 'us-east-1', answer, at: this.nowMs });
  }
}

/** Every hour balances, its record holds together, and AWS bills what the record says that it does. */
export async function check(world: OperatedWorld): Promise<void> {
  let [carriedIn, carriedOut] = [0, 0];
  const end = hourOf(world.nowMs + 2 * HOUR_MS);
  for await (const books of verifyBooks(world, FIRST, end, LICENCE_KEY)) {
    expect(books).toMatchObject({ difference: 0 });
    carriedIn += books.carriedIn;
    carriedOut += books.carriedOut;
  }
  expect(carriedIn).toBe(carriedOut);
  for (const sealed of world.ledger.sealedHours()) checkRecord(world, sealed);
  expect(world.alarms).toEqual([]);
}

function checkRecord(world: OperatedWorld, sealed: SealedHour): void {
  const { accounted, carriedOut, heldLate, withheldQuantity = 0, creditedQuantity = 0, record } = sealed;
  const standing = standingQuantity(sealed);
  expect(standing + carriedOut + heldLate + withheldQuantity + creditedQuantity).toBe(accounted);
  const allocated = record.allocations?.reduce((sum, { quantity }) => sum + quantity, 0);
  expect(allocated ?? record.quantity).toBe(record.quantity);
  const billed = world.billedOf(sealed);
  if (sealed.status === 'honoured') expect(billed).toBe(standing);
  if (sealed.status === 'presumed') {
    // Presumed of an answer that was lost may be another's amount until AWS's log tells.
    const isSettled = sealed.reason === 'accepted' || sealed.reason === 'differenceCarried';
    expect(billed).toBeDefined();
    if (isSettled) expect(standing).toBe(Math.min(billed ?? 0, standing));
  }
}
