// What a handler is given besides its event: the world outside, so that the same code runs anywhere.
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { consoleLog, type Log } from './log.ts';
import { embeddedMetrics, type Measure } from './metric.ts';

/** Everything outside a handler. On AWS it comes from Lambda; on a laptop and in tests it is handed in. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent where nobody keeps numbers. */
  readonly measure?: Measure;
}

/** The surroundings of a deployed function. Endpoints and credentials are read by the SDK from the environment. */
function lambdaSurroundings(): Surroundings {
  const write = (line: string) => void process.stdout.write(line);
  // A function that measures has the setting, or fails for want of it before it measures anything.
  const measure = embeddedMetrics({ stage: process.env['STAGE'] ?? '', clock: systemClock, write });
  return { environment: process.env, clock: systemClock, log: consoleLog, measure };
}

/**
 * Builds a handler at its first event and keeps it: importing the file reads no settings, so tests and the bundle
 * check can load it, and a missing setting is reported in the log of the call that needed it.
 */
export function built<Event, Result>(
  build: (surroundings: Surroundings) => (event: Event, context: LambdaContext) => Promise<Result>,
): (event: Event, context: LambdaContext) => Promise<Result> {
  let handler: ReturnType<typeof build> | undefined;
  return (event, context) => {
    handler ??= build(lambdaSurroundings());
    return handler(event, context);
  };
}

/** The little of Lambda's context that we use. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}
