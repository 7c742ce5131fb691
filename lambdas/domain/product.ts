// What the seller lists on AWS Marketplace, and how its usage is to be treated.
import type { IncludedBasis } from './entitlement.ts';
import type { HourStart } from './hour.ts';
import type { Rehearsal } from './ledger.ts';

/**
 * How AWS names a buyer of this product: by licence ARN, or, for products listed before Concurrent Agreements,
 * by product code and customer identifier. The two must never be mixed for one hour: AWS would bill both.
 */
export type IdentityStyle = 'licence' | 'legacy';

/**
 * Which zero-quantity records are sent for hours without usage; AWS advises them. `oneDimension`: the first listed
 * dimension, for a customer who used nothing at all. `all`: each listed dimension that was not used.
 */
export type ZeroRecords = 'off' | 'oneDimension' | 'all';

/** What becomes of usage that is found after its hour was sealed. */
export type LateUsage = 'carry' | 'hold';

/** Pure contracts are never metered; contracts with consumption only beyond what they include. */
export type PricingModel = 'subscription' | 'contract' | 'contractWithConsumption';

/** Hours that are made up as if they were to be billed, and never are, since another pipeline bills them. */
interface RehearsedHours {
  readonly mode: Rehearsal;
  /** The first hour that is billed. Without it, none is. */
  readonly until?: HourStart | undefined;
}

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
  readonly rehearsal?: RehearsedHours | undefined;
  /**
   * How a contract with consumption includes usage, by dimension. Where it says nothing, a dimension that AWS names among
   * the entitlements is included per term, and any other not at all.
   */
  readonly included?: Readonly<Record<string, IncludedBasis>> | undefined;
}

export type Products = ReadonlyMap<string, Product>;

/** How an hour of a product is rehearsed; undefined where it is billed. By hour, whenever the hour is sealed. */
export function rehearsalOf(product: Product | undefined, hour: HourStart): Rehearsal | undefined {
  const { mode, until } = product?.rehearsal ?? {};
  return until === undefined || hour < until ? mode : undefined;
}

/** The dimensions that a licence is owed zero records of, where it used `used` in an hour. */
export function zeroDimensions(
  { zeroRecords, dimensions }: Product,
  used: Readonly<{ has(dimension: string): boolean; size: number }>,
): readonly string[] {
  switch (zeroRecords) {
    case 'off':
      return [];
    case 'oneDimension':
      return used.size === 0 ? dimensions.slice(0, 1) : [];
    case 'all':
      return dimensions.filter((dimension) => !used.has(dimension));
  }
}

export function hasDimension(product: Product, dimension: string): boolean {
  return product.dimensions.length === 0 || product.dimensions.includes(dimension);
}
