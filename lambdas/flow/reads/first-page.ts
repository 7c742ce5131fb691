// The first page of a list of the ledger's state index: what is not in it is less urgent than all of it.
import type { LiveRecord, OnMalformed } from '../ports.ts';

export interface FirstPage {
  readonly references: readonly LiveRecord[];
  /** Whether the list may go on. */
  readonly isFull: boolean;
}

/** One query. What is malformed is left to the sender, which names it each minute. */
export async function firstPage(
  pagesOf: (onMalformed: OnMalformed) => AsyncIterable<readonly LiveRecord[]>,
  pageSize: number,
): Promise<FirstPage> {
  let malformed = 0;
  const countMalformed = () => {
    malformed += 1;
  };
  for await (const references of pagesOf(countMalformed)) {
    return { references, isFull: references.length + malformed >= pageSize };
  }
  return { references: [], isFull: false };
}
