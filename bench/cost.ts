// What usage costs at AWS: units counted while the real flow runs, at published prices, beside two others' counts.
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { HOUR_MS, hourOf, hourStartMs, parseHour } from '../lambdas/domain/hour.ts';
import type { Product, ZeroRecords } from '../lambdas/domain/product.ts';
import { closeDueHours } from '../lambdas/flow/close-due-hours.ts';
import { type ReportEntry, recordUsage } from '../lambdas/flow/record-usage.ts';
import { type SendPorts, sendMetering } from '../lambdas/flow/send-metering.ts';
import { STATE_SHARDS } from '../lambdas/stores/ledger-items.ts';
import * as prices from '../operator/aws-prices.ts';
import { type Units as AllUnits, CapacityCounter } from './capacity.ts';
import { CLOSE_HOUR, closeAll } from './close-all.ts';
import { timed } from './measure.ts';
import { type BenchWorld, licenceArn, PRODUCT, startBenchWorld } from './world.ts';

type Units = Pick<AllUnits, 'reads' | 'writes'>;

interface CostRow {
  readonly what: string;
  readonly per: string;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly dollars: number;
}

const CUSTOMERS = 100;
const EVENTS_A_METER = 10;
const EVENTS_A_REPORT = 500;
/** After ten minutes, after two hours and at the end of the intake window. */
const LOOKS = 3;
const RUNS_AN_HOUR = 60;
/** As the stacks set it. */
const FUNCTION_GB = 0.5;

/** Counts usage in, close and send for 100 customers in three dimensions, and what runs while nothing happens. */
export async function benchCost(): Promise<CostRow[]> {
  const used = await costOfUsage();
  const zeros: CostRow[] = [];
  for (const zeroRecords of ['off', 'oneDimension', 'all'] as const) zeros.push(await costOfZeros(zeroRecords));
  return [...used, ...zeros, ...othersCosts()];
}

function dollarsOf({ reads, writes }: Units): number {
  return reads * prices.READ_UNIT + writes * prices.WRITE_UNIT;
}

function sumOf(...all: readonly Units[]): Units {
  return all.reduce((sum, each) => ({ reads: sum.reads + each.reads, writes: sum.writes + each.writes }));
}

function scaled({ reads, writes }: Units, by: number): Units {
  return { reads: reads * by, writes: writes * by };
}

function row(what: string, per: string, units: Units, further = 0): CostRow {
  return { what, per, writeUnits: units.writes, readUnits: units.reads, dollars: dollarsOf(units) + further };
}

async function costOfUsage(): Promise<CostRow[]> {
  let nowMs = hourStartMs(CLOSE_HOUR) + 30 * 60_000;
  await using world = await startBenchWorld(() => nowMs);
  await register(world, PRODUCT);
  const { ports, tables } = world;
  const counter = new CapacityCounter(world.client);
  const entries = entriesOf(nowMs);
  const events = entries.length;

  let reportMs = 0;
  const intake = await counter.of(async () => {
    ({ wallMs: reportMs } = await timed(async () => {
      for (let from = 0; from < events; from += EVENTS_A_REPORT) {
        await recordUsage(ports, entries.slice(from, from + EVENTS_A_REPORT));
      }
    }));
  });
  nowMs += HOUR_MS;
  const first = await counter.of(() => closeAll(ports));
  const records = CUSTOMERS * PRODUCT.dimensions.length;
  const sent = await counter.of(() =>
    sendMetering(
      sendPorts(world, () => nowMs),
      () => true,
    ),
  );
  const again = await counter.of(() => closeAll(ports));

  // An hour in which nothing happens: its three looks, and sixty runs of both schedules.
  const empty = parseHour('2026-09-21T08');
  if (!empty) throw new Error('The hour of the bench is not an hour.');
  await ports.work.raiseWatermark(hourOf(nowMs));
  let idleMs = 0;
  const idle = await counter.of(async () => {
    ({ wallMs: idleMs } = await timed(async () => {
      await closeDueHours(ports, () => true);
      await sendMetering(
        sendPorts(world, () => nowMs),
        () => true,
      );
    }));
  });
  const emptyLook = await counter.of(() => closeAll(ports, empty));

  const perEvent = (units: Units) => scaled(units, 1_000_000 / events);
  const written = intake(tables.usage);
  const looks = sumOf(first(tables.usage), scaled(again(tables.usage), LOOKS - 1));
  const known = intake(tables.customers);
  const lambdaSeconds = (reportMs / 1_000 / events) * 1_000_000;
  const reports = 1_000_000 / EVENTS_A_REPORT;
  const gateway = (requests: number) => requests * (prices.API_REQUEST + prices.LAMBDA_REQUEST);
  const inLambda = lambdaSeconds * FUNCTION_GB * prices.LAMBDA_GB_SECOND;
  const perRecord = (units: Units) => scaled(units, 1_000 / records);
  const ledger = sumOf(first(tables.ledger), sent(tables.ledger), scaled(again(tables.ledger), LOOKS - 1));
  const all = Object.values(tables);
  const perHour = sumOf(
    ...all.map((table) => scaled(idle(table), RUNS_AN_HOUR)),
    ...all.map((table) => scaled(emptyLook(table), LOOKS)),
  );
  const idleLambda =
    RUNS_AN_HOUR * (2 * prices.LAMBDA_REQUEST + (idleMs / 1_000) * FUNCTION_GB * prices.LAMBDA_GB_SECOND);
  const direct = sumOf(perEvent(written), perEvent(looks));
  const reported = sumOf(direct, perEvent(known));
  return [
    row('usage in, direct writer', '1,000,000 events', direct),
    row(
      `usage in, POST /usage, ${EVENTS_A_REPORT} a report`,
      '1,000,000 events',
      reported,
      gateway(reports) + inLambda,
    ),
    row('sealed, sent and settled', '1,000 sealed hours', perRecord(ledger)),
    row(
      'everything else, whatever is used',
      'month',
      scaled(perHour, prices.HOURS_A_MONTH),
      idleLambda * prices.HOURS_A_MONTH,
    ),
  ];
}

