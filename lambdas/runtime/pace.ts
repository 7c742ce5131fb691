// Keeps calls under a rate, on the machine's own steady clock, whatever clock the story runs on.
import { setTimeout as delay } from 'node:timers/promises';

interface PaceSettings {
  /** The quota: so many calls in any second. */
  readonly callsPerSecond: number;
}

/** A clock that never jumps, and how to wait by it. */
interface SteadyClock {
  nowMs(): number;
  wait(ms: number): Promise<void>;
}

const MACHINE_CLOCK: SteadyClock = { nowMs: () => performance.now(), wait: (ms) => delay(ms) };

/** What a throttle leaves of the rate, and how fast it comes back: a quarter less at once, made good in a second. */
const THROTTLED_RATE = 0.75;
const RECOVERY_PER_SECOND = 0.25;
const SLOWEST_RATE = 0.05;

/** Calls that left side by side are throttled side by side: within this time, theirs is one throttle. */
const SAME_THROTTLE_MS = 1_000;

/**
 * What counts as a second: a little more, because calls are counted where they arrive, and the way there takes one
 * of them longer than another. How much more is learnt from throttles, and forgotten within minutes.
 */
const FIRST_SECOND_MS = 1_040;
const SHORTEST_SECOND_MS = 1_035;
const LONGEST_SECOND_MS = 1_100;
const LEARNT_MS = 5;
const FORGOTTEN_MS_PER_SECOND = 0.5;

/** How many calls may be made up for when nobody asked for a while. The second gate keeps them within the quota. */
const MOST_SAVED = 5;

/**
 * Two gates. `take` spaces calls evenly, so that the first second holds no more of them than any other. `depart` counts
 * what really leaves, since calls that were granted evenly are prepared unevenly.
 */
export class TokenBucket {
  readonly #callsPerSecond: number;
  readonly #clock: SteadyClock;
  #rate = 1;
  #secondMs = FIRST_SECOND_MS;
  #throttledAtMs = Number.NEGATIVE_INFINITY;
  #tokens = 1;
  #filledAtMs: number;
  /** When each of the latest calls left, once it has: as many as a second may hold, oldest first. */
  readonly #departures: Promise<number>[] = [];

  constructor({ callsPerSecond }: PaceSettings, clock: SteadyClock = MACHINE_CLOCK) {
    this.#callsPerSecond = callsPerSecond;
    this.#clock = clock;
    this.#filledAtMs = clock.nowMs();
  }

  /** Resolves when a call may be prepared. */
  async take(): Promise<void> {
    this.#fill();
    this.#tokens -= 1;
    if (this.#tokens >= 0) return;
    await this.#clock.wait((-this.#tokens / (this.#callsPerSecond * this.#rate)) * this.#secondMs);
  }

  /** Resolves when a prepared call may leave: there are never more than the quota in any second. */
  async depart(): Promise<void> {
    const isFull = this.#departures.length === this.#callsPerSecond;
    const departure = this.#leave(isFull ? this.#departures.shift() : undefined);
    this.#departures.push(departure);
    await departure;
  }

  /** A second after another call has left; by when it really did, since a busy process wakes late. */
  async #leave(before: Promise<number> | undefined): Promise<number> {
    const beforeMs = (await before) ?? Number.NEGATIVE_INFINITY;
    for (;;) {
      const nowMs = this.#clock.nowMs();
      const leftMs = beforeMs + this.#secondMs - nowMs;
      if (leftMs <= 0) return nowMs;
      await this.#clock.wait(leftMs);
    }
  }

  /** AWS said that it was too much: slower for a while, and no burst from what had been saved up. */
  throttled(): void {
    this.#fill();
    this.#tokens = Math.min(this.#tokens, 0);
    if (this.#filledAtMs - this.#throttledAtMs < SAME_THROTTLE_MS) return;
    this.#throttledAtMs = this.#filledAtMs;
    this.#rate = Math.max(SLOWEST_RATE, this.#rate * THROTTLED_RATE);
    this.#secondMs = Math.min(LONGEST_SECOND_MS, this.#secondMs + LEARNT_MS);
  }

  #fill(): void {
    const nowMs = this.#clock.nowMs();
    const passedMs = nowMs - this.#filledAtMs;
    this.#filledAtMs = nowMs;
    this.#rate = Math.min(1, this.#rate + (passedMs / 1_000) * RECOVERY_PER_SECOND);
    const forgottenMs = (passedMs / 1_000) * FORGOTTEN_MS_PER_SECOND;
    this.#secondMs = Math.max(SHORTEST_SECOND_MS, this.#secondMs - forgottenMs);
    this.#tokens = Math.min(MOST_SAVED, this.#tokens + (passedMs / this.#secondMs) * this.#callsPerSecond * this.#rate);
  }
}
