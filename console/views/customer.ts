// One buyer of one product, part by part.
import { listingOf } from '../../lambdas/domain/customer-listing.ts';
import { type CustomerPage, readCustomerPage } from '../../lambdas/flow/reads/read-customer-page.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { actLink } from '../parts/act-links.ts';
import { units } from '../parts/amount.ts';
import { auditTable } from '../parts/audit-lines.ts';
import { listingPill, markPills } from '../parts/status.ts';
import type { Table } from '../parts/table.ts';
import { facts, section, showTable } from '../parts/table.ts';
import { hourInstant, instant } from '../parts/time.ts';
import type { PageRequest, Reply, View } from '../reply.ts';
import type { Site } from '../site.ts';
import { deliveriesTable, entitlementsPart, licencesTable, timelineTable } from './customer-parts.ts';
import { usagePart } from './usage.ts';

const TABS = [
  ['', 'Overview'],
  ['usage', 'Usage'],
  ['entitlements', 'Entitlements'],
  ['timeline', 'Timeline'],
  ['webhooks', 'Webhooks'],
  ['audit', 'Audit'],
] as const;

type Tab = (typeof TABS)[number][0];

interface Part {
  readonly content: Html;
  readonly tables?: readonly Table[];
}

/** As much of a customer as stands above its tabs. */
interface Head extends Pick<CustomerPage, 'customerId' | 'listing' | 'marks' | 'productCode'> {
  readonly joinedInto?: string;
}

/** Usage has a read of its own, and asks for nothing that the other parts show. */
export const customerUsage: View = async (site, { names, url }) => {
  const customerId = names['customerId'] ?? '';
  const [folded, part] = await Promise.all([site.desk.notices.folded(customerId), usagePart(site, customerId, url)]);
  if (!folded) return noSuchCustomer(customerId);
  const { customer, standing, joinedInto } = folded;
  const { productCode, registeredAt } = customer;
  const listing = listingOf({ ...standing, ...(registeredAt === undefined ? {} : { registeredAt }) });
  const head = { customerId, productCode, listing, marks: standing.marks };
  return pageOf(site, 'usage', { ...head, ...(joinedInto === undefined ? {} : { joinedInto }) }, part);
};

export const customerOverview = customerView('', (site, page, { url }) => ({ content: overview(site, page, url) }));

export const customerEntitlements = customerView('entitlements', (site, page) => ({
  content: entitlementsPart(page, site.timeZone),
}));

export const customerTimeline = customerView('timeline', (site, page, { url }) => {
  const table = timelineTable(page, site.timeZone);
  return { content: showTable(table, url), tables: [table] };
});

export const customerWebhooks = customerView('webhooks', (site, page, { url }) => {
  const table = deliveriesTable(page, site.timeZone, url);
  return { content: showTable(table, url), tables: [table] };
});

export const customerAudit = customerView('audit', ({ timeZone }, { audit }) => ({
  content: auditTable(audit, timeZone, 'Nobody has done anything to this customer.'),
}));

function customerView(tab: Tab, partOf: (site: Site, page: CustomerPage, request: PageRequest) => Part): View {
  return async (site, request) => {
    const customerId = request.names['customerId'] ?? '';
    const withPersonalData = request.url.searchParams.get('details') === 'shown';
    const page = await readCustomerPage(site.desk, customerId, { withPersonalData });
    return page ? pageOf(site, tab, page, partOf(site, page, request)) : noSuchCustomer(customerId);
  };
}

function pageOf({ desk }: Site, tab: Tab, head: Head, { content, tables = [] }: Part): Reply {
  const { customerId, listing, marks, productCode, joinedInto } = head;
  const main = html`<p class="crumbs"><a href="/customers">Customers</a></p>
<div id="who" data-live><div class="title"><h1><code>${customerId}</code></h1>${listingPill(listing)} ${markPills(marks)}</div>
<p class="soft">${desk.products.get(productCode)?.title ?? productCode}</p>
${joinedInto !== undefined && html`<p class="note">This turned out to be <a href="/customers/${joinedInto}"><code>${joinedInto}</code></a>.</p>`}</div>
<ul class="tabs" role="list" aria-label="Parts of this customer">${TABS.map(([name, title]) => tabLink(customerId, name, title, tab))}</ul>
<div id="part" data-live>${content}</div>`;
  const title = `${TABS.find(([name]) => name === tab)?.[1] ?? ''} – ${customerId}`;
  return { kind: 'page', title, section: 'customers', main, isLive: true, tables };
}

