// The law of conservation: every unit recorded or carried in stands in exactly one place.
import type { HourStart } from './hour.ts';
import { type RecordStatus, type SealedHour, standingQuantity } from './ledger.ts';
import type { Tally } from './tally.ts';

/** Where the units of one licence's dimension in one hour stand. */
export interface HourBooks {
  readonly hour: HourStart;
  readonly licenceKey: string;
  readonly dimension: string;
  readonly recorded: number;
  readonly carriedIn: number;
  readonly rejectedAtClose: number;
  readonly notYetSealed: number;
  /** `withheld` holds units inside of a record and whole records alike. */
  readonly byStatus: Readonly<Record<Exclude<RecordStatus, 'carried'>, number>>;
  readonly credited: number;
  readonly heldLate: number;
  readonly carriedOut: number;
  /** Recorded and carried in, less all the places; 0 where the books balance. */
  readonly difference: number;
}

/** No unit in any status. */
export const NOWHERE: HourBooks['byStatus'] = {
  open: 0,
  honoured: 0,
  presumed: 0,
  disputed: 0,
  held: 0,
  quarantined: 0,
  withheld: 0,
  uncertain: 0,
  expired: 0,
};

/** Draws up the books of one hour from what was used and what the ledger says. */
export function booksOf(
  meter: Pick<HourBooks, 'hour' | 'licenceKey' | 'dimension'>,
  tally: Tally,
  sealed: SealedHour | undefined,
): HourBooks {
  const byStatus = { ...NOWHERE };
  if (sealed && sealed.status !== 'carried') byStatus[sealed.status] = standingQuantity(sealed);
  byStatus.withheld += sealed?.withheldQuantity ?? 0;
  const standing = {
    recorded: tally.seen.recorded,
    carriedIn: tally.seen.carriedIn,
    rejectedAtClose: tally.rejectedQuantity,
    notYetSealed: tally.used - (sealed?.accounted ?? 0),
    byStatus,
    credited: sealed?.creditedQuantity ?? 0,
    heldLate: sealed?.heldLate ?? 0,
    carriedOut: sealed?.carriedOut ?? 0,
  };
  const placed =
    standing.rejectedAtClose +
    standing.notYetSealed +
    standing.credited +
    standing.heldLate +
    standing.carriedOut +
    Object.values(byStatus).reduce((sum, quantity) => sum + quantity, 0);
  const { hour, licenceKey, dimension } = meter;
  const overdrawn = standing.notYetSealed < 0;
  const difference = standing.recorded + standing.carriedIn - placed;
  // Accounting for more than was used is never right, even where the sum happens to agree.
  return { hour, licenceKey, dimension, ...standing, difference: overdrawn ? standing.notYetSealed : difference };
}
