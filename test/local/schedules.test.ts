import { expect, onTestFinished, test, vi } from 'vitest';
import type { Log } from '../../lambdas/runtime/log.ts';
import { runSchedules } from '../../local/schedules.ts';

function startSchedules(fails: (schedule: string, tick: number) => boolean) {
  const ticks = { closeHours: 0, sendMetering: 0 };
  const tick = (schedule: 'closeHours' | 'sendMetering') => async () => {
    ticks[schedule] += 1;
    if (fails(schedule, ticks[schedule])) throw new Error(`${schedule} failed`);
    return {} as never;
  };
  const logged: unknown[] = [];
  const log: Log = { info: () => {}, warn: () => {}, error: (code, facts) => void logged.push({ code, ...facts }) };
  const clock = { now: () => 90_000, follow: async () => {} };
  const backend = { closeHours: tick('closeHours'), sendMetering: tick('sendMetering') };
  const schedules = runSchedules({ clock, backend }, { follow: async () => [] }, log);
  onTestFinished(() => schedules.stop());
  return { ticks, logged };
}

test('What is sealed is sent although closing fails', async () => {
  const { ticks, logged } = startSchedules((schedule) => schedule === 'closeHours');

  await vi.waitFor(() => expect(ticks.sendMetering).toBeGreaterThan(0));

  expect(logged[0]).toMatchObject({ code: 'TickFailed', schedule: 'closeHours' });
});

test('A tick that failed is tried again although the clock stands still, and one that did its work is not', async () => {
  const { ticks } = startSchedules((_schedule, tick) => tick === 1);

  await vi.waitFor(() => expect(ticks).toEqual({ closeHours: 2, sendMetering: 2 }), { timeout: 5_000 });
  await new Promise((resolve) => setTimeout(resolve, 1_200));

  expect(ticks).toEqual({ closeHours: 2, sendMetering: 2 });
});
