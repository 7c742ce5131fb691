// The hours as a picture, and the sender's work: how far each hour has come, and at what rate and in how many calls.

import { addHours, type HourStart, hourOf } from '../../lambdas/domain/hour.ts';
import type { HourSummary } from '../../lambdas/domain/summary.ts';
import { readHours } from '../../lambdas/flow/reads/read-hours.ts';
import { html } from '../../lambdas/pages/html.ts';
import { daysUpTo, hourGrid, hourState } from '../parts/hour-grid.ts';
import { senderHours, senderTable, senderTiles } from '../parts/sender.ts';
import { section, showTable } from '../parts/table.ts';
import { monthName, otherDay, otherMonth, parseMonth } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

const DAYS_SHOWN = 8;

export async function meteringPage({ desk, timeZone }: Site, { url, product }: PageRequest): Promise<Reply> {
  const running = hourOf(desk.clock());
  const month = parseMonth(url.searchParams.get('month'));
  const days = month === undefined ? daysUpTo(running, DAYS_SHOWN) : daysOf(month);
  const first = `${days[0]}T00` as HourStart;
  const asked = month === undefined ? { first, end: addHours(running, 1) } : { month };
  const today = running.slice(0, 10);
  const [view, isLookedAt, ...sent] = await Promise.all([
    readHours(desk, asked),
    lookedAt(desk),
    desk.sendings.ofDay(otherDay(today, -1)),
    desk.sendings.ofDay(today),
  ]);
  const sending = senderHours(sent.flat());
  const calls = senderTable(sending, timeZone);
  const hours = new Map(view.hours.map((hour) => [hour.hour as string, narrowed(hour, product)]));
  const troubled = [...hours.values()].filter((each) =>
    ['unbalanced', 'lost', 'inTrouble'].includes(hourState(each, each.hour, { running, isLookedAt })),
  );
  const main = html`<h1>Metering</h1>
<p class="lead">Each hour (UTC) from its usage to AWS’s answer, shown as the worst that is true of any record in it. An hour leads to its numbers.</p>
<p class="pager"><strong>${month === undefined ? `The last ${DAYS_SHOWN} days` : monthName(month)}</strong> ${pagers(month, running)}</p>
<div id="hours" data-live data-said="${troubled.length === 0 ? 'No hour is in trouble' : `Hours in trouble: ${troubled.length}`}">${hourGrid({ days, hours, running, isLookedAt })}</div>
<div id="sender" data-live>${section('calls', 'The sender, today and yesterday', senderTiles(sending, desk.policy.callsPerSecond), showTable(calls, url))}</div>`;
  return { kind: 'page', title: 'Metering', section: 'metering', main, isLive: true, tables: [calls] };
}

/** Hours before the watermark have had their last look; of the others, the fixed looks say. Two queries. */
async function lookedAt({ work, clock }: Site['desk']): Promise<(hour: HourStart) => boolean> {
  const watermark = await work.watermark();
  if (watermark === undefined) return (hour) => hour < hourOf(clock());
  const looks = await work.looks(watermark);
  const looked = new Set(looks.flatMap(({ hour, looksDone }) => (looksDone > 0 ? [hour] : [])));
  return (hour) => hour < watermark || looked.has(hour);
}

function pagers(month: string | undefined, running: HourStart) {
  const current = running.slice(0, 7);
  const at = (wanted: string) => html`<a href="/metering?month=${wanted}">${monthName(wanted)}</a>`;
  if (month === undefined) return html`${at(current)} ${at(otherMonth(current, -1))}`;
  return html`<a href="/metering">The last ${DAYS_SHOWN} days</a> <a href="/metering?month=${otherMonth(month, -1)}">‹ Month before</a> <a href="/metering?month=${otherMonth(month, 1)}">Month after ›</a>`;
}

function daysOf(month: string): string[] {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const count = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length: count }, (_, day) => `${month}-${String(day + 1).padStart(2, '0')}`);
}

function narrowed(hour: HourSummary, product: string | undefined): HourSummary {
  if (product === undefined) return hour;
  return { ...hour, meters: hour.meters.filter(({ productCode }) => productCode === product) };
}
