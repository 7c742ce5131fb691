// What needs a person: its kinds, how urgent each is, and what mends it.
import type { HourStart } from './hour.ts';
import type { RecordStatus } from './ledger.ts';

/** Most urgent first, among those whose time does not run out. */
export const ATTENTION_KINDS = [
  'missedRun',
  'unbalanced',
  'heldGroup',
  'quarantined',
  'held',
  'aboutToExpire',
  'heldLate',
  'disputed',
  'uncertain',
  'expired',
  'presumed',
  'deadLetters',
  'refusedUsage',
  'waitingNotice',
  'undelivered',
  'untoldEvents',
  'unregisteredBuyer',
] as const;

export type AttentionKind = (typeof ATTENTION_KINDS)[number];

/** The acts by which an operator mends something, by the names of the table of acts. */
export type MendingAct =
  | 'release'
  | 'releaseGroup'
  | 'settle'
  | 'confirm'
  | 'carryOn'
  | 'withhold'
  | 'resubmit'
  | 'link'
  | 'resend'
  | 'redrive';

export const MENDED_BY: Readonly<Record<AttentionKind, readonly MendingAct[]>> = {
  missedRun: [],
  unbalanced: [],
  heldGroup: ['releaseGroup'],
  quarantined: ['release', 'withhold'],
  held: ['resubmit', 'withhold'],
  aboutToExpire: ['resubmit', 'withhold'],
  heldLate: ['carryOn'],
  disputed: ['settle'],
  uncertain: ['confirm'],
  expired: ['carryOn'],
  presumed: ['confirm'],
  deadLetters: ['redrive'],
  refusedUsage: [],
  waitingNotice: ['link'],
  undelivered: ['resend'],
  untoldEvents: [],
  unregisteredBuyer: [],
};

/** One thing that needs a person. Members that have no meaning for its kind are absent. */
export interface AttentionEntry {
  readonly kind: AttentionKind;
  /** When AWS stops taking the record, and how long that is from now: negative once it has passed. */
  readonly deadlineAt?: number;
  readonly timeLeftMs?: number;
  /** Since when it has stood so. */
  readonly since?: number;
  /** Units that are, or were, to be billed. */
  readonly units?: number;
  readonly customerId?: string;
  readonly productCode?: string;
  /** The agreement that waits to be somebody's. */
  readonly agreementId?: string;
  readonly licenceKey?: string;
  readonly dimension?: string;
  readonly hour?: HourStart;
  readonly status?: RecordStatus;
  /** Our reason, AWS's code, or what is waited for. */
  readonly reason?: string;
  /** What to name to an act or to look for: a group, an endpoint, a function, a code. */
  readonly name?: string;
  /** The event of an endpoint. */
  readonly sequence?: number;
  /** How many the entry stands for, where it is not one. */
  readonly count?: number;
  readonly acts: readonly MendingAct[];
}

/** Entries, and of their kinds how many there are where not all are among them. */
export interface AttentionPart {
  readonly entries: readonly AttentionEntry[];
  readonly counts?: ReadonlyMap<AttentionKind, number>;
  /** Of these there are more than were counted. */
  readonly partial?: ReadonlySet<AttentionKind>;
}

export function entryOf(kind: AttentionKind, members: Omit<AttentionEntry, 'kind' | 'acts'>): AttentionEntry {
  return { kind, ...members, acts: MENDED_BY[kind] };
}

/** What can still be lost comes first, by the time left; then the rest, by kind and age. */
export function byUrgency(one: AttentionEntry, other: AttentionEntry): number {
  return (
    losesIn(one) - losesIn(other) ||
    ATTENTION_KINDS.indexOf(one.kind) - ATTENTION_KINDS.indexOf(other.kind) ||
    (one.deadlineAt ?? one.since ?? 0) - (other.deadlineAt ?? other.since ?? 0)
  );
}

/** What all else hangs on comes before any deadline. */
const FIRST: readonly AttentionKind[] = ['missedRun', 'unbalanced', 'heldGroup'];

/** No deadline is as far ahead; two of these are as urgent as each other. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

function losesIn({ kind, timeLeftMs }: AttentionEntry): number {
  if (FIRST.includes(kind)) return 0;
  return timeLeftMs === undefined || timeLeftMs <= 0 ? NEVER_MS : timeLeftMs;
}
