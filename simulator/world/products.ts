// Products that sellers list, with their priced dimensions.
import { isJsonObject, parseJson } from '../json.ts';
import { type Row, textOf } from './database.ts';
import type { World } from './world.ts';

export const IDENTITY_STYLES = ['licence', 'legacy'] as const;
export const PRICING_MODELS = ['subscription', 'contract', 'contractWithConsumption', 'usage', 'free'] as const;
export const DIMENSION_TYPES = ['ExternallyMetered', 'Entitled'] as const;

type DimensionType = (typeof DIMENSION_TYPES)[number];

export interface Dimension {
  readonly key: string;
  readonly description: string;
  /** A decimal number as text: money never passes through a binary fraction on its way in. */
  readonly unitPriceUsd?: string;
  readonly types: readonly DimensionType[];
}

/**
 * A listing. `identityStyle` says how its usage names customers: by licence (listed since June 2026), or the legacy
 * way.
 */
export interface Product {
  readonly productCode: string;
  readonly productId: string;
  readonly title: string;
  readonly identityStyle: (typeof IDENTITY_STYLES)[number];
  readonly pricing: (typeof PRICING_MODELS)[number];
  readonly fulfillmentUrl: string;
  readonly dimensions: readonly Dimension[];
}

/** Lists a product, or replaces what was listed under its code; agreements and records stay. */
export function putProduct(world: World, product: Product): void {
  world.db.run(
    'INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?, ?, ?, ?)',
    product.productCode,
    product.productId,
    product.title,
    product.identityStyle,
    product.pricing,
    product.fulfillmentUrl,
    JSON.stringify(product.dimensions),
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

function toProduct(row: Row): Product {
  const dimensions = parseJson(textOf(row, 'dimensions'))?.value;
  return {
    productCode: textOf(row, 'product_code'),
    productId: textOf(row, 'product_id'),
    title: textOf(row, 'title'),
    identityStyle: textOf(row, 'identity_style') === 'legacy' ? 'legacy' : 'licence',
    pricing: PRICING_MODELS.find((model) => model === row['pricing']) ?? 'subscription',
    fulfillmentUrl: textOf(row, 'fulfillment_url'),
    dimensions: Array.isArray(dimensions) ? dimensions.filter(isDimension) : [],
  };
}

function isDimension(value: unknown): value is Dimension {
  return isJsonObject(value) && typeof value['key'] === 'string' && Array.isArray(value['types']);
}
