// One buyer of one product. Personal data stands elsewhere (see buyer-details) and can be erased without it.

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
  /** Counts the changes told to the seller's product; consumers drop what is older. */
  readonly sequence: number;
}
