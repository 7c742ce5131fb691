// A customer's usage over a month or a day: what was recorded, and how far it has come.
import { type DimensionUsage, readUsage } from '../../lambdas/flow/reads/read-usage.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { type Bar, stackedBars } from '../parts/chart.ts';
import { type Cell, section, showTable, type Table } from '../parts/table.ts';
import { dayText, monthName, otherDay, otherMonth, parseDay, parseMonth } from '../parts/time.ts';
import type { Site } from '../site.ts';

/** What the reader chose to look at. */
type Period =
  | { readonly kind: 'month'; readonly month: string; readonly byHour: boolean }
  | { readonly kind: 'day'; readonly day: string };

/** The part of a customer's page below its tabs. */
export async function usagePart(
  site: Site,
  customerId: string,
  url: URL,
): Promise<{ readonly content: Html; readonly tables: readonly Table[] }> {
  const period = periodOf(url.searchParams, site.desk.clock());
  const asked =
    period.kind === 'day'
      ? { day: period.day }
      : { month: period.month, by: period.byHour ? ('hour' as const) : ('day' as const) };
  const usage = await readUsage(site.desk, { customerId }, asked);
  const dimensions = usage?.dimensions ?? [];
  const tables = dimensions.map((each, index) => numbersTable(customerId, period, each, index));
  const parts = dimensions.map(({ dimension, slots }, index) => {
    const table = tables[index];
    const chart = chartOf(period, dimension, slots, index);
    return section(`usage-${index}-head`, dimension, chart, table && showTable(table, url));
  });
  const content = html`${pager(customerId, period)}
${parts.length === 0 ? html`<p class="none">Nothing was used ${periodText(period)}, as far as the hours are counted. The running hour is not in it.</p>` : parts}`;
  return { content, tables };
}

function periodOf(query: URLSearchParams, nowMs: number): Period {
  const day = parseDay(query.get('day'));
  if (day !== undefined) return { kind: 'day', day };
  const month = parseMonth(query.get('month')) ?? new Date(nowMs).toISOString().slice(0, 7);
  return { kind: 'month', month, byHour: query.get('by') === 'hour' };
}

function periodText(period: Period): string {
  return period.kind === 'day' ? `on ${dayText(period.day)}` : `in ${monthName(period.month)}`;
}

function pager(customerId: string, period: Period): Html {
  const at = (query: string, text: string) => html`<a href="/customers/${customerId}/usage?${query}">${text}</a>`;
  if (period.kind === 'day') {
    const { day } = period;
    return html`<p class="pager"><strong>${dayText(day)}, by hour (UTC)</strong> ${at(`day=${otherDay(day, -1)}`, '‹ Day before')} ${at(`day=${otherDay(day, 1)}`, 'Day after ›')} ${at(`month=${day.slice(0, 7)}`, `All of ${monthName(day.slice(0, 7))}`)}</p>`;
  }
  const { month, byHour } = period;
  const by = byHour ? '&by=hour' : '';
  return html`<p class="pager"><strong>${monthName(month)}, by ${byHour ? 'hour' : 'day'} (UTC)</strong> ${at(`month=${otherMonth(month, -1)}${by}`, '‹ Month before')} ${at(`month=${otherMonth(month, 1)}${by}`, 'Month after ›')} ${byHour ? at(`month=${month}`, 'By day') : at(`month=${month}&by=hour`, 'By hour')}</p>`;
}

/** Slots that hold nothing have no row in the table, but their place in the chart. */
function chartOf(period: Period, dimension: string, slots: DimensionUsage['slots'], index: number): Html {
  const amounts = new Map(slots.map((slot) => [slot.start as string, slot.amounts]));
  const bars = startsOf(period).map(
    (start): Bar => ({ label: labelOf(start, period), amounts: amounts.get(start) ?? NOTHING }),
  );
  const by = period.kind === 'day' || period.byHour ? 'hour' : 'day';
  const labelEach = period.kind === 'month' && period.byHour ? 24 * 3 : 3;
  return stackedBars({ id: `usage-${index}`, title: `${dimension}, by ${by}`, bars, labelEach });
}

function numbersTable(customerId: string, period: Period, usage: DimensionUsage, index: number): Table {
  const { dimension, slots, total } = usage;
  return {
    name: `usage-${index + 1}`,
    caption: `${dimension}: units by time`,
    columns: [
      { name: period.kind === 'month' && !period.byHour ? 'Day (UTC)' : 'Hour (UTC)', kind: 'head' },
      ...NUMBER_COLUMNS.map(([name]) => ({ name, kind: 'number' as const })),
    ],
    rows: slots.map(({ start, amounts }): Cell[] => [startLink(customerId, dimension, start), ...numbersOf(amounts)]),
    none: 'Nothing was used.',
    foot: ['All', ...numbersOf(total)],
  };
}

type Amounts = DimensionUsage['total'];

const NUMBER_COLUMNS: readonly (readonly [string, keyof Amounts])[] = [
  ['Recorded', 'recorded'],
  ['Carried in', 'carriedIn'],
  ['Billed', 'billed'],
  ['On its way', 'pending'],
  ['At stake', 'atStake'],
  ['Lost', 'lost'],
  ['Withheld', 'withheld'],
  ['Carried on', 'carriedOut'],
];

function numbersOf(amounts: Amounts): number[] {
  return NUMBER_COLUMNS.map(([, member]) => amounts[member]);
}

const NOTHING: Bar['amounts'] = { billed: 0, pending: 0, atStake: 0, lost: 0, withheld: 0 };

/** Every slot of the period, those without usage, too, so that gaps show as gaps. */
function startsOf(period: Period): string[] {
  const hoursOf = (day: string) => Array.from({ length: 24 }, (_, hour) => `${day}T${String(hour).padStart(2, '0')}`);
  if (period.kind === 'day') return hoursOf(period.day);
  const [year = 0, month = 1] = period.month.split('-').map(Number);
  const days = Array.from(
    { length: new Date(Date.UTC(year, month, 0)).getUTCDate() },
    (_, day) => `${period.month}-${String(day + 1).padStart(2, '0')}`,
  );
  return period.byHour ? days.flatMap(hoursOf) : days;
}

/** As much as the period leaves open: the day's number, the hour, or both. */
function labelOf(start: string, period: Period): string {
  if (start.length === 10) return String(Number(start.slice(8)));
  const hour = `${start.slice(11)}:00`;
  return period.kind === 'day' ? hour : `${Number(start.slice(8, 10))}. ${hour}`;
}

function startLink(customerId: string, dimension: string, start: string): Html {
  if (start.length === 10) return html`<a href="/customers/${customerId}/usage?day=${start}">${dayText(start)}</a>`;
  const query = new URLSearchParams({ hour: start, customer: customerId, dimension });
  return html`<a href="/explain?${query.toString()}">${dayText(start.slice(0, 10))}, ${start.slice(11)}:00</a>`;
}
