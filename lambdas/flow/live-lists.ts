// Everything that is not settled, list by list: what is open, shard by shard, and what AWS has refused.
import { Cursor } from './cursor.ts';
import type { ItemKey, LedgerStore, LiveRecord, OnMalformed } from './ports.ts';

export interface LiveList {
  /** `open 3`, `refused`: as a log names it. */
  readonly name: string;
  /** Soonest deadline first. */
  pages(onMalformed: OnMalformed): AsyncIterable<readonly LiveRecord[]>;
}

/**
 * The lists of the ledger's state index that hold what is not settled. While a record moves from one to another, the
 * index may have it in both, or in neither.
 */
export function liveLists(ledger: Pick<LedgerStore, 'open' | 'refused'>, stateShards: number): readonly LiveList[] {
  const shards = Array.from(
    { length: stateShards },
    (_, shard): LiveList => ({
      name: `open ${shard}`,
      pages: (onMalformed) => ledger.open(shard, onMalformed),
    }),
  );
  return [...shards, { name: 'refused', pages: (onMalformed) => ledger.refused(onMalformed) }];
}

/**
 * The references of several lists, soonest deadline first, so many at a time. Each list is in that order; of every one, a
 * page is in memory, and no more is listed than is taken.
 */
export async function* soonestFirst(
  pagesOfEach: readonly AsyncIterable<readonly LiveRecord[]>[],
  atATime: number,
): AsyncGenerator<readonly LiveRecord[]> {
  const lists = pagesOfEach.map((pages) => new Cursor(pages));
  await Promise.all(lists.map((list) => list.peek()));
  // What has just moved from one list to another may still stand in both: taken twice, it would be sent twice.
  const listed = new Set<string>();
  let chunk: LiveRecord[] = [];
  for (;;) {
    const first = await soonestOf(lists);
    if (first && !listed.has(placeOf(first))) chunk.push(first);
    if (first) listed.add(placeOf(first));
    if (chunk.length > 0 && (!first || chunk.length === atATime)) {
      yield chunk;
      chunk = [];
    }
    if (!first) return;
  }
}

/** Takes the reference with the soonest deadline off its list. */
async function soonestOf(lists: readonly Cursor<LiveRecord>[]): Promise<LiveRecord | undefined> {
  let [soonest, from]: [LiveRecord?, Cursor<LiveRecord>?] = [];
  for (const list of lists) {
    // References come by the thousand: only a new page is awaited, never a single one.
    const head = list.ready() ?? (await list.peek());
    if (head && (!soonest || isSooner(head, soonest))) [soonest, from] = [head, list];
  }
  from?.advance();
  return soonest;
}

function isSooner(one: LiveRecord, other: LiveRecord): boolean {
  return (
    one.deadlineAt - other.deadlineAt < 0 || (one.deadlineAt === other.deadlineAt && placeOf(one) < placeOf(other))
  );
}

/** Names where a record stands, as one text. */
export function placeOf({ partition, meter }: ItemKey): string {
  return `${partition} ${meter}`;
}
