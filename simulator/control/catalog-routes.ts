// Control: products and the compute that MeterUsage and RegisterUsage callers run on.
import { isJsonObject } from '../json.ts';
import { PLATFORMS, putCompute } from '../world/compute.ts';
import {
  AS_USUAL,
  DIMENSION_TYPES,
  type Dimension,
  IDENTITY_STYLES,
  listProducts,
  NOTICE_CHANNELS,
  PRICING_MODELS,
  type Product,
  putProduct,
  SELLER,
  usualNotices,
  VALUE_TYPES,
} from '../world/products.ts';
import { listSigningKeys, rotateSigningKeys } from '../world/signing-keys.ts';
import type { World } from '../world/world.ts';
import { DELIVERY_MEMBERS, optionalDelivery } from './delivery.ts';
import { invalid, objectWith, optionalChoice, optionalHttpUrl, optionalText, requiredText } from './input.ts';
import type { Route } from './route.ts';

const PRODUCT_MEMBERS = [
  'title',
  'productId',
  'identityStyle',
  'dimensions',
  'fulfillmentUrl',
  'pricing',
  'sellerAccountId',
  'sellerName',
  'notices',
  ...DELIVERY_MEMBERS,
];
const DIMENSION_MEMBERS = ['key', 'description', 'unitPriceUsd', 'types', 'valueType'];
const COMPUTE_MEMBERS = ['platform', 'region', 'awsAccountId', 'instanceId'];

// AWS: "up to 200 dimensions" for a SaaS subscription product.
const DIMENSIONS_MAX = 200;

/** What a dimension of a product is, where nothing is said of it. */
const USUAL_TYPES: Readonly<Record<Product['pricing'], Dimension['types']>> = {
  subscription: ['ExternallyMetered'],
  usage: ['ExternallyMetered'],
  free: ['ExternallyMetered'],
  contract: ['Entitled'],
  contractWithConsumption: ['ExternallyMetered', 'Entitled'],
};

export const catalogRoutes: readonly Route[] = [
  { method: 'GET', path: '/control/products', run: (world) => ({ products: listProducts(world) }) },
  {
    method: 'PUT',
    path: '/control/products/:productCode',
    run: (world, { params, body }) => {
      const wanted = objectWith(body, PRODUCT_MEMBERS);
      const productCode = requiredText(params, 'id', /^[-a-zA-Z0-9/=:_.@]{1,255}$/);
      const pricing = optionalChoice(wanted, 'pricing', PRICING_MODELS) ?? 'subscription';
      const identityStyle = optionalChoice(wanted, 'identityStyle', IDENTITY_STYLES) ?? 'licence';
      const product: Product = {
        productCode,
        productId: optionalText(wanted, 'productId') ?? `prod-${productCode}`,
        title: requiredText(wanted, 'title'),
        identityStyle,
        pricing,
        fulfillmentUrl: optionalHttpUrl(wanted, 'fulfillmentUrl') ?? world.fulfillmentUrl,
        dimensions: readDimensions(wanted['dimensions'], USUAL_TYPES[pricing]),
        sellerAccountId: optionalText(wanted, 'sellerAccountId', /^\d{12}$/) ?? SELLER.sellerAccountId,
        sellerName: optionalText(wanted, 'sellerName') ?? SELLER.sellerName,
        notices: optionalChoice(wanted, 'notices', NOTICE_CHANNELS) ?? usualNotices(identityStyle),
        ...(optionalDelivery(wanted) ?? AS_USUAL),
      };
      if (identityStyle === 'licence' && product.notices !== 'eventbridge') {
        throw invalid(
          'notices must be eventbridge here: SNS names buyers by CustomerIdentifier, which only legacy has.',
        );
      }
      putProduct(world, product);
      return product;
    },
  },
  {
    method: 'PUT',
    path: '/control/compute/:accessKeyId',
    run: (world, { params, body }) => {
      const wanted = objectWith(body, COMPUTE_MEMBERS);
      const platform = optionalChoice(wanted, 'platform', PLATFORMS);
      if (platform === undefined) throw invalid(`platform is missing: send one of ${PLATFORMS.join(', ')}.`);
      const compute = {
        accessKeyId: requiredText(params, 'id', /^\w{1,128}$/),
        platform,
        region: optionalText(wanted, 'region') ?? world.region,
        awsAccountId: requiredText(wanted, 'awsAccountId', /^\d{12}$/),
        instanceId: requiredText(wanted, 'instanceId'),
      };
      putCompute(world, compute);
      return compute;
    },
  },
  { method: 'GET', path: '/control/public-keys', run: (world) => publicKeys(world) },
  {
    method: 'POST',
    path: '/control/public-keys/rotate',
    run: (world) => {
      rotateSigningKeys(world);
      return publicKeys(world);
    },
  },
];

function publicKeys(world: World): { publicKeys: unknown[] } {
  const publicKeys = listSigningKeys(world).map(({ version, publicPem, expiredMs }) => ({
    version,
    publicPem,
    ...(expiredMs !== undefined && { expiredAt: new Date(expiredMs).toISOString() }),
  }));
  return { publicKeys };
}

function readDimensions(value: unknown, defaultTypes: Dimension['types']): Dimension[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > DIMENSIONS_MAX) {
    throw invalid(`dimensions must be a list of 1 to ${DIMENSIONS_MAX} dimensions, such as [{"key":"requests"}].`);
  }
  const dimensions = value.map((entry) => readDimension(entry, defaultTypes));
  if (new Set(dimensions.map(({ key }) => key)).size < dimensions.length) {
    throw invalid('Two dimensions have the same key: each key must be listed once.');
  }
  return dimensions;
}

function readDimension(entry: unknown, defaultTypes: Dimension['types']): Dimension {
  if (!isJsonObject(entry)) throw invalid('Each dimension must be an object, such as {"key":"requests"}.');
  const wanted = objectWith(entry, DIMENSION_MEMBERS);
  const valueType = optionalChoice(wanted, 'valueType', VALUE_TYPES);
  const unitPriceUsd = optionalText(wanted, 'unitPriceUsd', /^\d{1,9}(\.\d{1,12})?$/);
  return {
    key: requiredText(wanted, 'key'),
    description: optionalText(wanted, 'description') ?? '',
    ...(unitPriceUsd !== undefined && { unitPriceUsd }),
    types: readTypes(wanted['types']) ?? defaultTypes,
    ...(valueType !== undefined && { valueType }),
  };
}

function readTypes(value: unknown): Dimension['types'] | undefined {
  if (value === undefined || value === null) return undefined;
  const types = DIMENSION_TYPES.filter((type) => Array.isArray(value) && value.includes(type));
  if (!Array.isArray(value) || types.length === 0 || types.length < value.length) {
    throw invalid(`types must be a list out of ${DIMENSION_TYPES.join(', ')}.`);
  }
  return types;
}
