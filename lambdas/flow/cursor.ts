// Walks a paged source item by item.

/** Looks one item ahead in a paged source; only a new page is waited for. */
export class Cursor<T> {
  readonly #pages: AsyncIterator<readonly T[]>;
  #page: readonly T[] = [];
  #index = 0;
  #isDone = false;

  constructor(pages: AsyncIterable<readonly T[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** The next item if it is in memory. */
  ready(): T | undefined {
    return this.#page[this.#index];
  }

  /** The next item, read if need be; undefined at the end. */
  async peek(): Promise<T | undefined> {
    while (this.#index >= this.#page.length && !this.#isDone) {
      const next = await this.#pages.next();
      this.#isDone = next.done === true;
      this.#page = next.done ? [] : next.value;
      this.#index = 0;
    }
    return this.#page[this.#index];
  }

  advance(): void {
    this.#index += 1;
  }
}
