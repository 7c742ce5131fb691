// Units whose tags are lost on the way, since there are more tag sets than a record may hold: somebody is told.
import { expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import { MAX_ALLOCATIONS } from '../../lambdas/domain/marketplace-limits.ts';
import { closeHour } from '../../lambdas/flow/close-hour.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { MemoryEntitlementStore } from '../doubles/memory-entitlements.ts';
import { MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const START = at('2026-09-21T10:00:00Z');
const HOUR = anHour('2026-09-21T10');

function aWorld() {
  const customers = new MemoryLicences();
  customers.add(aLicence());
  const told: [string, object][] = [];
  const note = (code: string, facts = {}) => void told.push([code, facts]);
  const world = {
    usage: new MemoryUsageStore(),
    ledger: new MemoryLedgerStore(),
    customers,
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    entitlements: new MemoryEntitlementStore(),
    nowMs: START,
    clock: () => world.nowMs,
    limit: <T>(task: () => Promise<T>) => task(),
    log: { warn: note, error: note },
    products: new Map([['metrics-cloud', aProduct()]]),
    policy: aPolicy(),
    told,
    use: async (count: number, from = 0) => {
      for (let index = from; index < from + count; index++) {
        const event = { eventId: `event-${index}`, quantity: 2, atMs: START, tags: { team: `team-${index}` } };
        await world.usage.put(aUsageEvent({ ...event, hour: HOUR }));
      }
    },
    closeAt: async (nowMs: number) => {
      world.nowMs = nowMs;
      await closeHour(world, { hour: HOUR, shard: aUsageEvent().shard });
      return world.ledger.sealed(HOUR, LICENCE_KEY, 'requests');
    },
  };
  return world;
}

const SOON = START + HOUR_MS + 10 * MINUTE_MS;
const NEAR_DEADLINE = START + 23 * HOUR_MS + MINUTE_MS;

test('late usage under one tag set more than an hour can tell apart is carried by its sum, and told', async () => {
  const world = aWorld();
  await world.use(MAX_ALLOCATIONS - 1);
  await world.closeAt(SOON);
  expect(world.told).toEqual([]);

  await world.use(3, MAX_ALLOCATIONS - 1);
  // One finds room under its own tags; the two others do not.
  expect(await world.closeAt(SOON + HOUR_MS)).toMatchObject({ carriedOut: 6, accountedByTagSet: { '*': 5_004 } });
  expect(world.told).toMatchObject([['TagsOverflown', { hour: HOUR, quantity: 4 }]]);
});

test('an hour of too many tag sets that goes on as a whole is told, too', async () => {
  const world = aWorld();
  await world.use(MAX_ALLOCATIONS + 1);
  expect(await world.closeAt(NEAR_DEADLINE)).toMatchObject({ carriedOut: 5_002 });
  expect(world.told).toMatchObject([['TagsOverflown', { hour: HOUR, quantity: 5_002 }]]);
});
