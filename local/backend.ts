// The deployed handlers, in one process, with their settings pointing at this machine.
import type { SQSEvent } from 'aws-lambda';
import { createApplyNoticeHandler } from '../lambdas/apply-notice.handler.ts';
import { createCloseHoursHandler } from '../lambdas/close-hours.handler.ts';
import { createCompleteSignUpHandler } from '../lambdas/complete-sign-up.handler.ts';
import type { MailSettings } from '../lambdas/contracts/mail-settings.ts';
import type { WebhookSettings } from '../lambdas/contracts/webhook-settings.ts';
import { createDeliverWebhooksHandler } from '../lambdas/deliver-webhooks.handler.ts';
import { createExportAuditHandler } from '../lambdas/export-audit.handler.ts';
import type { WebhookPoster } from '../lambdas/flow/access-ports.ts';
import { createReadCustomerHandler } from '../lambdas/read-customer.handler.ts';
import { createRecordUsageHandler } from '../lambdas/record-usage.handler.ts';
import { createRefreshEntitlementsHandler } from '../lambdas/refresh-entitlements.handler.ts';
import { createRegisterCustomerHandler } from '../lambdas/register-customer.handler.ts';
import { createResolveBuyerHandler } from '../lambdas/resolve-buyer.handler.ts';
import type { Clock } from '../lambdas/runtime/clock.ts';
import type { LambdaContext } from '../lambdas/runtime/handler.ts';
import type { Log } from '../lambdas/runtime/log.ts';
import type { Measure } from '../lambdas/runtime/metric.ts';
import { createSendMailHandler } from '../lambdas/send-mail.handler.ts';
import { createSendMeteringHandler } from '../lambdas/send-metering.handler.ts';
import { createSummarizeHoursHandler } from '../lambdas/summarize-hours.handler.ts';
import { createTellProductHandler } from '../lambdas/tell-product.handler.ts';
import { createWatchDeadlinesHandler } from '../lambdas/watch-deadlines.handler.ts';
import { queueUrl } from './messaging.ts';
import { SESSION_KEYS_SECRET } from './secrets.ts';
import type { TableNames } from './tables.ts';

export interface BackendOptions {
  readonly databaseEndpoint: string;
  readonly tables: TableNames;
  readonly marketplaceUrl: string;
  readonly secretsUrl: string;
  /** Where the bus and the queue of webhooks are; absent where nothing is told. */
  readonly messagingUrl?: string;
  /** Where the archive of the audit trail is; absent where none is kept. */
  readonly archiveUrl?: string;
  readonly clock: Clock;
  /** By which notices are applied; absent for the clock of all others. */
  readonly noticeClock?: Clock;
  readonly log: Log;
  /** Takes the handlers' numbers; absent where nobody keeps them. */
  readonly measure?: Measure;
  /** As in the PRODUCTS setting. */
  readonly products: readonly object[];
  /** As in the METERING_POLICY setting. */
  readonly policy?: object;
  /** As in the REGISTRATION setting. */
  readonly registration?: object;
  /** What products have of their own, by product code: as in the file beside the functions. */
  readonly productPages?: object;
  /** As in the WEBHOOKS setting. */
  readonly webhooks?: WebhookSettings;
  /** Where mail is taken; absent where there is none. */
  readonly mailUrl?: string;
  /** As in the MAIL setting. */
  readonly mail?: MailSettings;
  /** How webhooks are posted; absent for the deployed way, which reaches public addresses alone. */
  readonly postWebhook?: WebhookPoster;
}

const REGION = 'us-east-1';

/** Nothing answers there: what is not served here must not be looked for at AWS. */
const NOWHERE = 'http://127.0.0.1:1';

const EXAMPLE_REGISTRATION = {
  sellerName: 'Example Software',
  supportEmail: 'support@example.com',
  nextSteps:
    'We set up your account as soon as AWS Marketplace confirms your subscription, usually within a few minutes.',
};

export const EXAMPLE_MAIL: MailSettings = { from: 'marketplace@example.com', sellerAddress: 'sales@example.com' };

