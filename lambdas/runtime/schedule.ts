// What a scheduled function is: it runs, logs what it did, and fails loudly so that the schedule's alarm sees it.
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { SafeFacts } from '../domain/failure.ts';
import type { LambdaContext } from './handler.ts';
import { type Log, safeFactsOf } from './log.ts';

/** What is left of Lambda's time when work is put down: enough to write results and give back the lease. */
const STOP_BEFORE_END_MS = 10_000;

type ScheduleHandler = (event: unknown, context: LambdaContext) => Promise<void>;

/** Runs `work` for one tick of a schedule. The event says nothing: what is due follows from the clock. */
export function scheduleHandler(
  log: Log,
  doneCode: string,
  work: (hasTime: () => boolean) => Promise<SafeFacts>,
): ScheduleHandler {
  const handler = middy<unknown, void>()
    .onError((request) => {
      log.error('ScheduleFailed', { run: doneCode, ...safeFactsOf(request.error) });
    })
    .handler(async (_event, context) => {
      const facts = await work(() => context.getRemainingTimeInMillis() > STOP_BEFORE_END_MS);
      log.info(doneCode, facts);
    });
  return (event, context) => handler(event, context as Context);
}
