// Reads:       the state index of the ledger, a page a partition; the records shown; what waits, is held or was missed
// Writes:      nothing
// Once per:    question; as many queries however many customers and records there are
// If it stops: ask again
import {
  ATTENTION_KINDS,
  type AttentionEntry,
  type AttentionKind,
  byUrgency,
  MENDED_BY,
} from '../../domain/attention.ts';
import { HOUR_MS, hourEndMs, hourOf, hoursBetween, MINUTE_MS, parseHour } from '../../domain/hour.ts';
import type { RecordStatus, SealedHour } from '../../domain/ledger.ts';
import { lastLookMs, type MeteringPolicy } from '../../domain/metering-policy.ts';
import { groupKeysOf } from '../../domain/metering-result.ts';
import { subjectOf } from '../../domain/notice.ts';
import type { WebhookEndpoint } from '../access-ports.ts';
import type { NoticeStore } from '../notice-ports.ts';
import { type LedgerStore, type LiveRecord, REFERENCES_PER_PAGE, type WorkStore } from '../ports.ts';
import type { CustomerDirectory, Pulse, PulseReader, UndeliveredList } from '../read-ports.ts';

export interface AttentionPorts {
  readonly ledger: Pick<LedgerStore, 'live' | 'attention' | 'records'>;
  readonly work: Pick<WorkStore, 'heldGroups' | 'watermark' | 'looks'>;
  readonly notices: Pick<NoticeStore, 'waiting' | 'due'>;
  readonly directory: Pick<CustomerDirectory, 'list'>;
  readonly deliveries: UndeliveredList;
  readonly summaries: PulseReader;
  readonly clock: () => number;
  readonly policy: MeteringPolicy;
  /** Hours before its deadline from which an open record is told of. */
  readonly usageWarningHours: readonly number[];
  readonly webhooks: readonly Pick<WebhookEndpoint, 'name'>[];
  readonly stateShards: number;
}

export interface AttentionView {
  readonly at: number;
  /** Soonest to be lost first, then by kind and age. The first of each kind, some hundred records in all. */
  readonly entries: readonly AttentionEntry[];
  /** Every kind of which there is any, in order of urgency. */
  readonly kinds: readonly AttentionCount[];
  /** When what is counted in the background was counted; absent while it never was. */
  readonly pulseAt?: number;
}

export interface AttentionCount {
  readonly kind: AttentionKind;
  readonly count: number;
  /** Whether there are more than were counted. */
  readonly isPartial: boolean;
  /** Units of the entries shown. */
  readonly units: number;
  /** The soonest deadline that has not passed. */
  readonly soonestAt?: number;
}

/** Runs come each minute, the summaries' every five: so late, one was missed. */
const LATE_MS = 30 * MINUTE_MS;
/** An event is told within a minute or two of its change. */
const UNTOLD_MS = 15 * MINUTE_MS;
/** Before that, the sender has hardly had its usual tries. */
const SENDERS_TIME_MS = 15 * MINUTE_MS;
/** As many records are read at once. */
const RECORDS_SHOWN = 100;
const LISTED = 100;

/** What needs a person, with the time left and the units at stake, and what mends it. */
export async function readAttention(ports: AttentionPorts): Promise<AttentionView> {
  const nowMs = ports.clock();
  const groups = ports.work.heldGroups();
  const [usage, pulse, ...others] = await Promise.all([
    usageInTrouble(ports, groups, nowMs),
    ports.summaries.pulse(),
    heldGroups(groups),
    missedCloses(ports, nowMs),
    overdueCustomers(ports, nowMs),
    waitingNotices(ports),
    unregisteredBuyers(ports),
    undelivered(ports),
  ]);
  const parts = [usage, ofPulse(pulse, nowMs), ...others];
  const entries = parts.flatMap((part) => part.entries).sort(byUrgency);
  return {
    at: nowMs,
    entries,
    kinds: ATTENTION_KINDS.flatMap((kind) => countOf(kind, entries, parts)),
    ...(pulse === undefined ? {} : { pulseAt: pulse.asOf }),
  };
}

/** Entries, and of their kinds how many there are where not all are among them. */
interface Part {
  readonly entries: readonly AttentionEntry[];
  readonly counts?: ReadonlyMap<AttentionKind, number>;
  readonly partial?: ReadonlySet<AttentionKind>;
}

