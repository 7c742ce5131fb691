// What buyers and a seller do to the deployed backend, and what has to be true after each act.
import { createCustomerReader } from '../../client/customers-api.ts';
import { createSignUps } from '../../client/hand-off.ts';
import { createUsageReporter, type UsageReporter } from '../../client/usage-api.ts';
import type { AccessEventEnvelope } from '../../lambdas/contracts/access-event.ts';
import type { Aws } from './aws.ts';
import { BuyerBrowser } from './buyer.ts';
import { type Cdk, type Outputs, outputOf } from './cdk.ts';
import { Courier } from './courier.ts';
import { type DeployedResource, Tables } from './deployed.ts';
import { CREDENTIALS, type Emulator, REGION } from './emulator.ts';
import { Inbox } from './inbox.ts';
import type { BillLine, Marketplace, Purchase } from './marketplace.ts';
import { BACKUP, INCLUDED_GB, METRICS, NEW_DIMENSION, NEXT_STEPS, SEARCH, SIGN_UP_URL, settings } from './settings.ts';
import { eventually, hold, type Steps, say } from './steps.ts';
import { Truth } from './truth.ts';

const HOUR_MS = 3_600_000;

/** Two ticks of the schedules and what a function takes, on a slow machine. */
const TICKS_SECONDS = 180;

/** Every quarter of an hour, every five minutes, every hour. */
const SELDOM = ['RefreshEntitlementsFunction', 'SummariesSummarizeHoursFunction', 'ExportAuditFunction'];

export interface StoryProps {
  readonly steps: Steps;
  readonly aws: Aws;
  readonly cdk: Cdk;
  readonly marketplace: Marketplace;
  readonly emulator: Emulator;
  readonly outputs: Outputs;
  readonly resources: readonly DeployedResource[];
}

interface Customer extends Purchase {
  readonly customerId: string;
}

export class Story {
  readonly #props: StoryProps;
  readonly #courier: Courier;
  readonly #tables: Tables;
  readonly #reporter: UsageReporter;
  readonly #usageUrl: string;
  readonly #truth = new Truth();
  #inbox: Inbox | undefined;
  #customers: readonly Customer[] = [];

