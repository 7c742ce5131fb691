// Reads:       a customer, its licences with what is known of their entitlements, and the counters of running terms
// Writes:      nothing
// Once per:    question
// If it stops: ask again
import { accessEndsAt } from '../domain/deadline.ts';
import {
  type EntitlementValue,
  entitledQuantity,
  hasContract,
  isStale,
  type TermCounter,
  versionAt,
} from '../domain/entitlement.ts';
import { type HourStart, hourOf } from '../domain/hour.ts';
import type { Licence, LicenceEnding, LicencePeriod } from '../domain/licence.ts';
import { DEFAULT_METERING_POLICY } from '../domain/metering-policy.ts';
import type { PricingModel, Products } from '../domain/product.ts';
import type { KnownLicence, StandingCustomer, StandingReader } from './entitlement-ports.ts';
import type { LedgerStore } from './ports.ts';

export interface ReadStandingPorts {
  readonly standing: StandingReader;
  readonly ledger: Pick<LedgerStore, 'counters'>;
  readonly products: Products;
  readonly clock: () => number;
}

/** ISO 8601 in UTC, `2026-11-23T07:15:00.000Z`. */
type Instant = string;

/** A customer as far as we have been told. No personal data. */
export interface CustomerStanding {
  readonly customerId: string;
  readonly product: { readonly productCode: string; readonly title?: string };
  /** Counts the changes told to the seller's product. */
  readonly sequence: number;
  readonly createdAt: Instant;
  /** When the buyer filled in the registration page; absent until then. */
  readonly registeredAt?: Instant;
  /** The customer that holds the licences now, since this one's agreement turned out to succeed that one's. */
  readonly joinedInto?: string;
  /** Oldest first; the newest 50. */
  readonly licences: readonly LicenceStanding[];
}

/** The names by which usage may be reported for a licence. */
interface LicenceNames {
  readonly licenceKey: string;
  readonly licenseArn?: string;
  /** Legacy products only. */
  readonly customerIdentifier?: string;
}

interface LicenceStanding extends LicenceNames {
  readonly pricingModel: PricingModel;
  /** `[from, to)`; a bound that is absent is not known, or open. */
  readonly periods: readonly { readonly agreementId?: string; readonly from?: Instant; readonly to?: Instant }[];
  /** Absent while no end has been told. */
  readonly ending?: { readonly noticeAt: Instant; readonly revokedAt?: Instant; readonly deprovisionedAt?: Instant };
}

/** What a customer's running contracts include. */
export interface CustomerEntitlements {
  readonly customerId: string;
  readonly sequence: number;
  /** The customer to ask about instead. */
  readonly joinedInto?: string;
  /** Of the contracts that have not ended; none for a product without contracts. */
  readonly licences: readonly LicenceEntitlementsView[];
  /** When AWS told the oldest of what stands here; absent while it has not. */
  readonly checkedAt?: Instant;
  /** Whether any of it is older than what is relied on, or was never told. */
  readonly isStale: boolean;
}

interface LicenceEntitlementsView extends LicenceNames {
  readonly entitlements: readonly {
    readonly dimension: string;
    readonly type: EntitlementValue['kind'];
    readonly value: EntitlementValue['value'];
    /** The least instant until which it holds; with automatic renewal, when it renews. */
    readonly expiresAt?: Instant;
  }[];
  /** By dimension, where usage is counted against what the contract includes per term. */
  readonly terms: readonly TermStanding[];
  readonly checkedAt?: Instant;
  readonly isStale: boolean;
}

interface TermStanding {
  readonly dimension: string;
  /** The first hour of the term: `2026-11-23T07`. */
  readonly termStart: HourStart;
  readonly included: number;
  /** In hours that are closed; the running hour is not in it. */
  readonly used: number;
  readonly overage: number;
  readonly left: number;
}

/** Undefined for an unknown customer. Two reads of the database. */
export async function readStanding(
  { standing, products }: ReadStandingPorts,
  customerId: string,
): Promise<CustomerStanding | undefined> {
  const customer = await standing.customer(customerId);
  if (!customer) return undefined;
  const licences = await licencesOf(standing, customer);
  const { productCode, sequence, createdAt, registeredAt, joinedInto } = customer;
  const title = products.get(productCode)?.title;
  return {
    customerId,
    product: { productCode, ...(title === undefined ? {} : { title }) },
    sequence,
    createdAt: instant(createdAt),
    ...instants({ registeredAt }),
    ...(joinedInto === undefined ? {} : { joinedInto }),
    licences: licences.map(({ licence }) => ({
      ...namesOf(licence),
      pricingModel: products.get(licence.productCode)?.pricingModel ?? licence.pricingModel,
      periods: licence.periods.map(periodView),
      ...(licence.ending ? { ending: endingView(licence.ending) } : {}),
    })),
  };
}

