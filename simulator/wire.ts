// One call on the AWS wire: POST /, X-Amz-Target, JSON 1.1. Decides, bills and logs in one transaction, then answers.
import { randomUUID } from 'node:crypto';
import { wallMs } from './clock.ts';
import { createThrottle, type Fault, nextFault, type Throttle } from './faults.ts';
import { isJsonObject, parseJson } from './json.ts';
import { type BatchMeterUsageAnswer, batchMeterUsage } from './operations/batch-meter-usage.ts';
import { getEntitlements } from './operations/get-entitlements.ts';
import { type Caller, meterUsage } from './operations/meter-usage.ts';
import { registerUsage } from './operations/register-usage.ts';
import { resolveCustomer } from './operations/resolve-customer.ts';
import { WireError } from './wire-error.ts';
import { countCalls, logCall } from './world/calls.ts';
import { settleWorld } from './world/lifecycle.ts';
import type { World } from './world/world.ts';

const METERING = { target: 'AWSMPMeteringService', namespace: 'com.amazonaws.marketplacemetering' };
const ENTITLEMENT = { target: 'AWSMPEntitlementService', namespace: 'com.amazonaws.marketplaceentitlementservice' };
const OPERATIONS = ['BatchMeterUsage', 'GetEntitlements', 'MeterUsage', 'RegisterUsage', 'ResolveCustomer'] as const;
type Operation = (typeof OPERATIONS)[number];

// AWS: the entitlement service is in this region only.
const ENTITLEMENT_REGION = 'us-east-1';

// AWS: "the request payload must not exceed 1 MB"; read as 2^20 bytes, of which the last is one too many.
const BATCH_BYTES = 1_048_576;

/** A request as it came: nothing of it is trusted yet. */
interface WireRequest {
  readonly target: string | undefined;
  readonly authorization: string | undefined;
  readonly body: Buffer;
}

interface WireAnswer {
  readonly status: number;
  readonly requestId: string;
  readonly body: string;
  /** Silent: the connection ends without an answer. */
  readonly silent: boolean;
  /** Wall time to wait before answering or ending. */
  readonly delayMs: number;
}

export type Wire = (request: WireRequest) => WireAnswer;

/** The AWS side of the conversation. What a call changed is on disk when its answer is returned. */
export function createWire(world: World): Wire {
  const throttle = createThrottle();
  return (request) =>
    world.db.transaction(() => {
      settleWorld(world);
      return answerCall(world, throttle, request);
    });
}

interface Outcome {
  readonly status: number;
  readonly errorCode?: string;
  readonly body: unknown;
}

/** Check, decide, write, answer. Throws only for faults of the simulator itself, and then nothing was written. */
function answerCall(world: World, throttle: Throttle, request: WireRequest): WireAnswer {
  const caller = callerOf(world, request.authorization);
  const operation = operationOf(request.target);
  const json = parseJson(request.body.toString());
  const { fault, rest } = nextFault(world.faults, operation ?? '');
  if (fault !== undefined) world.faults = rest;

  const outcome = attempt(serviceOf(operation), () => {
    if (operation === undefined) {
      throw new WireError('UnknownOperationException', 'The X-Amz-Target names no operation of this service.');
    }
    refuseByScope(operation, request.authorization);
    refuseByFault(fault, operation, json?.value);
    refuseByStandingFault(world, throttle, operation, caller.region);
    if (json === undefined) throw new WireError('SerializationException', 'The request body is no JSON.');
    return perform(world, { operation, caller, body: json.value, bytes: request.body.length, fault });
  });
  const hidden =
    fault?.kind === 'internalError' && outcome.status === 200
      ? failure(serviceOf(operation), internalError())
      : outcome;
  const silent = isSilent(fault);
  const requestId = randomUUID();
  logCall(world, {
    operation: operation ?? 'Unknown',
    region: caller.region,
    accessKeyId: caller.accessKeyId,
    recordCount: recordCount(json?.value),
    httpStatus: silent ? 0 : hidden.status,
    errorCode: hidden.errorCode,
    ...resultCounts(hidden.body),
    fault: fault?.kind,
    requestId,
  });
  return { status: hidden.status, requestId, body: JSON.stringify(hidden.body), silent, delayMs: fault?.delayMs ?? 0 };
}

