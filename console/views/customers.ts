// The buyers: all of them, newest first, or those that a search names.
import { CUSTOMER_LISTINGS, type CustomerListing } from '../../lambdas/domain/customer-listing.ts';
import {
  type CustomerRow,
  type FoundBy,
  listCustomers,
  parseListing,
  searchCustomers,
} from '../../lambdas/flow/reads/read-customers.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { counted } from '../parts/amount.ts';
import { LISTING_NAMES, listingPill, markPills } from '../parts/status.ts';
import { type Cell, type Column, showTable, type Table } from '../parts/table.ts';
import { dayText, utcDay } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

export async function customersPage(site: Site, request: PageRequest): Promise<Reply> {
  const text = request.url.searchParams.get('q')?.trim() ?? '';
  return text === '' ? listPage(site, request) : searchPage(site, request, text);
}

async function listPage(site: Site, { url, product }: PageRequest): Promise<Reply> {
  const query = url.searchParams;
  const listing = parseListing(query.get('standing') ?? '');
  const cursor = query.get('from');
  const view = await listCustomers(site.desk, {
    ...(listing === undefined ? {} : { listing }),
    ...(cursor === null ? {} : { cursor }),
  });
  const table = customersTable(ofProduct(view.customers, product), 'No customers here yet.');
  const main = html`<h1>Customers</h1>
${filters(listing)}
<div id="customers" data-live>${showTable(table, url)}</div>
<p class="pager">${cursor !== null && html`<a href="/customers${queryOf({ standing: listing })}">‹ Newest</a>`} ${view.cursor !== undefined && html`<a href="/customers${queryOf({ standing: listing, from: view.cursor })}">Older ›</a>`}</p>`;
  return { kind: 'page', title: 'Customers', section: 'customers', main, isLive: true, tables: [table] };
}

async function searchPage(site: Site, { url, product }: PageRequest, text: string): Promise<Reply> {
  const { hits, isPartial } = await searchCustomers(site.desk, text);
  const shown = ofProduct(hits, product);
  const [only] = shown;
  // One customer who was named wholly is what was looked for.
  if (only && shown.length === 1 && only.foundBy !== 'company')
    return { kind: 'redirect', location: `/customers/${only.customerId}` };
  const table = customersTable(shown, 'Nobody is found by this.');
  const main = html`<h1>Search</h1>
<p class="lead">${counted(shown.length, 'customer')}${isPartial ? ' or more' : ''} for “${text}”. ${foundText(hits)}</p>
${showTable(table, url)}
${shown.length === 0 && html`<p class="soft">A customer is found by the whole of an e-mail address, AWS account id, licence ARN or key, agreement id, or customer id, and by how the company’s name begins.</p>`}
<p class="pager"><a href="/customers">All customers</a></p>`;
  return { kind: 'page', title: 'Search', section: 'customers', main, tables: [table] };
}

const FOUND_BY: Readonly<Record<FoundBy, string>> = {
  customerId: 'the customer id',
  account: 'the AWS account',
  licence: 'the licence',
  agreement: 'the agreement',
  email: 'the e-mail address',
  company: 'the company',
};

function foundText(hits: readonly { readonly foundBy: FoundBy }[]): string {
  const ways = new Set(hits.map(({ foundBy }) => FOUND_BY[foundBy]));
  return ways.size === 0 ? '' : `Found by ${[...ways].join(', ')}.`;
}

function ofProduct<R extends CustomerRow>(rows: readonly R[], product: string | undefined): readonly R[] {
  return product === undefined ? rows : rows.filter(({ productCode }) => productCode === product);
}

function filters(current: CustomerListing | undefined): Html {
  const link = (listing: CustomerListing | undefined, name: string) => {
    const isCurrent = listing === current ? html` aria-current="true"` : '';
    return html`<li><a href="/customers${queryOf({ standing: listing })}"${isCurrent}>${name}</a></li>`;
  };
  return html`<ul class="tabs" role="list" aria-label="Standing">${link(undefined, 'All')}${CUSTOMER_LISTINGS.map((listing) => link(listing, LISTING_NAMES[listing]))}</ul>`;
}

function queryOf(wanted: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(wanted).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

function customersTable(rows: readonly CustomerRow[], none: string): Table {
  const columns: readonly (Column | string)[] = [
    { name: 'Customer', kind: 'head' },
    'Standing',
    { name: 'Product', kind: 'short' },
    'AWS account',
    { name: 'Plan', kind: 'short' },
    'Last usage',
    { name: 'Unsent', kind: 'number' },
    'Since',
  ];
  return {
    name: 'customers',
    caption: 'Customers',
    columns,
    rows: rows.map((row): Cell[] => [
      html`<a href="/customers/${row.customerId}"><code>${row.customerId}</code></a>`,
      html`${listingPill(row.listing)} ${markPills(row.marks)}`,
      row.productTitle ?? row.productCode,
      row.customerAwsAccountId ?? '',
      html`<code>${row.offerIds.join(', ')}</code>`,
      row.lastUsageDay === undefined
        ? '–'
        : html`<time datetime="${row.lastUsageDay}">${dayText(row.lastUsageDay)}</time>`,
      row.unsentUnits,
      html`<time datetime="${new Date(row.createdAt).toISOString()}">${utcDay(row.createdAt)}</time>`,
    ]),
    none,
  };
}
