// What others lose or bill twice because usage is stamped, folded or scheduled by another hour than its own.
import { describe, expect, test } from 'vitest';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour, at } from '../builders.ts';
import { billed, startWorker, tickOf } from './workers.ts';

const services = useServices();

/** The stamps, in epoch seconds, of the records in a call. */
function stampsOf({ input }: { input: Readonly<Record<string, unknown>> }): number[] {
  return (input['UsageRecords'] as { Timestamp: number }[]).map(({ Timestamp }) => Timestamp);
}

describe('the hour of usage', () => {
  test('usage that AWS refused for eight hours goes out again byte for byte, under its own hour, where the AWS sample and the Azure accelerator stamp each delivery with now (M8, Z3)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 })]);
    let isAwsAway = true;
    const refuse = () => (isAwsAway ? 'AccessDeniedException' : undefined);
    const worker = await startWorker(world, services(), { marketplace: { refuse } });
    for (const hour of [11, 13, 16, 18]) await tickOf(world, worker.backend, `2026-09-21T${hour}:11:00Z`);
    isAwsAway = false;

    await tickOf(world, worker.backend, '2026-09-21T19:11:00Z');

    const { calls } = worker.marketplace;
    expect(calls).toHaveLength(5);
    expect(new Set(calls.map(({ text }) => text)).size).toBe(1);
    expect(calls.flatMap(stampsOf)).toEqual(Array(5).fill(at('2026-09-21T10:00:00Z') / 1_000 + 300));
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });

  test('usage of the last evening of a month that AWS takes the next morning is in that month’s bill, where the AWS sample stamps it into the next (M8)', async () => {
    const world = await startBackendWorld(services(), { at: '2026-09-30T20:00:00.000Z' });
    const acme = await world.subscribe();
    await world.clock.set(at('2026-09-30T23:40:00Z'));
    await world.report([anEvent(acme, '2026-09-30T23:30:00Z', { quantity: 5 })]);
    await world.control.put('/control/faults', { next: [{ kind: 'accessDenied', count: 1_000 }] });
    await world.tick('2026-10-01T00:11:00Z');

    await world.control.delete('/control/faults');
    await world.tick('2026-10-01T04:11:00Z');

    expect(await billed(world)).toEqual([['2026-09-30T23', 5]]);
  });

  test('an event without a time is refused and none is filled in, where Laravel’s meter() and davoxi take now (L2)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const { time: _time, ...timeless } = anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 });
    const { outcomes } = await world.report([timeless]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(outcomes[0]).toMatchObject({ outcome: 'refused', code: 'malformed' });
    expect(outcomes[0]?.message).toContain('time is missing');
    expect(await world.bill()).toEqual([]);
  });

  test('hours keep their own stamps from the licence’s start on and bill 12 of 12, where Red Hat’s producer moves stamps to the start and they collide (H2)', async () => {
    const world = await startBackendWorld(services());
    await world.clock.set(at('2026-09-21T10:20:00Z'));
    const acme = await world.subscribe();
    await world.clock.set(at('2026-09-21T11:30:00Z'));
    await world.deliverNotices();
    const { outcomes } = await world.report([
      anEvent(acme, '2026-09-21T10:10:00Z', { quantity: 100 }),
      anEvent(acme, '2026-09-21T10:25:00Z', { quantity: 5 }),
      anEvent(acme, '2026-09-21T11:05:00Z', { quantity: 7 }),
    ]);
    await world.tick();

    await world.tick('2026-09-21T12:11:00Z');

    expect(outcomes.map(({ outcome, code }) => code ?? outcome)).toEqual(['beforeLicence', 'recorded', 'recorded']);
    expect((await world.bill()).map(({ timestamp, quantity }) => [timestamp, quantity])).toEqual([
      ['2026-09-21T10:20:00.000Z', 5],
      ['2026-09-21T11:00:00.000Z', 7],
    ]);
  });

  test('usage of 20 hours ago is billed under its own hour, where Red Hat’s producer takes no more than six hours (H3)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(at('2026-09-22T06:05:00Z'));
    const { counts } = await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 })]);

    await world.tick('2026-09-22T06:06:00Z');

    expect(counts.recorded).toBe(1);
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });
});

