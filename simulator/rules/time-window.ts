// When AWS still accepts a timestamp.
import type { Switches } from '../switches.ts';

const HOUR_MS = 3_600_000;

// AWS: BatchMeterUsage, "your application can meter usage for up to 24 hours in the past".
const BATCH_WINDOW_HOURS = 24;
// AWS: MeterUsage, "if you submit records more than six hours after events occur, the records won't be accepted".
const METER_WINDOW_HOURS = 6;
// AWS: "usage records for the previous billing month before 06:00 UTC on the first day of the next month".
const MONTH_GRACE_HOURS = 6;

type TimeSwitches = Pick<Switches, 'windowEdge' | 'futureToleranceSeconds'>;

/** BatchMeterUsage: younger than 24 hours, within its month's grace, not too far ahead. All in epoch milliseconds. */
export function isInBatchWindow(timestampMs: number, nowMs: number, switches: TimeSwitches): boolean {
  return (
    isNotAhead(timestampMs, nowMs, switches) &&
    (switches.windowEdge === 'exact'
      ? timestampMs > nowMs - BATCH_WINDOW_HOURS * HOUR_MS
      : timestampMs >= hourStart(nowMs) - BATCH_WINDOW_HOURS * HOUR_MS) &&
    nowMs < monthCutOff(timestampMs)
  );
}

/** MeterUsage: not more than six hours old. Here the sixth hour's last instant still counts: "more than six hours". */
export function isInMeterWindow(timestampMs: number, nowMs: number, switches: TimeSwitches): boolean {
  const base = switches.windowEdge === 'exact' ? nowMs : hourStart(nowMs);
  return isNotAhead(timestampMs, nowMs, switches) && timestampMs >= base - METER_WINDOW_HOURS * HOUR_MS;
}

/** AWS names no limit for stamps ahead of its clock; clocks of callers differ, so some seconds have to pass. */
function isNotAhead(timestampMs: number, nowMs: number, switches: TimeSwitches): boolean {
  return timestampMs <= nowMs + switches.futureToleranceSeconds * 1000;
}

/** The first instant at which usage of the timestamp's month is refused. */
function monthCutOff(timestampMs: number): number {
  const at = new Date(timestampMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1, MONTH_GRACE_HOURS);
}

function hourStart(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}
