// npm run replay -- FILE [--keep] [--folder F]: meters real traffic through the public interfaces, and checks the bill.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  addHours,
  HOUR_MS,
  type HourStart,
  hourEndMs,
  hourOf,
  hourStartMs,
  MINUTE_MS,
} from '../lambdas/domain/hour.ts';
import { MAX_RECORDS_PER_CALL } from '../lambdas/domain/marketplace-limits.ts';
import { verifyBooks } from '../lambdas/flow/verify-books.ts';
import { DynamoLedgerStore } from '../lambdas/stores/ledger-store.ts';
import { DynamoUsageStore } from '../lambdas/stores/usage-store.ts';
import { writesPerSecond } from './engine-speed.ts';
import { type Laptop, startLaptop } from './laptop.ts';
import { quietLog } from './quiet-log.ts';
import { customerOf, eventsByHour, readTraffic, type TrafficEvent } from './traffic.ts';

const PRODUCT = 'web-traffic';
const DIMENSIONS = ['requests', 'kib_sent'];
const CUSTOMERS = 40;
const EVENTS_PER_REPORT = 500;

/** As the settle delay is ten minutes, the first look at an hour is due now. */
const CLOSE_AFTER_MS = 11 * MINUTE_MS;

const { values, positionals } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, folder: { type: 'string', default: '.local/replay' } },
  allowPositionals: true,
});
const file = positionals[0] ?? 'bench/data/web-requests.csv';
const traffic = readTraffic(readFileSync(file, 'utf8'));
const hours = eventsByHour(traffic);
const firstHour = hourOf(Math.min(...traffic.map((event) => event.atMs)));
const lastHour = hourOf(Math.max(...traffic.map((event) => event.atMs)));

const startedAtMs = performance.now();
const laptop = await startLaptop({
  folder: values.folder,
  isFresh: !values.keep,
  simulator: { clock: { mode: 'set', at: new Date(hourStartMs(firstHour)).toISOString() } },
  products: [
    {
      productCode: PRODUCT,
      title: 'Web traffic',
      meteringRegion: 'us-east-1',
      dimensions: DIMENSIONS,
      zeroRecords: 'off',
    },
  ],
  policy: { lingerMs: 0 },
  log: quietLog,
});
try {
  const licences = await subscribeCustomers(laptop);
  await replay(laptop, licences);
  const isBalanced = await showResult(laptop);
  if (!isBalanced) process.exitCode = 1;
} finally {
  await laptop.close();
}

/** Subscribes the customers that are missing, and brings each to our registration page. A repeat adds nothing. */
async function subscribeCustomers({ control, appUrl }: Laptop): Promise<readonly string[]> {
  await control.put(`/control/products/${PRODUCT}`, {
    title: 'Web traffic',
    identityStyle: 'licence',
    dimensions: DIMENSIONS.map((key) => ({ key })),
  });
  const { agreements } = await control.get<{ agreements: Agreement[] }>('/control/agreements');
  const known = new Map(agreements.map((agreement) => [agreement.awsAccountId, agreement]));
  const licences: string[] = [];
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const awsAccountId = accountOf(customer);
    const agreement =
      known.get(awsAccountId) ??
      (await control.post<Agreement>('/control/agreements', {
        productCode: PRODUCT,
        awsAccountId,
        buyerName: `Customer ${customer}`,
      }));
    const { token } = await control.post<{ token: string }>(`/control/agreements/${agreement.agreementId}/tokens`);
    const body = new URLSearchParams({ 'x-amzn-marketplace-token': token });
    const landed = await fetch(`${appUrl}/register`, { method: 'POST', body, redirect: 'manual' });
    if (landed.status !== 303) throw new Error(`Registration of customer ${customer} answered ${landed.status}.`);
    licences.push(agreement.licenceArn);
  }
  return licences;
}

interface Agreement {
  readonly agreementId: string;
  readonly awsAccountId: string;
  readonly licenceArn: string;
}

function accountOf(customer: number): string {
  return `1000000000${String(customer).padStart(2, '0')}`;
}

