// Usage that newer code wrote, seen by older code after a roll back: it waits for that code however long it takes.
import { expect, test } from 'vitest';
import { HOUR_MS } from '../../lambdas/domain/hour.ts';
import { meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import { closeDueHours } from '../../lambdas/flow/close-due-hours.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const LAST_LOOK = at('2026-09-22T10:10:00Z');

/** A licence whose only usage of the hour is a row of a newer layout. */
async function aWorld(product: Partial<Product> = {}) {
  const customers = new MemoryLicences();
  customers.add(aLicence());
  const usage = new MemoryUsageStore();
  const { pk, sk, ...row } = toUsageItem(aUsageEvent({ quantity: 5 }));
  usage.table.set(pk, sk, { pk, sk, ...row, v: 2 });
  const world = {
    usage,
    customers,
    ledger: new MemoryLedgerStore(),
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    entitlements: { entitlements: async () => undefined },
    nowMs: LAST_LOOK,
    clock: () => world.nowMs,
    limit: <T>(task: () => Promise<T>) => task(),
    log: { warn: () => {}, error: (code: string): void => expect.unreachable(code) },
    products: new Map([['metrics-cloud', aProduct(product)]]),
    policy: aPolicy(),
    close: () => closeDueHours(world, () => true),
    /** The newer code is back. */
    readRow: () => usage.table.set(pk, sk, { pk, sk, ...row }),
  };
  await world.work.raiseWatermark(anHour());
  return world;
}

test('a row of a newer layout has its hour looked at until it can be read, also past the last fixed look', async () => {
  const world = await aWorld();
  await world.close();
  await world.close();
  world.nowMs += 3 * 24 * HOUR_MS;
  await world.close();
  const during = [world.work.table.marked(), world.ledger.sealedHours()];

  world.readRow();
  await world.close();

  expect(during).toMatchObject([[{ hour: anHour(), shard: shardOf(LICENCE_KEY) }], []]);
  expect(world.work.table.marked()).toEqual([]);
  const [sealed] = world.ledger.sealedHours();
  expect(sealed).toMatchObject({ hour: anHour(), status: 'carried', carriedOut: 5 });
  const carries = [...world.ledger.tables.entries.entries()].filter(([, key]) =>
    key.startsWith(`${meterKey(LICENCE_KEY, 'requests')}#`),
  );
  expect(carries.map(([, , entry]) => entry)).toMatchObject([{ kind: 'carry', hour: '2026-09-25T10', quantity: 5 }]);
});

test('a row of a newer layout is usage: no zero record is sealed in its place', async () => {
  const world = await aWorld({ zeroRecords: 'oneDimension', lateUsage: 'hold' });
  world.nowMs = at('2026-09-21T11:10:00Z');
  await world.close();

  world.readRow();
  await world.close();

  expect(world.ledger.sealedHours()).toMatchObject([{ status: 'open', heldLate: 0, record: { quantity: 5 } }]);
});
