// A whole backend for one test: the real database engine, the simulator over the wire, the deployed handlers.
import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { AccessEventEnvelope } from '../lambdas/contracts/access-event.ts';
import type { MailSettings } from '../lambdas/contracts/mail-settings.ts';
import type { WebhookSettings } from '../lambdas/contracts/webhook-settings.ts';
import type { HourBooks } from '../lambdas/domain/books.ts';
import { HOUR_MS, hourOf, parseHour } from '../lambdas/domain/hour.ts';
import { licenceKeyOf } from '../lambdas/domain/licence.ts';
import type { WebhookPoster } from '../lambdas/flow/access-ports.ts';
import { verifyBooks } from '../lambdas/flow/verify-books.ts';
import type { Log } from '../lambdas/runtime/log.ts';
import { embeddedMetrics } from '../lambdas/runtime/metric.ts';
import { DynamoCustomerStore } from '../lambdas/stores/customer-store.ts';
import { dynamoClient } from '../lambdas/stores/dynamo.ts';
import { DynamoLedgerStore } from '../lambdas/stores/ledger-store.ts';
import { DynamoUsageStore } from '../lambdas/stores/usage-store.ts';
import { DynamoWorkStore } from '../lambdas/stores/work-store.ts';
import { createBackend } from '../local/backend.ts';
import { type Database, startDatabase } from '../local/database.ts';
import { startGateway } from '../local/gateway.ts';
import { laptopFacts } from '../local/laptop-facts.ts';
import { LocalQueue } from '../local/local-queue.ts';
import { type CaughtMail, MailCatcher, type MailFault } from '../local/mail-catcher.ts';
import { mailRule, startMessaging, webhookRules } from '../local/messaging.ts';
import { NoticeFeed } from '../local/notice-feed.ts';
import { type SecretServer, startSecrets } from '../local/secrets.ts';
import { createTables } from '../local/tables.ts';
import { ControlClient } from '../operator/control-client.ts';
import { WorldClock } from '../operator/world-clock.ts';
import { startSimulator } from '../simulator/simulator.ts';

export const PRODUCT = 'metrics-cloud';

export interface Subscription {
  readonly agreementId: string;
  readonly licenceArn: string;
  readonly awsAccountId: string;
  readonly customerIdentifier?: string;
  readonly customerId: string;
  readonly licenceKey: string;
}

export interface ReportAnswer {
  readonly counts: { recorded: number; already: number; conflict: number; refused: number };
  readonly outcomes: readonly { id: string; outcome: string; code?: string; message?: string }[];
}

interface WorldOptions {
  readonly at?: string;
  readonly product?: object;
  readonly policy?: object;
  /** What products have of their own for their buyers, by product code. */
  readonly productPages?: object;
  readonly webhooks?: WebhookSettings;
  readonly postWebhook?: WebhookPoster;
  readonly archiveUrl?: string;
  /** Absent where no mail is set. */
  readonly mail?: MailSettings;
  /** How SES refuses a mail. */
  readonly mailFault?: (mail: CaughtMail) => MailFault | undefined;
}

interface Services {
  readonly database: Database;
  readonly secrets: SecretServer;
}

/** Starts one database engine for all tests of a file. */
export function useServices(): () => Services {
  let services: Services | undefined;
  beforeAll(async () => {
    services = { database: await startDatabase(), secrets: await startSecrets() };
  });
  afterAll(async () => {
    await services?.secrets.close();
    await services?.database.close();
  });
  return () => {
    if (!services) throw new Error('Services start before the first test of a file, not before.');
    return services;
  };
}

export function localClient(endpoint: string): DynamoDBClient {
  return dynamoClient({
    region: 'us-east-1',
    endpoint,
    credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' },
  });
}

