// EventBridge Scheduler's part on a laptop: the scheduled handlers, driven by the simulator's clock.
import { type Log, safeFactsOf } from '../lambdas/runtime/log.ts';
import type { WorldClock } from '../operator/world-clock.ts';

/** How often the simulator is asked whether its clock has moved; a person should not notice. */
const LOOK_EVERY_MS = 500;

/** What a schedule runs, how often by the simulator's clock. */
export interface Schedule {
  readonly name: string;
  /** Absent for at each look. */
  readonly everyMs?: number;
  readonly tick: () => Promise<unknown>;
}

/** What is driven, and the time by which. */
interface Scheduled {
  readonly clock: Pick<WorldClock, 'now' | 'look' | 'moveOn'>;
  /** Takes what has come from outside, by the time that was seen last; tells whether there was any. */
  readonly arrivals: () => Promise<boolean>;
  /** In the order in which they run. */
  readonly schedules: readonly Schedule[];
  readonly log: Log;
}

export interface Schedules {
  /** Ends after the tick that is under way. */
  stop(): Promise<void>;
}

/** Runs each schedule as its time comes by the simulator's clock, one tick at a time, however fast that goes. */
export function runSchedules(scheduled: Scheduled): Schedules {
  const stopping = new AbortController();
  const running = loop(scheduled, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function loop({ clock, arrivals, schedules, log }: Scheduled, stopped: AbortSignal): Promise<void> {
  /** The period in which each schedule last did its work. */
  const lastPeriods = new Map<Schedule, number>();
  while (!stopped.aborted) {
    try {
      // Ends before the clock: the door must not meet a later time without knowing whose licence has ended by it.
      await clock.look();
      const hasArrived = await arrivals();
      clock.moveOn();
      if (hasArrived) lastPeriods.clear();
      for (const schedule of schedules) {
        const { everyMs } = schedule;
        const period = everyMs === undefined ? undefined : Math.floor(clock.now() / everyMs);
        if (period !== undefined && period === lastPeriods.get(schedule)) continue;
        // Schedules of their own, as in AWS: what one can't do keeps no other from its work. A clock that stands still
        // brings no next period: what failed is tried again at the next look.
        const isDone = await ticked(schedule, log);
        if (isDone && period !== undefined) lastPeriods.set(schedule, period);
        else lastPeriods.delete(schedule);
      }
    } catch (error) {
      // A look that failed is no reason to end: the next one finds everything as it was.
      log.error('TickFailed', { schedule: 'arrivals', ...safeFactsOf(error) });
    }
    await pause(LOOK_EVERY_MS, stopped);
  }
}

/** One tick of one schedule; false where it failed. */
async function ticked({ name, tick }: Schedule, log: Log): Promise<boolean> {
  try {
    await tick();
    return true;
  } catch (error) {
    log.error('TickFailed', { schedule: name, ...safeFactsOf(error) });
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
