// The members of the five requests with AWS's lengths, ranges and patterns (service models
// meteringmarketplace-2016-01-14 and entitlement.marketplace-2017-01-11).
import {
  type Members,
  optionalBoolean,
  optionalInteger,
  optionalString,
  optionalStructures,
  optionalTextLists,
  refuseProblems,
  requestMembers,
  requiredInteger,
  requiredString,
  requiredStructures,
  requiredTimestampMs,
} from '../members.ts';
import type { Allocation, Tag } from '../rules/allocations.ts';

const RECORDS_PER_CALL = 25;
const ENTITLEMENTS_PER_PAGE = 25;
const QUANTITY_MAX = 2_147_483_647;
const ALLOCATIONS_MAX = 2500;
const UNLIMITED = Number.MAX_SAFE_INTEGER;

const PRODUCT_CODE = { min: 0, max: 255, pattern: /^[-a-zA-Z0-9/=:_.@]*$/ };
const DIMENSION = { min: 1, max: 255 };
const CUSTOMER_IDENTIFIER = { min: 0, max: 255 };
const ACCOUNT_ID = { min: 1, max: 255, pattern: /^[0-9]+$/ };
const CLIENT_TOKEN = { min: 1, max: 64 };
const NONCE = { min: 0, max: 255 };
// Tags and licence ARNs have exceptions of their own, so their lengths and patterns are judged with the rules.
const ANY_TEXT = { min: 0, max: UNLIMITED };

export interface UsageRecord {
  /** The record as it was sent, members that AWS does not know left out: AWS answers with it. */
  readonly sent: Readonly<Record<string, unknown>>;
  readonly timestampMs: number;
  readonly dimension: string;
  readonly quantity: number;
  readonly customerIdentifier: string | undefined;
  readonly customerAwsAccountId: string | undefined;
  readonly licenceArn: string | undefined;
  readonly allocations: readonly Allocation[] | undefined;
}

export interface BatchMeterUsageRequest {
  readonly productCode: string | undefined;
  readonly records: readonly UsageRecord[];
}

/** Reads a BatchMeterUsage request, or throws a ValidationException that names every faulty member. */
export function readBatchMeterUsage(body: unknown): BatchMeterUsageRequest {
  const members = requestMembers(body);
  const productCode = optionalString(members, 'ProductCode', PRODUCT_CODE);
  const records = requiredStructures(members, 'UsageRecords', 0, RECORDS_PER_CALL).map(readUsageRecord);
  refuseProblems(members);
  return { productCode, records };
}

function readUsageRecord(members: Members): UsageRecord {
  const record = {
    timestampMs: requiredTimestampMs(members, 'Timestamp'),
    dimension: requiredString(members, 'Dimension', DIMENSION),
    quantity: optionalInteger(members, 'Quantity', 0, QUANTITY_MAX),
    customerIdentifier: optionalString(members, 'CustomerIdentifier', CUSTOMER_IDENTIFIER),
    customerAwsAccountId: optionalString(members, 'CustomerAWSAccountId', ACCOUNT_ID),
    licenceArn: optionalString(members, 'LicenseArn', ANY_TEXT),
    allocations: readAllocations(members),
  };
  const sent = {
    Timestamp: members.source['Timestamp'],
    CustomerIdentifier: record.customerIdentifier,
    Dimension: record.dimension,
    Quantity: record.quantity,
    UsageAllocations: record.allocations?.map(({ quantity, tags }) => ({
      AllocatedUsageQuantity: quantity,
      Tags: tags?.map(({ key, value }) => ({ Key: key, Value: value })),
    })),
    CustomerAWSAccountId: record.customerAwsAccountId,
    LicenseArn: record.licenceArn,
  };
  return { ...record, quantity: record.quantity ?? 0, sent };
}