interface Performance {
  readonly operation: Operation;
  readonly caller: Caller;
  readonly body: unknown;
  readonly bytes: number;
  readonly fault: Fault | undefined;
}

function perform(world: World, { operation, caller, body, bytes, fault }: Performance): unknown {
  switch (operation) {
    case 'BatchMeterUsage': {
      if (bytes >= BATCH_BYTES) {
        throw new WireError('ValidationException', `The request has ${bytes} bytes; it must have less than 1 MB.`);
      }
      return misreport(fault, batchMeterUsage(world, caller.region, body, recordsToProcess(fault)));
    }
    case 'GetEntitlements':
      return getEntitlements(world, body);
    case 'ResolveCustomer': {
      const { LicenseArn, ...rest } = resolveCustomer(world, body);
      return fault?.kind === 'missingLicenseArn' ? rest : { ...rest, LicenseArn };
    }
    case 'MeterUsage':
      return meterUsage(world, caller, body);
    case 'RegisterUsage':
      return registerUsage(world, caller, body);
  }
}

/** How many records of a batch are really processed under an armed fault. */
function recordsToProcess(fault: Fault | undefined): number {
  if (fault?.kind === 'unknownStatus') return 0;
  if (fault?.kind === 'partialUnprocessed') return fault.keep;
  if (fault?.kind === 'missingResults' && !fault.apply) return fault.keep;
  return Number.MAX_SAFE_INTEGER;
}

/** Faults that change what is said about records, not what was done with them. */
function misreport(fault: Fault | undefined, answer: BatchMeterUsageAnswer): BatchMeterUsageAnswer {
  if (fault?.kind === 'missingResults') return { Results: answer.Results.slice(0, fault.keep), UnprocessedRecords: [] };
  if (fault?.kind !== 'unknownStatus') return answer;
  const { status } = fault;
  const Results = answer.UnprocessedRecords.map((record) => ({ UsageRecord: record, Status: status }));
  return { Results, UnprocessedRecords: [] };
}

/** A call that is signed for another service does not reach the entitlement service. */
function refuseByScope(operation: Operation, authorization: string | undefined): void {
  const service = /Credential=[^,\s]+\/([a-z0-9.-]{1,40})\/aws4_request/.exec(authorization ?? '')?.[1];
  if (operation !== 'GetEntitlements' || service === undefined || service === 'aws-marketplace') return;
  const message = "Credential should be scoped to correct service: 'aws-marketplace'.";
  throw new WireError('InvalidSignatureException', message);
}

/** Faults that stop a call before the service sees it. */
function refuseByFault(fault: Fault | undefined, operation: Operation, body: unknown): void {
  switch (fault?.kind) {
    case 'throttle':
      throw throttled();
    case 'internalError':
      if (!fault.apply) throw internalError();
      return;
    case 'disabledApi':
      throw disabled(operation);
    case 'accessDenied': {
      const dryRun = operation === 'MeterUsage' && isJsonObject(body) && body['DryRun'] === true;
      // AWS: a dry run without the permission answers UnauthorizedException.
      if (dryRun) throw new WireError('UnauthorizedException', 'You are not authorized to perform this operation.');
      throw new WireError('AccessDeniedException', `User is not authorized to perform: aws-marketplace:${operation}`);
    }
    case 'expiredCredentials':
      throw new WireError('ExpiredTokenException', 'The security token included in the request is expired', 'front');
    case 'refuseThenTimeout':
    case 'dropConnection':
      throw new WireError('RequestNotProcessed', 'The call was dropped before it was processed.', 'front');
    default:
      return;
  }
}