function tabLink(customerId: string, name: Tab, title: string, current: Tab): Html {
  const path = name === '' ? `/customers/${customerId}` : `/customers/${customerId}/${name}`;
  return html`<li><a href="${path}"${name === current ? html` aria-current="page"` : ''}>${title}</a></li>`;
}

function noSuchCustomer(customerId: string): Reply {
  return {
    kind: 'page',
    status: 404,
    title: 'No such customer',
    section: 'customers',
    main: html`<h1>No such customer</h1><p>There is no customer <code>${customerId}</code> in this deployment. <a href="/customers">All customers</a></p>`,
  };
}

function overview(site: Site, page: CustomerPage, url: URL): Html {
  const { timeZone } = site;
  const { customerId, agreements, registeredAt, lastUsageHour, licences } = page;
  return html`${facts([
    ['Product', `${page.productTitle ?? ''} (${page.productCode})`],
    ['AWS account', page.customerAwsAccountId],
    ['First seen', instant(page.createdAt, timeZone)],
    ['Registered', registeredAt === undefined ? 'not yet' : instant(registeredAt, timeZone)],
    ['Last usage', lastUsageHour === undefined ? 'none this month or last' : hourInstant(lastUsageHour, timeZone)],
    ['Unsent units', units(page.unsentUnits)],
    ['Changes told', units(page.sequence)],
  ])}
${buyerPart(page, url)}
${section('licences', 'Licences', showTable(licencesTable(licences, timeZone)))}
${section(
  'agreements',
  'Agreements',
  showTable({
    caption: 'Agreements',
    columns: [{ name: 'Agreement', kind: 'head' }, 'State', 'Offer', 'From', 'To'],
    rows: agreements.map((agreement) => [
      html`<code>${agreement.agreementId ?? 'not named'}</code>`,
      agreement.state,
      html`<code>${agreement.offerId ?? '–'}</code>`,
      agreement.startsAt === undefined ? '–' : instant(agreement.startsAt, timeZone),
      agreement.endsAt === undefined ? 'no end' : instant(agreement.endsAt, timeZone),
    ]),
    none: 'AWS has told of none yet.',
  }),
)}
<section aria-labelledby="do"><h2 id="do">Do something</h2><p class="buttons">${actsOf(customerId, licences.at(-1)?.licenceKey)}</p></section>`;
}

/** Acts that a person begins here rather than at a record. */
function actsOf(customerId: string, licenceKey: string | undefined): readonly (Html | undefined)[] {
  const given = { customerId, ...(licenceKey === undefined ? {} : { licenceKey }) };
  return ['credit', 'cutOver', 'link', 'linkReplacement', 'eraseBuyer'].map((name) =>
    actLink(name, given, `/customers/${customerId}`),
  );
}

/** Personal data, only when asked for, and by an address that shows it was. */
function buyerPart({ buyer, customerId, registeredAt }: CustomerPage, url: URL): Html {
  if (url.searchParams.get('details') !== 'shown') {
    return html`<section aria-labelledby="buyer"><h2 id="buyer">Buyer</h2><p class="buttons"><a class="button small" href="/customers/${customerId}?details=shown">Show buyer’s details</a></p></section>`;
  }
  const shown = buyer
    ? facts([
        ['E-mail', buyer.email],
        ...Object.entries(buyer.fields)
          .sort()
          .map(([name, value]) => [capitalized(name), value] as const),
      ])
    : html`<p class="none">${registeredAt === undefined ? 'The buyer has not registered.' : 'There are none: they were erased.'}</p>`;
  return html`<section aria-labelledby="buyer"><h2 id="buyer">Buyer</h2>${shown}<p class="buttons"><a class="button small" href="/customers/${customerId}">Hide buyer’s details</a></p></section>`;
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