/** Reads a ResolveCustomer request, or throws as readBatchMeterUsage does. */
export function readResolveCustomer(body: unknown): { readonly registrationToken: string } {
  const members = requestMembers(body);
  const registrationToken = requiredString(members, 'RegistrationToken', { min: 1, max: UNLIMITED });
  refuseProblems(members);
  return { registrationToken };
}

export interface MeterUsageRequest {
  readonly productCode: string;
  readonly timestampMs: number;
  readonly dimension: string;
  readonly quantity: number;
  readonly dryRun: boolean;
  readonly allocations: readonly Allocation[] | undefined;
  readonly clientToken: string | undefined;
}

/** Reads a MeterUsage request, or throws as readBatchMeterUsage does. */
export function readMeterUsage(body: unknown): MeterUsageRequest {
  const members = requestMembers(body);
  const request = {
    productCode: requiredString(members, 'ProductCode', PRODUCT_CODE),
    timestampMs: requiredTimestampMs(members, 'Timestamp'),
    dimension: requiredString(members, 'UsageDimension', DIMENSION),
    quantity: optionalInteger(members, 'UsageQuantity', 0, QUANTITY_MAX) ?? 0,
    dryRun: optionalBoolean(members, 'DryRun') ?? false,
    allocations: readAllocations(members),
    clientToken: optionalString(members, 'ClientToken', CLIENT_TOKEN),
  };
  refuseProblems(members);
  return request;
}

interface RegisterUsageRequest {
  readonly productCode: string;
  readonly publicKeyVersion: number;
  readonly nonce: string | undefined;
}

/** Reads a RegisterUsage request, or throws as readBatchMeterUsage does. */
export function readRegisterUsage(body: unknown): RegisterUsageRequest {
  const members = requestMembers(body);
  const request = {
    productCode: requiredString(members, 'ProductCode', PRODUCT_CODE),
    publicKeyVersion: requiredInteger(members, 'PublicKeyVersion', 1, QUANTITY_MAX),
    nonce: optionalString(members, 'Nonce', NONCE),
  };
  refuseProblems(members);
  return request;
}

const ENTITLEMENT_FILTERS = ['CUSTOMER_IDENTIFIER', 'CUSTOMER_AWS_ACCOUNT_ID', 'LICENSE_ARN', 'DIMENSION'] as const;

export interface GetEntitlementsRequest {
  readonly productCode: string;
  /** The values of each named filter. */
  readonly filter: ReadonlyMap<(typeof ENTITLEMENT_FILTERS)[number], readonly string[]>;
  readonly maxResults: number;
  readonly nextToken: string | undefined;
}

/** Reads a GetEntitlements request, or throws an InvalidParameterException that names every faulty member. */
export function readGetEntitlements(body: unknown): GetEntitlementsRequest {
  const members = requestMembers(body);
  const request = {
    productCode: requiredString(members, 'ProductCode', { min: 1, max: 255 }),
    filter: optionalTextLists(members, 'Filter', ENTITLEMENT_FILTERS),
    maxResults: optionalInteger(members, 'MaxResults', 1, ENTITLEMENTS_PER_PAGE) ?? ENTITLEMENTS_PER_PAGE,
    nextToken: optionalString(members, 'NextToken', { min: 0, max: UNLIMITED, pattern: /\S+/ }),
  };
  refuseProblems(members, 'InvalidParameterException');
  return request;
}

function readAllocations(members: Members): Allocation[] | undefined {
  return optionalStructures(members, 'UsageAllocations', 1, ALLOCATIONS_MAX)?.map((allocation) => ({
    quantity: requiredInteger(allocation, 'AllocatedUsageQuantity', 0, QUANTITY_MAX),
    tags: optionalStructures(allocation, 'Tags', 0, UNLIMITED)?.map(readTag),
  }));
}

function readTag(members: Members): Tag {
  return { key: requiredString(members, 'Key', ANY_TEXT), value: requiredString(members, 'Value', ANY_TEXT) };
}