/** Faults that stay armed: disabled regions, a rate, every n-th call. */
function refuseByStandingFault(world: World, throttle: Throttle, operation: Operation, region: string): void {
  const { disabledRegions, throttlePerSecond, internalErrorEvery } = world.faults;
  if (operation === 'GetEntitlements' && region !== ENTITLEMENT_REGION) throw wrongRegion();
  if (disabledRegions.includes(region)) throw disabled(operation);
  const quota = typeof throttlePerSecond === 'object' ? throttlePerSecond[operation] : throttlePerSecond;
  if (quota !== undefined && !throttle.admits(`${region} ${operation}`, quota, wallMs())) throw throttled();
  if (internalErrorEvery !== undefined && (countCalls(world, undefined) + 1) % internalErrorEvery === 0) {
    throw internalError();
  }
}

function throttled(): WireError {
  return new WireError('ThrottlingException', 'Rate exceeded');
}

function internalError(): WireError {
  return new WireError('InternalServiceErrorException', 'An internal error has occurred. Retry your request.');
}

/** GetEntitlements knows no region but its own: elsewhere there is no endpoint, and here no valid scope. */
function wrongRegion(): WireError {
  const message = `Credential should be scoped to a valid Region: '${ENTITLEMENT_REGION}'.`;
  return new WireError('InvalidSignatureException', message);
}

/** MeterUsage has no DisabledApiException in AWS's model: there a wrong region is an endpoint error. */
function disabled(operation: Operation): WireError {
  if (operation === 'GetEntitlements') return wrongRegion();
  return operation === 'MeterUsage'
    ? new WireError('InvalidEndpointRegionException', 'The endpoint and the resource must be in the same Region.')
    : new WireError('DisabledApiException', 'The API is disabled in the Region.');
}

function isSilent(fault: Fault | undefined): boolean {
  return fault !== undefined && ['acceptThenTimeout', 'refuseThenTimeout', 'dropConnection'].includes(fault.kind);
}

function attempt(service: typeof METERING, work: () => unknown): Outcome {
  try {
    return { status: 200, body: work() };
  } catch (error) {
    if (error instanceof WireError) return failure(service, error);
    throw error;
  }
}

function failure(service: typeof METERING, error: WireError): Outcome {
  const namespace = error.layer === 'front' ? 'com.amazon.coral.service' : service.namespace;
  const body = { __type: `${namespace}#${error.code}`, message: error.message };
  return { status: error.status, errorCode: error.code, body };
}

function serviceOf(operation: Operation | undefined): typeof METERING {
  return operation === 'GetEntitlements' ? ENTITLEMENT : METERING;
}

/** AWS compares target names exactly, case included. */
function operationOf(target: string | undefined): Operation | undefined {
  return OPERATIONS.find((operation) => target === `${serviceOf(operation).target}.${operation}`);
}

/** Region and key out of SigV4's credential scope (key/date/region/service/aws4_request). The signature is not checked. */
function callerOf(world: World, authorization: string | undefined): Caller {
  const scope = /Credential=([^/,\s]{1,128})\/\d{8}\/([a-z0-9-]{1,40})\//.exec(authorization ?? '');
  return { region: scope?.[2] ?? world.region, accessKeyId: scope?.[1] };
}

/** For the log: how many records a call brought, well formed or not. */
function recordCount(body: unknown): number {
  const records = isJsonObject(body) ? body['UsageRecords'] : undefined;
  return Array.isArray(records) ? records.length : 0;
}

/** For the log: what the answer said of each record. */
function resultCounts(body: unknown): { statuses: string[]; unprocessed: number } {
  const results = isJsonObject(body) && Array.isArray(body['Results']) ? body['Results'] : [];
  const left = isJsonObject(body) && Array.isArray(body['UnprocessedRecords']) ? body['UnprocessedRecords'] : [];
  return { statuses: results.map((result) => String(result.Status)), unprocessed: left.length };
}
