// EventBridge Scheduler's part on a laptop: the scheduled handlers, driven by the simulator's clock.
import { MINUTE_MS } from '../lambdas/domain/hour.ts';
import { type Log, safeFactsOf } from '../lambdas/runtime/log.ts';
import type { Laptop } from './laptop.ts';
import type { LifecycleFeed } from './lifecycle-feed.ts';

/** How often the simulator is asked whether its clock has moved; a person should not notice. */
const LOOK_EVERY_MS = 500;

export interface Schedules {
  /** Ends after the tick that is under way. */
  stop(): Promise<void>;
}

/** Runs both schedules at every minute of the simulator's clock, one tick at a time, however fast it goes. */
export function runSchedules(laptop: Laptop, feed: LifecycleFeed, log: Log): Schedules {
  const stopping = new AbortController();
  const running = loop(laptop, feed, log, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function loop(laptop: Laptop, feed: LifecycleFeed, log: Log, stopped: AbortSignal): Promise<void> {
  let lastMinute = -1;
  while (!stopped.aborted) {
    try {
      // Ends before the clock: the door must not meet a later time without knowing whose licence has ended by it.
      const noted = await feed.follow();
      await laptop.clock.follow();
      for (const licenceKey of noted) log.info('LicenceEnding', { licenceKey });
      const minute = Math.floor(laptop.clock.now() / MINUTE_MS);
      if (minute !== lastMinute || noted.length > 0) {
        lastMinute = minute;
        await laptop.backend.closeHours();
        await laptop.backend.sendMetering();
      }
    } catch (error) {
      // A tick that failed is no reason to end: the next one finds everything as it was.
      log.error('TickFailed', safeFactsOf(error));
    }
    await pause(LOOK_EVERY_MS, stopped);
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
