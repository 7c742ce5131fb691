// Control: what is asked of agreements, checked against their state and their product.
import { isJsonObject } from '../json.ts';
import { type Agreement, type Entitlement, isEnded } from '../world/agreements.ts';
import { entitledDimensions, findProduct, type Product, type ValueType } from '../world/products.ts';
import type { World } from '../world/world.ts';
import { conflict, invalid, objectWith, requiredText } from './input.ts';

const DAY_MS = 86_400_000;
const INTEGER_MAX = 2_147_483_647;

export const LICENCE_ARN = /^arn:aws[a-zA-Z-]*:[\w.-]+:[\w.-]*:[\w.-]*:[\w][\w:/+=,@.-]{0,1023}$/;

/** What a contract grants, as `[{dimension, value}]`; undefined where nothing is said. */
export function readEntitlements(product: Product, value: unknown): Entitlement[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalid('entitlements must be a list such as [{"dimension":"seats","value":5}].');
  const entitlements = value.map((entry: unknown) => readEntitlement(product, entry));
  if (new Set(entitlements.map(({ dimension }) => dimension)).size < entitlements.length) {
    throw invalid('Two entitlements name the same dimension: each must be named once.');
  }
  return entitlements;
}

function readEntitlement(product: Product, entry: unknown): Entitlement {
  if (!isJsonObject(entry))
    throw invalid('Each entitlement must be an object, such as {"dimension":"seats","value":5}.');
  const wanted = objectWith(entry, ['dimension', 'value']);
  const name = requiredText(wanted, 'dimension');
  const dimension = entitledDimensions(product).find(({ key }) => key === name);
  if (dimension === undefined) throw invalid(`The product entitles to no dimension ${name}.`);
  const { valueType = 'Integer' } = dimension;
  const { value } = wanted;
  if (isValue(valueType, value)) return { dimension: name, value };
  throw invalid(`The value of ${name} must be ${VALUE_WORDS[valueType]}.`);
}

const VALUE_WORDS: Readonly<Record<ValueType, string>> = {
  Integer: `a whole number from 0 to ${INTEGER_MAX}`,
  Double: 'a number',
  Boolean: 'true or false',
  String: 'text',
};

function isValue(type: ValueType, value: unknown): value is Entitlement['value'] {
  switch (type) {
    case 'Integer':
      return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= INTEGER_MAX;
    case 'Double':
      return typeof value === 'number';
    case 'Boolean':
      return typeof value === 'boolean';
    case 'String':
      return typeof value === 'string' && value.length <= 255;
  }
}

/** The agreement where it has not ended; refuses it otherwise. */
export function running(world: World, agreement: Agreement): Agreement {
  if (!isEnded(agreement, world.now())) return agreement;
  throw conflict('AgreementEnded', 'The agreement has ended, and what has ended does not change: subscribe anew.');
}

export function productOf(world: World, { productCode }: Agreement): Product {
  const product = findProduct(world, productCode);
  if (product === undefined) throw conflict('NotListed', `The product ${productCode} is not listed any more.`);
  return product;
}

/** A shorter term would renew itself more often than a clock that leaps can follow. */
export function refuseShortTerm(startMs: number, endMs: number | undefined): void {
  if (endMs !== undefined && endMs - startMs >= DAY_MS) return;
  throw invalid('autoRenew needs an agreed end, a day after the start or later: send endAt.');
}
