// A subscriber of AWS's serverless sample, and what its row and AWS's answers together say of its standing.

/** What the row claims. It is written in order of arrival there, so that a late message can leave the wrong one. */
export type OldClaim = 'subscribed' | 'ended' | 'none';

export interface OldBuyer {
  readonly kind: 'buyer';
  /** The row's key: a customer identifier, or, in later forms of the sample, a licence's ARN or an AWS account. */
  readonly customerIdentifier: string;
  readonly productCode?: string;
  readonly customerAwsAccountId?: string;
  /** Absent where the buyer never sent the form. */
  readonly details?: { readonly email: string; readonly fields: Readonly<Record<string, string>> };
  readonly createdAt?: number;
  readonly claim: OldClaim;
  readonly isFreeTrial?: boolean;
}

export interface MalformedBuyer {
  readonly kind: 'malformed';
  readonly customerIdentifier: string;
  readonly message: string;
}

/** The latest answer of AWS to usage of a buyer that tells whether it was a customer then. */
export interface LastAnswer {
  readonly atMs: number;
  readonly isSubscribed: boolean;
}

/**
 * What is told of a buyer's standing. AWS's own answer to its usage goes before the row's claim: it is AWS's word with
 * an instant. `'untold'`: nothing is said until AWS says something, and no access is granted.
 */
export function standingTold(claim: OldClaim, last: LastAnswer | undefined): 'active' | 'ended' | 'untold' {
  if (claim === 'ended') return 'ended';
  if (last) return last.isSubscribed ? 'active' : 'untold';
  return claim === 'subscribed' ? 'active' : 'untold';
}
