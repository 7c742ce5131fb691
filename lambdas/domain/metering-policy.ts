// The times and the pace by which metering runs. All are settings, because AWS's own texts differ on several of them.
import { DAY_MS, HOUR_MS, type HourStart, hourOf, MINUTE_MS } from './hour.ts';
import { CALLS_PER_SECOND, FINAL_WINDOW_MS, METERING_WINDOW_MS, MONTH_CUT_OFF_MS } from './marketplace-limits.ts';

export interface MeteringPolicy {
  /** How old a usage event may be when it is reported. */
  readonly intakeWindowMs: number;
  /** How far ahead of our clock the time of a usage event may lie. */
  readonly futureToleranceMs: number;
  /** How long after its end an hour is first closed. */
  readonly settleDelayMs: number;
  /** Ages after its end at which an hour is looked at again; the last is past the intake window. */
  readonly laterLooksMs: readonly number[];
  /** How long after its hour AWS takes a record. */
  readonly meteringWindowMs: number;
  /** How far into a month AWS takes usage of the month before. */
  readonly monthCutOffMs: number;
  /** How long after License Deprovisioned AWS takes usage. */
  readonly finalWindowMs: number;
  /** Usage found with less than this left to its hour's deadline is carried instead of sealed in place. */
  readonly nearDeadlineMs: number;
  /** How long after a first notice of the end a licence counts as revoked if no revocation has come. */
  readonly noticeToRevokeMs: number;
  /** How long after the revocation usage may still trickle in before the last hour is sealed. */
  readonly drainMs: number;
  /** The last hour of an ending licence is sealed at the latest this long before its deadline. */
  readonly lastHourMarginMs: number;
  /** How long a call that is not full waits for more records of the same close. */
  readonly lingerMs: number;
  /** The account's quota of BatchMeterUsage in a region, or what of it is left to us. */
  readonly callsPerSecond: number;
}

export const DEFAULT_METERING_POLICY: MeteringPolicy = {
  intakeWindowMs: 23 * HOUR_MS,
  futureToleranceMs: 5 * MINUTE_MS,
  settleDelayMs: 10 * MINUTE_MS,
  laterLooksMs: [2 * HOUR_MS, 23 * HOUR_MS + 10 * MINUTE_MS],
  meteringWindowMs: METERING_WINDOW_MS,
  monthCutOffMs: MONTH_CUT_OFF_MS,
  finalWindowMs: FINAL_WINDOW_MS,
  nearDeadlineMs: HOUR_MS,
  noticeToRevokeMs: 40 * MINUTE_MS,
  drainMs: 10 * MINUTE_MS,
  lastHourMarginMs: 30 * MINUTE_MS,
  lingerMs: MINUTE_MS,
  callsPerSecond: CALLS_PER_SECOND,
};

/** How long after its end an hour has its last fixed look. */
export function lastLookMs({ settleDelayMs, laterLooksMs }: MeteringPolicy): number {
  return Math.max(settleDelayMs, ...laterLooksMs);
}

/** A fault that kept every hour from being closed since the deployment has alarms of its own: a week is enough to see it. */
const UNSEEN_FOR_MS = 7 * DAY_MS;

/** Where no hour was ever closed: the first that may hold usage which nobody has looked at. */
export function firstUnclosedHour(nowMs: number): HourStart {
  return hourOf(nowMs - UNSEEN_FOR_MS);
}
