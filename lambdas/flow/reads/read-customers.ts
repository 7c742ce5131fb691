// Reads:       a page of customers, or those that a search text may name, with their month's usage
// Writes:      nothing
// Once per:    question; as many queries however many customers there are
// If it stops: ask again
import { CUSTOMER_LISTINGS, type CustomerListing, listingOf } from '../../domain/customer-listing.ts';
import { hourOf } from '../../domain/hour.ts';
import { LICENCE_ARN_PATTERN, LICENCE_KEY_PATTERN, licenceKeyOf } from '../../domain/licence.ts';
import type { Products } from '../../domain/product.ts';
import type { Mark, Standing } from '../../domain/standing.ts';
import { type Day, type MonthSummary, monthOf, sumOf } from '../../domain/summary.ts';
import type { BuyerDirectory, CustomerDirectory, ListCursor, SummaryReader } from '../read-ports.ts';
import { unsentOf } from './read-usage.ts';

export interface ReadCustomersPorts {
  readonly directory: CustomerDirectory;
  readonly buyers: BuyerDirectory;
  readonly summaries: Pick<SummaryReader, 'monthsOf'>;
  readonly products: Products;
  readonly clock: () => number;
}

/** Whether company and e-mail are told. A search by them tells that there is such a buyer in any case. */
export interface PersonalData {
  readonly withPersonalData?: boolean;
}

export interface CustomerRow {
  readonly customerId: string;
  readonly productCode: string;
  readonly productTitle?: string;
  readonly listing: CustomerListing;
  readonly state: Standing['state'];
  readonly marks: readonly Mark[];
  readonly createdAt: number;
  readonly registeredAt?: number;
  readonly customerAwsAccountId?: string;
  readonly licenceKeys: readonly string[];
  /** Of the agreements that have not ended. */
  readonly agreementIds: readonly string[];
  readonly offerIds: readonly string[];
  /** In the running month. */
  readonly lastUsageDay?: Day;
  /** Units of the running month that have not reached AWS yet. */
  readonly unsentUnits: number;
  /** Only where personal data is asked for and has not been erased. */
  readonly company?: string;
  readonly email?: string;
}

export interface CustomersView {
  readonly customers: readonly CustomerRow[];
  readonly cursor?: ListCursor;
}

export type FoundBy = 'customerId' | 'account' | 'licence' | 'agreement' | 'email' | 'company';

export interface SearchView {
  readonly hits: readonly (CustomerRow & { readonly foundBy: FoundBy })[];
  /** Whether there may be more than are shown. */
  readonly isPartial: boolean;
}

const PER_PAGE = 50;

/** Customers, newest first, fifty a page: all of them, or those listed as one thing. */
export async function listCustomers(
  ports: ReadCustomersPorts,
  asked: PersonalData & { readonly listing?: CustomerListing; readonly cursor?: ListCursor } = {},
): Promise<CustomersView> {
  const { items, cursor } = await ports.directory.list(asked.listing ?? 'all', PER_PAGE, asked.cursor);
  return { customers: await customerRows(ports, items, asked), ...(cursor === undefined ? {} : { cursor }) };
}

/** Whoever a text may name: a customer, account, licence, agreement or e-mail wholly, a company by how it begins. */
export async function searchCustomers(
  ports: ReadCustomersPorts,
  text: string,
  asked: PersonalData = {},
): Promise<SearchView> {
  const ways = waysOf(ports, text.trim());
  const found = await Promise.all(ways.map(async ({ by, find }) => (await find()).map((id) => [id, by] as const)));
  // A customer who is found twice is shown once, by the first way.
  const byId = new Map(found.flat().reverse());
  const ids = [...byId.keys()].reverse();
  const rows = await customerRows(ports, ids.slice(0, PER_PAGE), asked);
  const hits = rows.flatMap((row) => {
    const foundBy = byId.get(row.customerId);
    return foundBy ? [{ ...row, foundBy }] : [];
  });
  return { hits, isPartial: ids.length > PER_PAGE };
}

interface Way {
  readonly by: FoundBy;
  readonly find: () => Promise<readonly string[]>;
}

