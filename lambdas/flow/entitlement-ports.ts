// What refreshing and reading entitlements need from outside.
import type { Customer } from '../domain/customer.ts';
import type { Entitlement, LicenceEntitlements } from '../domain/entitlement.ts';
import type { Licence } from '../domain/licence.ts';
import type { EntitlementReader } from './ports.ts';

/** How AWS knows the licence that is asked for. */
export type EntitlementSubject = Pick<
  Licence,
  'licenceKey' | 'identityStyle' | 'productCode' | 'licenceArn' | 'customerIdentifier'
>;

export type EntitlementAnswer =
  | {
      readonly kind: 'answered';
      /** All of them; none before a contract is set up and after it has ended. */
      readonly entitlements: readonly Entitlement[];
      /** Entitlements of others that AWS told unasked, and that were left out. */
      readonly foreign: number;
    }
  /** AWS has not told by which name to ask. */
  | { readonly kind: 'unnamed' }
  /** AWS finds fault with the question as it is put for this licence. */
  | { readonly kind: 'refused'; readonly awsCode: string };

export interface EntitlementGateway {
  /**
   * Asks AWS for all that a licence is entitled to now, in as many calls as it takes. Throws Unavailable where AWS does
   * not answer in time, throttles, fails, or answers what can't be understood; Misconfigured where it refuses us.
   */
  ask(subject: EntitlementSubject): Promise<EntitlementAnswer>;
}

/** A change of what is known, for whoever tells others of it. */
export interface EntitlementChange {
  readonly licence: Pick<Licence, 'licenceKey' | 'customerId'>;
  readonly before: LicenceEntitlements | undefined;
  readonly after: LicenceEntitlements;
}

export interface EntitlementStore extends EntitlementReader {
  /** Once per state that was read: `'moved'` and nothing written where another answer was written since. */
  write(change: EntitlementChange): Promise<'written' | 'moved'>;
  /** From when on each licence of a shard is to be asked for again; a licence that never was is missing. */
  dueTimes(shard: number): Promise<ReadonlyMap<string, number>>;
}

export interface RefreshProgress {
  /** The shard with which the next run begins, 0 where none was noted. */
  nextShard(): Promise<number>;
  noteNextShard(shard: number): Promise<void>;
}

export interface StandingCustomer extends Customer {
  /** Another customer, whose agreement this one's turned out to succeed: it holds what this one held. */
  readonly joinedInto?: string;
}

export interface StandingReader {
  customer(customerId: string): Promise<StandingCustomer | undefined>;
  /** Licences and what is known of their entitlements, at most 50 of them, in one read of the database. */
  licences(licenceKeys: readonly string[]): Promise<readonly KnownLicence[]>;
}

export interface KnownLicence {
  readonly licence: Licence;
  readonly known?: LicenceEntitlements;
}
