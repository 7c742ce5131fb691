// How much time is left, and what is in trouble: decided from what the state index tells, and from a record itself
// only where that is not enough.
import { deadlineOf, monthCutOffMs } from './deadline.ts';
import { type HourStart, hourEndMs, hourStartMs, MINUTE_MS } from './hour.ts';
import { type RecordStatus, type SealedHour, standingQuantity } from './ledger.ts';
import type { MeteringPolicy } from './metering-policy.ts';

/** Which rule of AWS's ends a record: its window, the month, or the licence's end. Each leaves another time to act. */
export type DeadlineKind = 'window' | 'monthEnd' | 'ending';

/** By then the closer and the sender have done their usual work, and what still waits is no longer on its way. */
const USUAL_TIME_MS: Readonly<Record<DeadlineKind, number>> = {
  window: 15 * MINUTE_MS,
  monthEnd: 15 * MINUTE_MS,
  // A last hour may have half an hour in all.
  ending: 3 * MINUTE_MS,
};

export function deadlineKindOf(hour: HourStart, deadlineAt: number, policy: MeteringPolicy): DeadlineKind {
  if (deadlineAt < deadlineOf(hour, undefined, policy)) return 'ending';
  const startMs = hourStartMs(hour);
  return monthCutOffMs(startMs, policy) < startMs + policy.meteringWindowMs ? 'monthEnd' : 'window';
}

/** What the state index tells of a record. */
export interface IndexedRecord {
  readonly hour: HourStart;
  readonly status: RecordStatus;
  readonly deadlineAt: number;
}

/** Whether a live record has to be read before it counts. Most are fresh and on their way: those count as they are. */
export function isSuspect({ hour, status, deadlineAt }: IndexedRecord, nowMs: number, policy: MeteringPolicy): boolean {
  if (status !== 'open') return true;
  const kind = deadlineKindOf(hour, deadlineAt, policy);
  return kind === 'ending' || nowMs - hourEndMs(hour) >= policy.settleDelayMs + USUAL_TIME_MS[kind];
}

/** Whether a live record is in trouble, rather than on its way. */
export function isStuck(sealed: SealedHour, nowMs: number, policy: MeteringPolicy): boolean {
  const kind = deadlineKindOf(sealed.hour, sealed.deadlineAt, policy);
  return sealed.status !== 'open' || nowMs - sealed.sealedAt >= USUAL_TIME_MS[kind];
}

/** Whether an hour that nobody has looked at should have been closed by now. */
export function isOverdue(hour: HourStart, nowMs: number, policy: MeteringPolicy): boolean {
  return nowMs - hourEndMs(hour) >= policy.settleDelayMs + USUAL_TIME_MS.window;
}

export type TimesLeft = Readonly<Record<DeadlineKind, number>>;

/** The time left before each kind of deadline, 0 where it has passed; all that AWS gives where nothing waits. */
export function timesLeft(
  waiting: readonly Pick<IndexedRecord, 'hour' | 'deadlineAt'>[],
  nowMs: number,
  policy: MeteringPolicy,
): TimesLeft {
  const { meteringWindowMs, finalWindowMs } = policy;
  const left = { window: meteringWindowMs, monthEnd: meteringWindowMs, ending: finalWindowMs };
  for (const { hour, deadlineAt } of waiting) {
    const kind = deadlineKindOf(hour, deadlineAt, policy);
    left[kind] = Math.min(left[kind], Math.max(0, deadlineAt - nowMs));
  }
  return left;
}

/** The units of a record whose fate is open, and those that are lost. */
export function unitsIn(sealed: SealedHour): { readonly atStake: number; readonly lost: number } {
  const standing = standingQuantity(sealed);
  switch (sealed.status) {
    case 'open':
    case 'held':
    case 'quarantined':
    case 'disputed':
    case 'uncertain':
      return { atStake: standing + sealed.heldLate, lost: 0 };
    case 'expired':
      return { atStake: sealed.heldLate, lost: standing };
    case 'honoured':
    case 'presumed':
    case 'withheld':
    case 'carried':
      return { atStake: sealed.heldLate, lost: 0 };
  }
}
