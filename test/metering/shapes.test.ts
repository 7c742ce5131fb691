// What is billed under other identities, with tags, in large amounts, as zero, and by several workers at once.
import { describe, expect, test } from 'vitest';
import { anEvent, type BackendWorld, type Subscription, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour } from '../builders.ts';

const services = useServices();

const lines = async (world: BackendWorld) =>
  (await world.bill()).map(({ hour, dimension, quantity }) => [hour.slice(11, 13), dimension, quantity]);

describe('two workers at once', () => {
  test('seal, carry and bill each unit once', async () => {
    const world = await startBackendWorld(services());
    const buyers: Subscription[] = [];
    for (let index = 0; index < 8; index++) buyers.push(await world.subscribe());
    const both = () => Promise.all([world.backend.closeHours(), world.backend.closeHours()]);
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 100 })));
    await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
    await both();
    await Promise.all([world.backend.sendMetering(), world.backend.sendMetering()]);
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:06:00Z', { quantity: 7 })));

    await both();
    await world.clock.set(Date.parse('2026-09-21T12:11:00Z'));
    await both();
    await Promise.all([world.backend.sendMetering(), world.backend.sendMetering()]);
    await world.backend.sendMetering();

    const billed = (await lines(world)).map(([hour, , quantity]) => `${hour} ${quantity}`).sort();
    expect(billed).toEqual([...Array(8).fill('10 100'), ...Array(8).fill('11 7')]);
    const books = await world.books('2026-09-21T10', '2026-09-21T13');
    expect(books.filter(({ difference }) => difference !== 0)).toEqual([]);
  });
});

describe('a legacy product', () => {
  test('is metered by product code and customer identifier, and by neither licence nor account', async () => {
    const world = await startBackendWorld(services(), { product: { identityStyle: 'legacy' } });
    const acme = await world.subscribe();
    const { customerIdentifier } = acme;
    const event = { id: 'e-1', dimension: 'requests', time: '2026-09-21T10:05:00Z', quantity: 42 };
    await world.report([
      { ...event, productCode: 'metrics-cloud', customerIdentifier },
      { ...event, id: 'e-2', customerId: acme.customerId },
    ]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(await world.bill()).toMatchObject([{ quantity: 84, customerIdentifier }]);
    const sealed = await world.ledger.sealed(anHour(), acme.licenceKey, 'requests');
    expect(sealed?.record).not.toHaveProperty('licenceArn');
    expect(sealed?.record).not.toHaveProperty('customerAwsAccountId');
  });
});

describe('tags', () => {
  test('split the bill by tag set, carried usage included', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const usage = (quantity: number, team?: string) =>
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity, ...(team && { tags: { team } }) });
    await world.report([usage(1), usage(20, 'core'), usage(300, 'edge'), usage(4_000, 'core')]);
    await world.tick('2026-09-21T11:11:00Z');
    await world.report([usage(50_000, 'edge'), usage(600_000)]);

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    const team = (Value: string) => ({ Tags: [{ Key: 'team', Value }] });
    const [ten, eleven] = (await world.bill()).map(({ quantity, allocations = [] }) => ({
      quantity,
      allocations: [...allocations].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    }));
    expect(ten?.quantity).toBe(4_321);
    expect(ten?.allocations).toEqual([
      { AllocatedUsageQuantity: 1 },
      { AllocatedUsageQuantity: 300, ...team('edge') },
      { AllocatedUsageQuantity: 4_020, ...team('core') },
    ]);
    expect(eleven?.quantity).toBe(650_000);
    expect(eleven?.allocations).toEqual([
      { AllocatedUsageQuantity: 50_000, ...team('edge') },
      { AllocatedUsageQuantity: 600_000 },
    ]);
  });

  test('of more than five keys over an hour are billed in full, with the sixth key’s usage untagged', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report(
      'abcdefg'.split('').map((key) => anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5, tags: { [key]: 'x' } })),
    );

    await world.tick('2026-09-21T11:11:00Z');

    const [line] = await world.bill();
    expect(line).toMatchObject({ quantity: 35 });
    expect(line?.allocations).toContainEqual({ AllocatedUsageQuantity: 10 });
  });

  test('of 120 tag sets that come near the deadline are all carried', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-22T09:04:00Z'));
    await world.report(
      Array.from({ length: 120 }, (_, index) =>
        anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 1, tags: { tenant: `t-${index}` } }),
      ),
    );

    await world.tick('2026-09-22T09:05:00Z');
    await world.tick('2026-09-22T10:11:00Z');

    expect(await lines(world)).toEqual([['09', 'requests', 120]]);
    expect((await world.bill())[0]?.allocations).toHaveLength(120);
  });
});

describe('amounts', () => {
  test('beyond the 32 bits of AWS are billed over as many hours as they need', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5_000_000_000 })]);

    for (const at of ['2026-09-21T11:11:00Z', '2026-09-21T12:11:00Z', '2026-09-21T13:11:00Z']) await world.tick(at);

    expect(await lines(world)).toEqual([
      ['10', 'requests', 2_147_483_647],
      ['11', 'requests', 2_147_483_647],
      ['12', 'requests', 705_032_706],
    ]);
  });
});

describe('zero records', () => {
  test('are sent once an hour for one dimension of a licence that used nothing, and for none that did', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'oneDimension' } });
    const [idle, busy] = [await world.subscribe(), await world.subscribe()];
    await world.report([anEvent(busy, '2026-09-21T10:06:00Z', { quantity: 5, dimension: 'gb_stored' })]);
    await world.report([anEvent(idle, '2026-09-21T10:06:00Z', { quantity: 0, dimension: 'gb_stored' })]);

    await world.tick('2026-09-21T11:11:00Z');
    await world.tick('2026-09-21T13:00:00Z');

    const ten = (await world.bill()).filter(({ hour }) => hour.startsWith('2026-09-21T10'));
    expect(ten.map(({ licenceArn, dimension, quantity }) => [licenceArn, dimension, quantity]).sort()).toEqual(
      [
        [idle.licenceArn, 'requests', 0],
        [busy.licenceArn, 'gb_stored', 5],
      ].sort(),
    );
  });

  test('give way to usage that comes later: it is carried, not lost behind the zero', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'oneDimension' } });
    const acme = await world.subscribe();
    await world.tick('2026-09-21T11:11:00Z');
    await world.report([anEvent(acme, '2026-09-21T10:06:00Z', { quantity: 5 })]);

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    expect(await lines(world)).toEqual([
      ['10', 'requests', 0],
      ['11', 'requests', 5],
    ]);
  });

  test('that could not be sent in time are settled without asking for anybody’s attention', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'oneDimension' } });
    const acme = await world.subscribe();
    await world.control.put('/control/faults', { next: [{ kind: 'accessDenied', count: 10_000 }] });
    await world.tick('2026-09-21T11:11:00Z');

    await world.tick('2026-09-22T10:00:00Z');

    const sealed = await world.ledger.sealed(anHour(), acme.licenceKey, 'requests');
    expect(sealed?.status).toBe('expired');
    expect(world.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
