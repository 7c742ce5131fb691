// What the views of the operator's side need from outside, besides the ports of the flows.
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { CustomerListing } from '../domain/customer-listing.ts';
import type { Delivery } from '../domain/delivery.ts';
import type { HourStart } from '../domain/hour.ts';
import type { Day, DaySummary, HourSummary, Month, MonthSummary, Units } from '../domain/summary.ts';
import type { FoldedCustomer } from './notice-ports.ts';
import type { LiveRecord } from './ports.ts';

/** Where a list goes on; opaque to whoever shows it. */
export type ListCursor = string;

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent where the list ends. */
  readonly cursor?: ListCursor;
}

/** Ways to customers. None of them reads personal data. */
export interface CustomerDirectory {
  /** Ids of customers, newest first: all, or those that are listed as one thing. One query. */
  list(listing: CustomerListing | 'all', limit: number, cursor?: ListCursor): Promise<Page<string>>;
  /** Customers as their last folds left them, in the order asked for, unknown ones left out. 100 a read. */
  customers(customerIds: readonly string[]): Promise<readonly FoldedCustomer[]>;
  /** The customers of an account, one query a product. */
  ofAccount(customerAwsAccountId: string, productCodes: readonly string[]): Promise<readonly string[]>;
  /** The customers of licences, in one read; unknown licences are left out. */
  ofLicences(licenceKeys: readonly string[]): Promise<readonly string[]>;
  /** Whose an agreement is; undefined where nobody's yet, or unknown. */
  ofAgreement(agreementId: string): Promise<string | undefined>;
}

/** Personal data of buyers. */
export interface BuyerDirectory {
  /** Of those who have any, by customer; 100 a read. */
  detailsOf(customerIds: readonly string[]): Promise<ReadonlyMap<string, BuyerDetails>>;
  /** The customers of an e-mail address, whatever its case; at most `limit`. */
  byEmail(email: string, limit: number): Promise<readonly string[]>;
  /** The customers whose company begins so, whatever its case, in order of the company; at most `limit`. */
  byCompany(prefix: string, limit: number): Promise<readonly string[]>;
}

export interface LatestDeliveries {
  /** The deliveries of a customer's latest events, newest first. One query. */
  latestOf(customerId: string, limit: number): Promise<readonly Delivery[]>;
}

export interface SummaryReader {
  /** One hour, if there is a summary of it. */
  hour(hour: HourStart): Promise<HourSummary | undefined>;
  /** Every hour of a month of which there is a summary, in order. */
  hours(month: Month): Promise<readonly HourSummary[]>;
  /** A licence's dimensions by day, from the first day to the last, both included. */
  days(licenceKey: string, first: Day, last: Day): Promise<readonly DaySummary[]>;
  /** Every licence's dimensions in a month. Up to eight queries a page. */
  months(month: Month, cursor?: ListCursor): Promise<Page<MonthSummary>>;
  /** Those of named licences and dimensions, 100 a read; those without units are left out. */
  monthsOf(
    month: Month,
    meters: readonly { readonly licenceKey: string; readonly dimension: string }[],
  ): Promise<readonly MonthSummary[]>;
}

/** What needs a person and takes a query a partition to find. */
export interface Background {
  readonly missed: readonly MissedRun[];
  /** Open records of which AWS soon takes no more: references to the soonest, and how many there are. */
  readonly shortOfTime: {
    readonly references: readonly LiveRecord[];
    readonly count: number;
    readonly isPartial: boolean;
  };
  /** Buyers whose details are still awaited, newest first. */
  readonly unregistered: { readonly customerIds: readonly string[]; readonly isPartial: boolean };
}

/** A scheduled function that should have done something and has not. */
export interface MissedRun {
  readonly name: string;
  readonly reason: string;
  readonly since?: number;
  /** The oldest hour that was not looked at. */
  readonly hour?: HourStart;
  /** When the first of what it should have sent is lost. */
  readonly deadlineAt?: number;
}

/** What can be told at once of things that are too many, or too far apart, to be counted at each question. */
export interface PulseCounts {
  readonly asOf: number;
  /** Refused usage of today and yesterday, by code. */
  readonly refused: readonly RefusedUsage[];
  readonly untold: UntoldEvents;
  readonly background: Background;
}

export interface Pulse extends PulseCounts {
  /** Hours whose books do not balance, with the count of their meters. */
  readonly unbalanced: Readonly<Record<HourStart, number>>;
}

export interface RefusedUsage {
  readonly code: string;
  /** How often, and of how many events. */
  readonly times: number;
  readonly events: number;
  readonly lastAt: number;
  /** What was wrong with the latest, what was expected, what to do. */
  readonly message: string;
  /** What named its buyer. */
  readonly subject: string;
}

/** Events that the product has not been told of yet. */
export interface UntoldEvents {
  readonly count: number;
  readonly oldestAt?: number;
}

export interface PulseReader {
  /** Undefined while none was taken. */
  pulse(): Promise<Pulse | undefined>;
}

export interface UndeliveredEvent {
  readonly endpoint: string;
  readonly status: 'givenUp' | 'stopped';
  readonly customerId: string;
  readonly sequence: number;
  readonly since: number;
}

export interface UndeliveredList {
  /** The events that endpoints will not get of themselves, oldest first, at most `limit`. One query of the index. */
  listed(limit: number): Promise<readonly UndeliveredEvent[]>;
}

/** What one licence's dimension came to in an hour. */
export interface MeterOfHour {
  readonly licenceKey: string;
  readonly dimension: string;
  /** '' where nobody has told us whose the licence is. */
  readonly customerId: string;
  readonly productCode: string;
  readonly units: Units;
}

/** Older never stands over newer: each write names when what it tells was read. */
export interface SummaryStore extends SummaryReader, PulseReader {
  /** Writes what has changed of an hour's meters; refused are those of which a later reading stands. */
  writeMeters(
    hour: HourStart,
    asOf: number,
    meters: readonly MeterOfHour[],
  ): Promise<{ readonly written: number; readonly refused: number }>;
  /** False where a later reading stands. */
  writeHour(summary: HourSummary): Promise<boolean>;
  writePulse(counts: PulseCounts): Promise<boolean>;
}

export interface RejectReader {
  /** Refused usage of a day, by code: the first thousand of each of its partitions. Eight queries. */
  refusedOn(day: Day): Promise<readonly RefusedUsage[]>;
}
