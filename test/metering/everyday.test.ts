// Everyday metering: usage in, hours closed, calls sent, the bill at AWS.
import { describe, expect, test } from 'vitest';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';

const services = useServices();

describe('everyday metering', () => {
  test('bills each unit once, under the hour in which it was used', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-21T12:30:00Z'));
    await world.report([
      anEvent(acme, '2026-09-21T11:00:00Z', { quantity: 3 }),
      anEvent(acme, '2026-09-21T11:59:59.999Z', { quantity: 4 }),
      anEvent(acme, '2026-09-21T12:00:00Z', { quantity: 5 }),
      anEvent(acme, '2026-09-21T12:00:00Z', { quantity: 6, dimension: 'gb_stored' }),
    ]);

    await world.tick();
    await world.tick('2026-09-21T13:11:00Z');

    const lines = (await world.bill()).map(({ hour, dimension, quantity }) => [hour, dimension, quantity]);
    expect(lines.sort()).toEqual([
      ['2026-09-21T11:00:00.000Z', 'requests', 7],
      ['2026-09-21T12:00:00.000Z', 'gb_stored', 6],
      ['2026-09-21T12:00:00.000Z', 'requests', 5],
    ]);
    const books = await world.books('2026-09-21T10', '2026-09-21T14');
    expect(books.map((each) => [each.recorded, each.byStatus.honoured, each.difference])).toEqual([
      [7, 7, 0],
      [6, 6, 0],
      [5, 5, 0],
    ]);
  });

  test('makes no call and moves no number when everything runs again', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:04:00Z', { quantity: 3 })]);
    await world.tick('2026-09-21T11:11:00Z');
    const calls = await world.calls();
    const bill = await world.bill();

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T14:12:00Z');
    await world.tick('2026-09-22T12:00:00Z');

    expect(calls).toBe(1);
    expect(await world.calls()).toBe(1);
    expect(await world.bill()).toEqual(bill);
  });

  test('carries usage that was found after its hour was sealed into the running hour', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:04:00Z', { quantity: 3 })]);
    await world.tick('2026-09-21T11:11:00Z');

    await world.clock.set(Date.parse('2026-09-21T11:30:00Z'));
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 40 })]);
    await world.tick('2026-09-21T11:31:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    expect((await world.bill()).map(({ hour, quantity }) => [hour, quantity])).toEqual([
      ['2026-09-21T10:00:00.000Z', 3],
      ['2026-09-21T11:00:00.000Z', 40],
    ]);
    const [ten, eleven] = await world.books('2026-09-21T10', '2026-09-21T12');
    expect(ten).toMatchObject({ recorded: 43, carriedOut: 40, difference: 0 });
    expect(eleven).toMatchObject({ recorded: 0, carriedIn: 40, difference: 0 });
  });
});
