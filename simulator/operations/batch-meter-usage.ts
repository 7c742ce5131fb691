// BatchMeterUsage: every record of a call is judged before any is billed.
import { canonicalAllocations, checkAllocations } from '../rules/allocations.ts';
import { isHonoured, licenceVerdict, type Verdict } from '../rules/standing.ts';
import { isInBatchWindow } from '../rules/time-window.ts';
import { WireError } from '../wire-error.ts';
import { type Agreement, agreementsOfCustomer } from '../world/agreements.ts';
import { findLicence, licencesOfAccount } from '../world/licences.ts';
import { findProduct, isMetered, type Product } from '../world/products.ts';
import { addRecord, findRecord, hourOf } from '../world/records.ts';
import type { World } from '../world/world.ts';
import { type BatchMeterUsageRequest, readBatchMeterUsage, type UsageRecord } from './request-shapes.ts';

interface RecordResult {
  readonly UsageRecord: Readonly<Record<string, unknown>>;
  readonly MeteringRecordId?: string;
  readonly Status: string;
}

/** The answer as it goes on the wire. Each record of the request is in exactly one of the lists. */
export interface BatchMeterUsageAnswer {
  readonly Results: readonly RecordResult[];
  readonly UnprocessedRecords: readonly Readonly<Record<string, unknown>>[];
}

/** Whose usage a record is, and whether AWS honours it. */
interface Identified {
  readonly record: UsageRecord;
  readonly product: Product;
  readonly agreement: Agreement | undefined;
  readonly verdict: Verdict;
  readonly billingKey: string;
}

/**
 * Bills the records of one call. Any record that breaks a rule throws and nothing of the call is billed; what the
 * rules allow is answered record by record. The first quantity of a key stays: licence (or product and customer),
 * dimension and hour, in one region. A repeat of the same record bills nothing and answers as the switches say.
 * Only the first `keep` records are processed, the rest is handed back as unprocessed.
 * (AWS: API reference BatchMeterUsage, UsageRecord, UsageRecordResult; "Metering for usage".)
 */
export function batchMeterUsage(world: World, region: string, body: unknown, keep: number): BatchMeterUsageAnswer {
  const request = readBatchMeterUsage(body);
  const named = request.productCode === undefined ? undefined : findProduct(world, request.productCode);
  if (request.productCode !== undefined && named === undefined) {
    throw new WireError('InvalidProductCodeException', `There is no product with the code ${request.productCode}.`);
  }
  const identified = request.records.map((record) => identify(world, region, request, named, record));
  if (new Set(identified.map(({ product }) => product.productCode)).size > 1) {
    throw new WireError('InvalidLicenseException', 'The licenses in one request must belong to one product.');
  }
  for (const { record, product } of identified) checkRecord(world, record, product);
  // After the window: what is too old for any licence is blamed on its age.
  if (identified.some(({ verdict }) => verdict === 'InvalidLicenseException')) {
    throw new WireError('InvalidLicenseException', 'The license takes no such usage, or not at this time.');
  }
  return {
    Results: identified.slice(0, keep).map((entry) => bill(world, region, entry)),
    UnprocessedRecords: identified.slice(keep).map(({ record }) => record.sent),
  };
}

/**
 * Finds out by which style a record names its customer, and refuses a record that names none, two, or one of each
 * style.
 */
function identify(
  world: World,
  region: string,
  request: BatchMeterUsageRequest,
  named: Product | undefined,
  record: UsageRecord,
): Identified {
  if (record.customerIdentifier !== undefined && record.customerAwsAccountId !== undefined) {
    refuseCustomer('CustomerIdentifier and CustomerAWSAccountId exclude each other.');
  }
  if (record.licenceArn !== undefined) return byLicence(world, region, named, record, record.licenceArn);
  if (named === undefined) {
    const none = request.records.every(({ licenceArn }) => licenceArn === undefined);
    const code = none ? 'InvalidProductCodeException' : 'InvalidLicenseException';
    throw new WireError(code, 'A record without LicenseArn needs the ProductCode of the request.');
  }
  return byCustomer(world, region, named, record);
}

/**
 * The new style (AWS: Concurrent Agreements): the licence says product and agreement, the account has to match it.
 */
function byLicence(
  world: World,
  region: string,
  named: Product | undefined,
  record: UsageRecord,
  licenceArn: string,
): Identified {
  if (named !== undefined && world.switches.productCodeWithLicence === 'refuse') {
    const advice = 'ProductCode is not supported together with LicenseArn: leave ProductCode out.';
    throw new WireError('InvalidProductCodeException', advice);
  }
  const licence = findLicence(world, licenceArn);
  const product = licence === undefined ? undefined : findProduct(world, licence.agreement.productCode);
  if (licence === undefined || product === undefined) {
    throw new WireError('InvalidLicenseException', `The license ${licenceArn.slice(0, 200)} is not known.`);
  }
  if (named !== undefined && named.productCode !== product.productCode) {
    throw new WireError('InvalidLicenseException', 'The license belongs to another product than ProductCode names.');
  }
  if (record.customerIdentifier !== undefined) refuseCustomer('A license needs CustomerAWSAccountId.');
  if (record.customerAwsAccountId === undefined) refuseCustomer('CustomerAWSAccountId is missing.');
  if (record.customerAwsAccountId !== licence.agreement.awsAccountId) {
    throw new WireError('InvalidLicenseException', 'The license does not match the customer.');
  }
  const verdict =
    contractVerdict(world, product) ?? licenceVerdict(licence, record.timestampMs, world.now(), world.switches);
  const identity = ['licence', licenceArn, licence.agreement.awsAccountId];
  return { record, product, agreement: licence.agreement, verdict, billingKey: billingKeyOf(region, identity, record) };
}

