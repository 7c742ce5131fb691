// npm start: the whole story on this machine. --fresh forgets what earlier starts left.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Console, startConsole } from '../console/console.ts';
import { SECOND_MS } from '../lambdas/domain/hour.ts';
import { consoleLog } from '../lambdas/runtime/log.ts';
import { targetProblem } from '../lambdas/runtime/webhook-target.ts';
import { writeDeploymentFile } from '../operator/deployment-file.ts';
import { openDesk } from '../operator/desk.ts';
import { type Laptop, startLaptop } from './laptop.ts';
import { type UnusablePort, unusablePort } from './ports.ts';
import { runSchedules } from './schedules.ts';
import { DEMO_FIELDS } from './sign-up-page.ts';
import { DEMO_TITLE } from './sign-up-views.ts';
import { storyLog } from './story-log.ts';

const FOLDER = '.local/start';
/** In the folder while it runs: what `fulfillment` and the console open. */
const DEPLOYMENT_FILE = 'deployment.json';
const APP_PORT = 7300;
const MARKETPLACE_PORT = 7301;
const CONSOLE_PORT = 7302;

const USAGE = `npm start -- [options]
  --fresh                    forget customers, usage, the bill and the clock of earlier starts
  --port <number>            port of the backend, ${APP_PORT} where absent
  --marketplace-port <n>     port of the simulated AWS Marketplace, ${MARKETPLACE_PORT} where absent
  --console-port <n>         port of the operator's console, ${CONSOLE_PORT} where absent
  --webhook <url>            also post what your product is told to a public https address
  --verbose                  every log line of the handlers
  --help                     this`;

const PRODUCTS = [
  {
    productCode: 'demo-product',
    title: 'Demo Metrics Cloud',
    meteringRegion: 'us-east-1',
    dimensions: ['requests', 'kib_sent', 'gb_stored'],
    zeroRecords: 'off',
  },
  {
    productCode: 'demo-legacy-product',
    title: DEMO_TITLE,
    identityStyle: 'legacy',
    meteringRegion: 'us-east-1',
    dimensions: ['requests'],
    zeroRecords: 'off',
  },
  {
    productCode: 'demo-contract-product',
    title: 'Demo Backup',
    pricingModel: 'contractWithConsumption',
    meteringRegion: 'us-east-1',
    dimensions: ['gb_stored'],
    zeroRecords: 'off',
  },
];

/** Its buyers are handed on to a page that is not the backend's. */
const OWN_SIGN_UP = {
  productCode: 'demo-legacy-product',
  registration: { sellerName: DEMO_TITLE, accent: '#0f766e', fields: DEMO_FIELDS },
};

// An hour closes as soon as it is over: who moves the clock by hand wants to see the bill, not to wait ten minutes.
const POLICY = { settleDelayMs: 0, lingerMs: 0 };

const OPTIONS = {
  fresh: { type: 'boolean', default: false },
  port: { type: 'string', default: String(APP_PORT) },
  'marketplace-port': { type: 'string', default: String(MARKETPLACE_PORT) },
  'console-port': { type: 'string', default: String(CONSOLE_PORT) },
  webhook: { type: 'string' },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const values = readOptions();
if (values?.help) console.log(USAGE);
else if (values) await start(values).catch(failed);

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** Whatever else has begun is ended by it, the database among it. */
function failed(error: unknown): void {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

async function start(values: NonNullable<ReturnType<typeof readOptions>>): Promise<void> {
  const ports = [values.port, values['marketplace-port'], values['console-port']].map(portOf);
  const [appPort, marketplacePort, consolePort] = ports;
  if (appPort === undefined || marketplacePort === undefined || consolePort === undefined) {
    return refuse('A port is a number from 0 to 65535.');
  }
  const named = ports.filter((port) => port !== 0);
  if (new Set(named).size < named.length) return refuse('The three ports have to differ.');
  const webhookUrl = values.webhook;
  const problem = webhookUrl === undefined ? undefined : targetProblem(webhookUrl);
  if (problem) {
    return refuse(`The address of --webhook ${problem}. Without it, GET /demo/access-events shows what is told.`);
  }
  const unusable = await unusablePort([appPort, marketplacePort, consolePort]);
  if (unusable) return refuse(portProblem(unusable), 1);
  const startedAtMs = performance.now();
  const log = values.verbose ? consoleLog : storyLog;
  // A second start on other ports has a world of its own.
  const folder = appPort === APP_PORT ? FOLDER : `${FOLDER}-${appPort}`;
  const laptop = await startLaptop({
    folder,
    isFresh: values.fresh,
    appPort,
    // A new world's clock stands still until a person moves it, so the time of the printed curl line stays right.
    simulator: { port: marketplacePort, seed: 'demo', clock: { mode: 'set', at: new Date().toISOString() } },
    products: PRODUCTS,
    ownSignUp: OWN_SIGN_UP,
    policy: POLICY,
    ...(webhookUrl === undefined ? {} : { webhookUrl }),
    log,
  });
  const desk = await openDesk(laptop.facts);
  const operators = await startConsole({ desk, port: consolePort });
  await pointListings(laptop);
  const file = join(folder, DEPLOYMENT_FILE);
  const removeFile = writeDeploymentFile(file, laptop.facts);
  const schedules = runSchedules({ ...laptop, log });
  await announce(laptop, operators, performance.now() - startedAtMs, webhookUrl, file);

  let isClosing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isClosing) process.exit(1);
      isClosing = true;
      console.log('  ending after the run that is under way; Ctrl-C again ends at once');
      void schedules.stop().then(async () => {
        removeFile();
        await operators.close();
        desk.close();
        await laptop.close();
        process.exit(0);
      });
    });
  }
}

