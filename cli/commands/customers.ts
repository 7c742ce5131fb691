// fulfillment customers ls, show: who has bought, and how each stands.
import { CUSTOMER_LISTINGS } from '../../lambdas/domain/customer-listing.ts';
import { type CustomerPage, readCustomerPage } from '../../lambdas/flow/reads/read-customer-page.ts';
import {
  type CustomerRow,
  listCustomers,
  parseListing,
  searchCustomers,
} from '../../lambdas/flow/reads/read-customers.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { type Command, defineCommand, operand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { flag, value } from '../options.ts';
import { listOf, tableOf, timeOf } from '../table.ts';

const PERSONAL = { personal: flag('company, e-mail and what else the buyer told, too') };
const SHARED = { ...DEPLOYMENT, ...JSON_OUTPUT };

/** Pages of fifty; whoever wants more has a filter. */
const MOST_PAGES = 200;

const ls = defineCommand({
  name: 'customers ls',
  operands: 'TEXT',
  about: `Without TEXT all customers, newest first. TEXT finds whoever it names: an account, licence, agreement, e-mail or
customer id wholly, or how the company begins. Company and e-mail are shown with --personal alone.
`,
  options: {
    standing: value('STANDING', 'those alone who stand so', CUSTOMER_LISTINGS),
    limit: value('COUNT', 'as many at most; 50 where absent'),
    ...PERSONAL,
    ...SHARED,
  },
  examples: [
    'fulfillment customers ls',
    'fulfillment customers ls 111122223333',
    'fulfillment customers ls --standing unregistered --stage prod --personal',
  ],
  run: ({ values, positionals: [text] }, terminal) => {
    const limit = Number(values.limit ?? 50);
    if (!(Number.isInteger(limit) && limit >= 1)) throw new UsageMistake('--limit takes a whole number from 1 on.');
    const listing = values.standing === undefined ? undefined : parseListing(values.standing);
    return atDesk(values, terminal, async (desk) => {
      const asked = { withPersonalData: values.personal };
      const rows: CustomerRow[] = [];
      if (text !== undefined) rows.push(...(await searchCustomers(desk, text, asked)).hits);
      else {
        let cursor: string | undefined;
        for (let page = 0; page < MOST_PAGES && rows.length < limit; page++) {
          const further = cursor === undefined ? {} : { cursor };
          const view = await listCustomers(desk, {
            ...asked,
            ...further,
            ...(listing === undefined ? {} : { listing }),
          });
          rows.push(...view.customers);
          cursor = view.cursor;
          if (cursor === undefined) break;
        }
      }
      const shown = rows.slice(0, limit);
      if (values.json) terminal.stdout.write(`${JSON.stringify({ customers: shown })}\n`);
      else if (shown.length === 0) terminal.stdout.write(`${noneText(text, listing)}\n`);
      else terminal.stdout.write(tableOf(columnsOf(values.personal), shown, terminal));
      return shown.length === 0 && text !== undefined ? EXIT.refused : EXIT.done;
    });
  },
});

function columnsOf(isPersonal: boolean) {
  return [
    { title: 'customer', of: ({ customerId }: CustomerRow) => customerId },
    ...(isPersonal
      ? [
          { title: 'company', of: ({ company }: CustomerRow) => company ?? '' },
          { title: 'e-mail', of: ({ email }: CustomerRow) => email ?? '' },
        ]
      : []),
    { title: 'product', of: ({ productTitle, productCode }: CustomerRow) => productTitle ?? productCode },
    { title: 'standing', of: ({ listing, marks }: CustomerRow) => [listing, ...marks].join(', ') },
    { title: 'account', of: ({ customerAwsAccountId }: CustomerRow) => customerAwsAccountId ?? '' },
    { title: 'since', of: ({ createdAt }: CustomerRow) => timeOf(createdAt) },
    { title: 'last usage', of: ({ lastUsageDay }: CustomerRow) => lastUsageDay ?? '' },
    { title: 'unsent', of: ({ unsentUnits }: CustomerRow) => unsentUnits },
  ];
}

const show = defineCommand({
  name: 'customers show',
  operands: 'CUSTOMER',
  about: `Standing, agreements, licences, entitlements with what is left, timeline, webhook deliveries and audit. CUSTOMER is its
id, or any text by which fulfillment customers ls finds one alone. Personal data is shown with --personal alone.
`,
  options: { ...PERSONAL, ...SHARED },
  examples: [
    'fulfillment customers show cus_kBXub44wPtLaEj-pjwQonuSP',
    'fulfillment customers show 111122223333 --json',
  ],
  run: (call, terminal) => {
    const text = operand(call, 0, 'the customer; fulfillment customers ls lists them');
    const { values } = call;
    return atDesk(values, terminal, async (desk) => {
      const asked = { withPersonalData: values.personal };
      const page = (await readCustomerPage(desk, text, asked)) ?? (await pageFound(desk, text, asked));
      if (!page) {
        terminal.stderr.write(`Nobody is found by '${text}', or more than one. See: fulfillment customers ls TEXT\n`);
        return EXIT.refused;
      }
      terminal.stdout.write(values.json ? `${JSON.stringify(page)}\n` : told(page, terminal));
      return EXIT.done;
    });
  },
});

type Ports = Parameters<typeof readCustomerPage>[0] & Parameters<typeof searchCustomers>[0];