/**
 * The legacy style: the request's product, and a customer by identifier or account. Both name the same customer, so
 * both lead to one billing key.
 */
function byCustomer(world: World, region: string, product: Product, record: UsageRecord): Identified {
  if (product.identityStyle === 'licence') {
    if (record.customerIdentifier !== undefined)
      refuseCustomer('CustomerIdentifier is not supported for this product.');
    throw new WireError('InvalidLicenseException', 'This product is metered by LicenseArn.');
  }
  const { customerIdentifier, customerAwsAccountId } = record;
  if (customerIdentifier === undefined && customerAwsAccountId === undefined) {
    refuseCustomer('CustomerIdentifier or CustomerAWSAccountId is needed.');
  }
  const account = customerAwsAccountId ?? accountOf(world, customerIdentifier ?? '');
  const licences = account === undefined ? [] : licencesOfAccount(world, product.productCode, account);
  const { switches } = world;
  const honouring = licences.find((licence) => isHonoured(licence, record.timestampMs, world.now(), switches));
  const identity = ['customer', product.productCode, account ?? customerIdentifier ?? ''];
  return {
    record,
    product,
    agreement: (honouring ?? licences[0])?.agreement,
    // Without a licence to blame, there is one verdict on what is not honoured.
    verdict: honouring === undefined || product.pricing === 'contract' ? 'CustomerNotSubscribed' : 'accept',
    billingKey: billingKeyOf(region, identity, record),
  };
}

/** The account behind a legacy identifier. AWS's texts name both an exception and a status for an unknown one. */
function accountOf(world: World, customerIdentifier: string): string | undefined {
  const account = agreementsOfCustomer(world, customerIdentifier)[0]?.awsAccountId;
  if (account === undefined && world.switches.unknownCustomer === 'InvalidCustomerIdentifierException') {
    refuseCustomer('There is no such customer identifier.');
  }
  return account;
}

/** The rules that a record breaks for the whole call. The order is the one that README.md states. */
function checkRecord(world: World, record: UsageRecord, product: Product): void {
  if (!isMetered(product, record.dimension) && !isBlamedOnContract(world, product, record.dimension)) {
    const name = record.dimension.slice(0, 200);
    throw new WireError('InvalidUsageDimensionException', `The product has no usage dimension ${name}.`);
  }
  checkAllocations(record.quantity, record.allocations, world.switches.tagLimit);
  if (!isInBatchWindow(record.timestampMs, world.now(), world.switches)) {
    const sent = String(record.sent['Timestamp']);
    throw new WireError('TimestampOutOfBoundsException', `The timestamp ${sent} is out of the allowed range.`);
  }
}

/** AWS: a pure contract is never metered, and no text says what an attempt is answered. */
function contractVerdict(world: World, product: Product): Verdict | undefined {
  const { contractMetering } = world.switches;
  if (product.pricing !== 'contract') return undefined;
  return contractMetering === 'CustomerNotSubscribed' ? 'CustomerNotSubscribed' : 'InvalidLicenseException';
}

/** Whether the switch blames usage of a contract's own dimension on something else than the dimension. */
function isBlamedOnContract({ switches }: World, { pricing, dimensions }: Product, dimension: string): boolean {
  if (pricing !== 'contract' || switches.contractMetering === 'InvalidUsageDimensionException') return false;
  return dimensions.some(({ key }) => key === dimension);
}

/**
 * Judges one record of a call that is well formed, and bills it if it is the first of its key. Writes at most one
 * row.
 */
function bill(world: World, region: string, entry: Identified): RecordResult {
  const { record, agreement, verdict, billingKey } = entry;
  const { switches } = world;
  const allocations = canonicalAllocations(record.allocations);
  const billed = findRecord(world, billingKey);
  const refused = verdict !== 'accept' || agreement === undefined;
  if (refused && (billed === undefined || switches.resendAfterEnd === 'CustomerNotSubscribed')) {
    return { UsageRecord: record.sent, Status: 'CustomerNotSubscribed' };
  }
  if (billed !== undefined) {
    const identical = billed.quantity === record.quantity && billed.allocations === allocations;
    return identical && switches.identicalResend === 'Success'
      ? { UsageRecord: record.sent, MeteringRecordId: billed.meteringRecordId, Status: 'Success' }
      : { UsageRecord: record.sent, Status: 'DuplicateRecord' };
  }
  if (agreement === undefined) return { UsageRecord: record.sent, Status: 'CustomerNotSubscribed' };
  const meteringRecordId = addRecord(world, {
    billingKey,
    region,
    productCode: entry.product.productCode,
    licenceArn: agreement.licenceArn,
    awsAccountId: agreement.awsAccountId,
    customerIdentifier: agreement.customerIdentifier,
    dimension: record.dimension,
    timestampMs: record.timestampMs,
    quantity: record.quantity,
    allocations,
  });
  return { UsageRecord: record.sent, MeteringRecordId: meteringRecordId, Status: 'Success' };
}

/** AWS's key of de-duplication as text. JSON keeps parts apart that hold any character. */
function billingKeyOf(region: string, identity: readonly string[], record: UsageRecord): string {
  return JSON.stringify([region, ...identity, record.dimension, hourOf(record.timestampMs)]);
}

function refuseCustomer(message: string): never {
  throw new WireError('InvalidCustomerIdentifierException', message);
}
