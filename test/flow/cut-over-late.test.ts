// Usage from before a cut-over that comes late, when every look at the last hour under the old name may be over.
import { describe, expect, test } from 'vitest';
import { HOUR_MS, type HourStart } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { closeHour } from '../../lambdas/flow/close-hour.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const LEGACY_KEY = licenceKeyOf({ style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: 'ifAPi5AcF3' });
const SHARD = shardOf(LEGACY_KEY);
const START = at('2026-09-21T10:00:00Z');
const LAST_HOUR = anHour('2026-09-21T13');

/** A buyer who is metered by licence from 14:00 on, with usage of 10:00 that was sealed. */
async function aWorld() {
  const customers = new MemoryLicences();
  const { licenceArn: _arn, ...legacy } = aLicence({ licenceKey: LEGACY_KEY, identityStyle: 'legacy' });
  const cut = { cutOverHour: anHour('2026-09-21T14'), counterpartKey: LICENCE_KEY };
  customers.add({ ...legacy, ...cut, customerIdentifier: 'ifAPi5AcF3' });
  const world = {
    usage: new MemoryUsageStore(),
    ledger: new MemoryLedgerStore(),
    customers,
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    entitlements: { entitlements: async () => undefined },
    nowMs: START + 1.5 * HOUR_MS,
    clock: () => world.nowMs,
    limit: <T>(task: () => Promise<T>) => task(),
    log: { warn: () => {}, error: (code: string): void => expect.unreachable(code) },
    products: new Map([['metrics-cloud', aProduct({ identityStyle: 'legacy' })]]),
    policy: aPolicy(),
    use: (eventId: string, quantity: number) =>
      world.usage.put(
        aUsageEvent({ licenceKey: LEGACY_KEY, shard: SHARD, eventId, hour: anHour(), atMs: START, quantity }),
      ),
    close: (hour: HourStart) => closeHour(world, { hour, shard: SHARD }),
  };
  await world.use('event-1', 70);
  await world.close(anHour());
  await world.use('event-2', 5);
  return world;
}

describe('late usage of a buyer who has been cut over', () => {
  test('is billed in the last hour under the old name: that hour is asked for again', async () => {
    const world = await aWorld();
    // Two hours after its end, the last hour has had all looks but one that comes after its deadline.
    world.nowMs = START + 6.5 * HOUR_MS;
    await world.close(anHour());

    expect(world.work.table.marked()).toMatchObject([{ hour: LAST_HOUR, shard: SHARD }]);
    await world.close(LAST_HOUR);
    expect(await world.ledger.sealed(LAST_HOUR, LEGACY_KEY, 'requests')).toMatchObject({
      status: 'open',
      record: { quantity: 5 },
    });
  });

  test('is asked for by the next look where a closer died after its carry', async () => {
    const world = await aWorld();
    world.nowMs = START + 6.5 * HOUR_MS;
    const markLate = world.work.markLate.bind(world.work);
    world.work.markLate = () => Promise.reject(new Error('died'));
    world.log.error = () => {};
    await world.close(anHour());
    expect(world.work.table.marked()).toEqual([]);
    world.work.markLate = markLate;
    await world.close(anHour());

    expect(world.work.table.marked()).toMatchObject([{ hour: LAST_HOUR, shard: SHARD }]);
  });

  test('waits for the first look where the last hour still runs', async () => {
    const world = await aWorld();
    world.nowMs = START + 3.5 * HOUR_MS;
    await world.close(anHour());

    expect(world.work.table.marked()).toEqual([]);
  });
});
