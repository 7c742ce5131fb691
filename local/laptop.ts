// The whole system on one machine: database, simulator, handlers, gateway, and their data in one folder.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { parseMeteringPolicy } from '../lambdas/contracts/product-settings.ts';
import { MINUTE_MS } from '../lambdas/domain/hour.ts';
import { systemClock } from '../lambdas/runtime/clock.ts';
import type { Log } from '../lambdas/runtime/log.ts';
import { dynamoClient } from '../lambdas/stores/dynamo.ts';
import { ControlClient } from '../operator/control-client.ts';
import type { DeploymentFacts } from '../operator/deployment.ts';
import { WorldClock } from '../operator/world-clock.ts';
import { type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { type Backend, type BackendOptions, createBackend, EXAMPLE_MAIL } from './backend.ts';
import { startDatabase } from './database.ts';
import { DemoProduct, jsonPage } from './demo-product.ts';
import { passEmptyHours } from './empty-hours.ts';
import { lockFolder } from './folder-lock.ts';
import { type ProxyHandler, startGateway } from './gateway.ts';
import { laptopFacts } from './laptop-facts.ts';
import { type DeadLetter, LocalQueue } from './local-queue.ts';
import { MailCatcher } from './mail-catcher.ts';
import { mailRule, startMessaging, webhookRules } from './messaging.ts';
import { NoticeFeed } from './notice-feed.ts';
import type { Schedule } from './schedules.ts';
import { startSecrets, WEBHOOK_SECRET_ARN } from './secrets.ts';
import { DemoSignUpPage } from './sign-up-page.ts';
import { createTables, type TableNames } from './tables.ts';

interface LaptopOptions {
  /** Where the data is kept between starts. */
  readonly folder: string;
  /** Forgets what earlier starts left. */
  readonly isFresh: boolean;
  readonly appPort?: number;
  readonly simulator: Omit<SimulatorOptions, 'dataPath'>;
  readonly products: readonly object[];
  readonly policy?: object;
  /** The product whose buyers sign up on the demo of a seller's own page; none where absent. */
  readonly ownSignUp?: { readonly productCode: string; readonly registration: object };
  /** Where what the product is told is also posted; a public https address. */
  readonly webhookUrl?: string;
  readonly log: Log;
}

export interface Laptop {
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly control: ControlClient;
  readonly clock: WorldClock;
  readonly backend: Backend;
  /** Takes the notices that have come, by the clock's time ahead; tells whether anything was done. */
  readonly arrivals: () => Promise<boolean>;
  /** Everything that the stacks run by itself, in the order in which a laptop runs it. */
  readonly schedules: readonly Schedule[];
  readonly appUrl: string;
  readonly marketplaceUrl: string;
  readonly controlSecret: string;
  readonly webhookSecret: string;
  /** Of the demo of a seller's own sign-up page, where a product has it. */
  readonly signUpUrl: string | undefined;
  /** As the operator's tools want to know it. */
  readonly facts: DeploymentFacts;
  close(): Promise<void>;
}

/** As the stacks set it. With waits that grow from a second, a database may be away for four minutes. */
const NOTICE_RECEIVES = 10;
/** As the stacks set it. */
const TOLD_RECEIVES = 200;

const DATABASE = 'database.sqlite';
const MARKETPLACE = 'marketplace.sqlite';

function forget(folder: string): void {
  for (const file of [DATABASE, MARKETPLACE]) {
    for (const part of ['', '-wal', '-shm', '-journal']) rmSync(join(folder, `${file}${part}`), { force: true });
  }
}

/** Starts everything, or nothing: what was started is stopped again where a later part fails. */
export async function startLaptop(options: LaptopOptions): Promise<Laptop> {
  const { log } = options;
  const closers: (() => Promise<void> | void)[] = [lockFolder(options.folder)];
  // Only what is ours, and only once nobody else uses it.
  if (options.isFresh) forget(options.folder);
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const database = await startDatabase({ dataPath: join(options.folder, DATABASE) });
    closers.push(() => database.close());
    const client = dynamoClient({
      region: 'us-east-1',
      endpoint: database.endpoint,
      credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' },
    });
    closers.push(() => client.destroy());
    const tables = await createTables(client);
    const simulator = await startSimulator({
      ...options.simulator,
      dataPath: join(options.folder, MARKETPLACE),
    });
    closers.push(() => simulator.close());
    const secrets = await startSecrets();
    closers.push(() => secrets.close());
    const control = new ControlClient(simulator.url, simulator.controlSecret);
    const clock = new WorldClock(control);
    await clock.follow();
    const queues = queuesOf(clock, log);
    const { webhookUrl } = options;
    const webhooks =
      webhookUrl === undefined ? [] : [{ name: 'product', url: webhookUrl, secretArn: WEBHOOK_SECRET_ARN }];
    const product = new DemoProduct(log);
    const messaging = await startMessaging({
      targets: [product.hear, webhookRules(webhooks, queues.webhooks), mailRule(EXAMPLE_MAIL, queues.mail)],
      queues: Object.values(queues),
    });
    closers.push(() => messaging.close());
    const mail = new MailCatcher(clock.now);
    const mailServer = await mail.serve();
    closers.push(() => mailServer.close());
    const signUpPage = new DemoSignUpPage(clock.now);
    const { ownSignUp } = options;
    const signUpServer = ownSignUp && (await signUpPage.serve());
    if (signUpServer) closers.push(() => signUpServer.close());
    const settings: BackendOptions = {
      databaseEndpoint: database.endpoint,
      tables,
      marketplaceUrl: simulator.url,
      secretsUrl: secrets.url,
      messagingUrl: messaging.url,
      mailUrl: mailServer.url,
      mail: EXAMPLE_MAIL,
      clock: clock.now,
      noticeClock: clock.ahead,
      products: options.products,
      ...(ownSignUp && signUpServer
        ? {
            productPages: {
              [ownSignUp.productCode]: { registration: ownSignUp.registration, signUp: { url: signUpServer.url } },
            },
          }
        : {}),
      ...(options.policy === undefined ? {} : { policy: options.policy }),
      webhooks,
      log,
    };
    const backend = createBackend(settings);
    const feed = new NoticeFeed(control, queues.notices, backend.applyNotice);
    const visits: 'visit'[] = [];
    const demo = new Map([
      ['/demo/access-events', product.show],
      ['/demo/mails', mail.show],
      ['/demo/dead-letters', async () => jsonPage(Object.values(queues).flatMap(({ deadLetters }) => deadLetters))],
    ]);
    const gateway = await startGateway(noting(backend, visits), options.appPort, demo);
    closers.push(() => gateway.close());
    if (signUpServer) signUpPage.connect(gateway.url);
    const policy = parseMeteringPolicy(JSON.stringify(options.policy ?? {}));
    return {
      client,
      tables,
      control,
      clock,
      backend,
      arrivals: async () => (await feed.follow()) > 0 || visits.splice(0).length > 0,
      schedules: schedulesOf(backend, queues, () => passEmptyHours({ client, tables, clock }, policy)),
      appUrl: gateway.url,
      marketplaceUrl: simulator.url,
      controlSecret: simulator.controlSecret,
      webhookSecret: secrets.webhookSecret,
      signUpUrl: signUpServer?.url,
      facts: laptopFacts(settings, { messagingUrl: messaging.url, appUrl: gateway.url, simulator }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function queuesOf(clock: WorldClock, log: Log) {
  // A body names a buyer's account: that is for the page, not for the log.
  const onDeadLetter = ({ queue, messageId, receives }: DeadLetter) =>
    log.error('DeadLetter', { queue, messageId, receives });
  return {
    // Its waits go by the wall: while the world's clock stands, a database that is back is to be met soon.
    notices: new LocalQueue({ name: 'notices', clock: systemClock, maxReceives: NOTICE_RECEIVES, onDeadLetter }),
    webhooks: new LocalQueue({ name: 'webhooks', clock: clock.now, maxReceives: TOLD_RECEIVES, onDeadLetter }),
    mail: new LocalQueue({ name: 'mail', clock: clock.now, maxReceives: TOLD_RECEIVES, onDeadLetter }),
  };
}

function schedulesOf(
  backend: Backend,
  { webhooks, mail }: ReturnType<typeof queuesOf>,
  beforeClosing: () => Promise<unknown>,
): Schedule[] {
  const closeHours = async () => {
    await beforeClosing();
    await backend.closeHours();
  };
  return [
    { name: 'refreshEntitlements', everyMs: 15 * MINUTE_MS, tick: backend.refreshEntitlements },
    { name: 'closeHours', everyMs: MINUTE_MS, tick: closeHours },
    { name: 'sendMetering', everyMs: MINUTE_MS, tick: backend.sendMetering },
    { name: 'tellProduct', everyMs: MINUTE_MS, tick: backend.tellProduct },
    // Deployed, every five: on a laptop a person waits for what a tick has just changed.
    { name: 'summarizeHours', everyMs: MINUTE_MS, tick: backend.summarizeHours },
    { name: 'deliverWebhooks', tick: () => webhooks.deliver(backend.deliverWebhooks) },
    { name: 'sendMail', tick: () => mail.deliver(backend.sendMail) },
  ];
}

/** Notes each visit to the registration page: its buyer need not wait for the clock until the product is told. */
function noting(backend: Backend, visits: 'visit'[]): Backend {
  const noted =
    (handler: ProxyHandler): ProxyHandler =>
    (event, context) =>
      handler(event, context).finally(() => visits.push('visit'));
  return {
    ...backend,
    resolveBuyer: noted(backend.resolveBuyer),
    registerCustomer: noted(backend.registerCustomer),
  };
}
