// A licence ends: what was used before the revocation is billed, and nothing after it.
import { describe, expect, test } from 'vitest';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { DynamoUsageStore, toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { anEvent, type BackendWorld, type Subscription, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour, aUsageEvent } from '../builders.ts';

const services = useServices();

/** The buyer cancels now; AWS revokes 31 seconds later, and we are told of both at once. */
async function cancel(world: BackendWorld, { agreementId, licenceKey }: Subscription, revokeAfterMs = 31_000) {
  const noticeAt = world.clock.now();
  await world.control.post(`/control/agreements/${agreementId}/cancel`, { revokeAfterMs });
  await world.customers.noteEnding(licenceKey, { noticeAt });
  const revokedAt = noticeAt + revokeAfterMs;
  await world.customers.noteEnding(licenceKey, { noticeAt, revokedAt, deprovisionedAt: revokedAt });
  return revokedAt;
}

/** Minute by minute, as the schedules tick for an ending licence. */
async function minutes(world: BackendWorld, from: string, count: number): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    await world.tick(new Date(Date.parse(from) + minute * 60_000).toISOString());
  }
}

async function billed(world: BackendWorld): Promise<[string, string, number][]> {
  return (await world.bill()).map(({ hour, dimension, quantity }) => [hour.slice(0, 13), dimension, quantity]);
}

async function differences(world: BackendWorld): Promise<number[]> {
  const books = await world.books('2026-09-21T08', '2026-09-21T16');
  return books.map(({ difference }) => difference).filter((difference) => difference !== 0);
}

describe('a licence that ends', () => {
  test('has all usage up to the revocation billed, that of the running hour included', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-21T11:20:00Z'));
    await world.report([
      anEvent(acme, '2026-09-21T10:30:00Z', { quantity: 10 }),
      anEvent(acme, '2026-09-21T11:19:00Z', { quantity: 11 }),
    ]);
    await world.clock.set(Date.parse('2026-09-21T11:45:00Z'));
    await cancel(world, acme);
    await world.report([
      anEvent(acme, '2026-09-21T11:44:59Z', { quantity: 2_000 }),
      anEvent(acme, '2026-09-21T10:59:59Z', { quantity: 300 }),
    ]);

    await minutes(world, '2026-09-21T11:46:00Z', 15);

    const total = (await billed(world)).reduce((sum, [, , quantity]) => sum + quantity, 0);
    expect(total).toBe(2_321);
    expect(await differences(world)).toEqual([]);
    expect(world.logged.filter(({ code }) => code === 'LedgerBroken')).toEqual([]);
  });

  test('carries late usage of a past hour into the running one', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:04:00Z', { quantity: 10 })]);
    await world.tick('2026-09-21T11:11:00Z');
    await world.clock.set(Date.parse('2026-09-21T11:45:00Z'));
    await cancel(world, acme);
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 7 })]);

    await minutes(world, '2026-09-21T11:46:00Z', 12);

    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 'requests', 10],
      ['2026-09-21T11', 'requests', 7],
    ]);
  });

  test('takes no usage of after the revocation at the door, and none at all once its last hour is closed', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-21T11:45:00Z'));
    await cancel(world, acme);
    await world.clock.set(Date.parse('2026-09-21T11:46:00Z'));
    const during = await world.report([anEvent(acme, '2026-09-21T11:45:31Z'), anEvent(acme, '2026-09-21T11:45:30Z')]);
    await world.clock.set(Date.parse('2026-09-21T11:55:31Z'));

    const after = await world.report([anEvent(acme, '2026-09-21T11:40:00Z')]);

    expect(during.outcomes.map(({ outcome, code }) => code ?? outcome)).toEqual(['licenceEnded', 'recorded']);
    expect(after.outcomes[0]).toMatchObject({ outcome: 'refused', code: 'licenceEnded' });
  });

  test('holds with its reason what a direct writer adds after the last hour was sealed', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-21T11:45:00Z'));
    await world.report([anEvent(acme, '2026-09-21T11:40:00Z', { quantity: 5 })]);
    await cancel(world, acme);
    await minutes(world, '2026-09-21T11:55:00Z', 3);
    const direct = new DynamoUsageStore(world.client, world.tables.usage);
    const of = { licenceKey: acme.licenceKey, shard: shardOf(acme.licenceKey) };
    await direct.put(
      aUsageEvent({ ...of, hour: anHour('2026-09-21T11'), atMs: Date.parse('2026-09-21T11:41:00Z'), quantity: 9 }),
    );
    await direct.put(
      aUsageEvent({ ...of, hour: anHour('2026-09-21T12'), atMs: Date.parse('2026-09-21T12:01:00Z'), quantity: 4 }),
    );

    await minutes(world, '2026-09-21T12:02:00Z', 2);
    await world.tick('2026-09-21T13:11:00Z');

    expect(await billed(world)).toEqual([['2026-09-21T11', 'requests', 5]]);
    const held = [];
    for (const hour of ['2026-09-21T11', '2026-09-21T12']) {
      const sealed = await world.ledger.sealed(anHour(hour), acme.licenceKey, 'requests');
      held.push([sealed?.heldLate, sealed?.heldReasons]);
    }
    expect(held).toEqual([
      [9, ['licenceEnding']],
      [4, ['afterEnd']],
    ]);
    expect(await differences(world)).toEqual([]);
    expect(toUsageItem(aUsageEvent(of)).pk).toContain('2026-09-21T10#');
  });

  test('has its last hour billed although AWS fails for half of the final window', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-21T11:45:00Z'));
    await world.report([anEvent(acme, '2026-09-21T11:40:00Z', { quantity: 5 })]);
    await cancel(world, acme);
    await world.control.put('/control/faults', { next: [{ kind: 'internalError', count: 1_000 }] });
    await minutes(world, '2026-09-21T11:55:00Z', 30);

    await world.control.delete('/control/faults');
    await minutes(world, '2026-09-21T12:25:00Z', 3);

    expect(await billed(world)).toEqual([['2026-09-21T11', 'requests', 5]]);
  });

  test('brings the deadline of what was sealed before forward to an hour after the deprovisioning', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:04:00Z', { quantity: 10 })]);
    await world.control.put('/control/faults', { next: [{ kind: 'accessDenied', count: 1_000 }] });
    await world.tick('2026-09-21T11:11:00Z');
    await world.clock.set(Date.parse('2026-09-21T11:45:00Z'));
    const revokedAt = await cancel(world, acme);

    await world.tick('2026-09-21T11:46:00Z');

    const sealed = await world.ledger.sealed(anHour(), acme.licenceKey, 'requests');
    expect(sealed?.deadlineAt).toBe(revokedAt + 3_600_000);
  });

  test('is no longer looked at once its final window has passed', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-21T11:45:00Z'));
    await cancel(world, acme);

    await world.tick('2026-09-21T12:45:30Z');
    const still = (await world.customers.endingLicences()).length;
    await world.tick('2026-09-21T12:45:31Z');

    expect([still, (await world.customers.endingLicences()).length]).toEqual([1, 0]);
  });

  test('has usage that was let in close to its own deadline billed in the last hour', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-22T09:48:00Z'));
    const { counts } = await world.report([anEvent(acme, '2026-09-21T10:59:00Z', { quantity: 7 })]);
    await cancel(world, acme);

    await minutes(world, '2026-09-22T09:49:00Z', 16);

    expect(counts.recorded).toBe(1);
    expect(await billed(world)).toEqual([['2026-09-22T09', 'requests', 7]]);
  });
});
