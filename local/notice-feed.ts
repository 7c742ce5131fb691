// The way of AWS's notices on a laptop: from the simulator, as they went out, through a queue to apply-notice.
import type { ControlClient } from '../operator/control-client.ts';
import type { LocalQueue, QueueFunction } from './local-queue.ts';

interface SentNotice {
  readonly at: string;
  readonly body: string;
}

/** Reads the notices that went out and brings each to the function. Starting again reads all anew, which changes nothing. */
export class NoticeFeed {
  readonly #control: Pick<ControlClient, 'get'>;
  readonly #queue: LocalQueue;
  readonly #apply: QueueFunction;
  #after = 0;

  constructor(control: Pick<ControlClient, 'get'>, queue: LocalQueue, apply: QueueFunction) {
    this.#control = control;
    this.#queue = queue;
    this.#apply = apply;
  }

  /** Brings what is new and what is due again; gives how many notices were taken. */
  async follow(): Promise<number> {
    for (;;) {
      const path = `/control/notices?after=${this.#after}`;
      const { notices, next } = await this.#control.get<{ notices: SentNotice[]; next: number }>(path);
      if (notices.length === 0) break;
      for (const { at, body } of notices) this.#queue.send(body, Date.parse(at));
      this.#after = next;
    }
    return this.#queue.deliver(this.#apply);
  }
}
