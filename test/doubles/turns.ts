// Workers that take turns step by step in an order that a seed decides, and that may die between any two steps.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as settled } from 'node:timers/promises';

export type Random = () => number;

/** Mulberry32: the same numbers for the same seed on every machine. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Worker {
  readonly bornIn: number;
  isDead: boolean;
}

interface Waiting {
  readonly worker: Worker;
  readonly resume: () => void;
}

export class Turns {
  readonly #random: Random;
  readonly #worker = new AsyncLocalStorage<Worker>();
  #waiting: Waiting[] = [];
  #shift = 0;
  /** What a worker threw: nothing that the ports do here is a reason to. */
  readonly thrown: unknown[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  start(work: () => Promise<unknown>): void {
    this.#worker.run({ bornIn: this.#shift, isDead: false }, () => {
      work().catch((error: unknown) => void this.thrown.push(error));
    });
  }

  /** Resolves when it is this worker's turn; never for one that has died. Free outside of any worker. */
  step(): Promise<void> {
    const worker = this.#worker.getStore();
    if (!worker) return Promise.resolve();
    return new Promise((resume) => {
      if (!worker.isDead) this.#waiting.push({ worker, resume });
    });
  }

  /** Takes turns until nobody waits, or until time passes with work still under way, to be ended in the next run. */
  async run(chances: { readonly die: number; readonly timePasses: number }): Promise<void> {
    this.#shift += 1;
    await settled();
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
      if (!next) return;
      // Lambda ends what runs too long.
      if (next.worker.bornIn < this.#shift - 2) next.worker.isDead = true;
      if (next.worker.isDead) continue;
      next.resume();
      await settled();
      if (this.#random() < chances.die) this.#kill(next.worker);
      if (this.#random() < chances.timePasses) return;
    }
  }

  #kill(worker: Worker): void {
    worker.isDead = true;
    this.#waiting = this.#waiting.filter((each) => each.worker !== worker);
  }
}
