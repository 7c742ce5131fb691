// Everything the flow needs from outside, on one screen. Stores and marketplace clients implement it.
import type { Amendment, AuditEntry } from '../domain/amendment.ts';
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { Customer } from '../domain/customer.ts';
import type { CounterStep, Inclusion, LicenceEntitlements, TermCounter } from '../domain/entitlement.ts';
import type { HourStart } from '../domain/hour.ts';
import type { Carry, Credit, LedgerEntry, RecordStatus, SealedHour } from '../domain/ledger.ts';
import type { EndNotice, Licence, LicenceEnding, LicenceStart } from '../domain/licence.ts';
import type { MeteringBatch } from '../domain/metering-batch.ts';
import type { BatchAnswer, Settlement } from '../domain/metering-result.ts';
import type { Product } from '../domain/product.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { SessionKeyRing } from '../domain/session.ts';
import type { TagSet } from '../domain/tag-set.ts';
import type { UsageEvent } from '../domain/usage-event.ts';
import type { UsageRow } from '../domain/usage-row.ts';

/** What ResolveCustomer told of a buyer. Every member but the product is optional in AWS's model. */
export interface ResolvedBuyer {
  readonly productCode: string;
  readonly customerAwsAccountId?: string;
  readonly licenceArn?: string;
  readonly customerIdentifier?: string;
}

export type Resolution =
  | { readonly kind: 'resolved'; readonly buyer: ResolvedBuyer }
  | { readonly kind: 'tokenInvalid' }
  | { readonly kind: 'tokenExpired' };

export interface RegistrationGateway {
  /** Redeems a token. Throws Unavailable when AWS does not answer, Misconfigured when it refuses us. */
  resolve(token: string): Promise<Resolution>;
}

/** What the buyer's browser said. Nobody vouches for it. */
export interface RegistrationHints {
  readonly freeTrial?: boolean;
}

/** Told of each licence of a list that can't be read: of newer code, or none of ours. It costs itself alone then. */
export type OnUnreadableLicence = (licenceKey: string, fault: unknown) => void;

export interface CustomerStore {
  customer(customerId: string): Promise<Customer | undefined>;
  licence(licenceKey: string): Promise<Licence | undefined>;
  /** The licences of one shard in order of their keys. Throws for one that can't be read where nobody is told of it. */
  licencesOfShard(shard: number, onUnreadable?: OnUnreadableLicence): AsyncIterable<readonly Licence[]>;
  /**
   * Once per licence, or per account and product while AWS names no licence. What notices wrote stays.
   * Throws Unavailable where AWS's answer names nobody.
   */
  upsert(
    buyer: ResolvedBuyer,
    product: Product,
    nowMs: number,
    hints?: RegistrationHints,
  ): Promise<{ kind: 'created' | 'known'; customer: Customer }>;
  /** Once per customer: the first registration's time stays. */
  markRegistered(customerId: string, atMs: number): Promise<void>;
  /**
   * Notes that an agreement holds the licence from an instant that has come, once per agreement. An end that was noted
   * before is then that of the period before, and leaves the list of endings. Undefined for an unknown licence.
   */
  noteStart(licenceKey: string, start: LicenceStart): Promise<Licence | undefined>;
  /**
   * Notes the start or a further step of a licence's end; an earlier instant of the same step stays. The end of a
   * period that another has followed changes nothing for the running one. Undefined for an unknown licence.
   */
  noteEnding(licenceKey: string, ending: EndNotice): Promise<Licence | undefined>;
  /** Licences whose end has been noted and whose last hour is not dealt with. Throws as `licencesOfShard` does. */
  endingLicences(onUnreadable?: OnUnreadableLicence): Promise<readonly Licence[]>;
  /**
   * Takes a licence off the list of ending ones; false where its end is no longer the one that was read: a further
   * step is to be dealt with, or it runs again. A repeat is true and changes nothing.
   */
  finishEnding(licenceKey: string, ending: LicenceEnding): Promise<boolean>;
  /**
   * Writes a cut-over onto both of a buyer's licences and makes the new one the customer's, or none of it. Once per
   * pair of licences: `'moved'` and nothing written where either is cut over, ends, or is not the customer's, by now.
   */
  noteCutOver(legacy: Licence, licence: Licence): Promise<'noted' | 'moved'>;
}

export interface SessionKeys {
  /** The keys, at most five minutes old; younger where they would not hold the key that is asked for. */
  ring(keyId?: string): Promise<SessionKeyRing>;
}

export interface BuyerStore {
  details(customerId: string): Promise<BuyerDetails | undefined>;
  /** Once per customer: `'already'` and nothing changed where details stand. */
  put(details: BuyerDetails): Promise<'recorded' | 'already'>;
  /** Takes all of a buyer's details away, from every index, too; false where none stand. */
  erase(customerId: string): Promise<boolean>;
}

export interface UsageStore {
  /** Once per licence, dimension, hour and event id. */
  put(event: UsageEvent): Promise<'recorded' | 'already' | 'conflict'>;
  /** What `put` would find, without writing. */
  standing(event: UsageEvent): Promise<'already' | 'conflict' | 'absent'>;
  /** The rows of one hour and shard within bounds, in ledger order, as written, consistently. */
  rows(hour: HourStart, shard: number, bounds?: UsageBounds): AsyncIterable<readonly UsageRow[]>;
}

