// BatchMeterUsage: one call, once, and every way in which AWS may answer it.
import {
  BatchMeterUsageCommand,
  type BatchMeterUsageCommandOutput,
  MarketplaceMeteringClient,
  MarketplaceMeteringServiceException,
  type UsageRecord,
} from '@aws-sdk/client-marketplace-metering';
import type { SealedHour, WireRecord } from '../domain/ledger.ts';
import { licenceKeyOf } from '../domain/licence.ts';
import { CALL_TIMEOUT_MS } from '../domain/marketplace-limits.ts';
import type { MeteringBatch } from '../domain/metering-batch.ts';
import { type BatchAnswer, INVALID_CODES, type RecordAnswer } from '../domain/metering-result.ts';
import type { MeteringGateway } from '../flow/ports.ts';
import type { MarketplaceClientSettings } from './publishing-account.ts';

export class MarketplaceMetering implements MeteringGateway {
  readonly #settings: MarketplaceClientSettings;
  readonly #callTimeoutMs: number;
  readonly #clients = new Map<string, MarketplaceMeteringClient>();

  constructor(settings: MarketplaceClientSettings, callTimeoutMs: number = CALL_TIMEOUT_MS) {
    this.#settings = settings;
    this.#callTimeoutMs = callTimeoutMs;
  }

  async send(batch: MeteringBatch): Promise<BatchAnswer> {
    const command = new BatchMeterUsageCommand({
      // New-style records name their licence, and ProductCode must not stand beside it (API reference).
      ...(batch.identityStyle === 'legacy' ? { ProductCode: batch.productCode } : {}),
      UsageRecords: batch.records.map(({ record }) => toUsageRecord(record)),
    });
    try {
      const abortSignal = AbortSignal.timeout(this.#callTimeoutMs);
      const output = await this.#client(batch.meteringRegion).send(command, { abortSignal });
      return withRequestId(
        { kind: 'answered', answers: fromOutput(batch.records, output) },
        output.$metadata.requestId,
      );
    } catch (error) {
      return faultOf(error);
    }
  }

  #client(region: string): MarketplaceMeteringClient {
    const known = this.#clients.get(region);
    if (known) return known;
    // A second try inside the SDK would be an attempt that the ledger does not know of: one call, one intent.
    const client = new MarketplaceMeteringClient({ ...this.#settings, region, maxAttempts: 1 });
    this.#clients.set(region, client);
    return client;
  }
}

function toUsageRecord(record: WireRecord): UsageRecord {
  return {
    Timestamp: new Date(record.timestampSeconds * 1_000),
    Dimension: record.dimension,
    Quantity: record.quantity,
    ...(record.licenceArn === undefined ? {} : { LicenseArn: record.licenceArn }),
    ...(record.customerAwsAccountId === undefined ? {} : { CustomerAWSAccountId: record.customerAwsAccountId }),
    ...(record.customerIdentifier === undefined ? {} : { CustomerIdentifier: record.customerIdentifier }),
    ...(record.allocations === undefined
      ? {}
      : {
          UsageAllocations: record.allocations.map(({ quantity, tags }) => ({
            AllocatedUsageQuantity: quantity,
            ...(tags.length === 0 ? {} : { Tags: tags.map(([Key, Value]) => ({ Key, Value })) }),
          })),
        }),
  };
}

/** AWS promises no order, so that answers are matched by what identifies a record within its call. */
function fromOutput(records: readonly SealedHour[], output: BatchMeterUsageCommandOutput): RecordAnswer[] {
  const results = new Map(
    (output.Results ?? []).flatMap((result) => keysOf(result.UsageRecord).map((key) => [key, result] as const)),
  );
  const unprocessed = new Set((output.UnprocessedRecords ?? []).flatMap(keysOf));
  return records.map(({ record }) => {
    const [key = ''] = keysOf(toUsageRecord(record));
    const result = results.get(key);
    if (!result?.Status) return { kind: unprocessed.has(key) ? 'unprocessed' : 'missing' };
    switch (result.Status) {
      case 'Success':
        return { kind: 'success', ...(result.MeteringRecordId ? { meteringRecordId: result.MeteringRecordId } : {}) };
      case 'DuplicateRecord':
        return { kind: 'duplicate' };
      case 'CustomerNotSubscribed':
        return { kind: 'notSubscribed' };
      default:
        return { kind: 'unknownStatus', status: String(result.Status).slice(0, 64) };
    }
  });
}

/**
 * One key a name by which a record tells its buyer: AWS writes a licence's ARN in more than one shape, and may name a
 * buyer by more than it was sent. Ours name theirs once.
 */
function keysOf({ LicenseArn, CustomerIdentifier, Dimension, Timestamp }: Partial<UsageRecord> = {}): string[] {
  const licenceKey = LicenseArn === undefined ? undefined : licenceKeyOf({ style: 'licence', licenceArn: LicenseArn });
  const seconds = Timestamp ? Math.floor(Timestamp.getTime() / 1_000) : '';
  const names = [licenceKey, CustomerIdentifier].filter((name) => name !== undefined);
  return names.map((name) => [name, Dimension ?? '', seconds].join('\n'));
}

/** Refusals of the call before anything was metered, by name: the service's own and AWS's common errors. */
const NOTHING_METERED = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'DisabledApiException',
  'AccessDeniedException',
  'UnauthorizedException',
  'ExpiredTokenException',
  'ExpiredToken',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'MissingAuthenticationToken',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'OptInRequired',
  'RequestExpired',
  'CredentialsProviderError',
]);

const THROTTLES = new Set(['ThrottlingException', 'Throttling', 'TooManyRequestsException', 'RequestLimitExceeded']);

function faultOf(error: unknown): BatchAnswer {
  const name = error instanceof Error ? error.name : 'Unknown';
  const requestId = error instanceof MarketplaceMeteringServiceException ? error.$metadata.requestId : undefined;
  const invalid = INVALID_CODES.find((code) => code === name);
  if (invalid) return withRequestId({ kind: 'invalid', code: invalid }, requestId);
  if (NOTHING_METERED.has(name)) {
    return withRequestId({ kind: 'refused', code: name, isThrottled: THROTTLES.has(name) }, requestId);
  }
  if (isUnlistedRefusal(error)) return withRequestId({ kind: 'unlisted', code: name }, requestId);
  // Whatever cannot be told apart counts as perhaps metered: sending the same again is safe, giving up is not.
  return withRequestId({ kind: 'unknown', code: name }, requestId);
}

/** Who calls (401, 403), how slowly (408) and how often (429): no record of a call is at fault for these. */
const CALLER_STATUSES: ReadonlySet<number | undefined> = new Set([401, 403, 408, 429]);

/** Whether AWS says that the call itself is wrong, under a name that no list above has. */
function isUnlistedRefusal(error: unknown): boolean {
  if (!(error instanceof MarketplaceMeteringServiceException) || error.$fault !== 'client') return false;
  return !CALLER_STATUSES.has(error.$metadata.httpStatusCode);
}

function withRequestId(answer: BatchAnswer, requestId: string | undefined): BatchAnswer {
  return requestId === undefined ? answer : { ...answer, requestId };
}
