// Usage that comes after its hour was sealed, before its licence is known, or while nobody closed anything.
import { describe, expect, test } from 'vitest';
import { anEvent, type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour } from '../builders.ts';

const services = useServices();

async function billed(world: BackendWorld): Promise<[string, number][]> {
  return (await world.bill()).map(({ hour, quantity }) => [hour.slice(0, 13), quantity]);
}

/** Sums over all hours: what is in the books must be on the bill, or have a place and a reason. */
async function sums(world: BackendWorld, first: string, end: string) {
  const total = { recorded: 0, carriedIn: 0, carriedOut: 0, honoured: 0, expired: 0, heldLate: 0, notYetSealed: 0 };
  for (const books of await world.books(first, end)) {
    expect(books.difference).toBe(0);
    for (const name of ['recorded', 'carriedIn', 'carriedOut', 'heldLate', 'notYetSealed'] as const) {
      total[name] += books[name];
    }
    total.honoured += books.byStatus.honoured;
    total.expired += books.byStatus.expired;
  }
  return total;
}

async function register(world: BackendWorld, agreementId: string): Promise<void> {
  const { token } = await world.control.post<{ token: string }>(`/control/agreements/${agreementId}/tokens`);
  const body = new URLSearchParams({ 'x-amzn-marketplace-token': token });
  await fetch(`${world.gateway.url}/register`, { method: 'POST', body, redirect: 'manual' });
}

describe('late usage', () => {
  test('is carried as often as it comes, and each unit is billed once', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:04:00Z', { quantity: 3 })]);
    await world.tick('2026-09-21T11:11:00Z');
    for (const [quantity, reported] of [
      [40, '2026-09-21T11:30:00Z'],
      [500, '2026-09-21T11:40:00Z'],
      [6_000, '2026-09-21T12:30:00Z'],
    ] as const) {
      await world.clock.set(Date.parse(reported));
      await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity })]);
      await world.tick();
    }

    await world.tick('2026-09-21T13:11:00Z');

    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 3],
      ['2026-09-21T11', 540],
      ['2026-09-21T12', 6_000],
    ]);
    expect(await sums(world, '2026-09-21T10', '2026-09-21T14')).toMatchObject({
      recorded: 6_543,
      honoured: 6_543,
      carriedIn: 6_540,
      carriedOut: 6_540,
    });
  });

  test('of a licence that nobody knows waits, and is billed when the buyer registers', async () => {
    const world = await startBackendWorld(services());
    const agreement = await world.control.post<{ agreementId: string; licenceArn: string }>('/control/agreements', {
      productCode: 'metrics-cloud',
    });
    await world.report([anEvent(agreement, '2026-09-21T10:05:00Z', { quantity: 77 })]);
    await world.tick('2026-09-21T11:11:00Z');
    const before = await world.books('2026-09-21T10', '2026-09-21T12');

    await world.clock.set(Date.parse('2026-09-21T11:40:00Z'));
    await register(world, agreement.agreementId);
    await world.tick('2026-09-21T11:41:00Z');

    expect(before).toMatchObject([{ notYetSealed: 77, difference: 0 }]);
    expect(await billed(world)).toEqual([['2026-09-21T10', 77]]);
  });

  test('of a licence that registers a day later is carried into the hour that runs then', async () => {
    const world = await startBackendWorld(services());
    const agreement = await world.control.post<{ agreementId: string; licenceArn: string }>('/control/agreements', {
      productCode: 'metrics-cloud',
    });
    await world.report([anEvent(agreement, '2026-09-21T10:05:00Z', { quantity: 77 })]);
    await world.tick('2026-09-21T11:11:00Z');
    await world.tick('2026-09-22T10:15:00Z');

    await world.clock.set(Date.parse('2026-09-22T12:30:00Z'));
    await register(world, agreement.agreementId);
    await world.tick('2026-09-22T12:31:00Z');
    await world.tick('2026-09-22T13:11:00Z');

    expect(await billed(world)).toEqual([['2026-09-22T12', 77]]);
  });

  test('is billed in full after nobody closed an hour for 30 hours', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    for (const hour of [11, 15, 20, 23]) {
      await world.clock.set(Date.parse(`2026-09-21T${hour}:30:00Z`));
      await world.report([anEvent(acme, `2026-09-21T${hour}:20:00Z`, { quantity: hour })]);
    }

    await world.tick('2026-09-22T17:30:00Z');
    await world.tick('2026-09-22T18:11:00Z');

    expect(await billed(world)).toEqual([
      ['2026-09-21T20', 20],
      ['2026-09-21T23', 23],
      // Too old for AWS by then: carried into the hour that ran.
      ['2026-09-22T17', 26],
    ]);
    expect(await sums(world, '2026-09-21T10', '2026-09-22T19')).toMatchObject({ recorded: 69, honoured: 69 });
  });

  test('is held, not carried, where the product says so, and an operator sees it', async () => {
    const world = await startBackendWorld(services(), { product: { lateUsage: 'hold' } });
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:04:00Z', { quantity: 3 })]);
    await world.tick('2026-09-21T11:11:00Z');
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 40 })]);

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T12:12:00Z');

    expect(await billed(world)).toEqual([['2026-09-21T10', 3]]);
    expect(await sums(world, '2026-09-21T10', '2026-09-21T13')).toMatchObject({ heldLate: 40, honoured: 3 });
    const sealed = await world.ledger.sealed(anHour('2026-09-21T10'), acme.licenceKey, 'requests');
    expect(sealed).toMatchObject({ heldLate: 40, heldReasons: ['policy'] });
  });
});

