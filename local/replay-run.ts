// One replay: real traffic through the public interfaces, hour by hour on the simulator's clock, and its bill.
import { readFileSync } from 'node:fs';
import { HOUR_MS, type HourStart, hourEndMs, hourOf, hourStartMs, MINUTE_MS } from '../lambdas/domain/hour.ts';
import { writesPerSecond } from './engine-speed.ts';
import { type Laptop, startLaptop } from './laptop.ts';
import { quietLog } from './quiet-log.ts';
import type { ReplayStep } from './replay-kills.ts';
import { type BillLine, billOf, replayResult } from './replay-result.ts';
import { customerOf, eventsByHour, readTraffic, type TrafficEvent } from './traffic.ts';

const PRODUCT = 'web-traffic';
const DIMENSIONS = ['requests', 'kib_sent'];
const CUSTOMERS = 40;
const EVENTS_PER_REPORT = 500;

/** As the settle delay is ten minutes, the first look at an hour is due now. */
const CLOSE_AFTER_MS = 11 * MINUTE_MS;

const DIFFERENCES_SHOWN = 20;

interface ReplayOptions {
  /** The traffic, as `request,time,client,bytes`. */
  readonly file: string;
  readonly folder: string;
  /** Goes on with what an earlier replay in the folder left. */
  readonly isKept: boolean;
}

/** Replays the traffic, prints its bill, and tells whether that is the truth and the books balance. */
export async function replayOnce({ file, folder, isKept }: ReplayOptions): Promise<boolean> {
  const events = readTraffic(readFileSync(file, 'utf8'));
  const times = events.map(({ atMs }) => atMs);
  const [firstHour, lastHour] = [hourOf(Math.min(...times)), hourOf(Math.max(...times))];
  const startedAtMs = performance.now();
  const laptop = await startLaptop({
    folder,
    isFresh: !isKept,
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
    tell({ doing: 'registering' });
    const licences = await subscribeCustomers(laptop);
    await replay(laptop, licences, eventsByHour(events));
    tell({ doing: 'checking' });
    const replayMs = performance.now() - startedAtMs;
    const truth = billOf(events, (event) => accountOf(customerOf(event, CUSTOMERS)));
    const { summary, lines, differences } = await replayResult(laptop, truth, [firstHour, lastHour]);
    showCustomers(lines);
    if (!isKept) await showFloor(laptop.client, replayMs, events.length);
    for (const each of differences.slice(0, DIFFERENCES_SHOWN)) console.error(`not the truth: ${JSON.stringify(each)}`);
    console.log(JSON.stringify(summary));
    return summary.balanced && differences.length === 0;
  } finally {
    await laptop.close();
  }
}

/** A process that kills replays wants to know what it hits. */
function tell(step: ReplayStep): void {
  process.send?.(step);
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
async function replay(
  world: Laptop,
  licences: readonly string[],
  eventsOf: ReadonlyMap<HourStart, readonly TrafficEvent[]>,
): Promise<void> {
  const { clock } = world;
  const startedAtMs = performance.now();
  const hours = [...eventsOf.keys()].sort();
  // What an earlier run, killed half-way, left to be done at this time.
  await tick(world);
  const from = hourOf(clock.now());
  for (const [index, hour] of hours.entries()) {
    if (hour >= from) {
      await clock.set(Math.max(clock.now(), hourEndMs(hour) - 1_000));
      tell({ doing: 'reporting', hour });
      await report(world, licences, eventsOf.get(hour) ?? []);
    }
    await tickAt(world, hourEndMs(hour) + CLOSE_AFTER_MS);
    showProgress(index + 1, hours.length, hour, performance.now() - startedAtMs);
  }
  // The later looks at the last hours, and the end of any lease that a killed sender left.
  const lastHour = hours.at(-1);
  for (const laterMs of [2 * HOUR_MS, 25 * HOUR_MS, 25 * HOUR_MS + 5 * MINUTE_MS]) {
    if (lastHour) await tickAt(world, hourEndMs(lastHour) + CLOSE_AFTER_MS + laterMs);
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
}

/** Nothing where the clock has passed that time: an earlier run that was killed had come further. */
async function tickAt(world: Laptop, atMs: number): Promise<void> {
  if (world.clock.now() >= atMs) return;
  await world.clock.set(atMs);
  await tick(world);
}

async function tick({ backend, clock }: Laptop): Promise<void> {
  const hour = hourOf(clock.now());
  tell({ doing: 'closing', hour });
  await backend.closeHours();
  tell({ doing: 'sending', hour });
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

function showProgress(done: number, of: number, hour: HourStart, tookMs: number): void {
  const line = `${String(done).padStart(3)}/${of} hours  ${hour}:00Z  ${(tookMs / 1_000).toFixed(0)} s`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}`);
  else if (done % 12 === 0 || done === of) process.stderr.write(`${line}\n`);
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
async function showFloor(client: Laptop['client'], replayMs: number, events: number): Promise<void> {
  const rate = await writesPerSecond(client);
  const floorSeconds = events / rate;
  const seconds = replayMs / 1_000;
  console.log(
    `\n${events} events in ${seconds.toFixed(1)} s; the engine's floor of one write an event is ${floorSeconds.toFixed(1)} s at ${rate.toFixed(0)} writes/s: ratio ${(seconds / floorSeconds).toFixed(2)}`,
  );
}
