// Every answer that BatchMeterUsage can give, and what each means for a record.
import type { AttemptRefusal, RecordStatus, SealedHour } from './ledger.ts';
import { isLive } from './ledger.ts';
import { identityOf } from './metering-batch.ts';

/** What AWS said of one record of a call that it answered. */
export type RecordAnswer =
  | { readonly kind: 'success'; readonly meteringRecordId?: string }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'notSubscribed' }
  /** In UnprocessedRecords: transient, nothing metered. */
  | { readonly kind: 'unprocessed' }
  /** In neither list of the answer. */
  | { readonly kind: 'missing' }
  /** A status that AWS had not named when this was written. */
  | { readonly kind: 'unknownStatus'; readonly status: string };

/** What came of one call. */
export type BatchAnswer =
  | { readonly kind: 'answered'; readonly answers: readonly RecordAnswer[]; readonly requestId?: string }
  | CallFault;

/** A call that was not answered record by record. */
export type CallFault =
  /** A validation error: nothing was metered, and at least one record is at fault. */
  | { readonly kind: 'invalid'; readonly code: InvalidCode; readonly requestId?: string }
  /** An infrastructure fault of which it is certain that nothing was metered: throttled, denied, disabled. */
  | { readonly kind: 'refused'; readonly code: string; readonly isThrottled: boolean; readonly requestId?: string }
  /**
   * AWS refused the call as it is, under a name that had not been documented when this was written. A record may be
   * at fault, and AWS may have metered nothing, or not: the records are taken apart, and never ended for it.
   */
  | { readonly kind: 'unlisted'; readonly code: string; readonly requestId?: string }
  /** No answer, or a server error: AWS may have metered all, some or nothing. */
  | { readonly kind: 'unknown'; readonly code: string; readonly requestId?: string };

/** The request-level validation errors of BatchMeterUsage (API reference), and the common one. */
export const INVALID_CODES = [
  'TimestampOutOfBoundsException',
  'InvalidUsageDimensionException',
  'InvalidLicenseException',
  'InvalidCustomerIdentifierException',
  'InvalidTagException',
  'InvalidUsageAllocationsException',
  'InvalidProductCodeException',
  'ValidationException',
] as const;

export type InvalidCode = (typeof INVALID_CODES)[number];

/** What an answer means for one record: written if the record still stands as it was judged. */
export interface Settlement {
  readonly status: RecordStatus;
  readonly reason?: string;
  readonly meteringRecordId?: string;
  readonly nextAttemptAt?: number;
  readonly at: number;
  /** The attempt that AWS refused for certain: it explains no duplicate, and is taken out. */
  readonly refusedAttemptId?: string;
  readonly refusal?: AttemptRefusal;
}

interface Judgement {
  readonly attemptId: string;
  readonly requestId?: string;
  readonly nowMs: number;
}

const HELD_RETRY_MS = 10 * 60_000;
const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 15 * 60_000;

/** Within this of its deadline, a record is tried again after a minute at most. */
const NEAR_DEADLINE_MS = 2 * 3_600_000;
const NEAR_RETRY_MS = 60_000;

/** The last try is due this long before the deadline: runs start once a minute, so that one comes in time. */
const LAST_TRY_MS = 60_000;

/** Even in the last minute: a run goes on while anything is due, and must not spin on one record. */
const SHORTEST_RETRY_MS = 10_000;

/** What AWS's answer on one record means. `sealed` is the record as read after its attempt was noted. */
export function judgeAnswer(sealed: SealedHour, answer: RecordAnswer, judgement: Judgement): Settlement | undefined {
  const { nowMs, attemptId } = judgement;
  if (answer.kind !== 'success' && !isLive(sealed.status)) return undefined;
  switch (answer.kind) {
    case 'success': {
      if (sealed.status === 'honoured') return undefined;
      const id = answer.meteringRecordId;
      return { status: 'honoured', at: nowMs, ...(id === undefined ? {} : { meteringRecordId: id }) };
    }
    case 'duplicate': {
      // Another attempt of ours that AWS did not refuse may be the one that it holds.
      const explained = Object.keys(sealed.attempts).some((id) => id !== attemptId);
      return { status: explained ? 'presumed' : 'disputed', reason: 'DuplicateRecord', at: nowMs };
    }
    case 'notSubscribed':
      return {
        ...refused(sealed, 'CustomerNotSubscribed', judgement),
        status: unlessQuarantined(sealed, 'held'),
        nextAttemptAt: nextTryAt(sealed, HELD_RETRY_MS, nowMs),
      };
    case 'unprocessed':
      return { ...refused(sealed, 'Unprocessed', judgement), nextAttemptAt: backoffAt(sealed, judgement) };
    case 'missing':
      return unanswered(sealed, 'MissingFromAnswer', judgement);
    case 'unknownStatus':
      return unanswered(sealed, `UnknownStatus:${answer.status}`, judgement);
  }
}

