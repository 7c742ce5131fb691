// The hours that a command is about.
import { addHours, type HourStart, hourOf, parseHour } from '../lambdas/domain/hour.ts';
import { UsageMistake } from './exit.ts';
import { type ValuesOf, value } from './options.ts';

export const RANGE = {
  from: value('HOUR', 'the first hour, UTC, such as 2026-11-23T07; a day or a month stands for its first'),
  to: value('HOUR', 'the hour after the last; a day or a month stands for its end'),
};

interface Hours {
  readonly first: HourStart;
  readonly end: HourStart;
}

/** The hours from `--from` up to, not including, `--to`; without either the last day and the running hour. */
export function hoursOf({ from, to }: ValuesOf<typeof RANGE>, nowMs: number): Hours {
  const end = to === undefined ? addHours(hourOf(nowMs), 1) : endOf('--to', to);
  const first = from === undefined ? addHours(end, -DEFAULT_HOURS) : firstOf('--from', from);
  if (first < end) return { first, end };
  throw new UsageMistake(`No hour lies from ${first} up to ${end}: --from has to be before --to.`);
}

const DEFAULT_HOURS = 25;

export function hourIn(option: string, text: string | undefined): HourStart {
  const hour = text === undefined ? undefined : parseHour(text);
  if (hour) return hour;
  throw new UsageMistake(`${option} takes a UTC hour such as 2026-11-23T07.`);
}

function firstOf(option: string, text: string): HourStart {
  if (/^\d{4}-\d{2}$/.test(text)) return hourIn(option, `${text}-01T00`);
  return hourIn(option, /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00` : text);
}

/** Where a span is named, it is meant whole. */
function endOf(option: string, text: string): HourStart {
  const first = firstOf(option, text);
  if (/^\d{4}-\d{2}$/.test(text)) {
    const [year = 0, month = 0] = text.split('-').map(Number);
    return hourOf(Date.UTC(year, month, 1));
  }
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? addHours(first, 24) : first;
}
