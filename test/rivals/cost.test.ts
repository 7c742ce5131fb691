// What a unit of usage costs in calls and writes, counted on the wire.
import { describe, expect, test } from 'vitest';
import { startGateway } from '../../local/gateway.ts';
import { anEvent, PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';
import {
  OWN_PRODUCT,
  rowOf,
  startWorker,
  subscribers,
  tickOf,
  unitsBilled,
  type WireCall,
  writeRows,
} from './workers.ts';

const services = useServices();

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems', 'BatchWriteItem']);

const isWriteTo =
  (table: string) =>
  ({ operation, text }: WireCall) =>
    WRITES.has(operation) && text.includes(`"${table}"`);

describe('calls', () => {
  test('an hour of 100 buyers with 5 dimensions and 6,000 rows takes 20 calls and leaves nothing, where the AWS sample takes 61 and leaves 2,396 rows (M1)', async () => {
    const dimensions = ['a', 'b', 'c', 'd', 'e'];
    const world = await startBackendWorld(services(), { product: { dimensions } });
    const listing = { title: 'Metrics Cloud', dimensions: dimensions.map((key) => ({ key })) };
    await world.control.put(`/control/products/${PRODUCT}`, listing);
    const buyers = await subscribers(world, 100);
    const rows = buyers.flatMap((buyer) =>
      dimensions.flatMap((dimension) =>
        Array.from({ length: 12 }, (_, n) => rowOf(buyer, { dimension, eventId: `e-${n}`, quantity: 1 })),
      ),
    );
    await writeRows(world, rows);

    await world.tick('2026-09-21T11:11:00Z');

    expect(rows).toHaveLength(6_000);
    expect(await world.calls()).toBe(20);
    expect(await world.bill()).toHaveLength(500);
    expect(await unitsBilled(world)).toBe(6_000);
  }, 120_000);

  test('an hour of 50 buyers takes two calls of 25 records, where Flexprice, Red Hat, MichaelWalker’s processor and the Azure accelerator send one record a call (F1)', async () => {
    const world = await startBackendWorld(services());
    const buyers = await subscribers(world, 50);
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 2 })));

    await world.tick('2026-09-21T11:11:00Z');

    expect(await world.calls()).toBe(2);
    expect(await unitsBilled(world)).toBe(100);
  });
});

describe('writes', () => {
  test('a row of usage is written once, and 600 of them in 30 records cost 90 ledger writes and two calls, where the AWS sample and skill write each row twice (K14)', async () => {
    const dimensions = ['a', 'b', 'c'];
    const world = await startBackendWorld(services(), { product: { dimensions } });
    const listing = { title: 'Metrics Cloud', dimensions: dimensions.map((key) => ({ key })) };
    await world.control.put(`/control/products/${PRODUCT}`, listing);
    const buyers = await subscribers(world, 10);
    const worker = await startWorker(world, services(), { products: [{ ...OWN_PRODUCT, dimensions }] });
    const gateway = await startGateway(worker.backend);
    for (let round = 0; round < 2; round++) {
      const events = Array.from({ length: 300 }, (_, n) => {
        const [buyer, dimension] = [buyers[n % 10], dimensions[Math.floor(n / 10) % 3]];
        return buyer && anEvent(buyer, '2026-09-21T10:05:00Z', { dimension, quantity: 1 });
      });
      await fetch(`${gateway.url}/usage`, { method: 'POST', body: JSON.stringify({ events }) });
    }
    await gateway.close();
    const reported = [...worker.database.calls];

    await tickOf(world, worker.backend, '2026-09-21T11:11:00Z');

    const { usage, ledger } = world.tables;
    const later = worker.database.calls.slice(reported.length);
    expect(reported.filter(isWriteTo(usage))).toHaveLength(600);
    expect(reported.filter(({ operation }) => WRITES.has(operation))).toHaveLength(600);
    expect(later.filter(isWriteTo(usage))).toEqual([]);
    expect(later.filter(isWriteTo(ledger))).toHaveLength(90);
    expect(await world.calls()).toBe(2);
    expect(await unitsBilled(world)).toBe(600);
  });
});

describe('reads', () => {
  test('an hour without usage takes at most 1,300 reads, more than the some 700 of the AWS skill: the price of a look every minute (K14)', async () => {
    const world = await startBackendWorld(services());
    await subscribers(world, 5);
    const worker = await startWorker(world, services());
    for (const hour of ['21T22', '22T11']) await tickOf(world, worker.backend, `2026-09-${hour}:59:00Z`);
    const before = worker.database.calls.length;

    for (let minute = 0; minute < 60; minute++) {
      const time = Date.parse('2026-09-22T12:00:00Z') + minute * 60_000;
      await tickOf(world, worker.backend, new Date(time).toISOString());
    }

    const calls = worker.database.calls.slice(before);
    const reads = calls.filter(({ operation }) => !WRITES.has(operation));
    expect(reads.length).toBeGreaterThan(0);
    expect(reads.length).toBeLessThanOrEqual(1_300);
    expect(calls.length - reads.length).toBeLessThanOrEqual(130);
    expect(await world.calls()).toBe(0);
  }, 120_000);
});