  constructor(props: StoryProps) {
    const { marketplace, aws, emulator, outputs, resources } = props;
    this.#props = props;
    this.#courier = new Courier(marketplace.control, aws, emulator.url);
    this.#tables = new Tables(resources, emulator.url);
    this.#usageUrl = byPath(emulator.url, outputOf(outputs, 'metering', 'UsageUrl'));
    this.#reporter = createUsageReporter({
      url: this.#usageUrl,
      sign: true,
      region: REGION,
      credentials: CREDENTIALS,
    });
  }

  /** The addresses of both APIs, for programs. */
  apis(): { readonly pagesUrl: string; readonly usageApiUrl: string } {
    const { emulator, outputs } = this.#props;
    const pages = byPath(emulator.url, outputOf(outputs, 'registration', 'FulfillmentUrl'));
    return { pagesUrl: pages.replace(/\/register$/, ''), usageApiUrl: this.#usageUrl.replace(/\/usage$/, '') };
  }

  /** How many items stand in the tables. */
  async items(): Promise<number> {
    return [...(await this.#tables.items()).values()].reduce((sum, { size }) => sum + size, 0);
  }

  async buyAndRegister(): Promise<void> {
    const { steps, aws, emulator, outputs, marketplace } = this.#props;
    const inbox = await steps.take('the product listens on the access bus', () =>
      Inbox.subscribe(aws, emulator.url, outputOf(outputs, 'access', 'AccessEventBusArn')),
    );
    this.#inbox = inbox;
    const purchases = await steps.take('buyers bought five hours ago, and AWS tells of it', async () => {
      const bought = await marketplace.sell();
      const { eventbridge, sns } = await this.#courier.carry();
      say(`${eventbridge} notices by the default bus, ${sns} by SNS`);
      hold(eventbridge > 0 && sns > 0, 'AWS told of the purchases on both channels');
      return bought;
    });
    this.#customers = await steps.take(
      'they register through the fulfillment URL, while the session keys are rotated',
      async () => {
        const registered: Customer[] = [];
        // The hand-off first: each of the others rotates the keys, and two rotations make what was signed before worthless.
        const inOrder = [...purchases].sort(
          (one, other) => Number(other.productCode === SEARCH) - Number(one.productCode === SEARCH),
        );
        for (const purchase of inOrder) registered.push({ ...purchase, customerId: await this.#register(purchase) });
        return registered;
      },
    );
    await steps.take('the product is told whom to let in', () =>
      eventually('accessGranted for each buyer', TICKS_SECONDS, async () => {
        await this.#courier.carry();
        const events = await inbox.look();
        const granted = this.#customers.every(({ customerId }) => isTold(events, customerId, 'accessGranted'));
        return granted ? true : undefined;
      }),
    );
  }

  async #register(purchase: Purchase): Promise<string> {
    const { outputs, emulator, marketplace } = this.#props;
    const browser = new BuyerBrowser(outputOf(outputs, 'registration', 'FulfillmentUrl'), emulator.port);
    const arrived = await browser.arrive(await marketplace.token(purchase));
    hold(arrived.status === 303, `a buyer with a token is sent to the form, but was answered ${arrived.status}`);
    if (purchase.productCode === SEARCH) return this.#signUp(arrived.location ?? '');
    const form = await browser.get(arrived.location ?? '');
    // Whose page is open meanwhile goes on under the key before.
    await this.#rotateSessionKeys();
    const incomplete = await browser.submit(form, { email: 'ada@example', company: '' });
    hold(incomplete.text.includes('Please check what you wrote'), 'a form with mistakes is shown again');
    const done = await browser.submit(form, { email: 'ada@example.com', company: 'Analytical Engines' });
    hold(done.status === 303, `a form that is right is taken, but was answered ${done.status}`);
    const last = await browser.get(done.location ?? '');
    hold(last.text.includes(NEXT_STEPS[0]), 'the last page says what happens next');
    const [customerId] = /cus_[\w-]+/.exec(last.text) ?? [];
    hold(customerId !== undefined, 'the last page shows the reference');
    return customerId;
  }

  /** As the server of the seller's own sign-up page does it, to which the buyer is handed on. */
  async #signUp(location: string): Promise<string> {
    hold(location.startsWith(`${SIGN_UP_URL}?`), `the buyer is sent to the seller's page, but to ${location}`);
    const { pagesUrl } = this.apis();
    const signUps = createSignUps({
      url: this.#usageUrl,
      pagesUrl,
      signUpUrl: SIGN_UP_URL,
      stage: 'e2e',
      sign: true,
      region: REGION,
      credentials: CREDENTIALS,
    });
    const handOff = new URL(location).searchParams.get('handOff') ?? '';
    const arrival = await signUps.redeem(handOff);
    if (arrival.kind !== 'redeemed') throw new Error(`The hand-off should be redeemed, but is ${arrival.kind}.`);
    hold((await signUps.redeem(handOff)).kind === 'spent', 'a hand-off is redeemed once');
    const incomplete = await signUps.register(arrival.buyer, { email: 'ada@example' });
    hold(incomplete.kind === 'incomplete', `mistakes are told, but it was ${incomplete.kind}`);
    const answers = { email: 'ada@example.com', fields: { company: 'Analytical Engines' } };
    const [first, second] = [
      await signUps.register(arrival.buyer, answers),
      await signUps.register(arrival.buyer, answers),
    ];
    hold(first.kind === 'registered' && second.kind === 'already', `signed up once: ${first.kind}, ${second.kind}`);
    return arrival.buyer.customerId;
  }

  /** By the steps that Secrets Manager would ask for. */
  async #rotateSessionKeys(): Promise<void> {
    const { aws } = this.#props;
    const rotation = this.#physicalId('SessionKeysRotationFunction', 'AWS::Lambda::Function');
    const SecretId = this.#physicalId('SessionKeysSecret', 'AWS::SecretsManager::Secret');
    const ClientRequestToken = crypto.randomUUID();
    for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
      const { status, text } = await aws.invoke(rotation, { SecretId, ClientRequestToken, Step });
      hold(status === 200 && text === 'null', `the rotation takes the step ${Step}, but it answered ${text}`);
    }
    const { text } = await aws.json('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId });
    hold(JSON.parse(text).VersionId === ClientRequestToken, 'the new session key is in use');
  }

  async reportUsage(): Promise<void> {
    const { steps, aws, marketplace } = this.#props;
    const [metrics, backup, search] = [METRICS, BACKUP, SEARCH].map((code) => this.#customer(code));
    if (!metrics || !backup || !search) throw new Error('A buyer is missing.');
    await steps.take('the product reports usage of past hours', async () => {
      const hours = [3, 2].map((ago) => hourStartMs(Date.now()) - ago * HOUR_MS);
      for (const hour of hours) {
        await this.#report(metrics, 'requests', 40, hour + 60_000);
        await this.#report(metrics, 'requests', 2, hour + 120_000);
        await this.#report(search, 'requests', 7, hour + 60_000);
      }
      await this.#report(backup, 'gb_stored', INCLUDED_GB + 15, (hours[0] ?? 0) + 60_000, 15);
    });
    await steps.take('what is unsigned, unknown or reported again changes nothing', () => this.#reportInVain(metrics));
    await steps.take('a customer is read as the product reads it', async () => {
      const reader = createCustomerReader({
        url: this.#usageUrl,
        sign: true,
        region: REGION,
        credentials: CREDENTIALS,
      });
      const standing = await reader.standing(backup.customerId);
      hold(standing?.registeredAt !== undefined, 'the buyer of the contract is registered');
      const included = (await reader.entitlements(backup.customerId))?.licences[0]?.entitlements[0];
      hold(included?.value === INCLUDED_GB, `the contract includes what was bought, but it says ${included?.value}`);
    });
    await steps.take('each buyer gets a mail', () =>
      eventually('a confirmation to each buyer', TICKS_SECONDS, async () => {
        const mails = await aws.mails();
        const confirmed = this.#customers.every(({ customerId }) =>
          mails.some(
            ({ subject, text }) => subject.startsWith('We have your registration') && text.includes(customerId),
          ),
        );
        return confirmed ? true : undefined;
      }),
    );
    await steps.take('the schedules close the hours and send them', () => this.#billIsTrue());
    say(table(await marketplace.bill()));
  }

  async #report(customer: Customer, dimension: string, quantity: number, timeMs: number, billed = quantity) {
    const event = {
      id: `${dimension}-${timeMs}`,
      customerId: customer.customerId,
      dimension,
      quantity,
      time: timeMs,
    };
    const [outcome] = await this.#reporter.report([event]);
    hold(outcome?.outcome === 'recorded', `${event.id} is recorded, but it was ${JSON.stringify(outcome)}`);
    this.#truth.add(customer, dimension, timeMs, billed);
    return event;
  }

  async #reportInVain(customer: Customer): Promise<void> {
    const timeMs = hourStartMs(Date.now()) - 3 * HOUR_MS + 60_000;
    const event = { customerId: customer.customerId, dimension: 'requests', quantity: 40, time: timeMs };
    const outcomes = await this.#reporter.report([
      { ...event, id: `requests-${timeMs}` },
      { ...event, id: `requests-${timeMs}`, quantity: 41 },
      { ...event, id: 'too-old', time: timeMs - 48 * HOUR_MS },
      { ...event, id: 'unknown', dimension: NEW_DIMENSION },
    ]);
    const found = outcomes.map(({ outcome }) => outcome).join(' ');
    hold(found === 'already conflict refused refused', `events in vain are told so, but were told ${found}`);
    const unsigned = await fetch(this.#usageUrl, { method: 'POST', body: '{"events":[]}' });
    hold(unsigned.status === 403, `an unsigned report is refused, but was answered ${unsigned.status}`);
  }

  async secondVersion(): Promise<void> {
    const { steps, cdk } = this.#props;
    const before = await this.#tables.items();
    await steps.take('cdk deploy --all of a second version', () => cdk.deploy(settings(2)));
    await steps.take('what was kept is still there', async () => {
      const after = await this.#tables.items();
      for (const [name, items] of before) {
        // The other tables live on while it is deployed.
        if (!['usage', 'ledger', 'buyers', 'notices', 'rejects'].includes(name)) continue;
        hold(
          items.size > 0 && [...items].every((item) => after.get(name)?.has(item)),
          `the table ${name} kept every item`,
        );
        say(`${name}: ${items.size} items, all kept`);
      }
    });
    await steps.take('the second version takes what the first did not know', () =>
      this.#report(this.#customer(METRICS), NEW_DIMENSION, 9, hourStartMs(Date.now()) - 2 * HOUR_MS + 60_000),
    );
  }

  async cancel(): Promise<void> {
    const { steps, marketplace } = this.#props;
    const metrics = this.#customer(METRICS);
    await steps.take('a buyer uses the product in the running hour and cancels', async () => {
      await this.#report(metrics, 'requests', 5, Date.now());
      await marketplace.cancel(metrics);
    });
    await steps.take('access is revoked, and the last usage is billed', async () => {
      await eventually('accessRevoked', TICKS_SECONDS, async () => {
        await this.#courier.carry();
        return isTold((await this.#inbox?.look()) ?? [], metrics.customerId, 'accessRevoked') ? true : undefined;
      });
      await this.#billIsTrue();
    });
  }

  /** By the Lambda API, since a run is over before their schedules tick. */
  async runTheSeldom(): Promise<void> {
    const { steps, aws } = this.#props;
    await steps.take('what ticks more seldom runs through when it is invoked', async () => {
      for (const name of SELDOM) {
        const { status, text } = await aws.invoke(this.#physicalId(name, 'AWS::Lambda::Function'), {});
        hold(status === 200 && text === 'null', `${name} runs through, but it answered ${text}`);
      }
    });
  }

  async readBill(): Promise<Readonly<Record<string, number>>> {
    const lines = await this.#props.marketplace.bill();
    say(table(lines));
    const sums = new Map<string, number>();
    for (const { productCode, dimension, quantity } of lines) {
      const name = `${productCode} ${dimension}`;
      sums.set(name, (sums.get(name) ?? 0) + quantity);
    }
    return Object.fromEntries(sums);
  }

  async close(): Promise<void> {
    this.#courier.close();
    this.#tables.close();
    this.#inbox?.close();
  }

  async #billIsTrue(): Promise<void> {
    let told = '';
    await eventually('a bill that tells the truth', TICKS_SECONDS, async () => {
      await this.#courier.carry();
      told = this.#truth.differenceFrom(await this.#props.marketplace.bill());
      return told === '' ? true : undefined;
    }).catch((cause: unknown) => {
      throw new Error(`The bill differs from what was used: ${told}`, { cause });
    });
  }

  #physicalId(start: string, type: string): string {
    const found = this.#props.resources.find((each) => each.logicalId.startsWith(start) && each.type === type);
    if (!found) throw new Error(`No ${type} is called ${start}.`);
    return found.physicalId;
  }

  #customer(code: string): Customer {
    const customer = this.#customers.find(({ productCode }) => productCode === code);
    if (!customer) throw new Error(`Nobody bought ${code}.`);
    return customer;
  }
}

function isTold(
  events: readonly AccessEventEnvelope[],
  customerId: string,
  type: AccessEventEnvelope['type'],
): boolean {
  return events.some((event) => event.customerId === customerId && event.type === type);
}

/** As the emulator serves an API to those who can't set the Host header. */
function byPath(emulatorUrl: string, apiUrl: string): string {
  const { hostname, pathname } = new URL(apiUrl);
  return `${emulatorUrl}/_aws/execute-api/${hostname.split('.')[0]}${pathname}`;
}

function hourStartMs(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

function table(lines: readonly BillLine[]): string {
  return lines
    .map(({ productCode, dimension, hour, quantity }) => `${hour}  ${productCode}  ${dimension}  ${quantity}`)
    .join('\n');
}
