// Reads:       what AWS has refused and what needs a person, a page each, and the records shown; held groups, notices that
//              wait, events that did not arrive; the pulse, which holds what is counted in the background
// Writes:      nothing
// Once per:    question: seven reads at the most, however many customers and records there are
// If it stops: ask again
import {
  ATTENTION_KINDS,
  type AttentionEntry,
  type AttentionKind,
  type AttentionPart,
  byUrgency,
  entryOf,
} from '../../domain/attention.ts';
import { MINUTE_MS, parseHour } from '../../domain/hour.ts';
import { subjectOf } from '../../domain/notice.ts';
import type { WebhookEndpoint } from '../access-ports.ts';
import type { NoticeStore } from '../notice-ports.ts';
import type { LedgerStore, WorkStore } from '../ports.ts';
import type { Background, Pulse, PulseReader, UndeliveredList } from '../read-ports.ts';
import { type BackgroundPorts, LATE_MS, readBackground } from './read-background.ts';
import { usageInTrouble } from './usage-in-trouble.ts';

export interface AttentionPorts extends BackgroundPorts {
  readonly ledger: BackgroundPorts['ledger'] & Pick<LedgerStore, 'refused' | 'attention'>;
  readonly work: BackgroundPorts['work'] & Pick<WorkStore, 'heldGroups'>;
  readonly notices: BackgroundPorts['notices'] & Pick<NoticeStore, 'waiting'>;
  readonly deliveries: UndeliveredList;
  readonly summaries: PulseReader;
  readonly webhooks: readonly Pick<WebhookEndpoint, 'name'>[];
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

/** An event is told within a minute or two of its change. */
const UNTOLD_MS = 15 * MINUTE_MS;
const LISTED = 100;

/** What needs a person, with the time left and the units at stake, and what mends it. */
export async function readAttention(ports: AttentionPorts): Promise<AttentionView> {
  const nowMs = ports.clock();
  const taken = ports.summaries.pulse();
  const background = taken.then((pulse) => (isFresh(pulse, nowMs) ? pulse.background : readBackground(ports)));
  const [pulse, ...parts] = await Promise.all([
    taken,
    taken.then((pulse) => ofPulse(pulse, nowMs)),
    background.then((read) => ofBackground(read, nowMs)),
    usageInTrouble(ports, background, nowMs),
    heldGroups(ports),
    waitingNotices(ports),
    undelivered(ports),
  ]);
  const entries = parts.flatMap((part) => part.entries).sort(byUrgency);
  return {
    at: nowMs,
    entries,
    kinds: ATTENTION_KINDS.flatMap((kind) => countOf(kind, entries, parts)),
    ...(pulse === undefined ? {} : { pulseAt: pulse.asOf }),
  };
}

/** Where the pulse is old, what it holds is read anew, at a query a partition: trouble has to show in trouble. */
function isFresh(pulse: Pulse | undefined, nowMs: number): pulse is Pulse {
  return pulse !== undefined && nowMs - pulse.asOf <= LATE_MS;
}

function countOf(
  kind: AttentionKind,
  all: readonly AttentionEntry[],
  parts: readonly AttentionPart[],
): AttentionCount[] {
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

async function heldGroups({ work }: AttentionPorts): Promise<AttentionPart> {
  const groups = [...(await work.heldGroups()).values()].filter(({ key }) => !key.startsWith('suspect '));
  return { entries: groups.map(({ key, code, since }) => entryOf('heldGroup', { name: key, reason: code, since })) };
}

async function waitingNotices({ notices }: AttentionPorts): Promise<AttentionPart> {
  const waiting = await notices.waiting();
  return {
    entries: waiting
      .map(({ thread, waitsFor, since }) => entryOf('waitingNotice', { ...subjectOf(thread), reason: waitsFor, since }))
      .slice(0, LISTED),
    counts: new Map([['waitingNotice', waiting.length]]),
  };
}

async function undelivered({ deliveries, webhooks }: AttentionPorts): Promise<AttentionPart> {
  if (webhooks.length === 0) return { entries: [] };
  const listed = await deliveries.listed(LISTED);
  const known = listed.filter(({ endpoint }) => webhooks.some(({ name }) => name === endpoint));
  return {
    entries: known.map(({ endpoint, status, ...of }) =>
      entryOf('undelivered', { name: endpoint, reason: status, ...of }),
    ),
    partial: new Set(listed.length === LISTED ? ['undelivered'] : []),
  };
}

function ofBackground({ missed, unregistered }: Background, nowMs: number): AttentionPart {
  const entries = missed.map(({ deadlineAt, ...of }) =>
    entryOf('missedRun', {
      ...of,
      ...(deadlineAt === undefined ? {} : { deadlineAt, timeLeftMs: deadlineAt - nowMs }),
    }),
  );
  return {
    entries: [
      ...entries,
      ...unregistered.customerIds.map((customerId) => entryOf('unregisteredBuyer', { customerId })),
    ],
    partial: new Set(unregistered.isPartial ? ['unregisteredBuyer'] : []),
  };
}

function ofPulse(pulse: Pulse | undefined, nowMs: number): AttentionPart {
  const name = 'summarize-hours';
  if (!pulse) return { entries: [entryOf('missedRun', { name, reason: 'it has never run' })] };
  const { asOf, refused, untold, unbalanced } = pulse;
  const isOld = untold.oldestAt !== undefined && nowMs - untold.oldestAt > UNTOLD_MS;
  return {
    entries: [
      ...(isFresh(pulse, nowMs)
        ? []
        : [entryOf('missedRun', { name, since: asOf, reason: 'what is counted in the background is old' })]),
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