/** Only the ways by which a text of its form could be found. */
function waysOf({ directory, buyers, products }: ReadCustomersPorts, text: string): Way[] {
  if (text === '') return [];
  const legacy = [...products.values()].filter(({ identityStyle }) => identityStyle === 'legacy');
  const licenceKeys = LICENCE_KEY_PATTERN.test(text)
    ? [text]
    : LICENCE_ARN_PATTERN.test(text)
      ? [licenceKeyOf({ style: 'licence', licenceArn: text })]
      : legacy.map(({ productCode }) => licenceKeyOf({ style: 'legacy', productCode, customerIdentifier: text }));
  const ways: (Way & { readonly fits: boolean })[] = [
    { by: 'customerId', fits: /^cus_[\w-]+$/.test(text), find: async () => [text] },
    { by: 'account', fits: /^\d{12}$/.test(text), find: () => directory.ofAccount(text, [...products.keys()]) },
    { by: 'licence', fits: licenceKeys.length > 0, find: () => directory.ofLicences(licenceKeys) },
    {
      by: 'agreement',
      fits: /^[\w-]{6,}$/.test(text),
      find: async () => [await directory.ofAgreement(text)].filter((id) => id !== undefined),
    },
    { by: 'email', fits: text.includes('@'), find: () => buyers.byEmail(text, PER_PAGE + 1) },
    { by: 'company', fits: !text.startsWith('arn:'), find: () => buyers.byCompany(text, PER_PAGE + 1) },
  ];
  return ways.filter(({ fits }) => fits);
}

/** Customers as rows of a list, in the order asked for; unknown ones are left out. */
export async function customerRows(
  { directory, buyers, summaries, products, clock }: ReadCustomersPorts,
  customerIds: readonly string[],
  { withPersonalData = false }: PersonalData,
): Promise<readonly CustomerRow[]> {
  if (customerIds.length === 0) return [];
  const [customers, details] = await Promise.all([
    directory.customers(customerIds),
    withPersonalData ? buyers.detailsOf(customerIds) : undefined,
  ]);
  const meters = customers.flatMap(({ customer }) => {
    const dimensions = products.get(customer.productCode)?.dimensions ?? [];
    return customer.licenceKeys.flatMap((licenceKey) => dimensions.map((dimension) => ({ licenceKey, dimension })));
  });
  const months = await summaries.monthsOf(monthOf(hourOf(clock())), meters);
  return customers.map(({ customer, standing }) => {
    const { customerId, productCode, createdAt, registeredAt, customerAwsAccountId, licenceKeys } = customer;
    const buyer = details?.get(customerId);
    const company = buyer?.fields['company'];
    const running = standing.agreements.filter(({ state }) => state !== 'ended');
    return {
      customerId,
      productCode,
      listing: listingOf({ ...standing, ...(registeredAt === undefined ? {} : { registeredAt }) }),
      state: standing.state,
      marks: standing.marks,
      createdAt,
      licenceKeys,
      agreementIds: running.flatMap(({ agreementId }) => agreementId ?? []),
      offerIds: [...new Set(running.flatMap(({ offerId }) => offerId ?? []))],
      ...usageOf(months.filter(({ licenceKey }) => licenceKeys.includes(licenceKey))),
      ...definedOf({
        productTitle: products.get(productCode)?.title,
        registeredAt,
        customerAwsAccountId,
        company,
        email: buyer?.email,
      }),
    };
  });
}

function usageOf(months: readonly MonthSummary[]): Pick<CustomerRow, 'lastUsageDay' | 'unsentUnits'> {
  const days = months.flatMap((month) => [...month.days]);
  const lastUsageDay = days
    .filter(([, { recorded = 0 }]) => recorded > 0)
    .map(([day]) => day)
    .sort()
    .at(-1);
  return {
    ...(lastUsageDay === undefined ? {} : { lastUsageDay }),
    unsentUnits: unsentOf(sumOf(days.map(([, units]) => units))),
  };
}

/** The members that are known. */
export function definedOf<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Reads a filter as a person writes it; undefined where there is no such listing. */
export function parseListing(text: string): CustomerListing | undefined {
  return CUSTOMER_LISTINGS.find((each) => each === text);
}