async function pageFound(desk: Ports, text: string, asked: { readonly withPersonalData: boolean }) {
  const { hits } = await searchCustomers(desk, text);
  const [only, ...others] = hits;
  return only && others.length === 0 ? readCustomerPage(desk, only.customerId, asked) : undefined;
}

function told(page: CustomerPage, terminal: Terminal): string {
  const parts = [
    listOf(headOf(page)),
    section('Agreements', table(page.agreements, AGREEMENT, terminal)),
    section('Licences', table(page.licences, LICENCE, terminal)),
    section('Entitlements', entitlementsOf(page, terminal)),
    section('Timeline', table(page.timeline, TIMELINE, terminal)),
    section('Webhook deliveries', table(page.deliveries, DELIVERY, terminal)),
    section('Audit', table(page.audit, AUDIT, terminal)),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function headOf({ buyer, ...page }: CustomerPage) {
  return [
    ['customer', page.customerId],
    ['product', `${page.productTitle ?? ''} (${page.productCode})`.trim()],
    ['standing', [page.listing, ...page.marks].join(', ')],
    ['joined into', page.joinedInto],
    ['account', page.customerAwsAccountId],
    ['first seen', timeOf(page.createdAt)],
    ['registered', timeOf(page.registeredAt)],
    ['last usage', page.lastUsageHour],
    ['units that have not reached AWS', page.unsentUnits],
    ['changes told', page.sequence],
    ['e-mail', buyer?.email],
    ...Object.entries(buyer?.fields ?? {}),
  ] as const;
}

type Agreement = CustomerPage['agreements'][number];
const AGREEMENT = [
  { title: 'agreement', of: ({ agreementId }: Agreement) => agreementId ?? '' },
  { title: 'state', of: ({ state }: Agreement) => state },
  { title: 'offer', of: ({ offerId }: Agreement) => offerId ?? '' },
  { title: 'from', of: ({ startsAt }: Agreement) => timeOf(startsAt) },
  { title: 'to', of: ({ endsAt }: Agreement) => timeOf(endsAt) },
];

type Licence = CustomerPage['licences'][number];
const LICENCE = [
  { title: 'licence', of: ({ licenceKey }: Licence) => licenceKey },
  { title: 'metered in', of: ({ meteringRegion }: Licence) => meteringRegion },
  { title: 'pricing', of: ({ pricingModel }: Licence) => pricingModel },
  { title: 'first seen', of: ({ firstSeenAt }: Licence) => timeOf(firstSeenAt) },
  { title: 'ends', of: ({ ending }: Licence) => timeOf(ending?.noticeAt) },
];

type Entry = CustomerPage['timeline'][number];
const TIMELINE = [
  { title: 'time', of: ({ at }: Entry) => timeOf(at) },
  { title: '', of: ({ kind }: Entry) => (kind === 'notice' ? 'AWS told' : 'we told') },
  { title: 'what', of: (entry: Entry) => (entry.kind === 'notice' ? entry.notice.type : entry.type) },
  { title: 'number', of: (entry: Entry) => (entry.kind === 'notice' ? '' : String(entry.sequence)) },
];

type Delivery = CustomerPage['deliveries'][number];
const DELIVERY = [
  { title: 'endpoint', of: ({ endpoint }: Delivery) => endpoint },
  { title: 'event', of: ({ type }: Delivery) => type },
  { title: 'number', of: ({ sequence }: Delivery) => sequence },
  { title: 'status', of: ({ status }: Delivery) => status },
  { title: 'tries', of: ({ tries }: Delivery) => tries },
  { title: 'since', of: ({ since }: Delivery) => timeOf(since) },
];

type Line = CustomerPage['audit'][number];
const AUDIT = [
  { title: 'time', of: ({ at }: Line) => timeOf(at) },
  { title: 'act', of: ({ action }: Line) => action },
  { title: 'who', of: ({ who }: Line) => who },
  { title: 'why', of: ({ why }: Line) => why },
];

function entitlementsOf({ entitlements }: CustomerPage, terminal: Terminal): string {
  const rows = (entitlements?.licences ?? []).flatMap(({ licenceKey, entitlements: held, terms }) =>
    held.map((each) => {
      const term = terms.find(({ dimension }) => dimension === each.dimension);
      return { licenceKey, ...each, used: term?.used, left: term?.left };
    }),
  );
  type Held = (typeof rows)[number];
  const columns = [
    { title: 'dimension', of: ({ dimension }: Held) => dimension },
    { title: 'entitled to', of: ({ value: held }: Held) => String(held) },
    { title: 'used', of: ({ used }: Held) => (used === undefined ? '' : String(used)) },
    { title: 'left', of: ({ left }: Held) => (left === undefined ? '' : String(left)) },
    { title: 'until', of: ({ expiresAt }: Held) => expiresAt ?? '' },
    { title: 'licence', of: ({ licenceKey }: Held) => licenceKey },
  ];
  return table(rows, columns, terminal);
}

function table<Row>(rows: readonly Row[], columns: Parameters<typeof tableOf<Row>>[0], terminal: Terminal): string {
  return rows.length === 0 ? '' : tableOf(columns, rows, terminal);
}

function section(title: string, text: string): string {
  return text === '' ? '' : `${title}\n${text}`;
}

function noneText(text: string | undefined, listing: string | undefined): string {
  if (text !== undefined) return 'Nobody is found.';
  return listing === undefined ? 'There are no customers yet.' : `No customer stands as ${listing}.`;
}

export const commands: readonly Command[] = [ls, show];
