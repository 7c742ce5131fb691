// One buyer of one product. Personal data stands elsewhere (see buyer-details) and can be erased without it.
import { randomBytes } from 'node:crypto';

export interface Customer {
  /** Ours, opaque. */
  readonly customerId: string;
  readonly productCode: string;
  readonly customerAwsAccountId?: string;
  /** Licences held, oldest first: a renewal or replacement stays the same customer. */
  readonly licenceKeys: readonly string[];
  readonly createdAt: number;
  /** When the buyer filled in the registration page; absent until then. */
  readonly registeredAt?: number;
  readonly isFreeTrial?: boolean;
  /** The buyer's browser spoke of a free trial. Nobody vouches for it: a hint for people, never a ground to act. */
  readonly freeTrialHint?: boolean;
  /** Counts the changes told to the seller's product; consumers drop what is older. */
  readonly sequence: number;
}

/** A new opaque id: `cus_` and 24 characters that need no encoding in a URL. */
export function newCustomerId(): string {
  return `cus_${randomBytes(18).toString('base64url')}`;
}
