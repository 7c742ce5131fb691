// Reads:       the summaries of a month's hours
// Writes:      nothing
// Once per:    question; one query
// If it stops: ask again
import type { HourStart } from '../../domain/hour.ts';
import { type HourSummary, type Month, monthOf } from '../../domain/summary.ts';
import { monthsBetween } from '../operations/export.ts';
import type { SummaryReader } from '../read-ports.ts';

export interface ReadHoursPorts {
  readonly summaries: Pick<SummaryReader, 'hours'>;
}

/** Hours from `first` up to, not including, `end`; or a month. */
export type HoursAsked = { readonly first: HourStart; readonly end: HourStart } | { readonly month: Month };

export interface HoursView {
  /** In order. An hour of which nothing is known yet, the running one among them, is left out. */
  readonly hours: readonly HourSummary[];
}

/** Each hour's units and records by product, dimension and place. One query a month. */
export async function readHours({ summaries }: ReadHoursPorts, asked: HoursAsked): Promise<HoursView> {
  if ('month' in asked) return { hours: await summaries.hours(asked.month) };
  const months = monthsBetween(monthOf(asked.first), monthOf(asked.end));
  const hours = (await Promise.all(months.map((month) => summaries.hours(month)))).flat();
  return { hours: hours.filter(({ hour }) => hour >= asked.first && hour < asked.end) };
}
