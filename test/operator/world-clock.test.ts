import { expect, test } from 'vitest';
import { WorldClock } from '../../operator/world-clock.ts';

test('The clock sees the simulator’s time ahead, and goes by it only once it is moved on', async () => {
  let anchorMs = 1_000;
  const get = async () => ({ mode: 'set', rate: 1, anchorRealMs: 0, anchorMs });
  const clock = new WorldClock({ get } as unknown as ConstructorParameters<typeof WorldClock>[0]);
  await clock.follow();
  anchorMs = 5_000;

  await clock.look();

  expect([clock.now(), clock.ahead()]).toEqual([1_000, 5_000]);
  clock.moveOn();
  expect([clock.now(), clock.ahead()]).toEqual([5_000, 5_000]);
});