/** What a call without per-record answers means for each record in it. */
export function judgeFault(sealed: SealedHour, answer: CallFault, judgement: Judgement): Settlement | undefined {
  if (!isLive(sealed.status)) return undefined;
  switch (answer.kind) {
    case 'invalid':
      return refused(sealed, answer.code, judgement);
    case 'refused':
      return {
        ...refused(sealed, answer.code, judgement),
        // A throttled record may go again as soon as the sender's pace allows.
        ...(answer.isThrottled ? {} : { nextAttemptAt: backoffAt(sealed, judgement) }),
      };
    case 'unlisted':
    case 'unknown':
      return unanswered(sealed, answer.code, judgement);
  }
}

/** A record that AWS refused on its own, with AWS's code kept. */
export function quarantine(code: InvalidCode, nowMs: number): Settlement {
  return { status: 'quarantined', reason: code, at: nowMs };
}

/** What a passed deadline makes of a record that is not settled. */
export function judgeDeadline(sealed: SealedHour, nowMs: number): Settlement | undefined {
  if (!isLive(sealed.status) || nowMs < sealed.deadlineAt) return undefined;
  const mayBeBilled = Object.keys(sealed.attempts).length > 0;
  return {
    status: mayBeBilled ? 'uncertain' : 'expired',
    reason: sealed.reason ?? (sealed.refusals.at(-1)?.code || 'neverSent'),
    at: nowMs,
  };
}

function refused(sealed: SealedHour, code: string, { attemptId, requestId, nowMs }: Judgement): Settlement {
  return {
    status: unlessQuarantined(sealed, 'open'),
    reason: code,
    at: nowMs,
    refusedAttemptId: attemptId,
    refusal: { at: nowMs, code, ...(requestId === undefined ? {} : { requestId }) },
  };
}

/** AWS may have metered the record: its attempt stands, and it is tried again. */
function unanswered(sealed: SealedHour, reason: string, judgement: Judgement): Settlement {
  const nextAttemptAt = backoffAt(sealed, judgement);
  return { status: unlessQuarantined(sealed, 'open'), reason, at: judgement.nowMs, nextAttemptAt };
}

/** Only an operator lets a quarantined record out: an answer that came late does not. */
function unlessQuarantined(sealed: SealedHour, status: 'open' | 'held'): RecordStatus {
  return sealed.status === 'quarantined' ? 'quarantined' : status;
}

/** Doubles from 30 seconds to 15 minutes, spread by up to a quarter, for each record on its own. */
function backoffAt(sealed: SealedHour, { attemptId, nowMs }: Judgement): number {
  const tries = sealed.refusals.length + Object.keys(sealed.attempts).length;
  const longest = sealed.deadlineAt - nowMs < NEAR_DEADLINE_MS ? NEAR_RETRY_MS : LONGEST_RETRY_MS;
  const base = Math.min(longest, FIRST_RETRY_MS * 2 ** Math.min(tries, 10));
  // The attempt's id is random, which spares the rules a source of chance; the record's name parts it from its call.
  const spread = fractionOf(`${attemptId} ${identityOf(sealed)}`);
  return nextTryAt(sealed, Math.round(base * (0.75 + spread / 4)), nowMs);
}

/** After `delayMs`, but sooner near the deadline, and in time for a last try before it. */
function nextTryAt({ deadlineAt }: SealedHour, delayMs: number, nowMs: number): number {
  const stepMs = deadlineAt - nowMs < NEAR_DEADLINE_MS ? Math.min(delayMs, NEAR_RETRY_MS) : delayMs;
  return Math.max(nowMs + SHORTEST_RETRY_MS, Math.min(nowMs + stepMs, deadlineAt - LAST_TRY_MS));
}

/** A number from 0 to 1 that looks like chance and is the same for the same text (FNV-1a, mixed once more). */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return ((hash ^ (hash >>> 15)) >>> 0) / 0xffffffff;
}

/**
 * The records that share a fault which AWS has shown on one of them. Holding these spares one bisection each; a
 * fault of a single record (its time, its tags) says nothing of others.
 */
export function faultGroupKey(sealed: SealedHour, code: InvalidCode): string | undefined {
  switch (code) {
    case 'InvalidUsageDimensionException':
      return `dimension ${sealed.productCode} ${sealed.dimension}`;
    case 'InvalidProductCodeException':
      return `product ${sealed.productCode}`;
    case 'InvalidLicenseException':
    case 'InvalidCustomerIdentifierException':
      return `licence ${sealed.licenceKey}`;
    case 'TimestampOutOfBoundsException':
    case 'InvalidTagException':
    case 'InvalidUsageAllocationsException':
    case 'ValidationException':
      return undefined;
  }
}

/**
 * Whether a group is held only when a second hour is refused: one hour of a licence may lie outside of its activation
 * period, and the others be good. Two are taken to be the licence's own fault.
 */
export function isHeldAtSecondHour(code: InvalidCode): boolean {
  return code === 'InvalidLicenseException' || code === 'InvalidCustomerIdentifierException';
}

/** Every group key that a record belongs to. */
export function groupKeysOf(sealed: SealedHour): readonly string[] {
  return [
    `dimension ${sealed.productCode} ${sealed.dimension}`,
    `product ${sealed.productCode}`,
    `licence ${sealed.licenceKey}`,
  ];
}
