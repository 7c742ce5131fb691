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
import { table } from './table.ts';

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
  const main = html`<p class="card">${counted(records, 'record')} in ${counted(countHours(world, WHOLE_BILL), 'hour')}, out of ${counted(meteringCalls(world), 'metering call')}. Total <strong>${formatUsd(usd)}</strong>.</p>
${section('totals', 'By product, customer and dimension', totalsTable(totals))}
${section('hours', `Hours (latest ${HOURS_SHOWN} records)`, hoursTable(billLines(world, WHOLE_BILL, HOURS_SHOWN, true)))}
${section('calls', `Calls (latest ${CALLS_SHOWN})`, callsTable(latestCalls(world, CALLS_SHOWN)))}`;
  return show({ title: 'Bill and calls', path: '/bill', main });
}

function meteringCalls(world: World): number {
  return countCalls(world, 'BatchMeterUsage') + countCalls(world, 'MeterUsage');
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
  const columns = ['Product', 'Customer', 'Dimension', 'Records', 'Quantity', 'Amount'];
  const rows = totals.map((total) => [
    total.product,
    customer(total.buyer, total.licenceArn),
    html`<code>${total.dimension}</code>`,
    total.records,
    total.quantity.toLocaleString('en'),
    total.usd === undefined ? 'no price' : formatUsd(total.usd),
  ]);
  return table(columns, 'Dimension', rows, 'Nothing was metered yet.');
}

function hoursTable(lines: readonly JsonObject[]): Html {
  const columns = ['Hour (UTC)', 'Product', 'Customer', 'Dimension', 'Quantity', 'Region'];
  const rows = lines.map((line) => [
    String(line['hour']).slice(0, 16).replace('T', ' '),
    String(line['productCode']),
    customer(String(line['awsAccountId']), String(line['licenceArn'])),
    html`<code>${String(line['dimension'])}</code>`,
    Number(line['quantity']).toLocaleString('en'),
    String(line['region']),
  ]);
  return table(columns, 'Hour (UTC)', rows, 'No hours yet.');
}

function callsTable(calls: readonly JsonObject[]): Html {
  const columns = ['Call', 'At (UTC)', 'Operation', 'Region', 'Records', 'Outcome'];
  const rows = calls.map((call) => [
    String(call['seq']),
    String(call['at']).slice(0, 19).replace('T', ' '),
    String(call['operation']),
    String(call['region']),
    Number(call['recordCount']),
    outcomeOf(call),
  ]);
  return table(columns, 'Call', rows, 'Nobody has called yet.');
}

function customer(name: string, licenceArn: string): Html {
  return html`${name}<br><code>${tail(licenceArn)}</code>`;
}

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

/** The end of a licence ARN, which tells licences apart. */
function tail(licenceArn: string): string {
  return licenceArn.split(':').at(-1) ?? licenceArn;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