/** Listings send their buyers to this start's address, whatever an earlier start's was. */
async function pointListings({ control, appUrl }: Laptop): Promise<void> {
  const { products } = await control.get<{ products: { productCode: string }[] }>('/control/products');
  for (const product of products) {
    const { productCode, ...listing } = product;
    await control.put(`/control/products/${productCode}`, { ...listing, fulfillmentUrl: `${appUrl}/register` });
  }
}

async function announce(
  { appUrl, marketplaceUrl, controlSecret, webhookSecret, signUpUrl, clock, control }: Laptop,
  operators: Console,
  tookMs: number,
  webhookUrl: string | undefined,
  file: string,
): Promise<void> {
  const isUsual = file === join(FOLDER, DEPLOYMENT_FILE);
  // On other ports, the commands have to be told: several may run side by side.
  const found = isUsual
    ? ''
    : `\nThe command "fulfillment" finds it by:  export FULFILLMENT_DEPLOYMENT=${resolve(file)}\n`;
  const { agreements } = await control.get<{ agreements: unknown[] }>('/control/agreements?limit=1');
  const secret = `?secret=${encodeURIComponent(controlSecret)}`;
  const posted =
    webhookUrl === undefined ? '' : `\n  It is also posted to         ${webhookUrl}, signed with ${webhookSecret}`;
  const continued = agreements.length === 0 ? '' : ' This goes on where an earlier start ended; --fresh begins anew.';
  const time = new Date(Math.floor(clock.now() / SECOND_MS) * SECOND_MS).toISOString().replace('.000', '');
  console.log(`
Ready in ${(tookMs / SECOND_MS).toFixed(1)} s. The world's time is ${time}.${continued}

  AWS Marketplace (simulated)  ${marketplaceUrl}/${secret}
  The bill, as AWS sees it     ${marketplaceUrl}/bill${secret}
  The operator's console       ${operators.url}
  Your backend                 ${appUrl}  (registration page and POST /usage)
  What your product is told    ${appUrl}/demo/access-events${posted}
  Mail to buyers and to you    ${appUrl}/demo/mails

1. Open the marketplace, subscribe to a product, press "Set up your account", and fill in the page.
   ${DEMO_TITLE} leads to a sign-up page of the seller's own instead, ${signUpUrl}: docs/registration.md.
2. Report usage with the customer id that the last page shows:

   curl -s ${appUrl}/usage -d '{"events":[{"id":"event-1","customerId":"cus_…","dimension":"requests","quantity":5,"time":"${time}"}]}'

3. On the marketplace page, let the clock pass the hour; the bill shows the units.
4. Ask how the buyer stands, and what a contract includes:  curl -s ${appUrl}/customers/cus_…/entitlements
5. Cancel, and let the clock go on: access is revoked, and the last usage is billed. Ctrl-C ends all of it.
${found}`);
}

function portOf(text: string): number | undefined {
  const port = Number(text);
  return text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : undefined;
}

function portProblem({ port, code }: UnusablePort): string {
  if (code !== 'EADDRINUSE') return `Port ${port} can't be used (${code}). Choose another.`;
  return `Port ${port} is taken, perhaps by an earlier start. End that one, or choose others: npm start -- --port 7400 --marketplace-port 7401 --console-port 7402`;
}

function refuse(message: string, exitCode = 2): void {
  console.error(message);
  process.exitCode = exitCode;
}