/** One licence's rows, or the rows of the meters from `from` up to, not including, `before`, or both. */
export interface UsageBounds {
  readonly licenceKey?: string;
  readonly from?: string;
  readonly before?: string;
}

export interface LedgerStore {
  /** Sealed hours, each followed by the carries into its hour, in key order, consistently. */
  entries(hour: HourStart, shard: number, licenceKey?: string): AsyncIterable<readonly LedgerEntry[]>;
  /**
   * Once per licence, dimension and hour. With a credit, what the record takes of it is written off in the same
   * transaction, from what was read, and so is the step of a term's counter: `'creditMoved'` or `'counterMoved'` and
   * nothing written where that has changed.
   */
  seal(
    sealed: SealedHour,
    credit?: Credit,
    step?: CounterStep,
  ): Promise<'sealed' | 'exists' | 'creditMoved' | 'counterMoved'>;
  /** Seals an hour as carried, puts the carries and counts the term's step, or none of it. */
  sealCarried(
    sealed: SealedHour,
    carries: readonly Carry[],
    onlyInto?: 'any' | 'unsealed',
    step?: CounterStep,
  ): Promise<'sealed' | 'exists' | 'targetSealed' | 'counterMoved'>;
  /**
   * Raises `accounted` from what was read, and puts the carry, or neither. Once per old `accounted` of the tag set;
   * `'targetSealed'` where the carry may only go into an hour that is not sealed, and it is. What the contract includes
   * of the late units is withheld and counted in the same transaction.
   */
  carry(
    origin: SealedHour,
    carry: Carry,
    onlyInto: 'any' | 'unsealed',
    inclusion?: Inclusion,
  ): Promise<'carried' | 'moved' | 'targetSealed'>;
  /** Raises `accounted` from what was read and holds the difference with its reason. */
  holdLate(origin: SealedHour, late: LateHold, inclusion?: Inclusion): Promise<'held' | 'moved'>;
  /** Raises `accounted` from what was read by late units, all of which the contract includes, and counts them. */
  include(origin: SealedHour, tagSet: TagSet, inclusion: Inclusion): Promise<'included' | 'moved'>;
  /** What has been counted of a term; nothing yet where the counter is absent. */
  counter(name: Pick<TermCounter, 'licenceKey' | 'dimension' | 'termStart'>): Promise<TermCounter>;
  /** Every counter of a licence, its past terms included. */
  counters(licenceKey: string): Promise<readonly TermCounter[]>;
  /** Brings an open record's deadline forward. */
  hasten(sealed: SealedHour, deadlineAt: number): Promise<boolean>;
  /** References to the records that are open, soonest deadline first within each state shard. */
  open(stateShard: number, onMalformed: OnMalformed): AsyncIterable<readonly LiveRecord[]>;
  /** References to what AWS has refused and may take yet, held or quarantined: soonest deadline first. */
  refused(onMalformed: OnMalformed): AsyncIterable<readonly LiveRecord[]>;
  /**
   * References to what is settled and needs a person, as `needsAttention` has it. Latest deadline first: what was lost a
   * moment ago must not stand behind what nobody has seen to for months.
   */
  attention(
    onMalformed: OnMalformed,
    /** Only those whose deadline lies at this instant or later; all where absent. */
    sinceMs?: number,
  ): AsyncIterable<readonly LiveRecord[]>;
  /** The records behind references, as they stand now. */
  records(references: readonly ItemKey[], onMalformed: OnMalformed): Promise<readonly SealedHour[]>;
  /** Notes an attempt before its call; false where the record is no longer to be sent. */
  intend(sealed: SealedHour, attempt: { id: string; at: number }): Promise<boolean>;
  /** One sealed hour as it stands. */
  sealed(hour: HourStart, licenceKey: string, dimension: string): Promise<SealedHour | undefined>;
  /** Writes what an answer means, if the record still stands as it was judged. */
  settle(sealed: SealedHour, settlement: Settlement): Promise<boolean>;
  /** The credits of a shard's licences that are not used up, by meter key, consistently. */
  credits(shard: number): Promise<ReadonlyMap<string, Credit>>;
  /** Changes a record, puts its carries and its audit line, or none of it. Once per action id. */
  amend(before: SealedHour, amendment: Amendment): Promise<'amended' | 'already' | 'moved' | 'targetSealed'>;
  /** Grants a credit with its audit line. Once per action id. */
  grantCredit(meter: MeterName, quantity: number, audit: AuditEntry): Promise<'granted' | 'already'>;
  /** Writes an audit line of an act that changes nothing in the ledger. Once per action id. */
  noteAction(audit: AuditEntry): Promise<'noted' | 'already'>;
  /** The audit line of an act, if it was done. */
  action(actionId: string): Promise<AuditEntry | undefined>;
  /** The audit lines of a licence, or of a customer where an act names no licence: newest first. One query. */
  auditOf(subject: string, limit: number): Promise<readonly AuditEntry[]>;
  /** The audit lines of one month (`2026-11`) or day (`2026-11-23`), oldest first. */
  audit(period: string): AsyncIterable<readonly AuditEntry[]>;
}

