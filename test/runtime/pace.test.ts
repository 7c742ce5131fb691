import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TokenBucket } from '../../lambdas/runtime/pace.ts';

const QUOTA = 10;

/** A clock that moves only when everybody waits. A busy process wakes late: by so much, one time after the other. */
class TestClock {
  readonly #late: readonly number[];
  #woken = 0;
  readonly #waiting: { atMs: number; wake: () => void }[] = [];
  #nowMs = 0;

  constructor(late: readonly number[] = [0]) {
    this.#late = late;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wait(ms: number): Promise<void> {
    const lateMs = this.#late[this.#woken++ % this.#late.length] ?? 0;
    return new Promise((wake) => void this.#waiting.push({ atMs: this.#nowMs + ms + lateMs, wake }));
  }

  async run(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#waiting.sort((a, b) => a.atMs - b.atMs).shift();
      if (!next) return;
      this.#nowMs = next.atMs;
      next.wake();
    }
  }
}

/** When calls leave, each of which takes so long to prepare, as many side by side as the sender makes. */
async function departures(
  preparingMs: readonly number[],
  throttled: readonly number[] = [],
  late?: readonly number[],
): Promise<number[]> {
  const clock = new TestClock(late);
  const pace = new TokenBucket({ callsPerSecond: QUOTA }, clock);
  const left: number[] = [];
  const queue = preparingMs.values();
  const worker = async () => {
    for (const ms of queue) {
      await pace.take();
      await clock.wait(ms);
      await pace.depart();
      left.push(clock.nowMs());
      if (throttled.includes(left.length)) pace.throttled();
      await clock.wait(150);
    }
  };
  const workers = Promise.all(Array.from({ length: 16 }, worker));
  await clock.run();
  await workers;
  return left.sort((a, b) => a - b);
}

describe('the pace of calls', () => {
  test('never has more calls leave in any second than the quota, however unevenly they were prepared', async () => {
    const preparing = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 30, maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(preparing, async (preparingMs) => {
        const left = await departures(preparingMs);
        const gaps = left.slice(QUOTA).map((at, index) => at - (left[index] ?? 0));

        expect(Math.min(1_000, ...gaps)).toBe(1_000);
      }),
    );
  });

  test('counts a call from when it really left, though its process wakes late', async () => {
    const late = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(late, async (lateMs) => {
        const left = await departures(Array<number>(60).fill(20), [], lateMs);
        const gaps = left.slice(QUOTA).map((at, index) => at - (left[index] ?? 0));

        expect(Math.min(1_000, ...gaps)).toBe(1_000);
      }),
    );
  });

  test('uses at least 95 of 100 parts of the quota, the first second counted', async () => {
    const left = await departures(Array.from({ length: 600 }, (_, index) => 20 + ((index * 37) % 80)));

    const seconds = ((left.at(-1) ?? 0) - (left[0] ?? 0)) / 1_000;
    expect((left.length - 1) / seconds).toBeGreaterThan(0.95 * QUOTA);
  });

  test('slows down after a throttle, and is back within some seconds', async () => {
    const never = await departures(Array<number>(300).fill(10));
    const once = await departures(Array<number>(300).fill(10), [100]);

    expect(within(once, 0, 4_000)).toBeLessThan(within(never, 0, 4_000));
    expect(within(once, 5_000, 9_000)).toBeGreaterThan(0.9 * 4 * QUOTA);
  });

  test('takes the throttles of calls that left side by side for one, and slows down further for those that follow', async () => {
    const once = await departures(Array<number>(300).fill(10), [100]);
    const together = await departures(Array<number>(300).fill(10), [100, 101, 102, 103]);
    const each = await departures(Array<number>(300).fill(10), [100, 115, 125, 135]);

    expect(within(together, 0, 4_000)).toBeGreaterThan(within(once, 0, 4_000) - 4);
    expect(within(each, 0, 8_000)).toBeLessThan(within(once, 0, 8_000) - 2);
  });
});

/** How many calls left within some time of the hundredth. */
function within(left: readonly number[], fromMs: number, toMs: number): number {
  const startMs = left[99] ?? 0;
  return left.filter((at) => at > startMs + fromMs && at <= startMs + toMs).length;
}