/** What the stacks would put into the environment of the functions. */
export function backendEnvironment(options: BackendOptions): Readonly<Record<string, string>> {
  const { tables, messagingUrl = NOWHERE } = options;
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'AKIALOCAL',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: options.databaseEndpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: messagingUrl,
    AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE: options.marketplaceUrl,
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: options.marketplaceUrl,
    AWS_ENDPOINT_URL_S3: options.archiveUrl ?? NOWHERE,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: options.secretsUrl,
    AWS_ENDPOINT_URL_SESV2: options.mailUrl ?? NOWHERE,
    AWS_ENDPOINT_URL_SQS: messagingUrl,
    STAGE: 'local',
    MARKETPLACE_REGION: REGION,
    MARKETPLACE_ACCESS: '{}',
    LEGACY_TOPICS: '[]',
    CUSTOMERS_TABLE: tables.customers,
    BUYERS_TABLE: tables.buyers,
    USAGE_TABLE: tables.usage,
    LEDGER_TABLE: tables.ledger,
    WORK_TABLE: tables.work,
    REJECTS_TABLE: tables.rejects,
    SUMMARIES_TABLE: tables.summaries,
    NOTICES_TABLE: tables.notices,
    DELIVERIES_TABLE: tables.deliveries,
    AUDIT_BUCKET: 'audit',
    EVENT_BUS: 'access-events',
    WEBHOOKS_QUEUE: queueUrl(messagingUrl, 'webhooks'),
    WEBHOOKS: JSON.stringify(options.webhooks ?? []),
    MAIL: JSON.stringify(options.mail ?? EXAMPLE_MAIL),
    USAGE_WARNING_HOURS: '[12,6,2]',
    SESSION_KEYS_SECRET,
    PRODUCTS: JSON.stringify(options.products),
    METERING_POLICY: JSON.stringify(options.policy ?? {}),
    REGISTRATION: JSON.stringify(options.registration ?? EXAMPLE_REGISTRATION),
  };
}

/** The handlers that the stacks deploy, each built from the same environment. */
export function createBackend(options: BackendOptions) {
  const { clock, noticeClock = clock, log, measure, postWebhook } = options;
  const surroundings = { environment: backendEnvironment(options), clock, log, ...(measure ? { measure } : {}) };
  const productPages = JSON.stringify(options.productPages ?? {});
  const scheduled = (run: ScheduledRun) => () => run({}, lambdaContext(SCHEDULE_TIME_MS));
  const queued = (run: QueuedRun) => (event: SQSEvent) => run(event, lambdaContext(QUEUE_TIME_MS));
  return {
    resolveBuyer: createResolveBuyerHandler(surroundings, productPages),
    registerCustomer: createRegisterCustomerHandler(surroundings, productPages),
    completeSignUp: createCompleteSignUpHandler(surroundings, productPages),
    recordUsage: createRecordUsageHandler(surroundings),
    readCustomer: createReadCustomerHandler(surroundings),
    /** One tick of each schedule. */
    closeHours: scheduled(createCloseHoursHandler(surroundings)),
    sendMetering: scheduled(createSendMeteringHandler(surroundings)),
    summarizeHours: scheduled(createSummarizeHoursHandler(surroundings)),
    refreshEntitlements: scheduled(createRefreshEntitlementsHandler(surroundings)),
    tellProduct: scheduled(createTellProductHandler(surroundings)),
    exportAudit: scheduled(createExportAuditHandler(surroundings)),
    watchDeadlines: scheduled(createWatchDeadlinesHandler(surroundings)),
    /** One batch of each queue. */
    applyNotice: queued(createApplyNoticeHandler({ ...surroundings, clock: noticeClock })),
    sendMail: queued(createSendMailHandler(surroundings, {}, productPages)),
    deliverWebhooks: queued(createDeliverWebhooksHandler(surroundings, postWebhook)),
  };
}

type ScheduledRun = ReturnType<typeof createCloseHoursHandler>;
type QueuedRun = ReturnType<typeof createApplyNoticeHandler>;

export type Backend = ReturnType<typeof createBackend>;

/** As the stacks set it for the scheduled functions. */
const SCHEDULE_TIME_MS = 300_000;
/** And for those that take a queue's batches. */
const QUEUE_TIME_MS = 60_000;

/** What Lambda tells a function of its call: an id, and the time that it has left. */
export function lambdaContext(timeoutMs: number): LambdaContext {
  const endsAtMs = performance.now() + timeoutMs;
  return {
    awsRequestId: crypto.randomUUID(),
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(endsAtMs - performance.now())),
  };
}
