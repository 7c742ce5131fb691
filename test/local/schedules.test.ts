import { expect, onTestFinished, test, vi } from 'vitest';
import type { Log } from '../../lambdas/runtime/log.ts';
import { runSchedules } from '../../local/schedules.ts';

const MINUTE_MS = 60_000;

interface Wanted {
  readonly fails?: (schedule: string, tick: number) => boolean;
  readonly arrivals?: () => Promise<boolean>;
  readonly nowMs?: () => number;
}

function startSchedules({ fails = () => false, arrivals = async () => false, nowMs = () => 90_000 }: Wanted) {
  const ticks = { closeHours: 0, sendMetering: 0, deliverWebhooks: 0 };
  const steps: string[] = [];
  const scheduled = (name: keyof typeof ticks, everyMs?: number) => ({
    name,
    ...(everyMs === undefined ? {} : { everyMs }),
    tick: async () => {
      ticks[name] += 1;
      steps.push(name);
      if (fails(name, ticks[name])) throw new Error(`${name} failed`);
    },
  });
  const logged: unknown[] = [];
  const log: Log = { info: () => {}, warn: () => {}, error: (code, facts) => void logged.push({ code, ...facts }) };
  const clock = { now: nowMs, look: async () => void steps.push('look'), moveOn: () => void steps.push('moveOn') };
  const running = runSchedules({
    clock,
    arrivals: async () => {
      steps.push('arrivals');
      return arrivals();
    },
    schedules: [scheduled('closeHours', MINUTE_MS), scheduled('sendMetering', MINUTE_MS), scheduled('deliverWebhooks')],
    log,
  });
  onTestFinished(() => running.stop());
  return { ticks, logged, steps };
}

test('What is sealed is sent although closing fails', async () => {
  const { ticks, logged } = startSchedules({ fails: (schedule) => schedule === 'closeHours' });

  await vi.waitFor(() => expect(ticks.sendMetering).toBeGreaterThan(0));

  expect(logged[0]).toMatchObject({ code: 'TickFailed', schedule: 'closeHours' });
});

test('A tick that failed is tried again although the clock stands still, and one that did its work is not', async () => {
  const { ticks } = startSchedules({ fails: (name, tick) => name === 'closeHours' && tick === 1 });

  await vi.waitFor(() => expect(ticks.deliverWebhooks).toBeGreaterThan(3), { timeout: 10_000 });

  expect(ticks).toMatchObject({ closeHours: 2, sendMetering: 1 });
});

test('What arrives is dealt with at once although the clock stands still', async () => {
  let looks = 0;
  const { ticks } = startSchedules({ arrivals: async () => ++looks === 3 });

  await vi.waitFor(() => expect(ticks.deliverWebhooks).toBeGreaterThan(3), { timeout: 10_000 });

  expect(ticks).toMatchObject({ closeHours: 2, sendMetering: 2 });
});

test('The clock is moved on after what has arrived by then, and not at all while that can’t be read', async () => {
  let looks = 0;
  const { steps, logged } = startSchedules({
    arrivals: async () => {
      if (++looks === 1) throw new Error('The simulator is away.');
      return false;
    },
  });

  await vi.waitFor(() => expect(steps).toContain('closeHours'), { timeout: 10_000 });

  expect(steps.slice(0, 6)).toEqual(['look', 'arrivals', 'look', 'arrivals', 'moveOn', 'closeHours']);
  expect(logged).toMatchObject([{ code: 'TickFailed', schedule: 'arrivals' }]);
});