function countOf(kind: AttentionKind, all: readonly AttentionEntry[], parts: readonly Part[]): AttentionCount[] {
  const entries = all.filter((entry) => entry.kind === kind);
  const shown = entries.reduce((sum, { count = 1 }) => sum + count, 0);
  const count = parts.reduce((most, { counts }) => Math.max(most, counts?.get(kind) ?? 0), shown);
  if (count === 0) return [];
  const ahead = entries.flatMap(({ deadlineAt, timeLeftMs = 0 }) => (deadlineAt && timeLeftMs > 0 ? [deadlineAt] : []));
  return [
    {
      kind,
      count,
      isPartial: parts.some(({ partial }) => partial?.has(kind)),
      units: entries.reduce((sum, { units = 0 }) => sum + units, 0),
      ...(ahead.length === 0 ? {} : { soonestAt: Math.min(...ahead) }),
    },
  ];
}

function entryOf(kind: AttentionKind, members: Omit<AttentionEntry, 'kind' | 'acts'>): AttentionEntry {
  return { kind, ...members, acts: MENDED_BY[kind] };
}

type UsageKind = Extract<
  AttentionKind,
  'held' | 'quarantined' | 'aboutToExpire' | 'disputed' | 'presumed' | 'uncertain' | 'expired' | 'heldLate'
>;

type Groups = ReturnType<WorkStore['heldGroups']>;

async function usageInTrouble(ports: AttentionPorts, groups: Groups, nowMs: number): Promise<Part> {
  const warnMs = Math.max(0, ...ports.usageWarningHours) * HOUR_MS;
  const shards = Array.from({ length: ports.stateShards }, (_, shard) => shard);
  const lists = await Promise.all(
    shards.flatMap((shard) => [
      firstPage((onMalformed) => ports.ledger.live(shard, onMalformed), 'live' as const),
      firstPage((onMalformed) => ports.ledger.attention(shard, onMalformed), 'attention' as const),
    ]),
  );
  const byKind = new Map<UsageKind, LiveRecord[]>();
  for (const { references, list } of lists) {
    for (const reference of references) {
      const kind = kindOf(reference.status, list, reference.deadlineAt - nowMs, warnMs);
      if (kind) byKind.set(kind, [...(byKind.get(kind) ?? []), reference]);
    }
  }
  const isCut = (of: 'live' | 'attention') => lists.some(({ list, isFull }) => list === of && isFull);
  const live = lists.filter(({ list }) => list === 'live').flatMap(({ references }) => references);
  const unsent = await overdue(ports, live, await groups, nowMs);
  const { entries, notInTrouble } = await shownOf(ports, byKind, nowMs);
  const counts = [...byKind].map(
    ([kind, references]) => [kind, references.length - (notInTrouble.get(kind) ?? 0)] as const,
  );
  const cutKinds: readonly AttentionKind[] = [
    ...(isCut('live') ? LIVE_KINDS : []),
    ...(isCut('attention') ? SETTLED_KINDS : []),
  ];
  return { entries: [...entries, ...unsent], counts: new Map(counts), partial: new Set(cutKinds) };
}

const LIVE_KINDS: readonly UsageKind[] = ['held', 'quarantined', 'aboutToExpire'];
const SETTLED_KINDS: readonly UsageKind[] = ['disputed', 'presumed', 'uncertain', 'expired', 'heldLate'];

interface ListedReferences {
  readonly list: 'live' | 'attention';
  readonly references: readonly LiveRecord[];
  readonly isFull: boolean;
}

/** One query: what is not in the first page is less urgent than all of it. */
async function firstPage(
  pagesOf: (onMalformed: () => void) => AsyncIterable<readonly LiveRecord[]>,
  list: ListedReferences['list'],
): Promise<ListedReferences> {
  let malformed = 0;
  const countMalformed = () => {
    malformed += 1;
  };
  for await (const references of pagesOf(countMalformed)) {
    return { list, references, isFull: references.length + malformed >= REFERENCES_PER_PAGE };
  }
  return { list, references: [], isFull: false };
}

function kindOf(
  status: RecordStatus,
  list: 'live' | 'attention',
  leftMs: number,
  warnMs: number,
): UsageKind | undefined {
  switch (status) {
    case 'held':
    case 'quarantined':
    case 'disputed':
    case 'presumed':
    case 'uncertain':
    case 'expired':
      return status;
    case 'open':
      return leftMs <= warnMs ? 'aboutToExpire' : undefined;
    case 'honoured':
    case 'withheld':
    case 'carried':
      return list === 'attention' ? 'heldLate' : undefined;
  }
}

