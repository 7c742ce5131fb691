// Products that sellers list, with their priced dimensions.
import { isJsonObject, parseJson } from '../json.ts';
import { type Row, textOf } from './database.ts';
import type { World } from './world.ts';

export const IDENTITY_STYLES = ['licence', 'legacy'] as const;
export const PRICING_MODELS = ['subscription', 'contract', 'contractWithConsumption', 'usage', 'free'] as const;
export const DIMENSION_TYPES = ['ExternallyMetered', 'Entitled'] as const;
export const VALUE_TYPES = ['Integer', 'Double', 'Boolean', 'String'] as const;
export const NOTICE_CHANNELS = ['eventbridge', 'sns', 'both'] as const;
export const DELIVERIES = ['asUsual', 'early', 'twice', 'reordered', 'late'] as const;

type DimensionType = (typeof DIMENSION_TYPES)[number];
export type ValueType = (typeof VALUE_TYPES)[number];

export interface Dimension {
  readonly key: string;
  readonly description: string;
  /** A decimal number as text: money never passes through a binary fraction on its way in. */
  readonly unitPriceUsd?: string;
  readonly types: readonly DimensionType[];
  /** What kind of value an entitlement to it has; Integer where absent. */
  readonly valueType?: ValueType;
}

/** How the notices of one action reach the seller; `lateByMs` counts for `late` only. README.md says what each means. */
export interface Delivery {
  readonly deliver: (typeof DELIVERIES)[number];
  readonly lateByMs: number;
}

export const AS_USUAL: Delivery = { deliver: 'asUsual', lateByMs: 0 };

/**
 * A listing. `identityStyle` says how its usage names customers: by licence (listed since June 2026), or the legacy
 * way.
 */
export interface Product extends Delivery {
  readonly productCode: string;
  readonly productId: string;
  readonly title: string;
  readonly identityStyle: (typeof IDENTITY_STYLES)[number];
  readonly pricing: (typeof PRICING_MODELS)[number];
  readonly fulfillmentUrl: string;
  readonly dimensions: readonly Dimension[];
  readonly sellerAccountId: string;
  readonly sellerName: string;
  /** Where AWS sends what happens to its agreements. */
  readonly notices: (typeof NOTICE_CHANNELS)[number];
}

export const SELLER = { sellerAccountId: '123456789012', sellerName: 'Example Seller' };

/** Who is listed since June 2026 is told by EventBridge; older products have their SNS topics as well. */
export function usualNotices(identityStyle: Product['identityStyle']): Product['notices'] {
  return identityStyle === 'legacy' ? 'both' : 'eventbridge';
}

/** Lists a product, or replaces what was listed under its code; agreements and records stay. */
export function putProduct(world: World, product: Product): void {
  world.db.run(
    `INSERT OR REPLACE INTO products (product_code, product_id, title, identity_style, pricing, fulfillment_url,
       dimensions, listing) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    product.productCode,
    product.productId,
    product.title,
    product.identityStyle,
    product.pricing,
    product.fulfillmentUrl,
    JSON.stringify(product.dimensions),
    JSON.stringify({
      sellerAccountId: product.sellerAccountId,
      sellerName: product.sellerName,
      notices: product.notices,
      deliver: product.deliver,
      lateByMs: product.lateByMs,
    }),
  );
}

/** The product of a code, or undefined; codes are case-sensitive. */
export function findProduct(world: World, productCode: string): Product | undefined {
  const row = world.db.one('SELECT * FROM products WHERE product_code = ?', productCode);
  return row === undefined ? undefined : toProduct(row);
}

/** All products in the order of their codes. */
export function listProducts(world: World): Product[] {
  return world.db.all('SELECT * FROM products ORDER BY product_code').map(toProduct);
}

/** Whether usage may be sent for the dimension: names are case-sensitive, and a contract's own units are not metered. */
export function isMetered(product: Product, dimension: string): boolean {
  return product.dimensions.some(({ key, types }) => key === dimension && types.includes('ExternallyMetered'));
}

/** Whether buyers commit to quantities in advance, and GetEntitlements tells them. */
export function isContract(product: Product): boolean {
  return product.pricing === 'contract' || product.pricing === 'contractWithConsumption';
}

/** The dimensions that a contract can entitle to; none where there is no contract. */
export function entitledDimensions(product: Product): readonly Dimension[] {
  return isContract(product) ? product.dimensions.filter(({ types }) => types.includes('Entitled')) : [];
}

function toProduct(row: Row): Product {
  const dimensions = parseJson(textOf(row, 'dimensions'))?.value;
  const listing = parseJson(textOf(row, 'listing'))?.value;
  const { sellerAccountId, sellerName, notices, deliver, lateByMs } = isJsonObject(listing) ? listing : {};
  const identityStyle = textOf(row, 'identity_style') === 'legacy' ? 'legacy' : 'licence';
  return {
    productCode: textOf(row, 'product_code'),
    productId: textOf(row, 'product_id'),
    title: textOf(row, 'title'),
    identityStyle,
    pricing: PRICING_MODELS.find((model) => model === row['pricing']) ?? 'subscription',
    fulfillmentUrl: textOf(row, 'fulfillment_url'),
    dimensions: Array.isArray(dimensions) ? dimensions.filter(isDimension) : [],
    sellerAccountId: typeof sellerAccountId === 'string' ? sellerAccountId : SELLER.sellerAccountId,
    sellerName: typeof sellerName === 'string' ? sellerName : SELLER.sellerName,
    notices: NOTICE_CHANNELS.find((known) => known === notices) ?? usualNotices(identityStyle),
    deliver: DELIVERIES.find((known) => known === deliver) ?? AS_USUAL.deliver,
    lateByMs: typeof lateByMs === 'number' ? lateByMs : AS_USUAL.lateByMs,
  };
}

function isDimension(value: unknown): value is Dimension {
  return isJsonObject(value) && typeof value['key'] === 'string' && Array.isArray(value['types']);
}