/** A seller's world with one product: tables of its own, a simulated AWS, and the handlers between them. */
export async function startBackendWorld({ database, secrets }: Services, options: WorldOptions = {}) {
  const simulator = await startSimulator({ clock: { mode: 'set', at: options.at ?? '2026-09-21T10:05:00.000Z' } });
  onTestFinished(() => simulator.close());
  const control = new ControlClient(simulator.url, simulator.controlSecret);
  const clock = new WorldClock(control);
  await clock.follow();
  const client = localClient(database.endpoint);
  onTestFinished(() => client.destroy());
  const tables = await createTables(client, `${randomBytes(6).toString('hex')}-`);
  const product = {
    productCode: PRODUCT,
    title: 'Metrics Cloud',
    meteringRegion: 'us-east-1',
    dimensions: ['requests', 'gb_stored'],
    zeroRecords: 'off',
    ...options.product,
  };
  await control.put(`/control/products/${product.productCode}`, {
    title: product.title,
    identityStyle: 'identityStyle' in product ? product.identityStyle : 'licence',
    dimensions: ['requests', 'gb_stored'].map((key) => ({ key })),
  });
  const logged: { level: string; code: string; facts: unknown }[] = [];
  const note = (level: string) => (code: string, facts?: unknown) => void logged.push({ level, code, facts });
  const log: Log = { info: note('info'), warn: note('warn'), error: note('error') };
  const metricLines: string[] = [];
  const write = (line: string) => void metricLines.push(line);
  const queueOf = (name: string, maxReceives: number) =>
    new LocalQueue({ name, clock: clock.now, maxReceives, onDeadLetter: () => log.error('DeadLetter', { name }) });
  const webhooks = queueOf('webhooks', 1_000);
  const notices = queueOf('notices', 8);
  const mail = queueOf('mail', 1_000);
  const catcher = new MailCatcher(clock.now, options.mailFault);
  const mailServer = await catcher.serve();
  onTestFinished(() => mailServer.close());
  const busEvents: AccessEventEnvelope[] = [];
  const messaging = await startMessaging({
    targets: [
      ({ detail }) => void busEvents.push(JSON.parse(detail) as AccessEventEnvelope),
      webhookRules(options.webhooks ?? [], webhooks),
      ...(options.mail ? [mailRule(options.mail, mail)] : []),
    ],
    queues: [notices, webhooks, mail],
  });
  onTestFinished(() => messaging.close());
  const settings = {
    databaseEndpoint: database.endpoint,
    tables,
    marketplaceUrl: simulator.url,
    secretsUrl: secrets.url,
    messagingUrl: messaging.url,
    mailUrl: mailServer.url,
    ...(options.mail === undefined ? {} : { mail: options.mail }),
    clock: clock.now,
    log,
    measure: embeddedMetrics({ stage: 'prod', clock: clock.now, write }),
    products: [product],
    ...(options.productPages === undefined ? {} : { productPages: options.productPages }),
    policy: { lingerMs: 0, ...options.policy },
    ...(options.webhooks === undefined ? {} : { webhooks: options.webhooks }),
    ...(options.archiveUrl === undefined ? {} : { archiveUrl: options.archiveUrl }),
    ...(options.postWebhook === undefined ? {} : { postWebhook: options.postWebhook }),
  };
  const backend = createBackend(settings);
  const gateway = await startGateway(backend);
  onTestFinished(() => gateway.close());
  const stores = {
    customers: new DynamoCustomerStore(client, tables.customers),
    usage: new DynamoUsageStore(client, tables.usage),
    ledger: new DynamoLedgerStore(client, tables.ledger),
    work: new DynamoWorkStore(client, tables.work),
  };

  // A fresh deployment first looks at every hour that could hold usage; a test's world has none before it starts.
  await stores.work.raiseWatermark(hourOf(clock.now() - HOUR_MS));

  const subscribe = async (wanted: object = {}): Promise<Subscription> => {
    const agreement = await control.post<Omit<Subscription, 'customerId' | 'licenceKey'>>('/control/agreements', {
      productCode: product.productCode,
      ...wanted,
    });
    const { token } = await control.post<{ token: string }>(`/control/agreements/${agreement.agreementId}/tokens`);
    const body = new URLSearchParams({ 'x-amzn-marketplace-token': token });
    await fetch(`${gateway.url}/register`, { method: 'POST', body, redirect: 'manual' });
    const isLegacy = 'identityStyle' in product && product.identityStyle === 'legacy';
    const licenceKey = licenceKeyOf(
      isLegacy
        ? { style: 'legacy', productCode: product.productCode, customerIdentifier: agreement.customerIdentifier ?? '' }
        : { style: 'licence', licenceArn: agreement.licenceArn },
    );
    const licence = await stores.customers.licence(licenceKey);
    if (!licence) throw new Error('The buyer was not registered.');
    return { ...agreement, licenceKey, customerId: licence.customerId };
  };

  const report = async (events: readonly object[]): Promise<ReportAnswer> => {
    const answer = await fetch(`${gateway.url}/usage`, { method: 'POST', body: JSON.stringify({ events }) });
    if (answer.status !== 200) throw new Error(`POST /usage answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as ReportAnswer;
  };

  const tick = async (at?: string): Promise<void> => {
    if (at) await clock.set(Date.parse(at));
    await backend.closeHours();
    await backend.sendMetering();
  };

  /** The way of the simulator's notices to apply-notice; a further one is as a start anew: it reads all of them. */
  const noticeFeed = (queue = queueOf('notices', 8)) => new NoticeFeed(control, queue, backend.applyNotice);
  const feed = noticeFeed(notices);

  /** Brings the notices that went out by now; gives how many were taken. */
  const deliverNotices = (): Promise<number> => feed.follow();

  /** Settles who is due, puts what waits to be told on the bus, posts what is due to the webhooks, and sends mail. */
  const tell = async (): Promise<void> => {
    await backend.tellProduct();
    await webhooks.deliver(backend.deliverWebhooks);
    await mail.deliver(backend.sendMail);
  };

  const bill = async () => {
    const { lines } = await control.get<{ lines: BillLine[] }>('/control/bill');
    return lines;
  };

  const books = async (first: string, end: string): Promise<HourBooks[]> => {
    const [from, to] = [parseHour(first), parseHour(end)];
    if (!from || !to) throw new Error('An hour is written like 2026-09-21T10.');
    const all: HourBooks[] = [];
    for await (const each of verifyBooks(stores, from, to)) all.push(each);
    return all;
  };

  const calls = async (): Promise<number> =>
    (await control.get<{ count: number }>('/control/calls/count?operation=BatchMeterUsage')).count;

  return {
    ...stores,
    simulator,
    control,
    clock,
    client,
    tables,
    backend,
    gateway,
    /** As the operator's tools find it. */
    facts: laptopFacts(settings, { messagingUrl: messaging.url, appUrl: gateway.url, simulator }),
    logged,
    /** The handlers' numbers, as a deployment of the stage `prod` would write them into its logs. */
    metricLines,
    subscribe,
    report,
    tick,
    noticeFeed,
    queues: { notices, webhooks },
    deliverNotices,
    tell,
    /** What the seller's product was told on the bus. */
    busEvents,
    /** What SES took. */
    mails: catcher.mails,
    mailQueue: mail,
    mailServer,
    bill,
    books,
    calls,
  };
}

export type BackendWorld = Awaited<ReturnType<typeof startBackendWorld>>;

export interface BillLine {
  readonly licenceArn: string;
  readonly awsAccountId: string;
  readonly customerIdentifier?: string;
  readonly dimension: string;
  readonly hour: string;
  readonly timestamp: string;
  readonly quantity: number;
  readonly meteringRecordId: string;
  readonly region: string;
  readonly allocations?: readonly object[];
}

let nextEvent = 0;

/** A usage event of a subscription; `at` is its time. */
export function anEvent(of: Pick<Subscription, 'licenceArn'>, at: string, overrides: object = {}) {
  nextEvent += 1;
  return {
    id: `event-${nextEvent}`,
    licenseArn: of.licenceArn,
    dimension: 'requests',
    quantity: 1,
    time: at,
    ...overrides,
  };
}