/** Reads the most urgent of each kind in turn; some turn out to be in no trouble, or no more. */
async function shownOf(ports: AttentionPorts, byKind: ReadonlyMap<UsageKind, LiveRecord[]>, nowMs: number) {
  for (const references of byKind.values()) references.sort((one, other) => one.deadlineAt - other.deadlineAt);
  const chosen = new Map<string, { readonly reference: LiveRecord; readonly kind: UsageKind }>();
  const longest = Math.max(0, ...[...byKind.values()].map(({ length }) => length));
  for (let turn = 0; turn < longest && chosen.size < RECORDS_SHOWN; turn++) {
    for (const [kind, references] of byKind) {
      const reference = references[turn];
      if (reference && chosen.size < RECORDS_SHOWN) chosen.set(placeOf(reference), { reference, kind });
    }
  }
  const references = [...chosen.values()].map(({ reference }) => reference);
  const records = references.length === 0 ? [] : await ports.ledger.records(references, () => {});
  const entries = records.flatMap((record) => usageEntry(record, nowMs, ports));
  const notInTrouble = new Map<UsageKind, number>();
  for (const kind of byKind.keys()) {
    const asked = [...chosen.values()].filter((each) => each.kind === kind).length;
    notInTrouble.set(kind, Math.max(0, asked - entries.filter((entry) => entry.kind === kind).length));
  }
  return { entries, notInTrouble };
}

function placeOf({ partition, meter }: LiveRecord): string {
  return `${partition} ${meter}`;
}

/** The record as it stands now: the index lags a little, and carries no amounts. */
function usageEntry(record: SealedHour, nowMs: number, { usageWarningHours }: AttentionPorts): AttentionEntry[] {
  const { hour, licenceKey, dimension, customerId, productCode, status, reason, deadlineAt, heldLate } = record;
  const timeLeftMs = deadlineAt - nowMs;
  const list = status === 'open' || status === 'held' || status === 'quarantined' ? 'live' : 'attention';
  const own = kindOf(status, list, timeLeftMs, Math.max(0, ...usageWarningHours) * HOUR_MS);
  // What was just sealed is about to be sent, however short its time.
  const isBeingSent = own === 'aboutToExpire' && nowMs - record.sealedAt < SENDERS_TIME_MS;
  const quantity = record.settledQuantity ?? record.record.quantity;
  const of = { customerId, productCode, licenceKey, dimension, hour, status, deadlineAt, timeLeftMs };
  const entries: AttentionEntry[] = [];
  if (own && own !== 'heldLate' && quantity > 0 && !isBeingSent) {
    entries.push(
      entryOf(own, {
        ...of,
        units: quantity,
        since: record.settledAt ?? record.sealedAt,
        ...(reason === undefined ? {} : { reason }),
      }),
    );
  }
  if (heldLate > 0 && record.rehearsal === undefined) {
    entries.push(entryOf('heldLate', { ...of, units: heldLate, reason: record.heldReasons.join(', ') }));
  }
  return entries;
}

/** Records that are due and that no run of the sender takes, though nothing is in their way. */
async function overdue(
  { ledger, policy }: AttentionPorts,
  references: readonly LiveRecord[],
  groups: Awaited<Groups>,
  nowMs: number,
): Promise<AttentionEntry[]> {
  const due = references.filter(({ status, partition, nextAttemptAt }) => {
    const hour = parseHour(partition.slice(0, 13));
    if (status !== 'open' || !hour) return false;
    const dueAt = Math.max(nextAttemptAt ?? 0, hourEndMs(hour) + policy.settleDelayMs);
    return dueAt + LATE_MS + policy.lingerMs <= nowMs;
  });
  // Which group a record belongs to stands on itself alone: it is read only while any group is held.
  const late =
    groups.size === 0 || due.length === 0
      ? due
      : (await ledger.records(due.slice(0, RECORDS_SHOWN), () => {})).filter(
          (record) => !groupKeysOf(record).some((key) => groups.has(key)),
        );
  if (late.length === 0) return [];
  const soonest = Math.min(...late.map(({ deadlineAt }) => deadlineAt));
  const timeLeft = { deadlineAt: soonest, timeLeftMs: soonest - nowMs };
  return [
    entryOf('missedRun', { name: 'send-metering', ...timeLeft, reason: `${late.length} records are due and unsent` }),
  ];
}

