// The sum of one licence's dimension in one hour, taken row by row so that memory does not grow with the events.
import { hash } from 'node:crypto';
import type { Carry, Seen } from './ledger.ts';
import { MAX_ALLOCATIONS } from './marketplace-limits.ts';
import { isQuantity } from './quantity.ts';
import { ANY_TAGS, type TagSet, tagSetDigest, UNTAGGED } from './tag-set.ts';
import { NEWER_ROW, type UsageRow } from './usage-row.ts';

export interface Tally {
  readonly byTagSet: ReadonlyMap<TagSet, number>;
  /** The same by digest of tag set, made once: there may be thousands. */
  readonly byDigest: ReadonlyMap<string, number>;
  readonly used: number;
  readonly seen: Seen;
  readonly rejectedQuantity: number;
  /** The earliest usage; undefined where there is none, or only what was carried in. */
  readonly firstUsedAt: number | undefined;
  /** A sum left the range of exact whole numbers: none of them is to be believed, and nothing may be done by them. */
  readonly isOverflown: boolean;
  /** Some rows were written by newer code: what they come to is not known here. */
  readonly hasNewerRows: boolean;
}

/** Collects rows and carries, in any order, into a tally. */
export class TallyBuilder {
  readonly #byTagSet = new Map<TagSet, number>();
  #recorded = 0;
  #carriedIn = 0;
  #rejected = 0;
  #isOverflown = false;
  #hasNewerRows = false;
  #firstUsedAt: number | undefined;
  #count = 0;
  #hashHigh = 0;
  #hashLow = 0;

  addRow(row: UsageRow): void {
    // The books call bad rows recorded, too: what was rejected must show on both sides.
    this.#recorded = this.#sum(this.#recorded, row.quantity);
    this.#count += 1;
    this.#mix(`${row.sortKey}\n${row.quantity}\n${row.kind === 'good' ? `${row.atMs}\n${row.tagSet}` : row.code}`);
    if (row.kind === 'bad') {
      this.#rejected = this.#sum(this.#rejected, row.quantity);
      this.#hasNewerRows ||= row.code === NEWER_ROW;
    } else {
      this.#add(row.tagSet, row.quantity);
      this.#firstUsedAt = Math.min(this.#firstUsedAt ?? row.atMs, row.atMs);
    }
  }

  addCarry(carry: Carry): void {
    this.#carriedIn = this.#sum(this.#carriedIn, carry.quantity);
    // What went on without telling its tag sets apart is untagged where it comes in.
    this.#add(carry.tagSet === ANY_TAGS ? UNTAGGED : carry.tagSet, carry.quantity);
  }

  tally(): Tally {
    let used = 0;
    for (const quantity of this.#byTagSet.values()) used = this.#sum(used, quantity);
    return {
      byTagSet: this.#byTagSet,
      byDigest: new Map([...this.#byTagSet].map(([tagSet, quantity]) => [tagSetDigest(tagSet), quantity])),
      used,
      rejectedQuantity: this.#rejected,
      isOverflown: this.#isOverflown,
      hasNewerRows: this.#hasNewerRows,
      firstUsedAt: this.#firstUsedAt,
      seen: {
        recorded: this.#recorded,
        carriedIn: this.#carriedIn,
        count: this.#count,
        rowsHash: `${hex(this.#hashHigh)}${hex(this.#hashLow)}`,
      },
    };
  }

  /** Never throws: one absurd amount must not keep the meters beside it from being read. */
  #sum(a: number, b: number): number {
    if (isQuantity(a + b)) return a + b;
    this.#isOverflown = true;
    return Number.MAX_SAFE_INTEGER;
  }

  #add(tagSet: TagSet, quantity: number): void {
    this.#byTagSet.set(tagSet, this.#sum(this.#byTagSet.get(tagSet) ?? 0, quantity));
  }

  // Adding digests is free of order; two 32-bit sums stay exact in doubles.
  #mix(text: string): void {
    const digest = hash('sha256', text);
    this.#hashHigh = (this.#hashHigh + Number.parseInt(digest.slice(0, 8), 16)) >>> 0;
    this.#hashLow = (this.#hashLow + Number.parseInt(digest.slice(8, 16), 16)) >>> 0;
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}

export const EMPTY_TALLY: Tally = new TallyBuilder().tally();

/**
 * What an hour is accounted for by: its tag sets, or all of them together where there are more than an item can
 * hold the amounts of.
 */
export function accountedTagSets(tally: Tally): ReadonlyMap<TagSet, number> {
  return tally.byTagSet.size > MAX_ALLOCATIONS ? new Map([[ANY_TAGS, tally.used]]) : tally.byTagSet;
}

export function sumOf(byTagSet: ReadonlyMap<TagSet, number>): number {
  let sum = 0;
  for (const quantity of byTagSet.values()) sum += quantity;
  return sum;
}

/** The first `limit` units of a tally, tag set by tag set in canonical order, the untagged ones last. */
export function takeUpTo(byTagSet: ReadonlyMap<TagSet, number>, limit: number): Map<TagSet, number> {
  const taken = new Map<TagSet, number>();
  let left = limit;
  for (const tagSet of [...byTagSet.keys()].sort(untaggedLast)) {
    const quantity = Math.min(byTagSet.get(tagSet) ?? 0, left);
    if (quantity > 0) taken.set(tagSet, quantity);
    left -= quantity;
  }
  return taken;
}

function untaggedLast(a: TagSet, b: TagSet): number {
  if (a === UNTAGGED) return 1;
  if (b === UNTAGGED) return -1;
  return a < b ? -1 : 1;
}
