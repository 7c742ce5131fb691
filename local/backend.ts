// The deployed handlers, in one process, with their settings pointing at this machine.
import { createCloseHoursHandler } from '../lambdas/close-hours.handler.ts';
import { createRecordUsageHandler } from '../lambdas/record-usage.handler.ts';
import { createRegisterCustomerHandler } from '../lambdas/register-customer.handler.ts';
import { createResolveBuyerHandler } from '../lambdas/resolve-buyer.handler.ts';
import type { Clock } from '../lambdas/runtime/clock.ts';
import type { LambdaContext } from '../lambdas/runtime/handler.ts';
import type { Log } from '../lambdas/runtime/log.ts';
import { createSendMeteringHandler } from '../lambdas/send-metering.handler.ts';
import { SESSION_KEYS_SECRET } from './secrets.ts';
import type { TableNames } from './tables.ts';

export interface BackendOptions {
  readonly databaseEndpoint: string;
  readonly tables: TableNames;
  readonly marketplaceUrl: string;
  readonly secretsUrl: string;
  readonly clock: Clock;
  readonly log: Log;
  /** As in the PRODUCTS setting. */
  readonly products: readonly object[];
  /** As in the METERING_POLICY setting. */
  readonly policy?: object;
  /** As in the REGISTRATION setting. */
  readonly registration?: object;
}

const REGION = 'us-east-1';

const EXAMPLE_REGISTRATION = {
  sellerName: 'Example Software',
  supportEmail: 'support@example.com',
  nextSteps:
    'We set up your account as soon as AWS Marketplace confirms your subscription, usually within a few minutes.',
};

/** What the stacks would put into the environment of the functions. */
export function backendEnvironment(options: BackendOptions): Readonly<Record<string, string>> {
  const { tables } = options;
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'AKIALOCAL',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: options.databaseEndpoint,
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: options.marketplaceUrl,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: options.secretsUrl,
    MARKETPLACE_REGION: REGION,
    CUSTOMERS_TABLE: tables.customers,
    BUYERS_TABLE: tables.buyers,
    USAGE_TABLE: tables.usage,
    LEDGER_TABLE: tables.ledger,
    WORK_TABLE: tables.work,
    REJECTS_TABLE: tables.rejects,
    SESSION_KEYS_SECRET,
    PRODUCTS: JSON.stringify(options.products),
    METERING_POLICY: JSON.stringify(options.policy ?? {}),
    REGISTRATION: JSON.stringify(options.registration ?? EXAMPLE_REGISTRATION),
  };
}

/** The handlers that the stacks deploy, each built from the same environment. */
export function createBackend(options: BackendOptions) {
  const surroundings = { environment: backendEnvironment(options), clock: options.clock, log: options.log };
  const closeHours = createCloseHoursHandler(surroundings);
  const sendMetering = createSendMeteringHandler(surroundings);
  return {
    resolveBuyer: createResolveBuyerHandler(surroundings),
    registerCustomer: createRegisterCustomerHandler(surroundings),
    recordUsage: createRecordUsageHandler(surroundings),
    /** One tick of the schedule of closing. */
    closeHours: () => closeHours({}, lambdaContext(SCHEDULE_TIME_MS)),
    /** One tick of the schedule of sending. */
    sendMetering: () => sendMetering({}, lambdaContext(SCHEDULE_TIME_MS)),
  };
}

export type Backend = ReturnType<typeof createBackend>;

/** As the stacks set it for the scheduled functions. */
const SCHEDULE_TIME_MS = 300_000;

/** What Lambda tells a function of its call: an id, and the time that it has left. */
export function lambdaContext(timeoutMs: number): LambdaContext {
  const endsAtMs = performance.now() + timeoutMs;
  return {
    awsRequestId: crypto.randomUUID(),
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(endsAtMs - performance.now())),
  };
}
