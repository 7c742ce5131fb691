// Numbers for CloudWatch in its embedded metric format: log lines that CloudWatch Logs makes metrics of. So a number
// costs no call, and can't fail the work that it measures.
import { asFailure } from '../domain/failure.ts';
import type { Clock } from './clock.ts';

export const METRIC_NAMESPACE = 'Fulfillment';

/** The one dimension of every metric of ours: each further one would multiply what they cost. */
export const METRIC_DIMENSION = 'Stage';

/** Every metric there is with its unit, by the function that gives it. A function gives all of its own each time. */
export const METRICS = {
  'resolve-buyer': { TokensRedeemed: 'Count', TokensRefused: 'Count' },
  'record-usage': { EventsRecorded: 'Count', EventsRefused: 'Count' },
  'close-hours': { RecordsSealed: 'Count', MetersBroken: 'Count', MetersAwaitingLicence: 'Count' },
  'send-metering': { RecordsSent: 'Count', RecordsHonoured: 'Count', CallsMade: 'Count', CallsThrottled: 'Count' },
  'deliver-webhooks': { WebhooksGivenUp: 'Count' },
  'send-mail': { MailsGivenUp: 'Count' },
  'summarize-hours': { MetersUnbalanced: 'Count' },
  'export-audit': { FilesExported: 'Count', FilesBehind: 'Count' },
  'watch-deadlines': {
    SecondsLeft: 'Seconds',
    SecondsLeftAtMonthEnd: 'Seconds',
    SecondsLeftOfEnding: 'Seconds',
    OldestOpenSeconds: 'Seconds',
    RecordsOpen: 'Count',
    RecordsHeld: 'Count',
    RecordsQuarantined: 'Count',
    RecordsDisputed: 'Count',
    RecordsPresumed: 'Count',
    RecordsUncertain: 'Count',
    RecordsExpired: 'Count',
    RecordsHeldLate: 'Count',
    UnitsAtStake: 'Count',
    UnitsLost: 'Count',
    HoursUnclosed: 'Count',
    GroupsHeld: 'Count',
    NoticesWaiting: 'Count',
    LinksWaiting: 'Count',
    EventsUntold: 'Count',
    OldestUntoldSeconds: 'Seconds',
  },
} as const satisfies Record<string, Readonly<Record<string, 'Count' | 'Seconds'>>>;

type Measured = keyof typeof METRICS;
type NameOf<S extends Measured> = keyof (typeof METRICS)[S] & string;
export type MetricName = { [S in Measured]: NameOf<S> }[Measured];
type Measures<S extends Measured> = Readonly<Record<NameOf<S>, number>>;

/** Gives a function's numbers, the zeros among them: a metric without data tells nobody whether all is well. */
export type Measure = <S extends Measured>(source: S, measures: Measures<S>) => void;

interface MetricOutput {
  readonly stage: string;
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
export function embeddedMetrics({ stage, clock, write }: MetricOutput): Measure {
  return (source, measures) => {
    const Timestamp = clock();
    const Metrics = Object.entries(METRICS[source]).map(([Name, Unit]) => ({ Name, Unit }));
    const directive = { Namespace: METRIC_NAMESPACE, Dimensions: [[METRIC_DIMENSION]], Metrics };
    const line = {
      // Lambda's log filters know a line by these two; without a level they would take it for any.
      timestamp: new Date(Timestamp).toISOString(),
      level: 'INFO',
      code: 'Measured',
      source,
      [METRIC_DIMENSION]: stage,
      ...measures,
      _aws: { Timestamp, CloudWatchMetrics: [directive] },
    };
    write(`${JSON.stringify(line)}\n`);
  };
}

/** Where nobody keeps numbers. */
export const unmeasured: Measure = () => {};

/**
 * Runs work and measures what it came to: a run that fails at one record throws, and tells in the facts of its failure
 * what became of the others. Counts that it does not tell are 0.
 */
export async function measuredRun<T extends object>(
  run: () => Promise<T>,
  measure: (count: (name: keyof T & string) => number) => void,
): Promise<T> {
  const measureFrom = (facts: object) => {
    const counts = new Map<string, unknown>(Object.entries(facts));
    measure((name) => Number(counts.get(name) ?? 0));
  };
  try {
    const result = await run();
    measureFrom(result);
    return result;
  } catch (error) {
    measureFrom(asFailure(error).facts);
    throw error;
  }
}
