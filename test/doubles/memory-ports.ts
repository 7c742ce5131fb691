// The stores of metering in memory: they really store, refuse by the conditions of the real ones, and page.

import type { Amendment, AuditEntry } from '../../lambdas/domain/amendment.ts';
import type { HourStart } from '../../lambdas/domain/hour.ts';
import { hourShardKey, meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import type { Carry, Credit, LedgerEntry, SealedHour } from '../../lambdas/domain/ledger.ts';
import type { Settlement } from '../../lambdas/domain/metering-result.ts';
import type { Refusal } from '../../lambdas/domain/refusal.ts';
import { tagSetDigest } from '../../lambdas/domain/tag-set.ts';
import type { UsageEvent } from '../../lambdas/domain/usage-event.ts';
import { isSameUsage, parseUsageRow, type UsageRow } from '../../lambdas/domain/usage-row.ts';
import type {
  LateHold,
  LedgerStore,
  LiveRecord,
  MeterName,
  RejectStore,
  UsageBounds,
  UsageStore,
} from '../../lambdas/flow/ports.ts';
import { carryKey, STATE_SHARDS, statePlace } from '../../lambdas/stores/ledger-items.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';

/** What the usage table holds, and what each item says: items are never changed in place. */
export class UsageTable extends MemoryTable<Record<string, unknown>> {
  readonly #parsed = new WeakMap<Record<string, unknown>, UsageRow>();

  parsed(item: Record<string, unknown>): UsageRow {
    const known = this.#parsed.get(item);
    if (known) return known;
    const row = parseUsageRow(item);
    this.#parsed.set(item, row);
    return row;
  }
}

export class MemoryUsageStore implements UsageStore {
  readonly table: UsageTable;
  protected readonly io: Io;

  constructor(io: Io = AT_ONCE, table = new UsageTable()) {
    this.io = io;
    this.table = table;
  }

  put(event: UsageEvent): Promise<'recorded' | 'already' | 'conflict'> {
    const item = toUsageItem(event);
    return this.io('write', event.shard, () => {
      const existing = this.table.get(item.pk, item.sk);
      if (existing) return this.#compared(existing, event);
      this.table.set(item.pk, item.sk, item);
      return 'recorded';
    });
  }

  standing(event: UsageEvent): Promise<'already' | 'conflict' | 'absent'> {
    const { pk, sk } = toUsageItem(event);
    return this.io('read', event.shard, () => {
      const existing = this.table.get(pk, sk);
      return existing ? this.#compared(existing, event) : 'absent';
    });
  }

  #compared(existing: Record<string, unknown>, event: UsageEvent): 'already' | 'conflict' {
    return isSameUsage(this.table.parsed(existing), event) ? 'already' : 'conflict';
  }

  async *rows(hour: HourStart, shard: number, bounds: UsageBounds = {}): AsyncGenerator<readonly UsageRow[]> {
    for await (const page of pagesOf(this.table, hourShardKey(hour, shard), rangeOf(bounds), this.io, shard)) {
      yield page.map((item) => this.table.parsed(item));
    }
  }
}

/** As the real query has it: every key of a licence lies between `licence#` and `licence$`. */
function rangeOf({ licenceKey, from, before }: UsageBounds): KeyRange {
  const start = from ?? (licenceKey === undefined ? undefined : `${licenceKey}#`);
  const end = before ?? (licenceKey === undefined ? undefined : `${licenceKey}$`);
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
}

/** The ledger table with its index by state, the credits and the audit lines. */
export class LedgerTables {
  readonly entries: MemoryTable<LedgerEntry>;
  readonly credits = new Map<string, Credit>();
  readonly actions = new Map<string, AuditEntry>();
  readonly #byState: MemoryTable<LiveRecord>;
  readonly #places = new Map<string, { stateKey: string; stateSort: string }>();

  constructor(pageSize?: number) {
    this.entries = new MemoryTable(pageSize);
    this.#byState = new MemoryTable(pageSize);
  }