/** What customers cost who use nothing. */
async function costOfZeros(zeroRecords: ZeroRecords): Promise<CostRow> {
  const product = { ...PRODUCT, zeroRecords };
  const nowMs = hourStartMs(CLOSE_HOUR) + 90 * 60_000;
  await using world = await startBenchWorld(() => nowMs);
  await register(world, product);
  const products = new Map([[product.productCode, product]]);
  const counter = new CapacityCounter(world.client);
  const closed = await counter.of(() => closeAll({ ...world.ports, products }));
  const sent = await counter.of(() =>
    sendMetering(
      sendPorts(world, () => nowMs),
      () => true,
    ),
  );
  const { ledger } = world.tables;
  const units = scaled(sumOf(closed(ledger), sent(ledger)), 1_000 / CUSTOMERS);
  return row(`zero records: ${zeroRecords}`, '1,000 idle customer hours', units);
}

async function register({ ports }: BenchWorld, product: Product): Promise<void> {
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const buyer = {
      productCode: product.productCode,
      licenceArn: licenceArn(customer),
      customerAwsAccountId: '111122223333',
    };
    await ports.customers.upsert(buyer, product, hourStartMs(CLOSE_HOUR) - 1);
  }
}

/** Every report names every customer: the way of reporting that costs the most reads. */
function entriesOf(nowMs: number): ReportEntry[] {
  const meters = CUSTOMERS * PRODUCT.dimensions.length;
  return Array.from({ length: meters * EVENTS_A_METER }, (_, index) => ({
    kind: 'event',
    received: '',
    event: {
      id: `event-${index}`,
      subject: { kind: 'licence', name: { style: 'licence', licenceArn: licenceArn(index % CUSTOMERS) } },
      dimension: PRODUCT.dimensions[Math.floor(index / CUSTOMERS) % PRODUCT.dimensions.length] ?? '',
      quantity: 1,
      atMs: nowMs - 1,
    },
  }));
}

export function sendPorts({ ports }: BenchWorld, clock: () => number): SendPorts {
  return {
    ...ports,
    clock,
    metering: {
      send: async ({ records }) => ({ kind: 'answered', answers: records.map(() => ({ kind: 'success' })) }),
    },
    pace: { take: async () => {}, depart: async () => {}, throttled: () => {} },
    newId: randomUUID,
    limitCalls: pLimit(16),
    limitWrites: pLimit(32),
    lingerMs: 0,
    stateShards: STATE_SHARDS,
  };
}

/**
 * Two public implementations, by their own code: the AWS sample (aws-marketplace-serverless-saas-integration, 2025) puts
 * a row into a table and an index that copies all of it, and after the call updates each row with the whole answer (one
 * to three units) and takes it out of the index; the metering skill of AWS's Agent Toolkit makes two writes and two index
 * writes a row. What they write for each sealed hour, and the queues, alarms and logs of the skill, are not counted.
 */
function othersCosts(): CostRow[] {
  const rows = 1_000_000;
  /** Some 300 bytes a row, read once from the index, eventually consistent. */
  const queried = { writes: 0, reads: (rows * 300) / 4_096 / 2 };
  const sample = (update: number) => sumOf({ writes: rows * (1 + 1 + update + 1), reads: 0 }, queried);
  // Send, receive and delete of one message a customer and hour, and the Lambda that it starts.
  const message = 3 * prices.FIFO_REQUEST + prices.LAMBDA_REQUEST;
  const emptyReceives = 900 * prices.FIFO_REQUEST + prices.LAMBDA_REQUEST;
  const none = { reads: 0, writes: 0 };
  const skillIdle = { writes: 0, reads: 700 * 0.5 * prices.HOURS_A_MONTH };
  return [
    row('AWS sample: rows in and closed, small answers', '1,000,000 events', sample(1)),
    row('AWS sample: rows in and closed, large answers', '1,000,000 events', sample(3)),
    row('AWS sample: queue and function', '1,000 customer hours', none, 1_000 * message),
    row('AWS sample: empty receives', 'month', none, prices.HOURS_A_MONTH * emptyReceives),
    row('Agent Toolkit skill: rows in and closed', '1,000,000 events', { writes: 4 * rows, reads: 0 }),
    row('Agent Toolkit skill: idle queries', 'month', skillIdle),
  ];
}
