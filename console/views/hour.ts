// One hour of all customers: how much stands where, by product and dimension.
import { addHours, hourOf, parseHour } from '../../lambdas/domain/hour.ts';
import { amountsOf, type MeterTotals } from '../../lambdas/domain/summary.ts';
import { readHours } from '../../lambdas/flow/reads/read-hours.ts';
import { html } from '../../lambdas/pages/html.ts';
import { counted } from '../parts/amount.ts';
import { type Cell, section, showTable, type Table } from '../parts/table.ts';
import { ago, hourInstant } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

export async function hourPage(site: Site, { names, product, url }: PageRequest): Promise<Reply> {
  const hour = parseHour(names['hour'] ?? '');
  if (!hour) return { kind: 'redirect', location: '/metering' };
  const { desk } = site;
  const nowMs = desk.clock();
  const { hours } = await readHours(desk, { first: hour, end: addHours(hour, 1) });
  const summary = hours.find((each) => each.hour === hour);
  const meters = (summary?.meters ?? []).filter(({ productCode }) => product === undefined || productCode === product);
  const differences = summary?.differences ?? [];
  const table = metersTable(meters, desk.products);
  const main = html`<p class="crumbs"><a href="/metering">Metering</a></p>
<h1>Hour ${hour}</h1>
<p class="lead">${hourInstant(hour, site.timeZone)}. ${summary ? `Counted ${ago(summary.asOf, nowMs)}.` : hour === hourOf(nowMs) ? 'It is running, and is counted once it is over.' : 'Nothing is known of it.'}</p>
<p class="pager"><a href="/hours/${addHours(hour, -1)}">‹ Hour before</a> <a href="/hours/${addHours(hour, 1)}">Hour after ›</a></p>
<div id="hour" data-live>
${section('meters', 'Units and records', showTable(table, url))}
${
  differences.length > 0 &&
  section(
    'differences',
    `Does not balance (${counted(summary?.unbalanced ?? 0, 'meter')})`,
    showTable({
      caption: 'Meters that do not balance',
      columns: [{ name: 'Licence', kind: 'head' }, 'Dimension', { name: 'Difference', kind: 'number' }],
      rows: differences.map(({ licenceKey, dimension, difference }): Cell[] => [
        html`<code>${licenceKey}</code>`,
        html`<a href="/explain?${new URLSearchParams({ hour, licence: licenceKey, dimension }).toString()}">${dimension}</a>`,
        difference,
      ]),
      none: '',
    }),
  )
}
</div>
<p class="soft">A customer's part of the hour is explained from the customer's usage, by hour.</p>`;
  return { kind: 'page', title: `Hour ${hour}`, section: 'metering', main, isLive: true, tables: [table] };
}

function metersTable(meters: readonly MeterTotals[], products: Site['desk']['products']): Table {
  return {
    name: 'hour',
    caption: 'Units by product and dimension',
    columns: [
      { name: 'Product', kind: 'head' },
      'Dimension',
      { name: 'Recorded', kind: 'number' },
      { name: 'Billed', kind: 'number' },
      { name: 'On its way', kind: 'number' },
      { name: 'At stake', kind: 'number' },
      { name: 'Lost', kind: 'number' },
      { name: 'Withheld', kind: 'number' },
      'Records',
    ],
    rows: meters.map(({ productCode, dimension, units: held, records }): Cell[] => {
      const amounts = amountsOf(held);
      return [
        products.get(productCode)?.title ?? (productCode || 'unknown licence'),
        dimension,
        amounts.recorded,
        amounts.billed,
        amounts.pending,
        amounts.atStake,
        amounts.lost,
        amounts.withheld,
        Object.entries(records)
          .map(([status, count]) => `${count} ${status === 'notYetSealed' ? 'not sealed' : status}`)
          .join(', '),
      ];
    }),
    none: 'Nothing was used in this hour.',
  };
}
