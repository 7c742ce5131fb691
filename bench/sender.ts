// The sender at AWS's limit: the deployed function against the simulator in a process of its own, its quota on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { HOUR_MS, hourStartMs, parseHour } from '../lambdas/domain/hour.ts';
import { CALLS_PER_SECOND } from '../lambdas/domain/marketplace-limits.ts';
import { createSendMeteringHandler } from '../lambdas/send-metering.handler.ts';
import { backendEnvironment, lambdaContext } from '../local/backend.ts';
import { ControlClient } from '../operator/control-client.ts';
import { type Buyer, openRecord, putRecords } from './records.ts';
import { PRODUCT, startBenchWorld } from './world.ts';

interface SenderBench {
  readonly records: number;
  readonly calls: number;
  readonly honoured: number;
  readonly seconds: number;
  readonly callsPerSecond: number;
  /** Of AWS's quota, from the first call to the last. */
  readonly quotaUsed: number;
  readonly throttled: number;
  readonly throttledAfterFirstSecond: number;
  /** Calls without an answer. Their records wait for half a minute and more, and may be left to the next run. */
  readonly unanswered: number;
}

const DIMENSIONS = ['requests', 'kib_sent', 'gb_stored', 'seats', 'jobs'];
const LATENCY_MS = 150;
/** As the stacks set it. */
const LAMBDA_MS = 300_000;

/** Sends `count` open records with one run of the deployed function. */
export async function benchSender(count: number): Promise<SenderBench> {
  const hour = parseHour('2026-09-21T10');
  if (!hour) throw new Error('The hour of the bench is not an hour.');
  const startMs = hourStartMs(hour) + 90 * 60_000;
  await using simulator = await startSimulatorProcess(startMs);
  const { control } = simulator;
  const product = { ...PRODUCT, dimensions: DIMENSIONS };
  await control.put(`/control/products/${product.productCode}`, {
    title: product.title,
    dimensions: DIMENSIONS.map((key) => ({ key })),
  });
  const buyers = await subscribed(control, count / DIMENSIONS.length, new Date(startMs - 4 * HOUR_MS).toISOString());
  await using world = await startBenchWorld(() => startMs);
  const records = buyers.flatMap((buyer) => DIMENSIONS.map((dimension) => openRecord(product, buyer, dimension, hour)));
  await putRecords(world.client, world.tables.ledger, records);

  const slow = { kind: 'slow', operation: 'BatchMeterUsage', delayMs: LATENCY_MS, count: 1_000_000 };
  await control.put('/control/faults', { throttlePerSecond: CALLS_PER_SECOND, next: [slow] });
  let unanswered = 0;
  const warn = (code: string, facts: { awsCode?: unknown } = {}) => {
    if (code === 'CallFailed' && facts.awsCode !== 'ThrottlingException') unanswered += 1;
  };
  const silent = { info: () => {}, warn, error: console.error };
  const { now } = await control.get<{ now: string }>('/control/clock');
  const [worldMs, steadyMs] = [Date.parse(now), performance.now()];
  const send = createSendMeteringHandler({
    environment: backendEnvironment({
      databaseEndpoint: world.endpoint,
      tables: world.tables,
      marketplaceUrl: simulator.url,
      secretsUrl: '',
      products: [product],
      clock: () => startMs,
      log: silent,
    }),
    clock: () => worldMs + Math.floor(performance.now() - steadyMs),
    log: silent,
  });
  await send({}, lambdaContext(LAMBDA_MS));
  return { records: records.length, ...judged(await allCalls(control)), unanswered };
}

interface Call {
  readonly seq: number;
  readonly at: string;
  readonly errorCode?: string;
  readonly statuses: readonly string[];
}

function judged(calls: readonly Call[]): Omit<SenderBench, 'records' | 'unanswered'> {
  const times = calls.map(({ at }) => Date.parse(at));
  const firstMs = Math.min(...times);
  const seconds = (Math.max(...times) - firstMs) / 1_000;
  const throttled = calls.filter(({ errorCode }) => errorCode === 'ThrottlingException');
  const metered = calls.length - throttled.length;
  const callsPerSecond = (metered - 1) / seconds;
  return {
    calls: metered,
    honoured: calls.flatMap(({ statuses }) => statuses).filter((status) => status === 'Success').length,
    seconds,
    callsPerSecond,
    quotaUsed: callsPerSecond / CALLS_PER_SECOND,
    throttled: throttled.length,
    throttledAfterFirstSecond: throttled.filter(({ at }) => Date.parse(at) - firstMs > 1_000).length,
  };
}

async function allCalls(control: ControlClient): Promise<Call[]> {
  const all: Call[] = [];
  for (;;) {
    const after = all.at(-1)?.seq ?? 0;
    const { calls } = await control.get<{ calls: Call[] }>(`/control/calls?operation=BatchMeterUsage&after=${after}`);
    if (calls.length === 0) return all;
    all.push(...calls);
  }
}

const AGREEMENTS_A_REQUEST = 500;

async function subscribed(control: ControlClient, customers: number, startAt: string): Promise<Buyer[]> {
  const buyers: Buyer[] = [];
  while (buyers.length < customers) {
    const wanted = Math.min(AGREEMENTS_A_REQUEST, customers - buyers.length);
    const body = Array.from({ length: wanted }, () => ({ productCode: PRODUCT.productCode, startAt }));
    const { agreements } = await control.post<{ agreements: Buyer[] }>('/control/agreements/batch', body);
    buyers.push(...agreements);
  }
  return buyers;
}

/** A clock as fast as the wall's: the calls are timed by it. */
async function startSimulatorProcess(atMs: number) {
  const secret = crypto.randomUUID();
  const clock = ['--clock', new Date(atMs).toISOString(), '--rate', '1'];
  const argv = ['--disable-warning=ExperimentalWarning', 'simulator/main.ts', '--seed', 'none', '--secret', secret];
  const child = spawn(process.execPath, [...argv, ...clock], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const url = /http:\S+/.exec((await lines.next()).value ?? '')?.[0];
  if (url === undefined) throw new Error('The simulator did not say where it is.');
  const close = async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  };
  return { url, control: new ControlClient(url, secret), [Symbol.asyncDispose]: close };
}
