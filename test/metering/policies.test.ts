// What a product's settings decide: zero records, rehearsed hours, tags that do not fit, credits.
import { describe, expect, test } from 'vitest';
import { newActionId } from '../../lambdas/domain/amendment.ts';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour } from '../builders.ts';

const services = useServices();

describe('zero records of all dimensions', () => {
  test('are sent for each listed dimension without usage, once, beside the usage of the others', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'all' } });
    const acme = await world.subscribe();
    await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 7 })]);

    await world.tick('2026-09-21T11:11:00Z');
    await world.tick('2026-09-21T13:11:00Z');

    const ten = (await world.bill()).filter(({ hour }) => hour === '2026-09-21T10:00:00.000Z');
    expect(ten.map(({ dimension, quantity }) => `${dimension} ${quantity}`).sort()).toEqual([
      'gb_stored 0',
      'gb_stored 0',
      'requests 0',
      'requests 7',
    ]);
    // 4 records of each of three hours, all in calls of 25.
    expect(await world.calls()).toBe(2);
  });

  test('give way to usage that comes late: it is carried, since AWS keeps the zero', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'all' } });
    const acme = await world.subscribe();
    await world.tick('2026-09-21T11:11:00Z');
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 9 })]);

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    const billed = (await world.bill()).filter(({ quantity }) => quantity > 0);
    expect(billed.map(({ hour, quantity }) => [hour.slice(11, 13), quantity])).toEqual([['11', 9]]);
  });
});

describe('a rehearsal', () => {
  const product = { rehearsal: { mode: 'dryRun', until: '2026-09-21T11' }, zeroRecords: 'oneDimension' };

  test('makes up every record and sends none; from its end on hours are billed, and nothing of before', async () => {
    const world = await startBackendWorld(services(), { product });
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 70 })]);
    await world.tick('2026-09-21T11:11:00Z');
    expect(await world.calls()).toBe(0);
    expect(await world.ledger.sealed(anHour(), acme.licenceKey, 'requests')).toMatchObject({
      status: 'withheld',
      rehearsal: 'dryRun',
      record: { quantity: 70, licenceArn: acme.licenceArn },
    });

    await world.report([
      anEvent(acme, '2026-09-21T10:06:00Z', { quantity: 5 }),
      anEvent(acme, '2026-09-21T11:05:00Z', { quantity: 300 }),
    ]);
    await world.tick('2026-09-21T12:11:00Z');
    await world.tick('2026-09-22T11:11:00Z');

    const billed = (await world.bill()).filter(({ quantity }) => quantity > 0);
    expect(billed.map(({ hour, quantity }) => [hour.slice(11, 13), quantity])).toEqual([['11', 300]]);
    const [ten] = await world.books('2026-09-21T10', '2026-09-21T11');
    expect(ten).toMatchObject({ recorded: 75, byStatus: { withheld: 70 }, heldLate: 5, difference: 0 });
  });
});

describe('tags that have no room in a record', () => {
  test('are billed untagged, and an operator is told of how many units', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    // AWS takes five tag keys a record; the sixth has no room.
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    await world.report(
      keys.map((key) => anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 10, tags: { [key]: 'x' } })),
    );

    await world.tick('2026-09-21T11:11:00Z');

    const [line] = await world.bill();
    expect(line?.quantity).toBe(60);
    expect(line?.allocations).toContainEqual({ AllocatedUsageQuantity: 10 });
    expect(world.logged).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        code: 'TagsOverflown',
        facts: expect.objectContaining({ quantity: 10 }),
      }),
    );
  });
});

describe('a credit', () => {
  test('is netted against the hours that follow, each unit once, whoever closes them', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const audit = { at: 0, who: 'ada', why: 'billed twice in August', action: 'credit' as const, facts: {} };
    const actionId = newActionId(world.clock.now(), 'test');
    const meter = { licenceKey: acme.licenceKey, dimension: 'requests' };
    expect(await world.ledger.grantCredit(meter, 100, { ...audit, actionId })).toBe('granted');
    expect(await world.ledger.grantCredit(meter, 100, { ...audit, actionId })).toBe('already');
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 70 })]);
    await world.clock.set(Date.parse('2026-09-21T11:30:00Z'));
    await world.report([anEvent(acme, '2026-09-21T11:05:00Z', { quantity: 50 })]);

    await world.clock.set(Date.parse('2026-09-21T12:11:00Z'));
    await Promise.all([world.backend.closeHours(), world.backend.closeHours()]);
    await world.backend.sendMetering();

    const billed = (await world.bill()).reduce((sum, { quantity }) => sum + quantity, 0);
    expect(billed).toBe(20);
    const books = await world.books('2026-09-21T10', '2026-09-21T12');
    expect(books.reduce((sum, { credited }) => sum + credited, 0)).toBe(100);
    expect(books.filter(({ difference }) => difference !== 0)).toEqual([]);
  });
});
