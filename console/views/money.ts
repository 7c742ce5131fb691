// What usage is worth: billed, on its way, at stake and lost; and what the deployment itself costs.
import type { Money } from '../../lambdas/domain/money.ts';
import { moneyText } from '../../lambdas/domain/money.ts';
import type { MeterTotals } from '../../lambdas/domain/summary.ts';
import { readHours } from '../../lambdas/flow/reads/read-hours.ts';
import {
  type CustomerMoneyPage,
  type MoneyView,
  priceKey,
  readCustomerMoney,
  readMoney,
  type Values,
} from '../../lambdas/flow/reads/read-money.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { actLink } from '../parts/act-links.ts';
import { dollars, units } from '../parts/amount.ts';
import { pill } from '../parts/pill.ts';
import { type Cell, section, showTable, type Table } from '../parts/table.ts';
import { monthName, otherMonth, parseMonth } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';
import { hoursPassed, stackCost } from '../stack-cost.ts';

export async function moneyPage({ desk }: Site, { url, product }: PageRequest): Promise<Reply> {
  const nowMs = desk.clock();
  const month = parseMonth(url.searchParams.get('month')) ?? new Date(nowMs).toISOString().slice(0, 7);
  const cursor = url.searchParams.get('from') ?? undefined;
  const known = await desk.prices.prices();
  const prices = new Map(known.map(({ productCode, dimension, amount }) => [priceKey(productCode, dimension), amount]));
  const [money, customers, hours] = await Promise.all([
    readMoney(desk, month, prices),
    readCustomerMoney(desk, month, prices, cursor),
    readHours(desk, { month }),
  ]);
  const isOf = ({ productCode }: { readonly productCode: string }) => product === undefined || productCode === product;
  const lines = linesTable(money.lines.filter(isOf), desk.products);
  const buyers = customersTable({ ...customers, customers: customers.customers.filter(isOf) }, desk.products);
  const here = `${url.pathname}${url.search}`;
  const main = html`<h1>Money</h1>
<p class="lead">What a month’s usage is worth at the prices below. AWS’s invoice is the truth: offers, tiers and credits of AWS are not in these numbers.</p>
<p class="pager"><strong>${monthName(month)}</strong> <a href="/money?month=${otherMonth(month, -1)}">‹ Month before</a> <a href="/money?month=${otherMonth(month, 1)}">Month after ›</a></p>
<div id="money" data-live>
${tiles(money.total)}
${money.isPriceMissing && html`<p class="note warn">${pill('warn', 'A price is missing')} What has none counts as nothing above.</p>`}
${section('lines', 'By product and dimension', showTable(lines, url))}
${section('customers', 'By customer', showTable(buyers, url), pagerOf(month, cursor, customers.cursor))}
${section(
  'costs',
  'What this deployment costs',
  costPart(
    hours.hours.flatMap(({ meters }) => meters),
    hoursPassed(month, nowMs),
  ),
)}
</div>
${section('prices', 'Prices', pricesTable(desk.products, prices, here))}`;
  return { kind: 'page', title: 'Money', section: 'money', main, isLive: true, tables: [lines, buyers] };
}

const VALUES = [
  ['Billed', 'billed', 'AWS has it'],
  ['On its way', 'pending', 'used, not billed yet'],
  ['At stake', 'atStake', 'needs a person'],
  ['Lost', 'lost', 'past its deadline'],
] as const satisfies readonly (readonly [string, keyof Values, string])[];

function tiles(total: Values): Html {
  return html`<ul class="tiles" role="list">${VALUES.map(([name, member, meaning]) => html`<li class="tile">${name}<strong>${dollars(total[member])}</strong><small>${meaning}</small></li>`)}</ul>`;
}

function linesTable(lines: MoneyView['lines'], products: Site['desk']['products']): Table {
  return {
    name: 'money',
    caption: 'Value by product and dimension',
    columns: [
      { name: 'Product', kind: 'head' },
      'Dimension',
      { name: 'Price', kind: 'number' },
      { name: 'Units billed', kind: 'number' },
      ...VALUES.map(([name]) => ({ name, kind: 'number' as const })),
    ],
    rows: lines.map(({ productCode, dimension, price, units: amounts, values }): Cell[] => [
      products.get(productCode)?.title ?? productCode,
      dimension,
      price === undefined ? 'none' : dollars(price),
      amounts.billed,
      ...VALUES.map(([, member]) => (price === undefined ? '–' : dollars(values[member]))),
    ]),
    none: 'Nothing was used in this month.',
  };
}