  put(sealed: SealedHour): void {
    const [partition, meter] = [hourShardKey(sealed.hour, sealed.shard), meterKey(sealed.licenceKey, sealed.dimension)];
    this.entries.set(partition, meter, sealed);
    const key = `${partition} ${meter}`;
    const before = this.#places.get(key);
    if (before) this.#byState.delete(before.stateKey, before.stateSort);
    const place = statePlace(sealed);
    if (!place) return void this.#places.delete(key);
    this.#places.set(key, place);
    const { deadlineAt, status, nextAttemptAt } = sealed;
    const reference = { partition, meter, deadlineAt, status, ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }) };
    this.#byState.set(place.stateKey, place.stateSort, reference);
  }

  putCarry(carry: Carry): void {
    const { pk, sk } = carryKey(carry);
    this.entries.set(String(pk), String(sk), carry);
  }

  hasCarry(carry: Carry): boolean {
    const { pk, sk } = carryKey(carry);
    return this.entries.get(String(pk), String(sk)) !== undefined;
  }

  standing(at: Pick<SealedHour, 'hour' | 'shard' | 'licenceKey' | 'dimension'>): SealedHour | undefined {
    const entry = this.entries.get(hourShardKey(at.hour, at.shard), meterKey(at.licenceKey, at.dimension));
    return entry?.kind === 'sealed' ? entry : undefined;
  }

  byState(stateKey: string, io: Io, stateShard: number): AsyncGenerator<readonly LiveRecord[]> {
    return pagesOf(this.#byState, stateKey, {}, io, stateShard);
  }

  sealedHours(): SealedHour[] {
    const found: SealedHour[] = [];
    for (const [, , entry] of this.entries.entries()) if (entry.kind === 'sealed') found.push(entry);
    return found;
  }
}

export class MemoryLedgerStore implements LedgerStore {
  readonly tables: LedgerTables;
  protected readonly io: Io;

  constructor(io: Io = AT_ONCE, tables = new LedgerTables()) {
    this.io = io;
    this.tables = tables;
  }

  entries(hour: HourStart, shard: number, licenceKey?: string): AsyncGenerator<readonly LedgerEntry[]> {
    const range = rangeOf(licenceKey === undefined ? {} : { licenceKey });
    return pagesOf(this.tables.entries, hourShardKey(hour, shard), range, this.io, shard);
  }

  seal(sealed: SealedHour, credit?: Credit): Promise<'sealed' | 'exists' | 'creditMoved'> {
    const credited = sealed.creditedQuantity ?? 0;
    return this.io(credit && credited ? 'transaction' : 'write', sealed.shard, () => {
      if (this.tables.standing(sealed)) return 'exists';
      if (credit && credited > 0) {
        const key = meterKey(credit.licenceKey, credit.dimension);
        const current = this.tables.credits.get(key);
        if (!current || current.applied !== credit.applied) return 'creditMoved';
        this.tables.credits.set(key, { ...current, applied: current.applied + credited });
      }
      this.tables.put(sealed);
      return 'sealed';
    });
  }

  sealCarried(
    sealed: SealedHour,
    carries: readonly Carry[],
    onlyInto: 'any' | 'unsealed' = 'any',
  ): Promise<'sealed' | 'exists' | 'targetSealed'> {
    return this.io('transaction', sealed.shard, () => {
      if (this.tables.standing(sealed) || carries.some((carry) => this.tables.hasCarry(carry))) return 'exists';
      if (onlyInto === 'unsealed' && carries[0] && this.tables.standing(carries[0])) return 'targetSealed';
      this.tables.put(sealed);
      for (const carry of carries) this.tables.putCarry(carry);
      return 'sealed';
    });
  }

  carry(
    origin: SealedHour,
    carry: Carry,
    onlyInto: 'any' | 'unsealed',
  ): Promise<'carried' | 'moved' | 'targetSealed'> {
    return this.io('transaction', origin.shard, () => {
      if (onlyInto === 'unsealed' && this.tables.standing(carry)) return 'targetSealed';
      const current = this.unmoved(origin, carry.tagSet);
      if (!current || this.tables.hasCarry(carry)) return 'moved';
      this.tables.putCarry(carry);
      this.tables.put({ ...raised(current, origin, carry), carriedOut: current.carriedOut + carry.quantity });
      return 'carried';
    });
  }

  holdLate(origin: SealedHour, late: LateHold): Promise<'held' | 'moved'> {
    return this.io('write', origin.shard, () => {
      const current = this.unmoved(origin, late.tagSet);
      if (!current || current.status !== origin.status || current.deadlineAt !== origin.deadlineAt) return 'moved';
      const heldReasons = current.heldReasons.includes(late.reason)
        ? current.heldReasons
        : [...current.heldReasons, late.reason];
      this.tables.put({
        ...raised(current, origin, late),
        heldLate: current.heldLate + late.quantity,
        heldReasons,
      });
      return 'held';
    });
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
    if (current.record.quantity !== sealed.record.quantity) return false;
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

function isAsRead(current: SealedHour, before: SealedHour): boolean {
  return (
    current.status === before.status &&
    Object.keys(current.attempts).length === Object.keys(before.attempts).length &&
    current.deadlineAt === before.deadlineAt &&
    current.accounted === before.accounted &&
    current.heldLate === before.heldLate &&
    current.carriedOut === before.carriedOut &&
    current.record.quantity === before.record.quantity &&
    current.withheldQuantity === before.withheldQuantity &&
    current.settledQuantity === before.settledQuantity
  );
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
