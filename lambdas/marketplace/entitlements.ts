// GetEntitlements: what a buyer's contract includes now, however many pages AWS takes to say it.
import {
  type EntitlementValue as AwsValue,
  GetEntitlementsCommand,
  type GetEntitlementsCommandOutput,
  type GetEntitlementsRequest,
  MarketplaceEntitlementServiceClient,
  type Entitlement as ToldEntitlement,
} from '@aws-sdk/client-marketplace-entitlement-service';
import type { Entitlement, EntitlementValue } from '../domain/entitlement.ts';
import { Misconfigured, Unavailable } from '../domain/failure.ts';
import { SECOND_MS } from '../domain/hour.ts';
import { licenceKeyOf } from '../domain/licence.ts';
import type { EntitlementAnswer, EntitlementGateway, EntitlementSubject } from '../flow/entitlement-ports.ts';
import type { MarketplaceClientSettings } from './publishing-account.ts';

/** Developer guide, entitlement service: it is served from this region only. */
const ENTITLEMENT_REGION = 'us-east-1';

/**
 * Developer guide, entitlement service quotas: 20 GetEntitlements calls a second per account. A quarter is left for who
 * asks besides the schedule.
 */
export const ENTITLEMENT_CALLS_PER_SECOND = 15;

/** Of a call that AWS throttles, each at its own turn. */
const ATTEMPTS = 3;

/** `PageSizeInteger` in the API model. */
const PAGE_SIZE = 25;

/** A thousand entitlements: many times what a listing has dimensions. */
const MAX_PAGES = 40;

const CALL_TIMEOUT_MS = 5 * SECOND_MS;

/** Keeps the calls of all pages within AWS's quota. */
interface Pace {
  take(): Promise<void>;
  depart(): Promise<void>;
  throttled(): void;
}

export class MarketplaceEntitlements implements EntitlementGateway {
  readonly #client: MarketplaceEntitlementServiceClient;
  readonly #pace: Pace;
  readonly #callTimeoutMs: number;

  constructor(settings: MarketplaceClientSettings, pace: Pace, callTimeoutMs = CALL_TIMEOUT_MS) {
    // A second try inside the SDK would be a call that the pace does not know of.
    this.#client = new MarketplaceEntitlementServiceClient({ ...settings, region: ENTITLEMENT_REGION, maxAttempts: 1 });
    this.#pace = pace;
    this.#callTimeoutMs = callTimeoutMs;
  }

  async ask(subject: EntitlementSubject): Promise<EntitlementAnswer> {
    const filter = filterOf(subject);
    if (!filter) return { kind: 'unnamed' };
    const question = { ProductCode: subject.productCode, Filter: filter, MaxResults: PAGE_SIZE };
    try {
      const told = await this.#allPages(question);
      const own = told.filter((each) => isOf(subject, each));
      return { kind: 'answered', entitlements: own.map(fromEntitlement), foreign: told.length - own.length };
    } catch (error) {
      if (nameOf(error) !== 'InvalidParameterException') throw error;
      return { kind: 'refused', awsCode: nameOf(error) };
    }
  }

  async #allPages(question: GetEntitlementsRequest): Promise<ToldEntitlement[]> {
    const told: ToldEntitlement[] = [];
    const tokens = new Set<string>();
    let token: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const output = await this.#call({ ...question, ...(token === undefined ? {} : { NextToken: token }) });
      const { Entitlements: entitlements, NextToken: next } = output;
      // AWS: a page without entitlements may carry a token; the list itself is always there at the end.
      if (!entitlements && !next) throw malformed('entitlements');
      told.push(...(entitlements ?? []));
      if (!next) return told;
      if (tokens.has(next)) throw endless('a page came twice');
      tokens.add(next);
      token = next;
    }
    throw endless(`there were more than ${MAX_PAGES} pages`);
  }

  async #call(request: GetEntitlementsRequest): Promise<GetEntitlementsCommandOutput> {
    for (let attempt = 1; ; attempt++) {
      await this.#pace.take();
      await this.#pace.depart();
      try {
        const abortSignal = AbortSignal.timeout(this.#callTimeoutMs);
        return await this.#client.send(new GetEntitlementsCommand(request), { abortSignal });
      } catch (error) {
        const isThrottled = THROTTLED.test(nameOf(error));
        if (isThrottled) this.#pace.throttled();
        if (!isThrottled || attempt === ATTEMPTS) throw failureOf(error);
      }
    }
  }
}

