// Reads:       a customer, its licences, agreements, notices, deliveries, entitlements, days of usage and audit
// Writes:      nothing
// Once per:    question; as many queries as the customer has licences and agreements, however many customers there are
// If it stops: ask again
import type { AuditEntry } from '../../domain/amendment.ts';
import type { BuyerDetails } from '../../domain/buyer-details.ts';
import type { CustomerListing } from '../../domain/customer-listing.ts';
import { listingOf } from '../../domain/customer-listing.ts';
import type { Delivery } from '../../domain/delivery.ts';
import { type HourStart, hourOf } from '../../domain/hour.ts';
import type { Licence } from '../../domain/licence.ts';
import type { Notice } from '../../domain/notice.ts';
import type { Mark, Standing, StandingAgreement } from '../../domain/standing.ts';
import { dayOf } from '../../domain/summary.ts';
import type { ToldEvent } from '../../domain/usage-trouble.ts';
import type { Outbox } from '../access-ports.ts';
import type { NoticeStore } from '../notice-ports.ts';
import type { BuyerStore, LedgerStore } from '../ports.ts';
import type { LatestDeliveries, SummaryReader } from '../read-ports.ts';
import { type CustomerEntitlements, type ReadStandingPorts, readEntitlements } from '../read-standing.ts';
import { definedOf, type PersonalData } from './read-customers.ts';
import { latestUsage } from './read-usage.ts';

export interface CustomerPagePorts extends ReadStandingPorts {
  readonly notices: Pick<NoticeStore, 'folded' | 'threadsOfCustomer' | 'thread'>;
  readonly buyers: Pick<BuyerStore, 'details'>;
  readonly outbox: Pick<Outbox, 'pendingOf'>;
  readonly deliveries: LatestDeliveries;
  readonly ledger: Pick<LedgerStore, 'counters' | 'auditOf'>;
  readonly summaries: Pick<SummaryReader, 'days'>;
}

export interface CustomerPage {
  readonly customerId: string;
  readonly productCode: string;
  readonly productTitle?: string;
  readonly customerAwsAccountId?: string;
  readonly listing: CustomerListing;
  readonly state: Standing['state'];
  readonly marks: readonly Mark[];
  /** Another customer whom this one turned out to be. */
  readonly joinedInto?: string;
  readonly createdAt: number;
  readonly registeredAt?: number;
  /** How many changes the product was told. */
  readonly sequence: number;
  readonly agreements: readonly StandingAgreement[];
  /** Oldest first; the newest fifty. */
  readonly licences: readonly Licence[];
  readonly entitlements?: CustomerEntitlements;
  /** In this month and the one before. */
  readonly lastUsageHour?: HourStart;
  /** Units of the two months that have not reached AWS yet. */
  readonly unsentUnits: number;
  /** Newest first. */
  readonly timeline: readonly TimelineEntry[];
  /** Newest first; kept for thirty days. */
  readonly deliveries: readonly Delivery[];
  /** Acts on the customer and its licences, newest first. */
  readonly audit: readonly AuditEntry[];
  /** Only where personal data is asked for; absent, too, before the registration and after an erasure. */
  readonly buyer?: BuyerDetails;
}

/** What AWS told us, and what we told the product. */
export type TimelineEntry =
  | { readonly kind: 'notice'; readonly at: number; readonly notice: Notice }
  /** An event that waits to be told, or of which deliveries are kept. */
  | {
      readonly kind: 'event';
      readonly at: number;
      readonly type: ToldEvent['type'] | string;
      readonly sequence: number;
      readonly isTold: boolean;
    };

const SHOWN = 100;
/** A customer renews once a year or so; what has hundreds of agreements shows the latest. */
const THREADS = 20;
const LICENCES = 50;

/** Everything that is known of a customer; undefined for an unknown one. */
export async function readCustomerPage(
  ports: CustomerPagePorts,
  customerId: string,
  { withPersonalData = false }: PersonalData = {},
): Promise<CustomerPage | undefined> {
  const folded = await ports.notices.folded(customerId);
  if (!folded) return undefined;
  const { customer, standing, joinedInto } = folded;
  const licenceKeys = customer.licenceKeys.slice(-LICENCES);
  const [licences, entitlements, days, notices, waiting, deliveries, audit, buyer] = await Promise.all([
    licenceKeys.length === 0 ? [] : ports.standing.licences(licenceKeys),
    readEntitlements(ports, customerId),
    daysOf(ports, licenceKeys),
    noticesOf(ports, customerId),
    ports.outbox.pendingOf(customerId, () => {}),
    ports.deliveries.latestOf(customerId, SHOWN),
    auditOf(ports, [customerId, ...licenceKeys]),
    withPersonalData ? ports.buyers.details(customerId) : undefined,
  ]);
  const { productCode, customerAwsAccountId, createdAt, registeredAt, sequence } = customer;
  return {
    customerId,
    productCode,
    listing: listingOf({ ...standing, ...definedOf({ registeredAt }) }),
    state: standing.state,
    marks: standing.marks,
    createdAt,
    sequence,
    agreements: standing.agreements,
    licences: licences.map(({ licence }) => licence),
    ...latestUsage(days),
    timeline: timelineOf(notices, waiting, deliveries),
    deliveries,
    audit,
    ...definedOf({
      productTitle: ports.products.get(productCode)?.title,
      customerAwsAccountId,
      registeredAt,
      joinedInto: standing.joinedInto ?? joinedInto,
      entitlements,
      buyer,
    }),
  };
}

async function daysOf({ summaries, clock }: CustomerPagePorts, licenceKeys: readonly string[]) {
  const now = new Date(clock());
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1)).toISOString().slice(0, 10);
  const last = dayOf(hourOf(now.getTime()));
  return (await Promise.all(licenceKeys.map((key) => summaries.days(key, first, last)))).flat();
}

async function noticesOf({ notices }: CustomerPagePorts, customerId: string): Promise<readonly Notice[]> {
  const threads = (await notices.threadsOfCustomer(customerId)).slice(-THREADS);
  return (await Promise.all(threads.map((thread) => notices.thread(thread)))).flatMap((thread) => thread.notices);
}

async function auditOf({ ledger }: CustomerPagePorts, subjects: readonly string[]): Promise<readonly AuditEntry[]> {
  const lines = (await Promise.all(subjects.map((subject) => ledger.auditOf(subject, SHOWN)))).flat();
  return lines.sort((one, other) => (one.actionId < other.actionId ? 1 : -1)).slice(0, SHOWN);
}

function timelineOf(
  notices: readonly Notice[],
  waiting: readonly ToldEvent[],
  deliveries: readonly Delivery[],
): readonly TimelineEntry[] {
  const untold = waiting.map(
    ({ type, sequence, at }) => ({ kind: 'event', type, sequence, at, isTold: false }) as const,
  );
  // One event goes to several endpoints, each from when it was first to be posted.
  const bySequence = Map.groupBy(deliveries, ({ sequence }) => sequence);
  const told = [...bySequence].map(([sequence, [first, ...others]]) => ({
    kind: 'event' as const,
    type: first?.type ?? '',
    sequence,
    at: Math.min(first?.since ?? 0, ...others.map(({ since }) => since)),
    isTold: true,
  }));
  const entries: TimelineEntry[] = [
    ...notices.map((notice) => ({ kind: 'notice', at: notice.atMs, notice }) as const),
    ...told,
    ...untold.filter(({ sequence }) => !bySequence.has(sequence)),
  ];
  return entries.sort((one, other) => other.at - one.at).slice(0, SHOWN);
}