describe('more usage of an hour', () => {
  test('a buyer’s second event in the same hour is carried after the hour was sent: 12 of 12, where the AWS sample loses it as a duplicate: 5 of 12 (M14)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 })]);
    await world.tick('2026-09-21T11:11:00Z');
    await world.report([anEvent(acme, '2026-09-21T10:50:00Z', { quantity: 7 })]);

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 5],
      ['2026-09-21T11', 7],
    ]);
  });

  test('two runs within an hour send nothing of it before it is over, then 12 of 12, where the AWS sample sends each run’s sum and loses the second (M14)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 })]);
    await world.tick('2026-09-21T10:10:00Z');
    await world.clock.set(at('2026-09-21T10:40:00Z'));
    await world.report([anEvent(acme, '2026-09-21T10:35:00Z', { quantity: 7 })]);
    await world.tick('2026-09-21T10:50:00Z');
    const calls = await world.calls();

    await world.tick('2026-09-21T11:11:00Z');

    expect(calls).toBe(0);
    expect(await billed(world)).toEqual([['2026-09-21T10', 12]]);
  });

  test('a report that is made again after the hour, with more in it, bills 12 of 12, where the AWS sample takes both messages for new: 17 of 12 (M7)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const first = anEvent(acme, '2026-09-21T10:58:00Z', { quantity: 5 });
    await world.clock.set(at('2026-09-21T10:59:00Z'));
    await world.report([first]);
    await world.tick('2026-09-21T11:11:00Z');
    const { outcomes } = await world.report([first, anEvent(acme, '2026-09-21T10:59:00Z', { quantity: 7 })]);

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['already', 'recorded']);
    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 5],
      ['2026-09-21T11', 7],
    ]);
  });

  test('a report that is made again minutes later is known by its id and billed once, where MichaelWalker’s id holds the time of sending (W3)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const event = anEvent(acme, '2026-09-21T10:05:00Z', { id: 'order-7', quantity: 5 });
    await world.report([event]);
    await world.clock.set(at('2026-09-21T10:09:00Z'));
    const { counts } = await world.report([event]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(counts).toEqual({ recorded: 0, already: 1, conflict: 0, refused: 0 });
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });

  test('usage that comes an hour and a half after its hour was folded is billed, where the AWS skill’s sum never changes and it ages out (K4)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 })]);
    await world.tick('2026-09-21T11:11:00Z');
    await world.clock.set(at('2026-09-21T12:40:00Z'));
    await world.report([anEvent(acme, '2026-09-21T10:06:00Z', { quantity: 40 })]);

    await world.tick();
    await world.tick('2026-09-21T13:11:00Z');

    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 5],
      ['2026-09-21T12', 40],
    ]);
  });

  test('every look at usage and ledger reads what was written a moment ago, where the AWS skill folds by an eventually consistent query (K4)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 })]);
    const worker = await startWorker(world, services());

    await tickOf(world, worker.backend, '2026-09-21T11:11:00Z');

    const { usage, ledger } = world.tables;
    const reads = worker.database.calls
      .filter(({ operation, input }) => operation === 'Query' && [usage, ledger].includes(String(input['TableName'])))
      // An index has no other reads; what it names is read again by its key.
      .filter(({ input }) => input['IndexName'] === undefined);
    expect(reads.length).toBeGreaterThan(100);
    expect(reads.filter(({ input }) => input['ConsistentRead'] !== true)).toEqual([]);
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });
});

describe('schedules', () => {
  test('five hours in which nothing ran are billed, each under its own hour, where a missed hour stops a schedule of the Azure accelerator for ever (Z1)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    for (const hour of [10, 11, 12, 13, 14]) {
      await world.clock.set(at(`2026-09-21T${hour}:30:00Z`));
      await world.report([anEvent(acme, `2026-09-21T${hour}:20:00Z`, { quantity: hour })]);
    }

    await world.tick('2026-09-21T15:30:00Z');
    await world.clock.set(at('2026-09-21T15:40:00Z'));
    await world.report([anEvent(acme, '2026-09-21T15:20:00Z', { quantity: 15 })]);
    await world.tick('2026-09-21T16:11:00Z');

    expect(await billed(world)).toEqual([10, 11, 12, 13, 14, 15].map((hour) => [`2026-09-21T${hour}`, hour]));
  });

  test('a call that fails keeps no later hour from being billed, and its own is billed then, where a failed call stops a schedule of the Azure accelerator (Z2)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 10 })]);
    await world.control.put('/control/faults', { next: [{ kind: 'internalError' }] });
    await world.tick('2026-09-21T11:11:00Z');
    const after = await billed(world);
    await world.report([anEvent(acme, '2026-09-21T11:05:00Z', { quantity: 11 })]);

    await world.tick('2026-09-21T12:11:00Z');

    expect(after).toEqual([]);
    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 10],
      ['2026-09-21T11', 11],
    ]);
  });

  test('the zero record of an hour is sent once, ten minutes after it, where the AWS skill finds it some 22 times and sends it near the limit (K10)', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'oneDimension' } });
    const acme = await world.subscribe();
    const products = [{ productCode: 'metrics-cloud', title: 'Metrics Cloud', dimensions: ['requests', 'gb_stored'] }];
    const worker = await startWorker(world, services(), { products });
    await tickOf(world, worker.backend, '2026-09-21T11:11:00Z');
    const sealed = await world.ledger.sealed(anHour(), acme.licenceKey, 'requests');

    for (const time of ['21T12:11', '21T13:11', '21T18:11', '22T08:11', '22T09:11', '22T10:11', '22T11:11']) {
      await tickOf(world, worker.backend, `2026-09-${time}:00Z`);
    }

    const stamps = worker.marketplace.calls.flatMap(stampsOf);
    const ofTen = stamps.filter((stamp) => Math.floor(stamp / 3_600) === at('2026-09-21T10:00:00Z') / 3_600_000);
    expect(sealed).toMatchObject({ status: 'honoured', record: { quantity: 0 } });
    expect(ofTen).toHaveLength(1);
    expect(new Set(stamps).size).toBe(stamps.length);
  });
});