function filterOf({ identityStyle, licenceArn, customerIdentifier }: EntitlementSubject) {
  if (identityStyle === 'licence') return licenceArn ? { LICENSE_ARN: [licenceArn] } : undefined;
  return customerIdentifier ? { CUSTOMER_IDENTIFIER: [customerIdentifier] } : undefined;
}

/** AWS writes one licence's ARN in more than one shape; what it leaves out is as it was asked for. */
function isOf(subject: EntitlementSubject, { ProductCode, LicenseArn, CustomerIdentifier }: ToldEntitlement): boolean {
  if (ProductCode && ProductCode !== subject.productCode) return false;
  if (subject.identityStyle === 'legacy') {
    return !CustomerIdentifier || CustomerIdentifier === subject.customerIdentifier;
  }
  return !LicenseArn || licenceKeyOf({ style: 'licence', licenceArn: LicenseArn }) === subject.licenceKey;
}

function fromEntitlement({ Dimension, Value, ExpirationDate }: ToldEntitlement): Entitlement {
  const value = Value && fromValue(Value);
  if (!Dimension) throw malformed('dimension');
  if (!value) throw malformed('value');
  const expiresAt = ExpirationDate?.getTime();
  if (Number.isNaN(expiresAt)) throw malformed('expirationDate');
  return { dimension: Dimension, value, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

function fromValue({ IntegerValue, DoubleValue, BooleanValue, StringValue }: AwsValue): EntitlementValue | undefined {
  if (IntegerValue !== undefined) return { kind: 'integer', value: IntegerValue };
  if (DoubleValue !== undefined)
    return Number.isNaN(DoubleValue) ? undefined : { kind: 'double', value: bounded(DoubleValue) };
  if (BooleanValue !== undefined) return { kind: 'boolean', value: BooleanValue };
  return StringValue === undefined ? undefined : { kind: 'string', value: StringValue };
}

/** Beyond this no count is exact, and DynamoDB's client takes none. */
function bounded(value: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, value));
}

function malformed(member: string): Unavailable {
  return new Unavailable('EntitlementsMalformed', 'AWS told entitlements that can’t be understood.', {
    facts: { member },
  });
}

function endless(why: string): Unavailable {
  return new Unavailable('EntitlementPagesEndless', `AWS’s pages of entitlements do not end: ${why}.`);
}

const THROTTLED = /throttl|too ?many ?requests|RequestLimitExceeded/i;
const OUR_CREDENTIALS_EXPIRED = /^(ExpiredToken(Exception)?|RequestExpired)$/;

/** By name: AWS's front answers from another namespace, where the SDK knows no classes. */
function failureOf(error: unknown): unknown {
  const name = nameOf(error);
  if (name === 'InvalidParameterException') return error;
  const options = { cause: error, facts: { awsError: name, httpStatus: statusOf(error) } };
  if (OUR_CREDENTIALS_EXPIRED.test(name)) {
    return new Unavailable('CredentialsExpired', 'AWS says that our credentials have expired.', options);
  }
  if (isPassing(name, statusOf(error))) {
    return new Unavailable('MarketplaceUnavailable', 'GetEntitlements gave no answer in time.', options);
  }
  return new Misconfigured(
    'GetEntitlementsRefused',
    'AWS refuses our call of GetEntitlements: check the role’s permission and the seller account.',
    options,
  );
}

/** Without a status no answer was read; below 400 one that is none of the service's. */
function isPassing(name: string, status: number | undefined): boolean {
  if (status === undefined || status < 400 || status === 408) return true;
  return status >= 500 || THROTTLED.test(name) || status === 429;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Unknown';
}

function statusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