describe('the end of a month', () => {
  test('bills usage of its last hours that was reported a minute before AWS closes the month', async () => {
    const world = await startBackendWorld(services(), { at: '2026-09-30T21:30:00.000Z' });
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-30T23:59:00Z'));
    await world.report([anEvent(acme, '2026-09-30T22:30:00Z', { quantity: 100 })]);
    await world.tick('2026-10-01T00:11:00Z');
    await world.clock.set(Date.parse('2026-10-01T05:59:00Z'));
    const answer = await world.report([anEvent(acme, '2026-09-30T23:30:00Z', { quantity: 9 })]);

    await world.tick('2026-10-01T05:59:30Z');
    await world.tick('2026-10-01T06:11:00Z');

    expect(answer.counts.recorded).toBe(1);
    expect(await billed(world)).toEqual([
      ['2026-09-30T22', 100],
      ['2026-10-01T05', 9],
    ]);
  });

  test('carries its last hours into the new month where they are first closed after 06:00', async () => {
    const world = await startBackendWorld(services(), { at: '2026-09-30T21:30:00.000Z' });
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-30T23:59:00Z'));
    await world.report([anEvent(acme, '2026-09-30T23:30:00Z', { quantity: 100 })]);

    await world.tick('2026-10-01T06:30:00Z');
    await world.tick('2026-10-01T07:11:00Z');

    expect(await billed(world)).toEqual([['2026-10-01T06', 100]]);
    expect(await sums(world, '2026-09-30T21', '2026-10-01T08')).toMatchObject({ honoured: 100, carriedOut: 100 });
  });

  test('expires what was sealed in time but could not be sent until 06:00, with its reason, and still balances', async () => {
    const world = await startBackendWorld(services(), { at: '2026-09-30T21:30:00.000Z' });
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-30T23:59:00Z'));
    await world.report([anEvent(acme, '2026-09-30T22:30:00Z', { quantity: 100 })]);
    await world.control.put('/control/faults', { next: [{ kind: 'accessDenied', count: 1_000 }] });
    await world.tick('2026-10-01T00:11:00Z');
    await world.tick('2026-10-01T05:59:00Z');

    await world.control.delete('/control/faults');
    await world.tick('2026-10-01T06:00:00Z');

    expect(await world.bill()).toEqual([]);
    const sealed = await world.ledger.sealed(anHour('2026-09-30T22'), acme.licenceKey, 'requests');
    expect(sealed).toMatchObject({ status: 'expired', reason: 'AccessDeniedException' });
    expect(await sums(world, '2026-09-30T21', '2026-10-01T07')).toMatchObject({ recorded: 100, expired: 100 });
  });
});
