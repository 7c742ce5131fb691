// The hours of some days as a picture: a row a day, a column an hour, a sign and a colour for how far each has come.
import { type HourStart, hourStartMs } from '../../lambdas/domain/hour.ts';
import type { HourSummary } from '../../lambdas/domain/summary.ts';
import { amountsOf, sumOf } from '../../lambdas/domain/summary.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { counted, units } from './amount.ts';
import type { Tone } from './pill.ts';
import { utcDay } from './time.ts';

interface HourState {
  readonly sign: string;
  readonly tone: Tone;
  readonly name: string;
}

/** From the worst on: an hour is shown as the worst that is true of any record in it. */
const STATES = {
  unbalanced: { sign: '≠', tone: 'bad', name: 'books do not balance' },
  lost: { sign: '✕', tone: 'bad', name: 'units lost' },
  inTrouble: { sign: '▲', tone: 'warn', name: 'in trouble: needs a person' },
  open: { sign: '○', tone: 'info', name: 'open: not sealed yet' },
  sealed: { sign: '◐', tone: 'info', name: 'sealed, on its way' },
  sent: { sign: '●', tone: 'good', name: 'sent, AWS has it, not confirmed' },
  honoured: { sign: '✓', tone: 'good', name: 'honoured' },
  withheld: { sign: '–', tone: 'quiet', name: 'withheld: not to be billed' },
  empty: { sign: '·', tone: 'quiet', name: 'nothing used' },
  ahead: { sign: ' ', tone: 'quiet', name: 'not yet' },
} as const satisfies Record<string, HourState>;

export type HourStateName = keyof typeof STATES;

/** How far an hour has come. `isLookedAt`: whether it was looked at since it was over. */
export function hourState(
  summary: HourSummary | undefined,
  hour: HourStart,
  { running, isLookedAt }: Pick<Grid, 'running' | 'isLookedAt'>,
): HourStateName {
  if (hour > running) return 'ahead';
  if (!isLookedAt(hour)) return 'open';
  if (summary === undefined || summary.meters.length === 0) return 'empty';
  const amounts = amountsOf(sumOf(summary.meters.map((meter) => meter.units)));
  const records = sumOf(summary.meters.map((meter) => meter.records));
  if (summary.unbalanced > 0) return 'unbalanced';
  if (amounts.lost > 0) return 'lost';
  if (amounts.atStake > 0) return 'inTrouble';
  if ((records.notYetSealed ?? 0) > 0) return 'open';
  if ((records.open ?? 0) > 0) return 'sealed';
  if ((records.presumed ?? 0) > 0) return 'sent';
  if ((records.honoured ?? 0) > 0) return 'honoured';
  return Object.keys(records).length === 0 ? 'empty' : 'withheld';
}

export interface Grid {
  readonly days: readonly string[];
  readonly hours: ReadonlyMap<string, HourSummary>;
  readonly running: HourStart;
  readonly isLookedAt: (hour: HourStart) => boolean;
}

export function hourGrid(grid: Grid): Html {
  const { days, hours } = grid;
  const columns = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'));
  const used = new Set<HourStateName>();
  const rows = days.map((day) => {
    const cells = columns.map((column) => {
      const hour = `${day}T${column}` as HourStart;
      const summary = hours.get(hour);
      const name = hourState(summary, hour, grid);
      used.add(name);
      return html`<td>${cellOf(hour, name, summary)}</td>`;
    });
    return html`<tr><th scope="row">${utcDay(Date.parse(`${day}T00:00:00Z`)).replace(/ \d{4}$/, '')}</th>${cells}</tr>`;
  });
  const names = Object.keys(STATES) as HourStateName[];
  const legend = names
    .filter((name) => used.has(name) && name !== 'ahead')
    .map(
      (name) =>
        html`<li><span class="hour ${STATES[name].tone}" aria-hidden="true">${STATES[name].sign}</span>${STATES[name].name}</li>`,
    );
  return html`<ul class="legend" role="list">${legend}</ul>
<div class="scroll" tabindex="0" role="region" aria-label="Table: hours by day, UTC"><table class="hours"><caption class="hidden">How far each hour has come, UTC</caption>
<thead><tr><td></td>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function cellOf(hour: HourStart, name: HourStateName, summary: HourSummary | undefined): Html {
  const { sign, tone, name: said } = STATES[name];
  if (name === 'ahead') return html`<span class="hidden">not yet</span>`;
  const sum = summary && sumOf(summary.meters.map((meter) => meter.units));
  const records = summary ? Object.values(sumOf(summary.meters.map((meter) => meter.records))) : [];
  const amount = sum ? `, ${units(sum.recorded ?? 0)} units recorded, ${counted(total(records), 'record')}` : '';
  return html`<a class="hour ${tone}" href="/hours/${hour}" title="${hour.slice(11)}:00: ${said}${amount}"><span aria-hidden="true">${sign}</span><span class="hidden">${hour.slice(11)}:00 ${said}${amount}</span></a>`;
}

function total(counts: readonly (number | undefined)[]): number {
  return counts.reduce<number>((sum, count = 0) => sum + count, 0);
}

/** The days that end with the one of an hour, oldest first. */
export function daysUpTo(last: HourStart, count: number): string[] {
  const lastMs = hourStartMs(last);
  return Array.from({ length: count }, (_, index) =>
    new Date(lastMs - (count - 1 - index) * 86_400_000).toISOString().slice(0, 10),
  );
}
