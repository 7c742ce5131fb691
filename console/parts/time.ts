// Instants and durations as people read them: UTC first, since AWS counts in it, the reader's own time beside it.
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../lambdas/domain/hour.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';

const DAY_MS = 24 * HOUR_MS;

/** `26 Nov 2026, 15:52 UTC`, and small beside it `16:52 GMT+1`. */
export function instant(atMs: number, timeZone: string): Html {
  const local = timeZone === 'UTC' ? '' : html` <small class="local">${localTime(atMs, timeZone)}</small>`;
  return html`<time datetime="${new Date(atMs).toISOString()}">${utcDay(atMs)}, ${utcTime(atMs)} UTC${local}</time>`;
}

/** `2026-11-26T15` as `26 Nov 2026, 15:00 UTC`, with the reader's own time beside it. */
export function hourInstant(hour: string, timeZone: string): Html {
  return instant(Date.parse(`${hour}:00:00Z`), timeZone);
}

/** `2026-11-26` as `26 Nov 2026`. */
export function dayText(day: string): string {
  return utcDay(Date.parse(`${day}T00:00:00Z`));
}

export function utcDay(atMs: number): string {
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(
    atMs,
  );
}

function utcTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 16);
}

/** The day is named where it is another than in UTC. */
function localTime(atMs: number, timeZone: string): string {
  const dayIn = (zone: string) => new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(atMs);
  const isOtherDay = dayIn('UTC') !== dayIn(timeZone);
  return new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
    timeZoneName: 'short',
    ...(isOtherDay ? { weekday: 'short' } : {}),
  }).format(atMs);
}

/** `3 h 12 min`, `2 days 4 h`, `40 s`: the two largest units that say something, never rounded up. */
export function duration(ms: number): string {
  const left = Math.max(0, ms);
  if (left < MINUTE_MS) return `${Math.floor(left / SECOND_MS)} s`;
  if (left < HOUR_MS) return `${Math.floor(left / MINUTE_MS)} min`;
  if (left < 2 * DAY_MS)
    return joined(Math.floor(left / HOUR_MS), 'h', Math.floor((left % HOUR_MS) / MINUTE_MS), 'min');
  return joined(Math.floor(left / DAY_MS), 'days', Math.floor((left % DAY_MS) / HOUR_MS), 'h');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** `3 h 12 min left`, or `2 h too late`. */
export function timeLeft(leftMs: number): string {
  return leftMs > 0 ? `${duration(leftMs)} left` : `${duration(-leftMs)} too late`;
}

/** `12 min ago`, or `in 3 h`. */
export function ago(atMs: number, nowMs: number): string {
  return atMs <= nowMs ? `${duration(nowMs - atMs)} ago` : `in ${duration(atMs - nowMs)}`;
}

/** `2026-11` as `November 2026`. */
export function monthName(month: string): string {
  return new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    Date.parse(`${month}-01T00:00:00Z`),
  );
}

/** The month before or after one, `2026-11`. */
export function otherMonth(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + by)).toISOString().slice(0, 7);
}

/** The day before or after one, `2026-11-26`. */
export function otherDay(day: string, by: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + by * DAY_MS).toISOString().slice(0, 10);
}

/** `2026-11`, or undefined for anything that is no month. */
export function parseMonth(text: string | null): string | undefined {
  if (text === null || !/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return undefined;
  return text;
}

/** `2026-11-26`, or undefined for anything that is no day. */
export function parseDay(text: string | null): string | undefined {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const atMs = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== text ? undefined : text;
}
