// Comparing what the ledger bills, or would bill, with what another pipeline submitted.
import type { HourStart } from '../hour.ts';
import { type SealedHour, standingQuantity } from '../ledger.ts';

/** An amount of one customer's dimension in one hour. */
export interface ComparedAmount {
  /** The customer's id where it is known; else the name by which the other pipeline speaks of it. */
  readonly customer: string;
  readonly dimension: string;
  readonly hour: HourStart;
  readonly quantity: number;
}

export interface ComparedLine {
  readonly kind: 'onlyHere' | 'onlyThere' | 'different';
  readonly customer: string;
  readonly dimension: string;
  readonly hour: HourStart;
  readonly here: number;
  readonly there: number;
}

export interface Comparison {
  /** What differs, by hour, customer and dimension. */
  readonly differences: readonly ComparedLine[];
  readonly totals: {
    readonly same: number;
    readonly different: number;
    readonly onlyHere: number;
    readonly onlyThere: number;
    readonly unitsHere: number;
    readonly unitsThere: number;
  };
}

/** The units of a sealed hour that are billed here, or would be were it not rehearsed. */
export function billableHere(sealed: SealedHour): number {
  // What came late to a rehearsed hour is held there, since nothing of it may go on.
  if (sealed.rehearsal) return sealed.record.quantity + sealed.heldLate;
  return sealed.status === 'withheld' || sealed.status === 'carried' ? 0 : standingQuantity(sealed);
}

/** Amounts of one customer, dimension and hour are added up on either side. Zeros count as nothing. */
export function compareAmounts(here: Iterable<ComparedAmount>, there: Iterable<ComparedAmount>): Comparison {
  const [ours, theirs] = [summed(here), summed(there)];
  const differences: ComparedLine[] = [];
  const totals = { same: 0, different: 0, onlyHere: 0, onlyThere: 0, unitsHere: 0, unitsThere: 0 };
  for (const [key, amount] of new Map([...theirs, ...ours])) {
    const { customer, dimension, hour } = amount;
    const [mine, other] = [ours.get(key)?.quantity ?? 0, theirs.get(key)?.quantity ?? 0];
    totals.unitsHere += mine;
    totals.unitsThere += other;
    if (mine === other) {
      totals.same += mine === 0 ? 0 : 1;
      continue;
    }
    const kind = other === 0 ? 'onlyHere' : mine === 0 ? 'onlyThere' : 'different';
    totals[kind] += 1;
    differences.push({ kind, customer, dimension, hour, here: mine, there: other });
  }
  return { differences: differences.sort(byPlace), totals };
}

function summed(amounts: Iterable<ComparedAmount>): Map<string, ComparedAmount> {
  const sums = new Map<string, ComparedAmount>();
  for (const amount of amounts) {
    const key = placeOf(amount);
    sums.set(key, { ...amount, quantity: (sums.get(key)?.quantity ?? 0) + amount.quantity });
  }
  return sums;
}

export function placeOf({
  hour,
  customer,
  dimension,
}: Pick<ComparedAmount, 'hour' | 'customer' | 'dimension'>): string {
  return `${hour}\n${customer}\n${dimension}`;
}

function byPlace(a: ComparedLine, b: ComparedLine): number {
  return placeOf(a) < placeOf(b) ? -1 : 1;
}
