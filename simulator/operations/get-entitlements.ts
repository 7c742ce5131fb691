// GetEntitlements: what the contracts of a product's buyers entitle them to now.
import { createHmac } from 'node:crypto';
import { isJsonObject, parseJson } from '../json.ts';
import { WireError } from '../wire-error.ts';
import {
  type Agreement,
  agreementsOfAccount,
  agreementsOfCustomer,
  agreementsOfLicence,
  agreementsOfProduct,
  type Entitlement,
  isEnded,
} from '../world/agreements.ts';
import { findProduct, isContract, type Product } from '../world/products.ts';
import type { World } from '../world/world.ts';
import { type GetEntitlementsRequest, readGetEntitlements } from './request-shapes.ts';

interface EntitlementOnWire {
  readonly ProductCode: string;
  readonly Dimension: string;
  readonly CustomerIdentifier?: string;
  readonly CustomerAWSAccountId: string;
  readonly LicenseArn: string;
  readonly Value: Readonly<Record<string, number | boolean | string>>;
  /** Epoch seconds. */
  readonly ExpirationDate: number;
}

interface GetEntitlementsAnswer {
  readonly Entitlements: readonly EntitlementOnWire[];
  readonly NextToken?: string;
}

/** One entitlement and its place in the order of all, which no change of others moves. */
interface Placed {
  readonly place: string;
  readonly entitlement: EntitlementOnWire;
}

// AWS: what stands for an end that an agreement does not have.
const NO_END_SECONDS = 253_370_764_800;
const SEAL_BYTES = 16;

/**
 * Answers a page of the entitlements that hold now: of agreements whose licence was given and that have not ended. The
 * values of a filter are alternatives, filters narrow each other. A token leads on from where its page ended, under
 * the same request. (AWS: API reference GetEntitlements; "Integrating your SaaS contract product".)
 */
export function getEntitlements(world: World, body: unknown): GetEntitlementsAnswer {
  const request = readGetEntitlements(body);
  const { productCode, filter, maxResults } = request;
  if (filter.has('CUSTOMER_IDENTIFIER') && filter.has('CUSTOMER_AWS_ACCOUNT_ID')) {
    throw invalidParameter('CUSTOMER_IDENTIFIER and CUSTOMER_AWS_ACCOUNT_ID exclude each other.');
  }
  const product = findProduct(world, productCode);
  if (product === undefined) throw invalidParameter('There is no product with this code.');
  const after = placeOf(world, request);
  // AWS: keep paging, since an empty page may carry a token.
  if (after === undefined && world.switches.emptyEntitlementPage === 'first') {
    return { Entitlements: [], NextToken: tokenOf(world, request, '') };
  }
  const left = entitlementsOf(world, product, request).filter(({ place }) => place > (after ?? ''));
  const page = left.slice(0, maxResults);
  const last = page.at(-1);
  return {
    Entitlements: page.map(({ entitlement }) => entitlement),
    ...(last !== undefined && left.length > page.length && { NextToken: tokenOf(world, request, last.place) }),
  };
}

/** All that fit the filter, in the order of their places. */
function entitlementsOf(world: World, product: Product, { filter }: GetEntitlementsRequest): Placed[] {
  if (!isContract(product)) return [];
  const nowMs = world.now();
  const fits = (key: Parameters<typeof filter.get>[0], value: string | undefined): boolean =>
    filter.get(key)?.includes(value ?? '') ?? true;
  return candidates(world, product, filter)
    .filter((agreement) => {
      const given = agreement.provisionedMs !== undefined && agreement.provisionedMs <= nowMs;
      return given && !isEnded(agreement, nowMs) && agreement.productCode === product.productCode;
    })
    .filter(
      (agreement) =>
        fits('CUSTOMER_IDENTIFIER', agreement.customerIdentifier) &&
        fits('CUSTOMER_AWS_ACCOUNT_ID', agreement.awsAccountId) &&
        fits('LICENSE_ARN', agreement.licenceArn),
    )
    .toSorted((one, other) => (one.agreementId < other.agreementId ? -1 : 1))
    .flatMap((agreement) =>
      agreement.entitlements
        .map((entitlement, index) => ({
          place: `${agreement.agreementId} ${String(index).padStart(4, '0')}`,
          entitlement: onWire(product, agreement, entitlement),
        }))
        .filter(({ entitlement }) => fits('DIMENSION', entitlement.Dimension)),
    );
}

/** The agreements that the narrowest filter names, each once; those of the whole product where there is none. */
function candidates(world: World, product: Product, filter: GetEntitlementsRequest['filter']): Agreement[] {
  const { productCode } = product;
  const unique = (values: readonly string[] | undefined): string[] | undefined => values && [...new Set(values)];
  return (
    unique(filter.get('LICENSE_ARN'))?.flatMap((arn) => agreementsOfLicence(world, arn)) ??
    unique(filter.get('CUSTOMER_AWS_ACCOUNT_ID'))?.flatMap((id) => agreementsOfAccount(world, productCode, id)) ??
    unique(filter.get('CUSTOMER_IDENTIFIER'))?.flatMap((id) => agreementsOfCustomer(world, id)) ??
    agreementsOfProduct(world, productCode)
  );
}

function onWire(product: Product, agreement: Agreement, { dimension, value }: Entitlement): EntitlementOnWire {
  const { customerIdentifier, termEndMs } = agreement;
  const type = product.dimensions.find(({ key }) => key === dimension)?.valueType ?? 'Integer';
  return {
    ProductCode: product.productCode,
    Dimension: dimension,
    ...(customerIdentifier !== undefined && { CustomerIdentifier: customerIdentifier }),
    CustomerAWSAccountId: agreement.awsAccountId,
    LicenseArn: agreement.licenceArn,
    Value: { [`${type}Value`]: value },
    ExpirationDate: termEndMs === undefined ? NO_END_SECONDS : Math.floor(termEndMs / 1000),
  };
}

/** A token is its place, sealed with the request that it belongs to, so that none is stored. */
function tokenOf(world: World, request: GetEntitlementsRequest, place: string): string {
  return Buffer.from(JSON.stringify({ place, seal: sealOf(world, request, place) })).toString('base64url');
}

/** Where the page before has ended, or undefined on the first one. Refuses what no page of this request gave out. */
function placeOf(world: World, request: GetEntitlementsRequest): string | undefined {
  if (request.nextToken === undefined) return undefined;
  const read = parseJson(Buffer.from(request.nextToken, 'base64url').toString())?.value;
  const { place, seal } = isJsonObject(read) ? read : {};
  if (typeof place === 'string' && seal === sealOf(world, request, place)) return place;
  throw invalidParameter('The NextToken belongs to no page of this request.');
}

function sealOf(world: World, { productCode, filter }: GetEntitlementsRequest, place: string): string {
  const text = JSON.stringify(['entitlements', productCode, [...filter].toSorted(), place]);
  return createHmac('sha256', world.tokenKey).update(text).digest().subarray(0, SEAL_BYTES).toString('base64url');
}

function invalidParameter(message: string): WireError {
  return new WireError('InvalidParameterException', message);
}
