// What is accounted for: sealed hours, what became of each, and the carries between hours.
import type { IncludedBasis } from './entitlement.ts';
import type { HourStart } from './hour.ts';
import type { IdentityStyle } from './product.ts';
import type { TagSet } from './tag-set.ts';

/** What became of a sealed hour. A closed set: every switch over it is exhaustive. */
export type RecordStatus =
  /** To be sent, or sent without a final answer. No infrastructure fault ever leaves this state. */
  | 'open'
  /** AWS said Success. */
  | 'honoured'
  /** AWS holds the record already, and another attempt of ours may have put it there. */
  | 'presumed'
  /** AWS holds another record for the hour, and none of our attempts explains it. */
  | 'disputed'
  /** AWS does not take it now, for example CustomerNotSubscribed; tried again until the deadline. */
  | 'held'
  /** AWS refused the record itself; an operator mends and releases it. */
  | 'quarantined'
  /** Deliberately never sent: inside an entitlement, a pure contract, held back by an operator. */
  | 'withheld'
  /** Attempted without any answer, and the deadline has passed. */
  | 'uncertain'
  /** Never honoured, and the deadline has passed: lost revenue. */
  | 'expired'
  /** Nothing to send: the whole hour was carried on or is held as late. */
  | 'carried';

export interface Allocation {
  readonly quantity: number;
  /** In canonical order; none in the one untagged allocation. */
  readonly tags: readonly (readonly [string, string])[];
}

/** The record that AWS is sent, frozen when the hour is sealed, so that every attempt is the same to the byte. */
export interface WireRecord {
  readonly timestampSeconds: number;
  readonly dimension: string;
  readonly quantity: number;
  readonly licenceArn?: string;
  readonly customerIdentifier?: string;
  readonly customerAwsAccountId?: string;
  readonly allocations?: readonly Allocation[];
}

/** The rows and carries that a seal or a later look was made from. Shows a foreign overwrite. */
export interface Seen {
  readonly recorded: number;
  readonly carriedIn: number;
  readonly count: number;
  /** The same for the same rows in any order. */
  readonly rowsHash: string;
}

export interface Attempt {
  readonly at: number;
}

/** An answer that says for certain that nothing was metered. */
export interface AttemptRefusal {
  readonly at: number;
  readonly code: string;
  readonly requestId?: string;
}

export interface SealedHour {
  readonly kind: 'sealed';
  readonly hour: HourStart;
  readonly shard: number;
  readonly licenceKey: string;
  readonly dimension: string;
  readonly customerId: string;
  readonly productCode: string;
  readonly identityStyle: IdentityStyle;
  readonly meteringRegion: string;
  readonly record: WireRecord;
  /** Units that have found their place: the record's quantity, what was carried out and what is held as late. */
  readonly accounted: number;
  /** `accounted` by digest of tag set. */
  readonly accountedByTagSet: Readonly<Record<string, number>>;
  readonly carriedOut: number;
  readonly heldLate: number;
  readonly heldReasons: readonly string[];
  readonly seen: Seen;
  readonly status: RecordStatus;
  readonly reason?: string;
  readonly deadlineAt: number;
  readonly nextAttemptAt?: number;
  /** Attempts that may have reached AWS, by id. One that AWS refused for certain is taken out again. */
  readonly attempts: Readonly<Record<string, Attempt>>;
  /** The latest refusals, oldest first. */
  readonly refusals: readonly AttemptRefusal[];
  /** How many there have been; absent where all of them stand in `refusals`. */
  readonly refusalCount?: number;
  readonly meteringRecordId?: string;
  readonly sealedAt: number;
  readonly settledAt?: number;
  /** Absent for a record that is to be sent; else what it is kept for instead. */
  readonly rehearsal?: Rehearsal;
  /** Units of the hour that are held back from its record: inside an entitlement, or by an operator. */
  readonly withheldQuantity?: number;
  /** Units that the record was reduced by, to make good for an earlier hour that billed too much. */
  readonly creditedQuantity?: number;
  /** Units of the record that AWS is taken to hold, where a person settled that it is fewer than all. */
  readonly settledQuantity?: number;
  /** Tagged units that had no room among the record's allocations and are billed untagged. */
  readonly tagOverflowQuantity?: number;
  /** What the contract said when the hour was sealed. */
  readonly entitlement?: AppliedEntitlement;
}

/** Why a record is made as if it were to be sent, and never is. */
export type Rehearsal = 'dryRun' | 'shadow';

/** The entitlement by which the overage of an hour was counted, as it stood when the hour was sealed. */
export interface AppliedEntitlement {
  readonly basis: IncludedBasis;
  readonly entitledQuantity: number;
  /** Units used of it before this hour was counted. */
  readonly usedBefore: number;
  readonly termStart: HourStart;
  /** Units used in the hour itself that are counted, late ones included. What was carried in counted where it was used. */
  readonly ownAccounted: number;
  /** Those of them that lie beyond what is included. */
  readonly ownOverage: number;
}

/**
 * Usage on its way into a later hour. Once per origin hour, tag set and amount accounted for there before; where an
 * operator sent it on, once per action and tag set.
 */
export interface Carry {
  readonly kind: 'carry';
  /** The hour that it goes into. */
  readonly hour: HourStart;
  readonly shard: number;
  readonly licenceKey: string;
  readonly dimension: string;
  readonly originHour: HourStart;
  readonly originAccounted: number;
  readonly tagSet: TagSet;
  readonly quantity: number;
  readonly carriedAt: number;
  readonly actionId?: string;
}

/** Units by which later hours of a licence's dimension are billed less. What AWS has billed, it never takes back. */
export interface Credit {
  readonly licenceKey: string;
  readonly dimension: string;
  readonly granted: number;
  /** Never more than granted. */
  readonly applied: number;
}

export type LedgerEntry = SealedHour | Carry;

/** Statuses in which a record is still to be sent or tried again. */
export function isLive(status: RecordStatus): boolean {
  return status === 'open' || status === 'held' || status === 'quarantined';
}

/** Units that stand in the record's own status; the rest of what is accounted for has gone elsewhere. */
export function standingQuantity({ record, settledQuantity }: Pick<SealedHour, 'record' | 'settledQuantity'>): number {
  return settledQuantity ?? record.quantity;
}

/** Whether an operator should see a sealed hour that is no longer live. A zero record that was lost harms nobody. */
export function needsAttention(sealed: Pick<SealedHour, 'status' | 'heldLate' | 'record' | 'rehearsal'>): boolean {
  // What a rehearsal withholds, another pipeline bills.
  if (sealed.rehearsal !== undefined) return false;
  if (sealed.heldLate > 0) return true;
  if (sealed.record.quantity === 0) return false;
  switch (sealed.status) {
    case 'presumed':
    case 'disputed':
    case 'uncertain':
    case 'expired':
      return true;
    case 'open':
    case 'held':
    case 'quarantined':
    case 'honoured':
    case 'withheld':
    case 'carried':
      return false;
  }
}
