// MeterUsage: software that runs in the buyer's own account reports its usage.
import { canonicalAllocations, checkAllocations } from '../rules/allocations.ts';
import { isEntitled } from '../rules/standing.ts';
import { isInMeterWindow } from '../rules/time-window.ts';
import { WireError } from '../wire-error.ts';
import { type Compute, findCompute } from '../world/compute.ts';
import { textOf } from '../world/database.ts';
import { licencesOfAccount } from '../world/licences.ts';
import { findProduct, isMetered } from '../world/products.ts';
import { addRecord, findRecord, hourOf } from '../world/records.ts';
import type { World } from '../world/world.ts';
import { type MeterUsageRequest, readMeterUsage } from './request-shapes.ts';

const METERING_PLATFORMS: readonly string[] = ['ec2', 'ecs', 'eks', 'fargate', 'agentcore'];
// AWS: "MeterUsage region support" lists this region only for AgentCore Runtime.
const AGENTCORE_REGION = 'us-east-1';

/** Who calls, as far as the signature's credential scope tells. */
export interface Caller {
  readonly region: string;
  readonly accessKeyId: string | undefined;
}

/**
 * Bills one record of one instance, task or pod. Outside AgentCore the stamp counts as its hour, an identical repeat
 * answers the first record's id, another quantity is a DuplicateRequestException. Under AgentCore every new
 * ClientToken bills. A ClientToken with other parameters is an IdempotencyConflictException.
 * (AWS: API reference MeterUsage; "MeterUsage region support"; "Container metering with MeterUsage".)
 */
export function meterUsage(world: World, caller: Caller, body: unknown): { MeteringRecordId: string } {
  const request = readMeterUsage(body);
  if (request.dryRun) throw new WireError('DryRunOperation', 'The request would have succeeded, but DryRun is set.');
  const compute = findCompute(world, caller.accessKeyId);
  check(world, caller, request, compute);
  const agentcore = compute?.platform === 'agentcore';
  const timestampMs = agentcore ? request.timestampMs : hourOf(request.timestampMs);
  const allocations = canonicalAllocations(request.allocations);

  const licences = compute === undefined ? [] : licencesOfAccount(world, request.productCode, compute.awsAccountId);
  const agreement = licences.find((licence) => isEntitled(licence, world.now()))?.agreement;
  // A caller on no platform that AWS can tell has no subscription either: the model has no other error for it.
  if (compute === undefined || agreement === undefined || !METERING_PLATFORMS.includes(compute.platform)) {
    throw new WireError('CustomerNotEntitledException', 'The customer has no valid subscription for the product.');
  }
  const { productCode, dimension, quantity, clientToken } = request;
  const parameters = JSON.stringify([productCode, timestampMs, dimension, quantity, allocations ?? null]);
  const answered = earlierAnswer(world, compute.awsAccountId, clientToken, parameters);
  if (answered !== undefined) return { MeteringRecordId: answered };

  const occasion = agentcore ? ['token', clientToken ?? ''] : ['instance', compute.instanceId, timestampMs];
  const billingKey = JSON.stringify([
    caller.region,
    'compute',
    productCode,
    compute.awsAccountId,
    dimension,
    ...occasion,
  ]);
  const billed = findRecord(world, billingKey);
  if (billed !== undefined && (billed.quantity !== quantity || billed.allocations !== allocations)) {
    throw new WireError(
      'DuplicateRequestException',
      'A record with another quantity was already emitted for this dimension and hour.',
    );
  }
  const meteringRecordId =
    billed?.meteringRecordId ??
    addRecord(world, {
      billingKey,
      region: caller.region,
      productCode,
      licenceArn: agreement.licenceArn,
      awsAccountId: agreement.awsAccountId,
      customerIdentifier: agreement.customerIdentifier,
      dimension,
      timestampMs,
      quantity,
      allocations,
    });
  if (clientToken !== undefined) {
    const sql = 'INSERT INTO client_tokens VALUES (?, ?, ?, ?)';
    world.db.run(sql, compute.awsAccountId, clientToken, parameters, meteringRecordId);
  }
  return { MeteringRecordId: meteringRecordId };
}

/** The rules that need no subscription: product, region, dimension, allocations, window. */
function check(world: World, caller: Caller, request: MeterUsageRequest, compute: Compute | undefined): void {
  const product = findProduct(world, request.productCode);
  if (product === undefined) throw new WireError('InvalidProductCodeException', 'There is no product with this code.');
  const agentcore = compute?.platform === 'agentcore';
  if (
    compute !== undefined &&
    (compute.region !== caller.region || (agentcore && caller.region !== AGENTCORE_REGION))
  ) {
    throw new WireError('InvalidEndpointRegionException', 'The endpoint and the resource must be in the same Region.');
  }
  if (agentcore && request.clientToken === undefined) {
    throw new WireError('ValidationException', 'ClientToken is mandatory for AgentCore Runtime.');
  }
  if (!isMetered(product, request.dimension)) {
    throw new WireError('InvalidUsageDimensionException', 'The product has no such usage dimension.');
  }
  if (agentcore && request.allocations !== undefined) {
    throw new WireError(
      'InvalidUsageAllocationsException',
      'Usage allocations are not available for AgentCore Runtime.',
    );
  }
  checkAllocations(request.quantity, request.allocations, world.switches.tagLimit);
  if (!isInMeterWindow(request.timestampMs, world.now(), world.switches)) {
    throw new WireError('TimestampOutOfBoundsException', 'The timestamp is out of the allowed range.');
  }
}

/** What the ClientToken was answered before; refuses a token that comes back with other parameters. */
function earlierAnswer(
  world: World,
  awsAccountId: string,
  clientToken: string | undefined,
  parameters: string,
): string | undefined {
  if (clientToken === undefined) return undefined;
  const sql = 'SELECT request, metering_record_id FROM client_tokens WHERE aws_account_id = ? AND client_token = ?';
  const row = world.db.one(sql, awsAccountId, clientToken);
  if (row === undefined) return undefined;
  if (textOf(row, 'request') !== parameters) {
    throw new WireError('IdempotencyConflictException', 'The ClientToken is being used for multiple requests.');
  }
  return textOf(row, 'metering_record_id');
}
