// Reads:       usage and ledger of a range of hours
// Writes:      nothing
// Once per:    licence, dimension and hour
// If it stops: nothing is left behind
import { type HourBooks, NOWHERE } from '../../domain/books.ts';
import { HOUR_MS, type HourStart, hourStartMs } from '../../domain/hour.ts';
import type { LedgerStore, UsageStore } from '../ports.ts';
import { verifyBooks } from '../verify-books.ts';

interface VerifyPorts {
  readonly usage: Pick<UsageStore, 'rows'>;
  readonly ledger: Pick<LedgerStore, 'entries'>;
}

interface Verification {
  readonly balanced: boolean;
  /** For a shell: 0 where every hour balances, else 1. */
  readonly exitCode: 0 | 1;
  readonly hoursChecked: number;
  /** Licence and dimension of each hour that holds usage or a ledger entry. */
  readonly metersChecked: number;
  readonly unbalanced: number;
  /** The first of them. */
  readonly differences: readonly Pick<HourBooks, 'hour' | 'licenceKey' | 'dimension' | 'difference'>[];
  /** Units by the place where they stand, over all. */
  readonly totals: Readonly<Record<VerifiedPlace, number>>;
}

type VerifiedPlace =
  | 'recorded'
  | 'carriedIn'
  | 'carriedOut'
  | 'rejectedAtClose'
  | 'notYetSealed'
  | 'credited'
  | 'heldLate'
  | keyof HourBooks['byStatus'];

const DIFFERENCES_SHOWN = 1_000;

/** Whether the books of every meter in `[first, end)` balance. Memory does not grow with the range. */
export async function verify(
  ports: VerifyPorts,
  { first, end, licenceKey }: { first: HourStart; end: HourStart; licenceKey?: string },
): Promise<Verification> {
  const totals: Record<string, number> = {};
  const differences: Verification['differences'][number][] = [];
  let [metersChecked, unbalanced] = [0, 0];
  for await (const books of verifyBooks(ports, first, end, licenceKey)) {
    const { hour, dimension, difference, byStatus, ...rest } = books;
    const { licenceKey: licence, ...places } = rest;
    metersChecked += 1;
    for (const [place, units] of Object.entries({ ...places, ...byStatus }))
      totals[place] = (totals[place] ?? 0) + units;
    if (difference === 0) continue;
    unbalanced += 1;
    if (differences.length < DIFFERENCES_SHOWN) differences.push({ hour, licenceKey: licence, dimension, difference });
  }
  const hoursChecked = Math.max(0, (hourStartMs(end) - hourStartMs(first)) / HOUR_MS);
  const balanced = unbalanced === 0;
  return {
    balanced,
    exitCode: balanced ? 0 : 1,
    hoursChecked,
    metersChecked,
    unbalanced,
    differences,
    totals: { ...NOTHING, ...totals },
  };
}

const NOTHING: Verification['totals'] = {
  recorded: 0,
  carriedIn: 0,
  carriedOut: 0,
  rejectedAtClose: 0,
  notYetSealed: 0,
  credited: 0,
  heldLate: 0,
  ...NOWHERE,
};
