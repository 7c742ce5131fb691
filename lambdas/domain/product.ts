// What the seller lists on AWS Marketplace, and how its usage is to be treated.

/**
 * How AWS names a buyer of this product: by licence ARN, or, for products listed before Concurrent Agreements,
 * by product code and customer identifier. The two must never be mixed for one hour: AWS would bill both.
 */
export type IdentityStyle = 'licence' | 'legacy';

/** Which zero-quantity records are sent for a customer who used nothing in an hour. AWS advises them. */
type ZeroRecords = 'off' | 'oneDimension' | 'all';

/** What becomes of usage that is found after its hour was sealed. */
export type LateUsage = 'carry' | 'hold';

/** Pure contracts are never metered; contracts with consumption only beyond what they include. */
export type PricingModel = 'subscription' | 'contract' | 'contractWithConsumption';

export interface Product {
  readonly productCode: string;
  readonly title: string;
  readonly pricingModel: PricingModel;
  readonly identityStyle: IdentityStyle;
  /** The one region to which usage of this product is ever sent: AWS removes duplicates per region only. */
  readonly meteringRegion: string;
  /** API names as listed. An empty list means that any dimension is let in and AWS is the judge. */
  readonly dimensions: readonly string[];
  readonly zeroRecords: ZeroRecords;
  readonly lateUsage: LateUsage;
}

export type Products = ReadonlyMap<string, Product>;

export function hasDimension(product: Product, dimension: string): boolean {
  return product.dimensions.length === 0 || product.dimensions.includes(dimension);
}
