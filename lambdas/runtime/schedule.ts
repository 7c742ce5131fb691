// What a scheduled function is: it runs, logs what it did, and fails loudly so that the schedule's alarm sees it.
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { SafeFacts } from '../domain/failure.ts';
import { CALL_TIMEOUT_MS } from '../domain/marketplace-limits.ts';
import type { LambdaContext } from './handler.ts';
import { type Log, safeFactsOf } from './log.ts';

/** Noting the intents of a call before it, writing its results after it, and giving back the lease. */
const WRITES_MS = 15_000;

/**
 * What is left of Lambda's time when nothing new is begun. A piece of work begun just before may be a call of
 * BatchMeterUsage that takes all of its time; its answer still has to be written, or the ledger does not know of it.
 */
const STOP_BEFORE_END_MS = CALL_TIMEOUT_MS + WRITES_MS;

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
