// Keeps calls under a rate: a token bucket on the machine's own steady clock, whatever clock the story runs on.
import { setTimeout as delay } from 'node:timers/promises';

interface PaceSettings {
  readonly callsPerSecond: number;
}

/** What a throttle leaves of the rate, and how fast it comes back: halved at once, a tenth of it each second. */
const THROTTLED_RATE = 0.5;
const RECOVERY_PER_SECOND = 0.1;
const SLOWEST_RATE = 0.05;

export class TokenBucket {
  readonly #callsPerSecond: number;
  #rate = 1;
  #tokens: number;
  #filledAtMs = performance.now();

  constructor({ callsPerSecond }: PaceSettings) {
    this.#callsPerSecond = callsPerSecond;
    this.#tokens = callsPerSecond;
  }

  /** Resolves when a call may be made. */
  async take(): Promise<void> {
    this.#fill();
    this.#tokens -= 1;
    if (this.#tokens >= 0) return;
    await delay((-this.#tokens / (this.#callsPerSecond * this.#rate)) * 1_000);
  }

  /** AWS said that it was too much: slower for a while, and no burst from what had been saved up. */
  throttled(): void {
    this.#fill();
    this.#rate = Math.max(SLOWEST_RATE, this.#rate * THROTTLED_RATE);
    this.#tokens = Math.min(this.#tokens, 0);
  }

  #fill(): void {
    const nowMs = performance.now();
    const seconds = (nowMs - this.#filledAtMs) / 1_000;
    this.#filledAtMs = nowMs;
    this.#rate = Math.min(1, this.#rate + seconds * RECOVERY_PER_SECOND);
    this.#tokens = Math.min(this.#callsPerSecond, this.#tokens + seconds * this.#callsPerSecond * this.#rate);
  }
}
