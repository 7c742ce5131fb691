// Time of a world: what is due next happens next, and workers wait in it for their tables and for AWS.
import type { Random } from './random.ts';

/** A run of the system: a Lambda invocation, with its own clock, its time limit, and the chance to die. */
export interface Worker {
  readonly name: string;
  readonly startedAtMs: number;
  /** Lambda ends what runs longer. */
  readonly endsAtMs: number;
  /** How far its clock is from the true one. */
  readonly skewMs: number;
  isDead: boolean;
}

interface Due {
  readonly atMs: number;
  /** Keeps the order of what is due at one instant. */
  readonly order: number;
  readonly act: () => void;
}

/** A queue by time. Resuming a worker lets it run until it waits again, before anything else happens. */
export class Schedule {
  #nowMs: number;
  #order = 0;
  readonly #heap: Due[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, act: () => void): void {
    this.#push({ atMs: Math.max(atMs, this.#nowMs), order: ++this.#order, act });
  }

  /** Resolves for the worker `ms` later; never, once it has died. */
  wait(worker: Worker, ms: number): Promise<void> {
    return new Promise((resume) => {
      this.at(this.#nowMs + ms, () => {
        if (this.#nowMs >= worker.endsAtMs) worker.isDead = true;
        if (!worker.isDead) resume();
      });
    });
  }

  /** Lets everything happen that is due by then, each to its end; stops early once `isOver`. */
  run(untilMs: number, isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = () => {
        try {
          const [due] = this.#heap;
          if (!due || due.atMs > untilMs || isOver()) return resolve();
          this.#pop();
          this.#nowMs = due.atMs;
          due.act();
          // Ticks run once no promise has anything left to do: only then has whoever was resumed come to its next wait.
          queueMicrotask(() => process.nextTick(next));
        } catch (error) {
          reject(error);
        }
      };
      next();
    });
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let index = heap.push(due) - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const above = heap[parent];
      if (!above || !isBefore(due, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const right = heap[child + 1];
      const left = heap[child];
      if (!left) break;
      const least = right && isBefore(right, left) ? right : left;
      if (least === right) child += 1;
      if (!isBefore(least, last)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** How long an operation takes: mostly milliseconds, now and then so long that others overtake it by far. */
export function latencyMs(random: Random, stallChance: number): number {
  const drawn = random();
  return drawn < stallChance ? 1_000 + (drawn / stallChance) * 119_000 : 1 + drawn * 24;
}
