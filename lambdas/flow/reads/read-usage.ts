// Reads:       the summaries of a customer's or a licence's days
// Writes:      nothing
// Once per:    question; one query a licence
// If it stops: ask again
import { type HourStart, parseHour } from '../../domain/hour.ts';
import {
  amountsOf,
  type Day,
  type DaySummary,
  type Month,
  sumOf,
  type Units,
  type UsageAmounts,
} from '../../domain/summary.ts';
import type { CustomerStore } from '../ports.ts';
import type { SummaryReader } from '../read-ports.ts';

export interface ReadUsagePorts {
  readonly customers: Pick<CustomerStore, 'customer'>;
  readonly summaries: Pick<SummaryReader, 'days'>;
}

/** Of a customer, all of its licences together; or of one licence. */
export type UsageOf = { readonly customerId: string } | { readonly licenceKey: string };

/** A month is told by day or by hour, a day by hour. */
export type UsagePeriod = { readonly month: Month; readonly by: 'day' | 'hour' } | { readonly day: Day };

export interface UsageView {
  /** By dimension, in order of their names. */
  readonly dimensions: readonly DimensionUsage[];
}

export interface DimensionUsage {
  readonly dimension: string;
  readonly total: UsageAmounts;
  /** In order of time; those without any units are left out. */
  readonly slots: readonly UsageSlot[];
}

export interface UsageSlot {
  /** The day (`2026-11-23`) or the hour (`2026-11-23T07`). */
  readonly start: Day | HourStart;
  readonly amounts: UsageAmounts;
}

/** Undefined for an unknown customer. The running hour is not in it, nor what changed in the last minutes. */
export async function readUsage(
  ports: ReadUsagePorts,
  of: UsageOf,
  period: UsagePeriod,
): Promise<UsageView | undefined> {
  const licenceKeys = await licencesOf(ports, of);
  if (!licenceKeys) return undefined;
  const [first, last] = 'day' in period ? [period.day, period.day] : [`${period.month}-01`, `${period.month}-31`];
  const days = await Promise.all(licenceKeys.map((key) => ports.summaries.days(key, first, last)));
  const byHour = 'day' in period || period.by === 'hour';
  const dimensions = Map.groupBy(days.flat(), ({ dimension }) => dimension);
  return {
    dimensions: [...dimensions]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([dimension, summaries]) => usageOf(dimension, summaries, byHour)),
  };
}

async function licencesOf({ customers }: ReadUsagePorts, of: UsageOf): Promise<readonly string[] | undefined> {
  if ('licenceKey' in of) return [of.licenceKey];
  return (await customers.customer(of.customerId))?.licenceKeys;
}

function usageOf(dimension: string, summaries: readonly DaySummary[], byHour: boolean): DimensionUsage {
  const hours = summaries.flatMap(({ hours }) => [...hours]);
  const slots = Map.groupBy(hours, ([hour]) => (byHour ? hour : hour.slice(0, 10)));
  return {
    dimension,
    total: amountsOf(sumOf(hours.map(([, units]) => units))),
    slots: [...slots]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([start, parts]) => ({ start, amounts: amountsOf(sumOf(parts.map(([, units]) => units))) })),
  };
}

/** The latest hour in which anything was used, and what has not reached AWS yet. */
export function latestUsage(days: readonly DaySummary[]): { lastUsageHour?: HourStart; unsentUnits: number } {
  const hours = days.flatMap((day) => [...day.hours]);
  const used = hours.flatMap(([hour, units]) => ((units.recorded ?? 0) > 0 ? [hour] : []));
  const lastUsageHour = parseHour(used.sort().at(-1) ?? '');
  return {
    ...(lastUsageHour === undefined ? {} : { lastUsageHour }),
    unsentUnits: unsentOf(sumOf(hours.map(([, units]) => units))),
  };
}

/** Units that are still to be sent. */
export function unsentOf({ notYetSealed = 0, open = 0, held = 0, quarantined = 0 }: Units): number {
  return notYetSealed + open + held + quarantined;
}
