// The operator's desk: every store, reader and setting of one deployment, opened together.
import { userInfo } from 'node:os';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { parseMeteringPolicy, parseProducts } from '../lambdas/contracts/product-settings.ts';
import { parseUsageWarningHours, parseWebhooks } from '../lambdas/contracts/webhook-settings.ts';
import { type Clock, systemClock } from '../lambdas/runtime/clock.ts';
import { targetProblem } from '../lambdas/runtime/webhook-target.ts';
import { DynamoBuyerStore } from '../lambdas/stores/buyer-store.ts';
import { DynamoCustomerDirectory } from '../lambdas/stores/customer-directory.ts';
import { DynamoCustomerStore } from '../lambdas/stores/customer-store.ts';
import { SqsDeadLetters } from '../lambdas/stores/dead-letters.ts';
import { queueClient, SqsDeliveryQueue } from '../lambdas/stores/delivery-queue.ts';
import { DynamoDeliveryStore } from '../lambdas/stores/delivery-store.ts';
import { dynamoClient } from '../lambdas/stores/dynamo.ts';
import { DynamoEntitlementStore } from '../lambdas/stores/entitlement-store.ts';
import { STATE_SHARDS } from '../lambdas/stores/ledger-items.ts';
import { DynamoLedgerStore } from '../lambdas/stores/ledger-store.ts';
import { DynamoNoticeStore } from '../lambdas/stores/notice-store.ts';
import { DynamoOutboxStore } from '../lambdas/stores/outbox-store.ts';
import { DynamoPriceStore } from '../lambdas/stores/price-store.ts';
import { DynamoRejectStore } from '../lambdas/stores/reject-store.ts';
import { DynamoSendingLog } from '../lambdas/stores/sending-log.ts';
import { DynamoSummaryStore } from '../lambdas/stores/summary-store.ts';
import { DynamoUsageStore } from '../lambdas/stores/usage-store.ts';
import { DynamoWorkStore } from '../lambdas/stores/work-store.ts';
import { ControlClient } from './control-client.ts';
import type { DeploymentFacts } from './deployment.ts';
import { WorldClock } from './world-clock.ts';

/** What a desk is opened with; on a laptop both follow from the facts. */
interface DeskOptions {
  /** Absent for this machine's clock. */
  readonly clock?: Clock;
  /** Absent for the SDK's own chain: environment, profile, SSO, instance. */
  readonly credentials?: Credentials;
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What the emulated services of a laptop take; a person's own profile must not be read for them. */
export const LAPTOP_CREDENTIALS: Credentials = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' };

export type Desk = Awaited<ReturnType<typeof openDesk>>;

/**
 * Opens the stores of a deployment; nothing is read before it is asked for, but a laptop's clock. The members fit the
 * ports of the flow, so that a desk is handed to its functions as it is. Throws Misconfigured for settings that can't
 * be read.
 */
export async function openDesk(facts: DeploymentFacts, options: DeskOptions = {}) {
  const { tables, settings, region, endpoints, simulator } = facts;
  const control = simulator && new ControlClient(simulator.url, simulator.controlSecret);
  const world = control && new WorldClock(control);
  await world?.follow();
  const credentials = options.credentials ?? (simulator ? LAPTOP_CREDENTIALS : undefined);
  const shared = { region, ...(credentials === undefined ? {} : { credentials }) };
  const dynamo = dynamoClient({ ...shared, ...endpointOf(endpoints.DYNAMODB) });
  const sqs = queueClient({ ...shared, ...endpointOf(endpoints.SQS) });
  const { webhooks: webhookQueue } = facts.queues;
  return {
    facts,
    clock: options.clock ?? world?.now ?? systemClock,
    /** Asks for the time anew, where a simulator keeps it: whoever stays open calls it before each look. */
    followClock: async () => world?.follow(),
    products: parseProducts(settings.PRODUCTS),
    policy: parseMeteringPolicy(settings.METERING_POLICY),
    webhooks: parseWebhooks(settings.WEBHOOKS, targetProblem),
    usageWarningHours: parseUsageWarningHours(settings.USAGE_WARNING_HOURS),
    stateShards: STATE_SHARDS,
    ...storesOf(dynamo, tables),
    ...(webhookQueue === undefined ? {} : { queue: new SqsDeliveryQueue(sqs, webhookQueue.url) }),
    deadLetters: deadLettersOf(sqs, facts.queues),
    /** The simulator's control API, on a laptop. */
    ...(control === undefined ? {} : { control }),
    who: once(() => (simulator ? laptopUser() : callerArn(shared))),
    close: () => closeAll(dynamo, sqs),
  };
}

function storesOf(client: DynamoDBClient, tables: DeploymentFacts['tables']) {
  const { customers, notices, work } = tables;
  return {
    customers: new DynamoCustomerStore(client, customers),
    directory: new DynamoCustomerDirectory(client, { notices, customers }),
    summaries: new DynamoSummaryStore(client, tables.summaries),
    buyers: new DynamoBuyerStore(client, tables.buyers),
    usage: new DynamoUsageStore(client, tables.usage),
    ledger: new DynamoLedgerStore(client, tables.ledger),
    work: new DynamoWorkStore(client, work),
    prices: new DynamoPriceStore(client, work),
    rejects: new DynamoRejectStore(client, tables.rejects),
    sendings: new DynamoSendingLog(client, work),
    notices: new DynamoNoticeStore(client, { notices, customers }),
    outbox: new DynamoOutboxStore(client, { notices, customers, work }),
    deliveries: new DynamoDeliveryStore(client, tables.deliveries),
    /** Standing and entitlements, in one read of the database. */
    standing: new DynamoEntitlementStore(client, customers),
  };
}

/** By the queue's name; those of no queue that the deployment lacks. */
function deadLettersOf(client: SQSClient, queues: DeploymentFacts['queues']): Readonly<Record<string, SqsDeadLetters>> {
  return Object.fromEntries(Object.entries(queues).map(([name, urls]) => [name, new SqsDeadLetters(client, urls)]));
}

function endpointOf(endpoint: string | undefined): { readonly endpoint?: string } {
  return endpoint === undefined ? {} : { endpoint };
}

async function laptopUser(): Promise<string> {
  return `${userInfo().username} on a laptop`;
}

/** Who AWS takes the person for: the ARN stands in the audit. */
async function callerArn(shared: { readonly region: string; readonly credentials?: Credentials }): Promise<string> {
  const client = new STSClient({ ...shared, maxAttempts: 3 });
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}));
    return Arn ?? 'unknown caller';
  } finally {
    client.destroy();
  }
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    // What failed is asked again: a session may have been renewed meanwhile.
    asked ??= ask().catch((error: unknown) => {
      asked = undefined;
      throw error;
    });
    return asked;
  };
}

function closeAll(dynamo: DynamoDBClient, sqs: SQSClient): void {
  dynamo.destroy();
  sqs.destroy();
}