export interface MeterName {
  readonly licenceKey: string;
  readonly dimension: string;
}

/** Where a sealed hour stands in the ledger. */
export interface ItemKey {
  readonly partition: string;
  readonly meter: string;
}

/** Told of each stored item that is none of ours by its members. It is left out, so that it costs itself alone. */
export type OnMalformed = (key: ItemKey, fault: unknown) => void;

/** How many references a page of the index holds: eight of them are some 2,000, as many as a round of the sender takes. */
export const REFERENCES_PER_PAGE = 250;

/** And of a list that is one partition: as many as eight of the others hold. */
export const REFERENCES_PER_LONG_PAGE = 2_000;

/** What the index tells of a record that is not settled, or needs a person: enough to choose which to read. */
export interface LiveRecord extends ItemKey {
  readonly deadlineAt: number;
  readonly status: RecordStatus;
  readonly nextAttemptAt?: number;
}

export interface LateHold {
  readonly tagSet: string;
  readonly quantity: number;
  readonly reason: string;
}

export interface EntitlementReader {
  /** What AWS last said of a licence's contract; undefined while it has never answered. */
  entitlements(licenceKey: string): Promise<LicenceEntitlements | undefined>;
}

export interface MeteringGateway {
  /** Makes one BatchMeterUsage call, once, and tells what came of it. Never throws for what AWS answers. */
  send(batch: MeteringBatch): Promise<BatchAnswer>;
}

export interface LateMarker {
  readonly hour: HourStart;
  readonly shard: number;
  readonly version: number;
}

/** An hour of which something has changed since it was last summarised. */
export interface TouchedHour {
  readonly hour: HourStart;
  /** Another at each mark. */
  readonly stamp: string;
}

/** How far the fixed looks at the hours have come. */
export interface LookProgress {
  readonly hour: HourStart;
  readonly looksDone: number;
  /** What has been done of the look after those. */
  readonly partial?: PartialLook;
}

export interface PartialLook {
  readonly looks: number;
  readonly shards: readonly number[];
}

export interface WorkStore {
  /** Asks for another look at an hour and shard. Written after the usage it stands for. */
  markLate(hour: HourStart, shard: number): Promise<void>;
  /** Markers that ask for a look. One that is malformed, as only a foreign writer can leave it, is left out. */
  lateMarkers(): Promise<readonly LateMarker[]>;
  /** Clears a marker unless it was written again since it was read. It stays, cleared, until it is swept. */
  clearLate(marker: LateMarker, nowMs: number): Promise<void>;
  /** Deletes markers that were cleared before an instant, and malformed ones. */
  sweepLate(clearedBeforeMs: number): Promise<void>;
  /** Usage of a licence that nobody has told us of. Once per licence and hour. */
  awaitLicence(licenceKey: string, hour: HourStart, shard: number): Promise<void>;
  /** The hours that wait for a licence; taken off the list once they are marked late. */
  releaseAwaiting(licenceKey: string): Promise<number>;
  /** Says that something of an hour has changed, whatever and however often. Written after the change. */
  markTouched(hours: Iterable<HourStart>): Promise<void>;
  touchedHours(): Promise<readonly TouchedHour[]>;
  /** Takes a mark off unless the hour was marked again since it was read. */
  clearTouched(touched: TouchedHour): Promise<void>;
  /** Before which hour a fixed summary has been made of each; undefined while none was. */
  summarizedBefore(look: number): Promise<HourStart | undefined>;
  noteSummarized(look: number, before: HourStart): Promise<void>;
  watermark(): Promise<HourStart | undefined>;
  /** Raises the watermark: every hour before it has had its last look. Never lowers it. */
  raiseWatermark(hour: HourStart): Promise<void>;
  looks(from: HourStart): Promise<readonly LookProgress[]>;
  noteLooks(progress: LookProgress): Promise<void>;
  /** Notes the shards that a look which is not finished has done, so that the next run goes on from there. */
  noteShards(hour: HourStart, partial: PartialLook): Promise<void>;
  /** Takes or renews a lease; false while somebody else holds it. */
  takeLease(name: string, holder: string, nowMs: number, untilMs: number): Promise<boolean>;
  dropLease(name: string, holder: string): Promise<void>;
  /** Groups of records that are not to be sent, by key. */
  heldGroups(): Promise<ReadonlyMap<string, HeldGroup>>;
  holdGroup(group: HeldGroup): Promise<void>;
  /** Lets a group be sent again; false where it was not held. */
  releaseGroup(key: string): Promise<boolean>;
}

/** Records that share a fault which AWS has shown on one of them; none is sent until an operator releases them. */
export interface HeldGroup {
  readonly key: string;
  readonly code: string;
  readonly since: number;
}

export interface RejectStore {
  /** Keeps refused usage. Once per event and code; a repeat counts. */
  keep(refusal: Refusal): Promise<void>;
}
