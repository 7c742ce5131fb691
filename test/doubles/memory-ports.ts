// The stores of metering in memory: they really store, refuse by the conditions of the real ones, and page.

import type { HourStart } from '../../lambdas/domain/hour.ts';
import { hourShardKey, meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import type { Carry, LedgerEntry, SealedHour } from '../../lambdas/domain/ledger.ts';
import type { Settlement } from '../../lambdas/domain/metering-result.ts';
import type { Refusal } from '../../lambdas/domain/refusal.ts';
import { tagSetDigest } from '../../lambdas/domain/tag-set.ts';
import type { UsageEvent } from '../../lambdas/domain/usage-event.ts';
import { isSameUsage, parseUsageRow, type UsageRow } from '../../lambdas/domain/usage-row.ts';
import type {
  LateHold,
  LedgerStore,
  LiveRecord,
  RejectStore,
  UsageBounds,
  UsageStore,
} from '../../lambdas/flow/ports.ts';
import { carryKey, STATE_SHARDS, statePlace } from '../../lambdas/stores/ledger-items.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';

/** Waits until the next step may be taken: where a test interleaves workers, or lets one die. */
export type Gate = (shard?: number) => Promise<void>;

export const NO_GATE: Gate = async () => {};

/** Small, so that every test meets the ends of pages. */
const PAGE = 3;

/** Sorted text keys to values: a table of one partition key and one sort key. */
class MemoryTable<T> {
  readonly #partitions = new Map<string, Map<string, T>>();

  get(pk: string, sk: string): T | undefined {
    return this.#partitions.get(pk)?.get(sk);
  }

  set(pk: string, sk: string, value: T): void {
    const partition = this.#partitions.get(pk) ?? new Map<string, T>();
    partition.set(sk, value);
    this.#partitions.set(pk, partition);
  }

  delete(pk: string, sk: string): boolean {
    return this.#partitions.get(pk)?.delete(sk) ?? false;
  }

  /** A page of a query: what stands now behind `after`, in order. */
  page(pk: string, after: string | undefined, within: (sk: string) => boolean): { sk: string; value: T }[] {
    const keys = [...(this.#partitions.get(pk)?.keys() ?? [])]
      .filter((sk) => within(sk) && (after === undefined || sk > after))
      .sort();
    return keys.slice(0, PAGE).flatMap((sk) => {
      const value = this.get(pk, sk);
      return value === undefined ? [] : [{ sk, value }];
    });
  }

  values(): T[] {
    return [...this.#partitions.values()].flatMap((partition) => [...partition.values()]);
  }
}

async function* pages<T>(
  table: MemoryTable<T>,
  pk: string,
  within: (sk: string) => boolean,
  step: () => Promise<void>,
) {
  let after: string | undefined;
  for (;;) {
    await step();
    const page = table.page(pk, after, within);
    const last = page.at(-1);
    if (!last) return;
    yield page.map(({ value }) => value);
    after = last.sk;
  }
}

export class MemoryUsageStore implements UsageStore {
  readonly table = new MemoryTable<Record<string, unknown>>();
  readonly #gate: Gate;

  constructor(gate: Gate = NO_GATE) {
    this.#gate = gate;
  }

  async put(event: UsageEvent): Promise<'recorded' | 'already' | 'conflict'> {
    await this.#gate(event.shard);
    const { pk, sk, ...rest } = toUsageItem(event);
    const existing = this.table.get(pk, sk);
    if (!existing) {
      this.table.set(pk, sk, { pk, sk, ...rest });
      return 'recorded';
    }
    return this.#compared(existing, event);
  }

  async standing(event: UsageEvent): Promise<'already' | 'conflict' | 'absent'> {
    await this.#gate(event.shard);
    const { pk, sk } = toUsageItem(event);
    const existing = this.table.get(pk, sk);
    return existing ? this.#compared(existing, event) : 'absent';
  }

  #compared(existing: Parameters<typeof parseUsageRow>[0], event: UsageEvent): 'already' | 'conflict' {
    return isSameUsage(parseUsageRow(existing), event) ? 'already' : 'conflict';
  }

  async *rows(hour: HourStart, shard: number, bounds: UsageBounds = {}): AsyncGenerator<readonly UsageRow[]> {
    const { licenceKey, from, before } = bounds;
    const within = (sk: string) =>
      (licenceKey === undefined || sk.startsWith(`${licenceKey}#`)) &&
      (from === undefined || sk >= from) &&
      (before === undefined || sk <= before);
    for await (const page of pages(this.table, hourShardKey(hour, shard), within, () => this.#gate(shard))) {
      yield page.map(parseUsageRow);
    }
  }
}

export class MemoryLedgerStore implements LedgerStore {
  readonly table = new MemoryTable<LedgerEntry>();
  readonly gate: Gate;

  constructor(gate: Gate = NO_GATE) {
    this.gate = gate;
  }

  async *entries(hour: HourStart, shard: number, licenceKey?: string): AsyncGenerator<readonly LedgerEntry[]> {
    const within = (sk: string) => licenceKey === undefined || sk.startsWith(`${licenceKey}#`);
    yield* pages(this.table, hourShardKey(hour, shard), within, () => this.gate(shard));
  }

  async seal(sealed: SealedHour): Promise<'sealed' | 'exists'> {
    await this.gate(sealed.shard);
    if (this.standing(sealed)) return 'exists';
    this.put(sealed);
    return 'sealed';
  }

  async sealCarried(
    sealed: SealedHour,
    carries: readonly Carry[],
    onlyInto: 'any' | 'unsealed' = 'any',
  ): Promise<'sealed' | 'exists' | 'targetSealed'> {
    await this.gate(sealed.shard);
    if (this.standing(sealed) || carries.some((carry) => this.hasCarry(carry))) return 'exists';
    if (onlyInto === 'unsealed' && carries[0] && this.standing(carries[0])) return 'targetSealed';
    this.put(sealed);
    for (const carry of carries) this.putCarry(carry);
    return 'sealed';
  }

  async carry(
    origin: SealedHour,
    carry: Carry,
    onlyInto: 'any' | 'unsealed',
  ): Promise<'carried' | 'moved' | 'targetSealed'> {
    await this.gate(origin.shard);
    if (onlyInto === 'unsealed' && this.standing(carry)) return 'targetSealed';
    const current = this.unmoved(origin, carry.tagSet);
    if (!current || this.hasCarry(carry)) return 'moved';
    this.putCarry(carry);
    this.put({ ...raised(current, origin, carry), carriedOut: current.carriedOut + carry.quantity });
    return 'carried';
  }

  async holdLate(origin: SealedHour, late: LateHold): Promise<'held' | 'moved'> {
    await this.gate(origin.shard);
    const current = this.unmoved(origin, late.tagSet);
    if (!current || current.status !== origin.status || current.deadlineAt !== origin.deadlineAt) return 'moved';
    const heldReasons = origin.heldReasons.includes(late.reason)
      ? current.heldReasons
      : [...current.heldReasons, late.reason];
    this.put({ ...raised(current, origin, late), heldLate: current.heldLate + late.quantity, heldReasons });
    return 'held';
  }

  async hasten(sealed: SealedHour, deadlineAt: number): Promise<boolean> {
    await this.gate(sealed.shard);
    const current = this.standing(sealed);
    if (!current || current.deadlineAt <= deadlineAt || current.status !== sealed.status) return false;
    const { nextAttemptAt: _next, ...rest } = current;
    this.put({ ...rest, deadlineAt });
    return true;
  }

  async *live(stateShard: number): AsyncGenerator<readonly LiveRecord[]> {
    await this.gate(stateShard);
    const places = this.sealedHours().flatMap((sealed) => {
      const place = statePlace(sealed);
      return place?.stateKey === `live#${stateShard % STATE_SHARDS}` ? [{ place, sealed }] : [];
    });
    places.sort((a, b) => (a.place.stateSort < b.place.stateSort ? -1 : 1));
    for (let from = 0; from < places.length; from += PAGE) {
      yield places.slice(from, from + PAGE).map(({ sealed }) => ({
        partition: hourShardKey(sealed.hour, sealed.shard),
        meter: meterKey(sealed.licenceKey, sealed.dimension),
        deadlineAt: sealed.deadlineAt,
        status: sealed.status,
        ...(sealed.nextAttemptAt === undefined ? {} : { nextAttemptAt: sealed.nextAttemptAt }),
      }));
    }
  }

  async records(references: readonly LiveRecord[]): Promise<readonly SealedHour[]> {
    await this.gate();
    return references.flatMap(({ partition, meter }) => {
      const entry = this.table.get(partition, meter);
      return entry?.kind === 'sealed' ? [entry] : [];
    });
  }

  async intend(sealed: SealedHour, attempt: { id: string; at: number }): Promise<boolean> {
    await this.gate(sealed.shard);
    const current = this.standing(sealed);
    if (!current || (current.status !== 'open' && current.status !== 'held')) return false;
    this.put({ ...current, attempts: { ...current.attempts, [attempt.id]: { at: attempt.at } } });
    return true;
  }

  async sealed(hour: HourStart, licenceKey: string, dimension: string): Promise<SealedHour | undefined> {
    const shard = shardOf(licenceKey);
    await this.gate(shard);
    return this.standing({ hour, shard, licenceKey, dimension });
  }

  async settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    await this.gate(sealed.shard);
    const current = this.standing(sealed);
    if (
      !current ||
      current.status !== sealed.status ||
      Object.keys(current.attempts).length !== Object.keys(sealed.attempts).length ||
      current.heldLate !== sealed.heldLate ||
      current.deadlineAt !== sealed.deadlineAt
    ) {
      return false;
    }
    this.put(settledAs(current, sealed, settlement));
    return true;
  }

  sealedHours(): SealedHour[] {
    return this.table.values().filter((entry) => entry.kind === 'sealed');
  }

  protected standing(at: Pick<SealedHour, 'hour' | 'shard' | 'licenceKey' | 'dimension'>): SealedHour | undefined {
    const entry = this.table.get(hourShardKey(at.hour, at.shard), meterKey(at.licenceKey, at.dimension));
    return entry?.kind === 'sealed' ? entry : undefined;
  }

  protected put(sealed: SealedHour): void {
    this.table.set(hourShardKey(sealed.hour, sealed.shard), meterKey(sealed.licenceKey, sealed.dimension), sealed);
  }

  protected putCarry(carry: Carry): void {
    const { pk, sk } = carryKey(carry);
    this.table.set(String(pk), String(sk), carry);
  }

  protected hasCarry(carry: Carry): boolean {
    const { pk, sk } = carryKey(carry);
    return this.table.get(String(pk), String(sk)) !== undefined;
  }

  /** What stands, if as much of the tag set is accounted for as was read. */
  protected unmoved(origin: SealedHour, tagSet: string): SealedHour | undefined {
    const current = this.standing(origin);
    const digest = tagSetDigest(tagSet);
    const isSame = current?.accountedByTagSet[digest] === origin.accountedByTagSet[digest];
    return isSame ? current : undefined;
  }
}

export function raised(
  current: SealedHour,
  origin: SealedHour,
  { tagSet, quantity }: Pick<Carry, 'tagSet' | 'quantity'>,
): SealedHour {
  const digest = tagSetDigest(tagSet);
  const accounted = (origin.accountedByTagSet[digest] ?? 0) + quantity;
  return {
    ...current,
    accounted: current.accounted + quantity,
    accountedByTagSet: { ...current.accountedByTagSet, [digest]: accounted },
    seen: origin.seen,
  };
}

function settledAs(current: SealedHour, judged: SealedHour, settlement: Settlement): SealedHour {
  const { reason: _reason, nextAttemptAt: _next, ...rest } = current;
  const { refusedAttemptId, refusal, status, reason, nextAttemptAt, meteringRecordId, at } = settlement;
  const attempts = Object.entries(current.attempts).filter(([id]) => id !== refusedAttemptId);
  return {
    ...rest,
    status,
    attempts: Object.fromEntries(attempts),
    refusals: refusal ? [...judged.refusals, refusal].slice(-8) : judged.refusals,
    ...(reason === undefined ? {} : { reason }),
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
    ...(meteringRecordId === undefined ? {} : { meteringRecordId }),
    ...(status === 'open' || status === 'held' ? {} : { settledAt: at }),
  };
}

export class MemoryRejectStore implements RejectStore {
  readonly kept = new Map<string, Refusal>();

  async keep(refusal: Refusal): Promise<void> {
    const day = refusal.hour?.slice(0, 10) ?? new Date(refusal.at).toISOString().slice(0, 10);
    this.kept.set([day, refusal.code, refusal.subject, refusal.dimension, refusal.eventId].join('\n'), refusal);
  }
}