async function heldGroups(held: Groups): Promise<Part> {
  const groups = [...(await held).values()].filter(({ key }) => !key.startsWith('suspect '));
  return { entries: groups.map(({ key, code, since }) => entryOf('heldGroup', { name: key, reason: code, since })) };
}

/** Hours that should have had their first look by now. */
async function missedCloses({ work, policy }: AttentionPorts, nowMs: number): Promise<Part> {
  const watermark = await work.watermark();
  const from = watermark ?? hourOf(nowMs - lastLookMs(policy) - HOUR_MS);
  const looked = new Set((await work.looks(from)).flatMap(({ hour, looksDone }) => (looksDone > 0 ? [hour] : [])));
  const due = hoursBetween(from, hourOf(nowMs)).filter(
    (hour) => hourEndMs(hour) + policy.settleDelayMs + LATE_MS <= nowMs,
  );
  const missed = due.filter((hour) => !looked.has(hour));
  const [oldest] = missed;
  if (!oldest) return { entries: [] };
  const since = hourEndMs(oldest) + policy.settleDelayMs;
  const reason = `${missed.length} hours are over and were not looked at`;
  return { entries: [entryOf('missedRun', { name: 'close-hours', hour: oldest, since, reason })] };
}

/** Customers whose standing was to be folded again a while ago. */
async function overdueCustomers({ notices }: AttentionPorts, nowMs: number): Promise<Part> {
  const due = await notices.due(nowMs - LATE_MS);
  if (due.length === 0) return { entries: [] };
  const since = Math.min(...due.map(({ changesAt }) => changesAt));
  const reason = `${due.length} customers are due to be looked at`;
  return { entries: [entryOf('missedRun', { name: 'tell-product', ...(since === 0 ? {} : { since }), reason })] };
}

async function waitingNotices({ notices }: AttentionPorts): Promise<Part> {
  const waiting = await notices.waiting();
  return {
    entries: waiting
      .map(({ thread, waitsFor, since }) => entryOf('waitingNotice', { ...subjectOf(thread), reason: waitsFor, since }))
      .slice(0, LISTED),
    counts: new Map([['waitingNotice', waiting.length]]),
  };
}

async function unregisteredBuyers({ directory }: AttentionPorts): Promise<Part> {
  const { items, cursor } = await directory.list('unregistered', LISTED);
  const entries = items.map((customerId) => entryOf('unregisteredBuyer', { customerId }));
  return { entries, partial: new Set(cursor === undefined ? [] : ['unregisteredBuyer']) };
}

async function undelivered({ deliveries, webhooks }: AttentionPorts): Promise<Part> {
  const statuses = ['givenUp', 'stopped'] as const;
  const lists = await Promise.all(
    webhooks.flatMap(({ name }) =>
      statuses.map(async (reason) => {
        const listed = await deliveries.listed(name, reason, LISTED);
        return listed.map((of) => entryOf('undelivered', { name, reason, ...of }));
      }),
    ),
  );
  return {
    entries: lists.flat(),
    partial: new Set(lists.some(({ length }) => length === LISTED) ? ['undelivered'] : []),
  };
}

function ofPulse(pulse: Pulse | undefined, nowMs: number): Part {
  const name = 'summarize-hours';
  if (!pulse) return { entries: [entryOf('missedRun', { name, reason: 'it has never run' })] };
  const { asOf, refused, untold, unbalanced } = pulse;
  const isLate = nowMs - asOf > LATE_MS;
  const isOld = untold.oldestAt !== undefined && nowMs - untold.oldestAt > UNTOLD_MS;
  return {
    entries: [
      ...(isLate
        ? [entryOf('missedRun', { name, since: asOf, reason: 'what is counted in the background is old' })]
        : []),
      ...Object.entries(unbalanced).flatMap(([text, count]) => {
        const hour = parseHour(text);
        return hour ? [entryOf('unbalanced', { hour, count })] : [];
      }),
      ...refused.map(({ code, times, lastAt, message, subject }) =>
        entryOf('refusedUsage', { name: code, count: times, since: lastAt, reason: `${message} (${subject})` }),
      ),
      ...(isOld ? [entryOf('untoldEvents', { count: untold.count, since: untold.oldestAt ?? asOf })] : []),
    ],
  };
}