function customersTable({ customers }: CustomerMoneyPage, products: Site['desk']['products']): Table {
  return {
    name: 'customers',
    caption: 'Value by customer',
    columns: [
      { name: 'Customer', kind: 'head' },
      'Product',
      'Units billed',
      ...VALUES.map(([name]) => ({ name, kind: 'number' as const })),
    ],
    rows: customers.map(({ customerId, productCode, dimensions, values }): Cell[] => [
      html`<a href="/customers/${customerId}/usage"><code>${customerId}</code></a>`,
      products.get(productCode)?.title ?? productCode,
      dimensions.map(({ dimension, units: amounts }) => `${units(amounts.billed)} ${dimension}`).join(', '),
      ...VALUES.map(([, member]) => dollars(values[member])),
    ]),
    none: 'Nobody used anything in this month.',
  };
}

function pagerOf(month: string, from: string | undefined, next: string | undefined): Html {
  const at = (cursor: string) => `/money?${new URLSearchParams({ month, from: cursor }).toString()}`;
  return html`<p class="pager">${from !== undefined && html`<a href="/money?month=${month}">‹ First</a>`} ${next !== undefined && html`<a href="${at(next)}">More ›</a>`}</p>`;
}

type Counted = Pick<MeterTotals, 'records' | 'events'>;

function costPart(meters: readonly Counted[], hours: number): Html {
  const events = meters.reduce((sum, meter) => sum + meter.events, 0);
  const sealed = (meter: Counted) =>
    Object.entries(meter.records).reduce(
      (sum, [status, count = 0]) => sum + (status === 'notYetSealed' ? 0 : count),
      0,
    );
  const records = meters.reduce((sum, meter) => sum + sealed(meter), 0);
  const lines = stackCost({ events, records, hours });
  const all = lines.reduce((sum, line) => sum + line.dollars, 0);
  const further = lines.slice(0, 2).reduce((sum, line) => sum + line.dollars, 0);
  const perThousand = (cost: number) => estimate((cost / events) * 1_000);
  return html`${showTable({
    caption: 'What this deployment costs',
    columns: [
      { name: 'Part', kind: 'head' },
      { name: 'Count', kind: 'number' },
      { name: 'About', kind: 'number' },
    ],
    rows: lines.map(({ what, count, dollars: cost }): Cell[] => [what, count, estimate(cost)]),
    none: '',
    foot: ['All', '', estimate(all)],
  })}
<p class="soft">${events > 0 && html`<strong>About ${perThousand(all)} per 1,000 events in all, and ${perThousand(further)} for each 1,000 more</strong>: schedules run whatever is used. `}From this deployment’s own counts, the units that each takes as measured, and AWS’s list prices of us-east-1 without any free tier. Storage, logs, alarms and what is sent out are not in it.</p>`;
}

/** Three digits that mean something: it is an estimate. */
function estimate(amount: number): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 8 };
  return `$${Number(amount.toPrecision(3)).toLocaleString('en-US', digits)}`;
}

function pricesTable(products: Site['desk']['products'], prices: ReadonlyMap<string, Money>, back: string): Html {
  const rows = [...products.values()].flatMap(({ productCode, title, dimensions }) =>
    dimensions.map((dimension): Cell[] => {
      const amount = prices.get(priceKey(productCode, dimension));
      return [
        title,
        dimension,
        amount === undefined ? 'none' : dollars(moneyText(amount)),
        actLink('setPrice', { productCode, dimension }, back) ?? '',
      ];
    }),
  );
  return showTable({
    caption: 'Prices',
    columns: [{ name: 'Product', kind: 'head' }, 'Dimension', { name: 'Dollars a unit', kind: 'number' }, 'Change'],
    rows,
    none: 'The settings list no dimensions. Prices are set for listed ones.',
  });
}
