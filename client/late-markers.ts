// Late markers of one process: many callers that need the same marker at once share one write of it.
import type { HourStart } from '../lambdas/domain/hour.ts';
import { hourShardKey } from '../lambdas/domain/keys.ts';

export class LateMarkers {
  readonly #write: (hour: HourStart, shard: number) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  constructor(write: (hour: HourStart, shard: number) => Promise<void>) {
    this.#write = write;
  }

  /**
   * Resolves when a marker has been written that was begun after this call. A write under way may be older than the
   * caller's event, and its marker cleared by a look that did not see it: such a caller gets the next one.
   */
  leave(hour: HourStart, shard: number): Promise<void> {
    const key = hourShardKey(hour, shard);
    const next = this.#next.get(key);
    if (next !== undefined) return next;
    const running = this.#running.get(key);
    if (running === undefined) return this.#start(key, hour, shard);
    const start = () => {
      this.#next.delete(key);
      return this.#start(key, hour, shard);
    };
    // Whether the write under way failed is its own callers' matter.
    const following = running.then(start, start);
    this.#next.set(key, following);
    return following;
  }

  #start(key: string, hour: HourStart, shard: number): Promise<void> {
    const running = this.#write(hour, shard).finally(() => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    });
    this.#running.set(key, running);
    return running;
  }
}
