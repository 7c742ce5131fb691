// Everything that is not settled, list by list: what is open, shard by shard, and what AWS has refused.
import type { LedgerStore, LiveRecord, OnMalformed } from './ports.ts';

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
