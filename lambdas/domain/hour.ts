// The UTC hour, the unit by which AWS Marketplace meters.

declare const hourStart: unique symbol;

/** A UTC hour as its first thirteen ISO characters, `2026-11-23T07`: sorts as text in order of time. */
export type HourStart = string & { readonly [hourStart]: true };

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const HOUR_TEXT = /^\d{4}-\d{2}-\d{2}T\d{2}$/;

/** The hour in which an instant (epoch milliseconds) lies. */
export function hourOf(atMs: number): HourStart {
  return new Date(atMs).toISOString().slice(0, 13) as HourStart;
}

/** Reads `2026-11-23T07`; undefined for anything that is not such an hour. */
export function parseHour(text: string): HourStart | undefined {
  if (!HOUR_TEXT.test(text)) return undefined;
  const startMs = Date.parse(`${text}:00:00Z`);
  return Number.isNaN(startMs) || hourOf(startMs) !== text ? undefined : (text as HourStart);
}

export function hourStartMs(hour: HourStart): number {
  return Date.parse(`${hour}:00:00Z`);
}

export function hourEndMs(hour: HourStart): number {
  return hourStartMs(hour) + HOUR_MS;
}

export function addHours(hour: HourStart, hours: number): HourStart {
  return hourOf(hourStartMs(hour) + hours * HOUR_MS);
}

export function laterHour(a: HourStart, b: HourStart): HourStart {
  return a > b ? a : b;
}

/** Every hour from `first` up to, not including, `end`. */
export function hoursBetween(first: HourStart, end: HourStart): HourStart[] {
  const hours: HourStart[] = [];
  for (let hour = first; hour < end; hour = addHours(hour, 1)) hours.push(hour);
  return hours;
}