/** Takes the clock through the hours: usage of each as it happens, then the look that closes it and what is due. */
async function replay(world: Laptop, licences: readonly string[]): Promise<void> {
  const { clock } = world;
  // What an earlier run, killed half-way, left to be done at this time.
  await tick(world);
  const from = hourOf(clock.now());
  const all = [...hours.keys()].sort();
  for (const [index, hour] of all.entries()) {
    if (hour >= from) {
      await clock.set(Math.max(clock.now(), hourEndMs(hour) - 1_000));
      await report(world, licences, hours.get(hour) ?? []);
    }
    const closeAtMs = hourEndMs(hour) + CLOSE_AFTER_MS;
    if (clock.now() < closeAtMs) {
      await clock.set(closeAtMs);
      await tick(world);
    }
    showProgress(index + 1, all.length, hour);
  }
  // The later looks at the last hours, and the end of any lease that a killed sender left.
  for (const laterMs of [2 * HOUR_MS, 25 * HOUR_MS, 25 * HOUR_MS + 5 * MINUTE_MS]) {
    const atMs = hourEndMs(lastHour) + CLOSE_AFTER_MS + laterMs;
    if (clock.now() > atMs) continue;
    await clock.set(atMs);
    await tick(world);
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
}

async function tick({ backend }: Laptop): Promise<void> {
  await backend.closeHours();
  await backend.sendMetering();
}

async function report({ appUrl }: Laptop, licences: readonly string[], events: readonly TrafficEvent[]): Promise<void> {
  for (let from = 0; from < events.length; from += EVENTS_PER_REPORT) {
    const part = events.slice(from, from + EVENTS_PER_REPORT).map((event) => ({
      id: event.id,
      licenseArn: licences[customerOf(event, CUSTOMERS)],
      dimension: event.dimension,
      quantity: event.quantity,
      time: new Date(event.atMs).toISOString(),
    }));
    const answer = await fetch(`${appUrl}/usage`, { method: 'POST', body: JSON.stringify({ events: part }) });
    const { counts } = (await answer.json()) as { counts: Record<string, number> };
    if (answer.status !== 200 || counts['refused'] || counts['conflict']) {
      throw new Error(`POST /usage answered ${answer.status}: ${JSON.stringify(counts)}`);
    }
  }
}

function showProgress(done: number, of: number, hour: HourStart): void {
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
  const line = `${String(done).padStart(3)}/${of} hours  ${hour}:00Z  ${seconds} s`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}`);
  else if (done % 12 === 0 || done === of) process.stderr.write(`${line}\n`);
}

interface BillLine {
  readonly awsAccountId: string;
  readonly dimension: string;
  readonly hour: string;
  readonly quantity: number;
}

async function showResult({ control, client, tables }: Laptop): Promise<boolean> {
  const replayMs = performance.now() - startedAtMs;
  const { lines } = await control.get<{ lines: BillLine[] }>('/control/bill');
  const { count: calls } = await control.get<{ count: number }>('/control/calls/count?operation=BatchMeterUsage');
  const stores = {
    usage: new DynamoUsageStore(client, tables.usage),
    ledger: new DynamoLedgerStore(client, tables.ledger),
  };
  let balanced = true;
  for await (const books of verifyBooks(stores, firstHour, addHours(lastHour, 3))) {
    const { open, honoured, presumed, ...elsewhere } = books.byStatus;
    const isBilled = honoured + presumed === books.recorded + books.carriedIn - books.carriedOut;
    balanced &&=
      books.difference === 0 && isBilled && open === 0 && Object.values(elsewhere).every((each) => each === 0);
  }

  const billed: Record<string, number> = Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, 0]));
  const recordsByHour = new Map<string, number>();
  for (const { dimension, quantity, hour } of lines) {
    billed[dimension] = (billed[dimension] ?? 0) + quantity;
    recordsByHour.set(hour, (recordsByHour.get(hour) ?? 0) + 1);
  }
  showCustomers(lines);
  const optimalCalls = [...recordsByHour.values()].reduce(
    (sum, records) => sum + Math.ceil(records / MAX_RECORDS_PER_CALL),
    0,
  );
  await showFloor(client, replayMs);
  const customers = new Set(lines.map(({ awsAccountId }) => awsAccountId)).size;
  const summary = {
    billed,
    customers,
    hours: recordsByHour.size,
    records: lines.length,
    calls,
    optimalCalls,
    balanced,
  };
  console.log(JSON.stringify(summary));
  return balanced;
}

function showCustomers(lines: readonly BillLine[]): void {
  console.log(
    `\n${'AWS account'.padEnd(14)}${'requests'.padStart(10)}${'kib_sent'.padStart(12)}${'hours'.padStart(8)}`,
  );
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const own = lines.filter(({ awsAccountId }) => awsAccountId === accountOf(customer));
    const sum = (wanted: string) =>
      own.reduce((total, { dimension, quantity }) => total + (dimension === wanted ? quantity : 0), 0);
    const ownHours = new Set(own.map(({ hour }) => hour)).size;
    console.log(
      `${accountOf(customer).padEnd(14)}${String(sum('requests')).padStart(10)}${String(sum('kib_sent')).padStart(12)}${String(ownHours).padStart(8)}`,
    );
  }
}

/** One write an event is the least that any once-only intake can do; how near to that did the whole run come? */
async function showFloor(client: Laptop['client'], replayMs: number): Promise<void> {
  if (values.keep) return;
  const rate = await writesPerSecond(client);
  const floorSeconds = traffic.length / rate;
  const seconds = replayMs / 1_000;
  console.log(
    `\n${traffic.length} events in ${seconds.toFixed(1)} s; the engine's floor of one write an event is ${floorSeconds.toFixed(1)} s at ${rate.toFixed(0)} writes/s: ratio ${(seconds / floorSeconds).toFixed(2)}`,
  );
}
