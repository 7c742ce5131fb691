// The stores of metering in memory: they really store, refuse by the conditions of the real ones, and page.

import type { Amendment, AuditEntry } from '../../lambdas/domain/amendment.ts';
import type { CounterStep, Inclusion, TermCounter } from '../../lambdas/domain/entitlement.ts';
import type { HourStart } from '../../lambdas/domain/hour.ts';
import { hourShardKey, meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import { type Carry, type Credit, isLive, type LedgerEntry, type SealedHour } from '../../lambdas/domain/ledger.ts';
import type { Settlement } from '../../lambdas/domain/metering-result.ts';
import type { Refusal } from '../../lambdas/domain/refusal.ts';
import { ANY_TAGS, tagSetDigest } from '../../lambdas/domain/tag-set.ts';
import type { UsageEvent } from '../../lambdas/domain/usage-event.ts';
import { isSameUsage, parseUsageRow, type UsageRow } from '../../lambdas/domain/usage-row.ts';
import type {
  ItemKey,
  LateHold,
  LedgerStore,
  LiveRecord,
  MeterName,
  OnMalformed,
  RejectStore,
  UsageBounds,
  UsageStore,
} from '../../lambdas/flow/ports.ts';
import { ATTENTION, carryKey, openKey, REFUSED, statePlace, subjectOf } from '../../lambdas/stores/ledger-items.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { AT_ONCE, type Io, type KeyRange, MemoryTable, pagesOf } from './memory-table.ts';

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

  rows(hour: HourStart, shard: number, bounds: UsageBounds = {}): AsyncIterable<readonly UsageRow[]> {
    const pages = pagesOf(this.table, hourShardKey(hour, shard), rangeOf(bounds), this.io, shard);
    return this.io.isIdle?.(shard) ? (pages as AsyncIterable<never>) : this.#parsed(pages);
  }

  async *#parsed(pages: AsyncIterable<readonly Record<string, unknown>[]>): AsyncGenerator<readonly UsageRow[]> {
    for await (const page of pages) yield page.map((item) => this.table.parsed(item));
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
  readonly counters = new Map<string, TermCounter>();
  readonly #byState: MemoryTable<LiveRecord>;
  readonly #places = new Map<string, { stateKey: string; stateSort: string }>();

  readonly #unsettled = new Map<string, SealedHour>();

  constructor(pageSize?: number) {
    this.entries = new MemoryTable(pageSize);
    this.#byState = new MemoryTable(pageSize);
  }

  put(sealed: SealedHour): void {
    const [partition, meter] = [hourShardKey(sealed.hour, sealed.shard), meterKey(sealed.licenceKey, sealed.dimension)];
    this.entries.set(partition, meter, sealed);
    const key = `${partition} ${meter}`;
    const before = this.#places.get(key);
    if (isLive(sealed.status) && sealed.record.quantity > 0) this.#unsettled.set(key, sealed);
    else this.#unsettled.delete(key);
    const place = statePlace(sealed);
    if (place) this.#places.set(key, place);
    else this.#places.delete(key);
    const isElsewhere = before && !(before.stateKey === place?.stateKey && before.stateSort === place.stateSort);
    const reference = referenceOf(sealed, partition, meter);
    this.reindex(
      ...(place ? [() => void this.#byState.set(place.stateKey, place.stateSort, reference)] : []),
      ...(isElsewhere ? [() => void this.#byState.delete(before.stateKey, before.stateSort)] : []),
    );
  }

  /** The index follows at once; a real one does later, a record's new place before its old one is gone, or after. */
  protected reindex(...changes: readonly (() => void)[]): void {
    for (const change of changes) change();
  }

  counter({ licenceKey, dimension, termStart }: CounterName): TermCounter {
    const nothing = { licenceKey, dimension, termStart, used: 0, overage: 0 };
    return this.counters.get(counterPlace(nothing)) ?? nothing;
  }

  /** Whether a term's counter stands as it was read; it is then moved by the step. */
  hasMoved(step: CounterStep | undefined): boolean {
    if (!step) return false;
    const { used, overage } = this.counter(step.counter);
    return used !== step.counter.used || overage !== step.counter.overage;
  }

  count(step: CounterStep | undefined): void {
    if (!step) return;
    const { counter, used, overage } = step;
    const after = { ...counter, used: counter.used + used, overage: counter.overage + overage };
    this.counters.set(counterPlace(counter), after);
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

  byState(
    stateKey: string,
    io: Io,
    stateShard: number | undefined,
    range: KeyRange = {},
  ): AsyncIterable<readonly LiveRecord[]> {
    return pagesOf(this.#byState, stateKey, range, io, stateShard);
  }

  /** The soonest deadline of what is not settled and holds an amount. */
  soonestDeadline(): number | undefined {
    let soonest: number | undefined;
    for (const { deadlineAt } of this.#unsettled.values()) soonest = Math.min(soonest ?? deadlineAt, deadlineAt);
    return soonest;
  }

  sealedHours(): SealedHour[] {
    const found: SealedHour[] = [];
    for (const [, , entry] of this.entries.entries()) if (entry.kind === 'sealed') found.push(entry);
    return found;
  }
}

function referenceOf({ deadlineAt, status, nextAttemptAt }: SealedHour, partition: string, meter: string): LiveRecord {
  return { partition, meter, deadlineAt, status, ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }) };
}

export class MemoryLedgerStore implements LedgerStore {
  readonly tables: LedgerTables;
  protected readonly io: Io;

  constructor(io: Io = AT_ONCE, tables = new LedgerTables()) {
    this.io = io;
    this.tables = tables;
  }

  entries(hour: HourStart, shard: number, licenceKey?: string): AsyncIterable<readonly LedgerEntry[]> {
    const range = rangeOf(licenceKey === undefined ? {} : { licenceKey });
    return pagesOf(this.tables.entries, hourShardKey(hour, shard), range, this.io, shard);
  }

  seal(
    sealed: SealedHour,
    credit?: Credit,
    step?: CounterStep,
  ): Promise<'sealed' | 'exists' | 'creditMoved' | 'counterMoved'> {
    const credited = sealed.creditedQuantity ?? 0;
    return this.io((credit && credited) || step ? 'transaction' : 'write', sealed.shard, () => {
      if (this.tables.standing(sealed)) return 'exists';
      if (this.tables.hasMoved(step)) return 'counterMoved';
      if (credit && credited > 0) {
        const key = meterKey(credit.licenceKey, credit.dimension);
        const current = this.tables.credits.get(key);
        if (!current || current.applied !== credit.applied) return 'creditMoved';
        this.tables.credits.set(key, { ...current, applied: current.applied + credited });
      }
      this.tables.count(step);
      this.tables.put(sealed);
      return 'sealed';
    });
  }

  sealCarried(
    sealed: SealedHour,
    carries: readonly Carry[],
    onlyInto: 'any' | 'unsealed' = 'any',
    step?: CounterStep,
  ): Promise<'sealed' | 'exists' | 'targetSealed' | 'counterMoved'> {
    return this.io('transaction', sealed.shard, () => {
      if (this.tables.standing(sealed) || carries.some((carry) => this.tables.hasCarry(carry))) return 'exists';
      if (onlyInto === 'unsealed' && carries[0] && this.tables.standing(carries[0])) return 'targetSealed';
      if (this.tables.hasMoved(step)) return 'counterMoved';
      this.tables.count(step);
      this.tables.put(sealed);
      for (const carry of carries) this.tables.putCarry(carry);
      return 'sealed';
    });
  }

  carry(
    origin: SealedHour,
    carry: Carry,
    onlyInto: 'any' | 'unsealed',
    inclusion?: Inclusion,
  ): Promise<'carried' | 'moved' | 'targetSealed'> {
    return this.io('transaction', origin.shard, () => {
      if (onlyInto === 'unsealed' && this.tables.standing(carry)) return 'targetSealed';
      const current = this.unmoved(origin, carry.tagSet, inclusion);
      if (!current || this.tables.hasCarry(carry)) return 'moved';
      this.tables.count(inclusion?.step);
      this.tables.putCarry(carry);
      this.tables.put({
        ...raised(current, origin, carry, inclusion),
        carriedOut: current.carriedOut + carry.quantity,
      });
      return 'carried';
    });
  }

  include(origin: SealedHour, tagSet: string, inclusion: Inclusion): Promise<'included' | 'moved'> {
    return this.io(inclusion.step ? 'transaction' : 'write', origin.shard, () => {
      const current = this.unmoved(origin, tagSet, inclusion);
      if (!current) return 'moved';
      this.tables.count(inclusion.step);
      this.tables.put(raised(current, origin, { tagSet, quantity: 0 }, inclusion));
      return 'included';
    });
  }

  counter(name: CounterName): Promise<TermCounter> {
    return this.io('read', shardOf(name.licenceKey), () => this.tables.counter(name));
  }

  counters(licenceKey: string): Promise<readonly TermCounter[]> {
    return this.io('read', shardOf(licenceKey), () =>
      [...this.tables.counters.values()].filter((counter) => counter.licenceKey === licenceKey),
    );
  }

  holdLate(origin: SealedHour, late: LateHold, inclusion?: Inclusion): Promise<'held' | 'moved'> {
    return this.io(inclusion?.step ? 'transaction' : 'write', origin.shard, () => {
      const current = this.unmoved(origin, late.tagSet, inclusion);
      if (!current || current.status !== origin.status || current.deadlineAt !== origin.deadlineAt) return 'moved';
      if (current.heldLate !== origin.heldLate) return 'moved';
      const heldReasons = origin.heldReasons.includes(late.reason)
        ? current.heldReasons
        : [...current.heldReasons, late.reason];
      this.tables.count(inclusion?.step);
      this.tables.put({
        ...raised(current, origin, late, inclusion),
        heldLate: current.heldLate + late.quantity,
        heldReasons,
      });
      return 'held';
    });
  }

  hasten(sealed: SealedHour, deadlineAt: number): Promise<boolean> {
    return this.io('write', sealed.shard, () => {
      const current = this.tables.standing(sealed);
      if (!current || current.deadlineAt <= deadlineAt || current.status !== sealed.status) return false;
      const { nextAttemptAt: _next, ...rest } = current;
      this.tables.put({ ...rest, deadlineAt });
      return true;
    });
  }

  open(stateShard: number, _onMalformed?: OnMalformed): AsyncIterable<readonly LiveRecord[]> {
    return this.tables.byState(openKey(stateShard), this.io, stateShard);
  }

  refused(_onMalformed?: OnMalformed): AsyncIterable<readonly LiveRecord[]> {
    return this.tables.byState(REFUSED, this.io, undefined);
  }

  attention(_onMalformed?: OnMalformed, sinceMs?: number): AsyncIterable<readonly LiveRecord[]> {
    const since = sinceMs === undefined ? {} : { start: new Date(sinceMs).toISOString() };
    return this.tables.byState(ATTENTION, this.io, undefined, { ...since, isBackwards: true });
  }

  records(references: readonly ItemKey[], _onMalformed?: OnMalformed): Promise<readonly SealedHour[]> {
    // DynamoDB refuses a read that names a key twice.
    const places = new Set(references.map(({ partition, meter }) => `${partition} ${meter}`));
    if (places.size < references.length) throw new Error('A record is asked for twice.');
    return this.io('read', undefined, () =>
      references.flatMap(({ partition, meter }) => {
        const entry = this.tables.entries.get(partition, meter);
        return entry?.kind === 'sealed' ? [entry] : [];
      }),
    );
  }

  intend(sealed: SealedHour, attempt: { id: string; at: number }): Promise<boolean> {
    return this.io('write', sealed.shard, () => {
      const current = this.tables.standing(sealed);
      if (!current || (current.status !== 'open' && current.status !== 'held')) return false;
      if (current.record.quantity !== sealed.record.quantity) return false;
      this.tables.put({ ...current, attempts: { ...current.attempts, [attempt.id]: { at: attempt.at } } });
      return true;
    });
  }

  sealed(hour: HourStart, licenceKey: string, dimension: string): Promise<SealedHour | undefined> {
    const shard = shardOf(licenceKey);
    return this.io('read', shard, () => this.tables.standing({ hour, shard, licenceKey, dimension }));
  }

  settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    return this.io('write', sealed.shard, () => {
      const current = this.tables.standing(sealed);
      if (!current || !this.isAsJudged(current, sealed)) return false;
      this.tables.put(settledAs(current, sealed, settlement));
      return true;
    });
  }

  credits(shard: number): Promise<ReadonlyMap<string, Credit>> {
    return this.io('read', shard, () => {
      const open = [...this.tables.credits].filter(
        ([, { licenceKey, granted, applied }]) => shardOf(licenceKey) === shard && applied < granted,
      );
      return new Map(open);
    });
  }

  amend(before: SealedHour, amendment: Amendment): Promise<'amended' | 'already' | 'moved' | 'targetSealed'> {
    const { after, carries, onlyInto, audit } = amendment;
    return this.io('transaction', before.shard, () => {
      if (this.tables.actions.has(audit.actionId)) return 'already';
      const current = this.tables.standing(before);
      if (!current || !isAsRead(current, before) || carries.some((carry) => this.tables.hasCarry(carry)))
        return 'moved';
      if (onlyInto === 'unsealed' && carries[0] && this.tables.standing(carries[0])) return 'targetSealed';
      this.tables.actions.set(audit.actionId, audit);
      this.tables.put({ ...after, accountedByTagSet: current.accountedByTagSet, seen: current.seen });
      for (const carry of carries) this.tables.putCarry(carry);
      return 'amended';
    });
  }

  grantCredit(
    { licenceKey, dimension }: MeterName,
    quantity: number,
    audit: AuditEntry,
  ): Promise<'granted' | 'already'> {
    return this.io('transaction', shardOf(licenceKey), () => {
      if (this.tables.actions.has(audit.actionId)) return 'already';
      const key = meterKey(licenceKey, dimension);
      const { granted, applied } = this.tables.credits.get(key) ?? { granted: 0, applied: 0 };
      this.tables.actions.set(audit.actionId, audit);
      this.tables.credits.set(key, { licenceKey, dimension, granted: granted + quantity, applied });
      return 'granted';
    });
  }

  noteAction(audit: AuditEntry): Promise<'noted' | 'already'> {
    return this.io('write', undefined, () => {
      if (this.tables.actions.has(audit.actionId)) return 'already';
      this.tables.actions.set(audit.actionId, audit);
      return 'noted';
    });
  }

  action(actionId: string): Promise<AuditEntry | undefined> {
    return this.io('read', undefined, () => this.tables.actions.get(actionId));
  }

  auditOf(subject: string, limit: number): Promise<readonly AuditEntry[]> {
    return this.io('read', undefined, () =>
      [...this.tables.actions.values()]
        .filter((entry) => subjectOf(entry).subject === subject)
        .sort((one, other) => (one.actionId < other.actionId ? 1 : -1))
        .slice(0, limit),
    );
  }

  async *audit(period: string): AsyncGenerator<readonly AuditEntry[]> {
    const lines = await this.io('read', undefined, () =>
      [...this.tables.actions.values()].filter(({ actionId }) => actionId.startsWith(period)),
    );
    if (lines.length > 0) yield lines.sort((a, b) => (a.actionId < b.actionId ? -1 : 1));
  }

  sealedHours(): SealedHour[] {
    return this.tables.sealedHours();
  }

  /** Whether a result may be written: a further attempt, a hold or another result changes the judgement. */
  protected isAsJudged(current: SealedHour, judged: SealedHour): boolean {
    return (
      current.status === judged.status &&
      Object.keys(current.attempts).length === Object.keys(judged.attempts).length &&
      current.heldLate === judged.heldLate &&
      current.deadlineAt === judged.deadlineAt
    );
  }

  /** What stands, if as much of the tag set is accounted for as was read. */
  protected unmoved(origin: SealedHour, tagSet: string, inclusion?: Inclusion): SealedHour | undefined {
    const current = this.tables.standing(origin);
    const digest = tagSetDigest(tagSet);
    const isSame =
      tagSet === ANY_TAGS
        ? current?.accounted === origin.accounted
        : current?.accountedByTagSet[digest] === origin.accountedByTagSet[digest] &&
          current?.accountedByTagSet[ANY_TAGS] === undefined;
    const isCounted = inclusion && origin.entitlement?.ownAccounted !== current?.entitlement?.ownAccounted;
    return isSame && !isCounted && !this.tables.hasMoved(inclusion?.step) ? current : undefined;
  }
}

function isAsRead(current: SealedHour, before: SealedHour): boolean {
  return (
    current.status === before.status &&
    Object.keys(current.attempts).length === Object.keys(before.attempts).length &&
    current.refusals.length === before.refusals.length &&
    current.deadlineAt === before.deadlineAt &&
    current.accounted === before.accounted &&
    current.heldLate === before.heldLate &&
    current.carriedOut === before.carriedOut &&
    current.record.quantity === before.record.quantity &&
    current.withheldQuantity === before.withheldQuantity &&
    current.settledQuantity === before.settledQuantity
  );
}

/** `current` with as much more of a tag set accounted for as came late to `origin`. */
export function raised(
  current: SealedHour,
  origin: SealedHour,
  { tagSet, quantity }: Pick<Carry, 'tagSet' | 'quantity'>,
  inclusion: Inclusion = { own: 0, included: 0 },
): SealedHour {
  const { own, included } = inclusion;
  const digest = tagSetDigest(tagSet);
  const isAny = tagSet === ANY_TAGS;
  const accounted = (isAny ? origin.accounted : (origin.accountedByTagSet[digest] ?? 0)) + quantity + included;
  const { entitlement, withheldQuantity = 0 } = current;
  return {
    ...current,
    accounted: current.accounted + quantity + included,
    accountedByTagSet: { ...(isAny ? {} : current.accountedByTagSet), [digest]: accounted },
    seen: origin.seen,
    ...(included > 0 ? { withheldQuantity: withheldQuantity + included } : {}),
    ...(entitlement
      ? {
          entitlement: {
            ...entitlement,
            ownAccounted: entitlement.ownAccounted + own,
            ownOverage: entitlement.ownOverage + own - included,
          },
        }
      : {}),
  };
}

type CounterName = Pick<TermCounter, 'licenceKey' | 'dimension' | 'termStart'>;

function counterPlace({ licenceKey, dimension, termStart }: CounterName): string {
  return `${meterKey(licenceKey, dimension)} ${termStart}`;
}

function settledAs(current: SealedHour, judged: SealedHour, settlement: Settlement): SealedHour {
  const { reason: _reason, nextAttemptAt: _next, ...rest } = current;
  const { refusedAttemptId, refusal, status, reason, nextAttemptAt, meteringRecordId, at } = settlement;
  const attempts = Object.entries(current.attempts).filter(([id]) => id !== refusedAttemptId);
  const counted = (judged.refusalCount ?? judged.refusals.length) + 1;
  return {
    ...rest,
    status,
    attempts: Object.fromEntries(attempts),
    refusals: refusal ? [...judged.refusals, refusal].slice(-8) : judged.refusals,
    ...(refusal && counted > 8 ? { refusalCount: counted } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
    ...(meteringRecordId === undefined ? {} : { meteringRecordId }),
    ...(status === 'open' || status === 'held' ? {} : { settledAt: at }),
  };
}

export class MemoryRejectStore implements RejectStore {
  readonly kept: Map<string, Refusal>;
  readonly #io: Io;

  constructor(io: Io = AT_ONCE, kept = new Map<string, Refusal>()) {
    this.#io = io;
    this.kept = kept;
  }

  keep(refusal: Refusal): Promise<void> {
    return this.#io('write', undefined, () => {
      const day = refusal.hour?.slice(0, 10) ?? new Date(refusal.at).toISOString().slice(0, 10);
      this.kept.set([day, refusal.code, refusal.subject, refusal.dimension, refusal.eventId].join('\n'), refusal);
    });
  }
}
