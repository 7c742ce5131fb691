// The bill as AWS would see it, and the calls that led to it.
import type { JsonObject } from '../json.ts';
import { agreementsOfLicence } from '../world/agreements.ts';
import { countCalls, latestCalls } from '../world/calls.ts';
import { findProduct } from '../world/products.ts';
import { type BillTotal, billLines, billTotals, countHours, WHOLE_BILL } from '../world/records.ts';
import type { World } from '../world/world.ts';
import { type Html, html } from './html.ts';
import { type PageReply, show } from './layout.ts';
import { cost, formatUsd } from './money.ts';

const HOURS_SHOWN = 100;
const CALLS_SHOWN = 25;

interface PricedTotal extends BillTotal {
  readonly product: string;
  readonly buyer: string;
  /** Undefined where the dimension has no price. */
  readonly usd: bigint | undefined;
}

/** Totals by product, customer and dimension, the latest hours, the latest calls. */
export function billPage(world: World): PageReply {
  const totals = billTotals(world, WHOLE_BILL).map((total) => priced(world, total));
  const records = totals.reduce((sum, total) => sum + total.records, 0);
  const usd = totals.reduce((sum, total) => sum + (total.usd ?? 0n), 0n);
  const main = html`<p class="card">${counted(records, 'record')} in ${counted(countHours(world, WHOLE_BILL), 'hour')}, out of ${counted(countCalls(world, undefined), 'call')}. Total <strong>${formatUsd(usd)}</strong>.</p>
${section('totals', 'By product, customer and dimension', totalsTable(totals))}
${section('hours', `Hours (latest ${HOURS_SHOWN} records)`, hoursTable(billLines(world, WHOLE_BILL, HOURS_SHOWN, true)))}
${section('calls', `Calls (latest ${CALLS_SHOWN})`, callsTable(latestCalls(world, CALLS_SHOWN)))}`;
  return show({ title: 'Bill and calls', path: '/bill', main });
}

function priced(world: World, total: BillTotal): PricedTotal {
  const product = findProduct(world, total.productCode);
  const agreement = agreementsOfLicence(world, total.licenceArn)[0];
  const price = product?.dimensions.find(({ key }) => key === total.dimension)?.unitPriceUsd;
  // AWS: usage under a free trial offer is metered as any other and costs nothing.
  const usd = agreement?.freeTrial === true ? 0n : price === undefined ? undefined : cost(price, total.quantity);
  return {
    ...total,
    product: product?.title ?? total.productCode,
    buyer: agreement?.buyerName ?? total.awsAccountId,
    usd,
  };
}

function totalsTable(totals: readonly PricedTotal[]): Html {
  const rows = totals.map(
    (total) => html`<tr><td>${total.product}</td><td>${total.buyer}<br><code>${tail(total.licenceArn)}</code></td>
<th scope="row"><code>${total.dimension}</code></th><td class="number">${total.records}</td>
<td class="number">${total.quantity.toLocaleString('en')}</td>
<td class="number">${total.usd === undefined ? 'no price' : formatUsd(total.usd)}</td></tr>`,
  );
  return table(['Product', 'Customer', 'Dimension', 'Records', 'Quantity', 'Amount'], rows, 'Nothing was metered yet.');
}

function hoursTable(lines: readonly JsonObject[]): Html {
  const rows = lines.map(
    (line) => html`<tr><th scope="row">${String(line['hour']).slice(0, 16).replace('T', ' ')}</th>
<td>${String(line['productCode'])}</td><td>${String(line['awsAccountId'])}<br><code>${tail(String(line['licenceArn']))}</code></td>
<td><code>${String(line['dimension'])}</code></td><td class="number">${Number(line['quantity']).toLocaleString('en')}</td>
<td>${String(line['region'])}</td></tr>`,
  );
  return table(['Hour (UTC)', 'Product', 'Customer', 'Dimension', 'Quantity', 'Region'], rows, 'No hours yet.');
}

function callsTable(calls: readonly JsonObject[]): Html {
  const rows = calls.map(
    (
      call,
    ) => html`<tr><th scope="row">${String(call['seq'])}</th><td>${String(call['at']).slice(0, 19).replace('T', ' ')}</td>
<td>${String(call['operation'])}</td><td>${String(call['region'])}</td>
<td class="number">${Number(call['recordCount'])}</td><td>${outcomeOf(call)}</td></tr>`,
  );
  return table(['Call', 'At (UTC)', 'Operation', 'Region', 'Records', 'Outcome'], rows, 'Nobody has called yet.');
}

/** One line for what a call was answered: its statuses counted, its error, and whether a tester had armed that. */
function outcomeOf(call: JsonObject): string {
  const counts = new Map<string, number>();
  const statuses = call['statuses'];
  for (const status of Array.isArray(statuses) ? statuses : []) {
    counts.set(String(status), (counts.get(String(status)) ?? 0) + 1);
  }
  const parts = [...counts].map(([status, count]) => `${status} × ${count}`);
  if (Number(call['unprocessed']) > 0) parts.push(`unprocessed × ${Number(call['unprocessed'])}`);
  if (call['errorCode'] !== undefined) parts.push(String(call['errorCode']));
  if (call['fault'] !== undefined) parts.push(`armed fault: ${String(call['fault'])}`);
  return parts.length === 0 ? 'Success' : parts.join(', ');
}

function section(id: string, title: string, content: Html): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;
}

const NUMBERS = ['Records', 'Quantity', 'Amount'];

function table(columns: readonly string[], rows: readonly Html[], none: string): Html {
  if (rows.length === 0) return html`<p class="soft">${none}</p>`;
  const heads = columns.map((column) =>
    NUMBERS.includes(column)
      ? html`<th scope="col" class="number">${column}</th>`
      : html`<th scope="col">${column}</th>`,
  );
  // Focusable, so that a keyboard can scroll a table that is wider than the screen.
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: ${columns[0] ?? ''}"><table><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** The end of a licence ARN, which tells licences apart. */
function tail(licenceArn: string): string {
  return licenceArn.split(':').at(-1) ?? licenceArn;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
