// What the deployment itself costs at AWS, by its own counts: an estimate, for the list prices of one region.
import {
  API_REQUEST,
  HOURS_A_MONTH,
  LAMBDA_GB_SECOND,
  LAMBDA_REQUEST,
  READ_UNIT,
  WRITE_UNIT,
} from '../operator/aws-prices.ts';

/** What a month's hours hold, as counted. */
export interface StackCounts {
  readonly events: number;
  readonly records: number;
  /** Hours of the month that are over. */
  readonly hours: number;
}

export interface CostLine {
  readonly what: string;
  readonly count: number;
  readonly dollars: number;
}

/** Units of the database as `npm run bench -- --only cost` counts them, and stands in docs/benchmarks.md. */
const PER_EVENT = { writes: 1, reads: 0.31 };
const PER_RECORD = { writes: 5, reads: 2.068 };
const PER_HOUR = { writes: 120, reads: 984 };

/** Events come 500 a report where the client's recorder sends them; Lambda's time as that bench measured it. */
const EVENTS_A_REPORT = 500;
const REPORT_GB_SECONDS = 0.25;
/** Close, send and tell each minute, at 512 MB for a good tenth of a second. */
const RUNS_AN_HOUR = 180;
const RUN_GB_SECONDS = 0.06;

/** What each part of the work came to, and all of it. */
export function stackCost({ events, records, hours }: StackCounts): readonly CostLine[] {
  const reports = events / EVENTS_A_REPORT;
  const taking = reports * (API_REQUEST + LAMBDA_REQUEST + REPORT_GB_SECONDS * LAMBDA_GB_SECOND);
  const running = RUNS_AN_HOUR * (LAMBDA_REQUEST + RUN_GB_SECONDS * LAMBDA_GB_SECOND);
  return [
    { what: 'Usage events taken in and looked at', count: events, dollars: events * unitsOf(PER_EVENT) + taking },
    { what: 'Records sealed, sent and settled', count: records, dollars: records * unitsOf(PER_RECORD) },
    { what: 'Hours of schedules, whatever is used', count: hours, dollars: hours * (unitsOf(PER_HOUR) + running) },
  ];
}

function unitsOf({ writes, reads }: { readonly writes: number; readonly reads: number }): number {
  return writes * WRITE_UNIT + reads * READ_UNIT;
}

/** For a month that is not over: the hours of it that are. */
export function hoursPassed(month: string, nowMs: number): number {
  const startMs = Date.parse(`${month}-01T00:00:00Z`);
  return Math.max(0, Math.min(HOURS_A_MONTH, Math.floor((nowMs - startMs) / 3_600_000)));
}
