// Units by the place where they stand, added up over hours, days and months: what people look at.
import type { HourBooks } from './books.ts';
import type { HourStart } from './hour.ts';
import type { RecordStatus } from './ledger.ts';

type Place =
  | 'recorded'
  | 'carriedIn'
  | 'rejectedAtClose'
  | 'notYetSealed'
  | 'credited'
  | 'heldLate'
  | 'carriedOut'
  | keyof HourBooks['byStatus'];

/** Units by place; a place that is absent holds none. */
export type Units = Readonly<Partial<Record<Place, number>>>;

/** Sealed hours by status, and meters that are not sealed yet. */
export type RecordCounts = Readonly<Partial<Record<RecordStatus | 'notYetSealed', number>>>;

/** The same units in fewer words: `recorded + carriedIn` is the sum of all the others. */
export interface UsageAmounts {
  readonly recorded: number;
  readonly carriedIn: number;
  /** AWS has them: honoured, or presumed. */
  readonly billed: number;
  /** On their way: not sealed yet, or sealed and open. */
  readonly pending: number;
  /** Somebody has to see to them: held, held as late, quarantined, disputed, uncertain. */
  readonly atStake: number;
  /** Expired. */
  readonly lost: number;
  /** Not to be billed: included in a contract, rehearsed, or held back by an operator. */
  readonly withheld: number;
  readonly credited: number;
  readonly rejected: number;
  readonly carriedOut: number;
}

/** The units of one hour's books, those places left out that hold none. */
export function unitsOf({ byStatus, recorded, carriedIn, ...books }: HourBooks): Units {
  const { rejectedAtClose, notYetSealed, credited, heldLate, carriedOut } = books;
  const all = { recorded, carriedIn, rejectedAtClose, notYetSealed, credited, heldLate, carriedOut, ...byStatus };
  return Object.fromEntries(Object.entries(all).filter(([, units]) => units !== 0));
}

/** Adds up counts by name. */
export function sumOf<K extends string>(
  parts: Iterable<Readonly<Partial<Record<K, number>>>>,
): Readonly<Partial<Record<K, number>>> {
  const sum: Partial<Record<K, number>> = {};
  for (const part of parts) {
    for (const [name, count] of Object.entries(part) as [K, number][]) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}

export function amountsOf(units: Units): UsageAmounts {
  const of = (...places: readonly Place[]) => places.reduce((sum, place) => sum + (units[place] ?? 0), 0);
  return {
    recorded: of('recorded'),
    carriedIn: of('carriedIn'),
    billed: of('honoured', 'presumed'),
    pending: of('notYetSealed', 'open'),
    atStake: of('held', 'heldLate', 'quarantined', 'disputed', 'uncertain'),
    lost: of('expired'),
    withheld: of('withheld'),
    credited: of('credited'),
    rejected: of('rejectedAtClose'),
    carriedOut: of('carriedOut'),
  };
}

/** What does not stand anywhere, or stands twice; 0 where the books balance. */
export function differenceOf(units: Units): number {
  const { recorded, carriedIn, ...places } = amountsOf(units);
  return recorded + carriedIn - Object.values(places).reduce((sum, each) => sum + each, 0);
}

/** A UTC day, `2026-11-23`. */
export type Day = string;
/** A UTC month, `2026-11`. */
export type Month = string;

export function dayOf(hour: HourStart): Day {
  return hour.slice(0, 10);
}

export function monthOf(hourOrDay: string): Month {
  return hourOrDay.slice(0, 7);
}

/** One hour of all customers. */
export interface HourSummary {
  readonly hour: HourStart;
  /** When it was read; what changed since is not in it. */
  readonly asOf: number;
  readonly meters: readonly MeterTotals[];
  /** Meters whose books do not balance: how many, and the first of them. */
  readonly unbalanced: number;
  readonly differences: readonly Difference[];
}

/** What of one product's dimension stands where. The product is '' where nobody has told us whose the licence is. */
export interface MeterTotals {
  readonly productCode: string;
  readonly dimension: string;
  readonly units: Units;
  readonly records: RecordCounts;
  /** Usage events, those among them that were rejected. */
  readonly events: number;
}

export interface Difference {
  readonly licenceKey: string;
  readonly dimension: string;
  readonly difference: number;
}

/** One licence's dimension on one day; hours without units are left out. */
export interface DaySummary {
  readonly licenceKey: string;
  readonly dimension: string;
  readonly day: Day;
  readonly hours: ReadonlyMap<HourStart, Units>;
}

/** One licence's dimension in one month; days without units are left out. */
export interface MonthSummary {
  readonly licenceKey: string;
  readonly dimension: string;
  readonly month: Month;
  readonly customerId: string;
  readonly productCode: string;
  readonly days: ReadonlyMap<Day, Units>;
}
