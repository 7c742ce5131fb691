// A table in memory, and the way by which operations reach it. Stores apply each operation to it in one go.

export type OperationKind = 'read' | 'write' | 'transaction';

/**
 * How an operation reaches its table: at once; or when its turn has come, perhaps refused, perhaps applied without an
 * answer. `shard` names the partitions that it is about, where it is about one shard.
 */
export interface Io {
  <T>(kind: OperationKind, shard: number | undefined, apply: () => T): Promise<T>;
  /** Whether nothing ever stands in a shard's partitions: they are answered at once, which spares thousands of reads. */
  readonly isIdle?: (shard: number) => boolean;
}

export const AT_ONCE: Io = async (_kind, _shard, apply) => apply();

/** Small, so that every test meets the ends of pages, and boundaries within a meter. */
const PAGE = 3;

/** Which sort keys of a partition: from `start` up to and including `end`, as BETWEEN has it. */
export interface KeyRange {
  readonly start?: string;
  readonly end?: string;
  /** From the end back, as a query with ScanIndexForward set to false. */
  readonly isBackwards?: boolean;
}

interface Partition<T> {
  /** In order. */
  readonly keys: string[];
  readonly values: Map<string, T>;
}

/** Values by partition key and sort key, in the order of sort keys. */
export class MemoryTable<T> {
  readonly #partitions = new Map<string, Partition<T>>();
  readonly #pageSize: number;

  constructor(pageSize = PAGE) {
    this.#pageSize = pageSize;
  }

  get(pk: string, sk: string): T | undefined {
    return this.#partitions.get(pk)?.values.get(sk);
  }

  set(pk: string, sk: string, value: T): void {
    let partition = this.#partitions.get(pk);
    if (!partition) {
      partition = { keys: [], values: new Map() };
      this.#partitions.set(pk, partition);
    }
    if (!partition.values.has(sk)) partition.keys.splice(placeIn(partition.keys, sk), 0, sk);
    partition.values.set(sk, value);
  }

  delete(pk: string, sk: string): boolean {
    const partition = this.#partitions.get(pk);
    if (!partition?.values.delete(sk)) return false;
    partition.keys.splice(placeIn(partition.keys, sk), 1);
    return true;
  }

  /** A page of a query as it stands now, and the key to go on behind; without one, it was the last. */
  page(pk: string, { start = '', end, isBackwards }: KeyRange, after?: string): { values: T[]; last?: string } {
    const partition = this.#partitions.get(pk);
    const values: T[] = [];
    if (!partition) return { values };
    if (isBackwards) return this.#pageBack(partition, start, after);
    let index = after === undefined ? placeIn(partition.keys, start) : placeIn(partition.keys, after);
    if (after !== undefined && partition.keys[index] === after) index += 1;
    for (; index < partition.keys.length; index++) {
      const sk = partition.keys[index] ?? '';
      if (end !== undefined && sk > end) return { values };
      const value = partition.values.get(sk);
      if (value !== undefined) values.push(value);
      if (values.length === this.#pageSize && index + 1 < partition.keys.length) return { values, last: sk };
    }
    return { values };
  }

  #pageBack({ keys, values }: Partition<T>, start: string, after: string | undefined): { values: T[]; last?: string } {
    const before = after === undefined ? keys.length : placeIn(keys, after);
    const from = Math.max(placeIn(keys, start), before - this.#pageSize);
    const page = keys.slice(from, before).reverse();
    const found = page.flatMap((sk) => values.get(sk) ?? []);
    const last = page.at(-1);
    return from > placeIn(keys, start) && last !== undefined ? { values: found, last } : { values: found };
  }

  /** A partition in order. For those who check, never for a store. */
  *partition(pk: string): Generator<readonly [sk: string, value: T]> {
    const { keys = [], values } = this.#partitions.get(pk) ?? {};
    for (const sk of keys) {
      const value = values?.get(sk);
      if (value !== undefined) yield [sk, value];
    }
  }

  /** Everything in it, partition by partition, in order. For those who check, never for a store. */
  *entries(): Generator<readonly [pk: string, sk: string, value: T]> {
    for (const [pk, { keys, values }] of this.#partitions) {
      for (const sk of keys) {
        const value = values.get(sk);
        if (value !== undefined) yield [pk, sk, value];
      }
    }
  }
}

/** Where a key stands, or would stand, in keys that are in order. */
function placeIn(keys: readonly string[], key: string): number {
  let [from, to] = [0, keys.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((keys[middle] ?? '') < key) from = middle + 1;
    else to = middle;
  }
  return from;
}

const DONE = Promise.resolve({ done: true as const, value: undefined });
const NO_PAGES: AsyncIterable<never> = { [Symbol.asyncIterator]: () => ({ next: () => DONE }) };

/** The pages of a query, each read as the table then stands. */
export function pagesOf<T>(
  table: MemoryTable<T>,
  pk: string,
  range: KeyRange,
  io: Io,
  shard?: number,
): AsyncIterable<readonly T[]> {
  return shard !== undefined && io.isIdle?.(shard) ? NO_PAGES : readPages(table, pk, range, io, shard);
}

async function* readPages<T>(
  table: MemoryTable<T>,
  pk: string,
  range: KeyRange,
  io: Io,
  shard: number | undefined,
): AsyncGenerator<readonly T[]> {
  let after: string | undefined;
  do {
    const behind = after;
    const { values, last } = await io('read', shard, () => table.page(pk, range, behind));
    if (values.length > 0) yield values;
    after = last;
  } while (after !== undefined);
}
