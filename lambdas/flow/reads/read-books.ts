// Reads:       the summaries of a month's hours
// Writes:      nothing
// Once per:    question; one query
// If it stops: ask again
import type { HourStart } from '../../domain/hour.ts';
import {
  amountsOf,
  type Difference,
  differenceOf,
  type Month,
  type RecordCounts,
  sumOf,
  type Units,
  type UsageAmounts,
} from '../../domain/summary.ts';
import type { SummaryReader } from '../read-ports.ts';

export interface ReadBooksPorts {
  readonly summaries: Pick<SummaryReader, 'hours'>;
}

export interface BooksView {
  readonly month: Month;
  readonly balanced: boolean;
  /** Product by product and dimension by dimension. */
  readonly lines: readonly BooksLine[];
  readonly hoursCounted: number;
  /** Meters and hours that do not balance: how many, and the first of each hour. */
  readonly unbalanced: number;
  readonly differences: readonly (Difference & { readonly hour: HourStart })[];
  /** When the hour that was read longest ago was read. */
  readonly oldestAsOf?: number;
}

/** What was recorded and carried in, and where each unit of it stands. */
export interface BooksLine {
  readonly productCode: string;
  readonly dimension: string;
  readonly units: Units;
  readonly amounts: UsageAmounts;
  readonly records: RecordCounts;
  /** Units that stand nowhere, or in two places; 0 where the line balances. */
  readonly difference: number;
}

/** The books of a month as the summaries have them; `verify` draws them up from the tables themselves. */
export async function readBooks({ summaries }: ReadBooksPorts, month: Month): Promise<BooksView> {
  const hours = await summaries.hours(month);
  const meters = hours.flatMap((hour) => hour.meters);
  const byLine = Map.groupBy(meters, ({ productCode, dimension }) => JSON.stringify([productCode, dimension]));
  const lines = [...byLine.values()].flatMap((parts) => {
    const [first] = parts;
    if (!first) return [];
    const { productCode, dimension } = first;
    const units = sumOf(parts.map((part) => part.units));
    const records = sumOf(parts.map((part) => part.records));
    return [{ productCode, dimension, units, amounts: amountsOf(units), records, difference: differenceOf(units) }];
  });
  const unbalanced = hours.reduce((sum, hour) => sum + hour.unbalanced, 0);
  return {
    month,
    balanced: unbalanced === 0 && lines.every(({ difference }) => difference === 0),
    lines: lines.sort((one, other) => (lineName(one) < lineName(other) ? -1 : 1)),
    hoursCounted: hours.length,
    unbalanced,
    differences: hours.flatMap(({ hour, differences }) => differences.map((each) => ({ ...each, hour }))),
    ...(hours.length === 0 ? {} : { oldestAsOf: Math.min(...hours.map(({ asOf }) => asOf)) }),
  };
}

function lineName({ productCode, dimension }: BooksLine): string {
  return `${productCode}\n${dimension}`;
}