/**
 * Undefined for an unknown customer. Two reads of the database, and one more for each running contract of which AWS
 * has told anything: one for a customer who holds a contract.
 */
export async function readEntitlements(
  { standing, ledger, products, clock }: ReadStandingPorts,
  customerId: string,
): Promise<CustomerEntitlements | undefined> {
  const customer = await standing.customer(customerId);
  if (!customer) return undefined;
  const nowMs = clock();
  const held = await licencesOf(standing, customer);
  const running = held.filter(({ licence }) => hasContract(licence, products) && !isOver(licence, nowMs));
  const licences = await Promise.all(
    running.map(async (each) => {
      const counters = each.known ? await ledger.counters(each.licence.licenceKey) : [];
      return entitlementsView(each, counters, nowMs);
    }),
  );
  const checks = running.flatMap(({ known }) => (known ? [known.checkedAt] : []));
  return {
    customerId,
    sequence: customer.sequence,
    ...(customer.joinedInto === undefined ? {} : { joinedInto: customer.joinedInto }),
    licences,
    ...instants({ checkedAt: checks.length === 0 ? undefined : Math.min(...checks) }),
    isStale: licences.some((each) => each.isStale),
  };
}

/** Those that are the customer's own: one that was joined into another goes on to name what that one holds now. */
async function licencesOf(
  standing: StandingReader,
  { customerId, licenceKeys }: StandingCustomer,
): Promise<readonly KnownLicence[]> {
  const named = licenceKeys.length === 0 ? [] : await standing.licences(licenceKeys);
  return named.filter(({ licence }) => licence.customerId === customerId);
}

function isOver({ ending }: Licence, nowMs: number): boolean {
  return ending !== undefined && nowMs >= accessEndsAt(ending, DEFAULT_METERING_POLICY);
}

function entitlementsView(
  { licence, known }: KnownLicence,
  counters: readonly TermCounter[],
  nowMs: number,
): LicenceEntitlementsView {
  const version = known && versionAt(known, hourOf(nowMs));
  const terms = counters.flatMap(({ dimension, termStart, used, overage }) => {
    const included = version?.termStart === termStart ? entitledQuantity(version, dimension) : undefined;
    if (included === undefined) return [];
    return [{ dimension, termStart, included, used, overage, left: Math.max(0, included - used) }];
  });
  return {
    ...namesOf(licence),
    entitlements: (version?.entitlements ?? []).map(({ dimension, value: { kind, value }, expiresAt }) => ({
      dimension,
      type: kind,
      value,
      ...instants({ expiresAt }),
    })),
    terms,
    ...instants({ checkedAt: known?.checkedAt }),
    isStale: isStale(known, nowMs),
  };
}

function namesOf({ licenceKey, licenceArn, customerIdentifier }: Licence): LicenceNames {
  return {
    licenceKey,
    ...(licenceArn === undefined ? {} : { licenseArn: licenceArn }),
    ...(customerIdentifier === undefined ? {} : { customerIdentifier }),
  };
}

function periodView({ agreementId, from, to }: LicencePeriod) {
  return { ...(agreementId === undefined ? {} : { agreementId }), ...instants({ from, to }) };
}

function endingView({ noticeAt, revokedAt, deprovisionedAt }: LicenceEnding) {
  return { noticeAt: instant(noticeAt), ...instants({ revokedAt, deprovisionedAt }) };
}

function instant(atMs: number): Instant {
  return new Date(atMs).toISOString();
}

/** Members that are known, as text. */
function instants<K extends string>(
  members: Readonly<Record<K, number | undefined>>,
): { readonly [Name in K]?: Instant } {
  const known = Object.entries<number | undefined>(members).flatMap(([name, atMs]) =>
    atMs === undefined ? [] : [[name, instant(atMs)]],
  );
  return Object.fromEntries(known) as { readonly [Name in K]?: Instant };
}
