// EventBridge Scheduler's part on a laptop: the scheduled handlers, driven by the simulator's clock.
import { MINUTE_MS } from '../lambdas/domain/hour.ts';
import { type Log, safeFactsOf } from '../lambdas/runtime/log.ts';
import type { Backend } from './backend.ts';
import type { LifecycleFeed } from './lifecycle-feed.ts';
import type { WorldClock } from './world-clock.ts';

/** How often the simulator is asked whether its clock has moved; a person should not notice. */
const LOOK_EVERY_MS = 500;

/** What is driven, and the time by which. */
interface Scheduled {
  readonly clock: Pick<WorldClock, 'now' | 'follow'>;
  readonly backend: Pick<Backend, 'closeHours' | 'sendMetering'>;
}

export interface Schedules {
  /** Ends after the tick that is under way. */
  stop(): Promise<void>;
}

/** Runs both schedules at every minute of the simulator's clock, one tick at a time, however fast it goes. */
export function runSchedules(laptop: Scheduled, feed: Pick<LifecycleFeed, 'follow'>, log: Log): Schedules {
  const stopping = new AbortController();
  const running = loop(laptop, feed, log, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function loop(
  laptop: Scheduled,
  feed: Pick<LifecycleFeed, 'follow'>,
  log: Log,
  stopped: AbortSignal,
): Promise<void> {
  const { backend, clock } = laptop;
  let lastMinute = -1;
  while (!stopped.aborted) {
    try {
      // Ends before the clock: the door must not meet a later time without knowing whose licence has ended by it.
      const noted = await feed.follow();
      await clock.follow();
      for (const licenceKey of new Set(noted)) log.info('LicenceEnding', { licenceKey });
      const minute = Math.floor(clock.now() / MINUTE_MS);
      if (minute !== lastMinute || noted.length > 0) {
        // Two schedules, as in AWS: what can't be closed keeps nothing from being sent.
        const closed = await ticked('closeHours', backend.closeHours, log);
        const sent = await ticked('sendMetering', backend.sendMetering, log);
        // A clock that stands still brings no next minute: what failed is tried again at the next look.
        if (closed && sent) lastMinute = minute;
      }
    } catch (error) {
      // A look that failed is no reason to end: the next one finds everything as it was.
      log.error('TickFailed', { schedule: 'lifecycle', ...safeFactsOf(error) });
    }
    await pause(LOOK_EVERY_MS, stopped);
  }
}

/** One tick of one schedule; false where it failed. */
async function ticked(schedule: string, tick: () => Promise<unknown>, log: Log): Promise<boolean> {
  try {
    await tick();
    return true;
  } catch (error) {
    log.error('TickFailed', { schedule, ...safeFactsOf(error) });
    return false;
  }
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  if (stopped.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    stopped.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      stopped.removeEventListener('abort', done);
      resolve();
    }
  });
}
