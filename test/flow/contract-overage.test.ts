// Contracts with consumption: what is included is counted by the hour of its use, and only what lies beyond is billed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Entitlement, type LicenceEntitlements, withAnswer } from '../../lambdas/domain/entitlement.ts';
import { addHours, HOUR_MS, hourOf, hourStartMs, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import { closeHour } from '../../lambdas/flow/close-hour.ts';
import { verifyBooks } from '../../lambdas/flow/verify-books.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const START = at('2026-09-21T10:00:00Z');
const SHARD = aUsageEvent().shard;

function included(quantity: number, expiresAt = at('2027-09-01T00:00:00Z')): Entitlement {
  return { dimension: 'requests', value: { kind: 'integer', value: quantity }, expiresAt };
}

function aWorld(settings: Partial<Product> = {}) {
  let known: LicenceEntitlements | undefined;
  let events = 0;
  const customers = new MemoryLicences();
  customers.add(aLicence({ pricingModel: 'contractWithConsumption', firstSeenAt: START }));
  const world = {
    usage: new MemoryUsageStore(),
    ledger: new MemoryLedgerStore(),
    customers,
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    entitlements: { entitlements: async () => known },
    nowMs: START,
    clock: () => world.nowMs,
    limit: <T>(task: () => Promise<T>) => task(),
    log: { warn: () => {}, error: (code: string) => expect.unreachable(code) },
    products: new Map([['metrics-cloud', aProduct({ pricingModel: 'contractWithConsumption', ...settings })]]),
    policy: aPolicy(),
    answer: (...entitlements: Entitlement[]) => {
      known = withAnswer(known, LICENCE_KEY, entitlements, world.nowMs);
    },
    use: async (quantity: number, atMs: number, tags?: Record<string, string>) => {
      const event = { eventId: `event-${++events}`, hour: hourOf(atMs), atMs, quantity };
      await world.usage.put(aUsageEvent({ ...event, ...(tags && { tags }) }));
    },
    close: (hour: string) => closeHour(world, { hour: anHour(hour), shard: SHARD }),
    sealed: (hour: string) => world.ledger.sealed(anHour(hour), LICENCE_KEY, 'requests'),
  };
  return world;
}

describe('a contract with consumption', () => {
  test('withholds what is included per term, and bills what lies beyond, hour after hour', async () => {
    const world = aWorld();
    world.answer(included(100));
    await world.use(70, START);
    await world.use(50, START + HOUR_MS);
    await world.use(9, START + 2 * HOUR_MS);
    world.nowMs = START + 4 * HOUR_MS;
    for (const hour of ['2026-09-21T10', '2026-09-21T11', '2026-09-21T12']) await world.close(hour);

    expect(await world.sealed('2026-09-21T10')).toMatchObject({
      status: 'withheld',
      reason: 'included',
      record: { quantity: 0 },
      withheldQuantity: 70,
      entitlement: { basis: 'perTerm', entitledQuantity: 100, usedBefore: 0 },
    });
    expect(await world.sealed('2026-09-21T11')).toMatchObject({
      status: 'open',
      record: { quantity: 20 },
      withheldQuantity: 30,
      entitlement: { usedBefore: 70, ownAccounted: 50, ownOverage: 20 },
    });
    expect(await world.sealed('2026-09-21T12')).toMatchObject({ status: 'open', record: { quantity: 9 } });
  });

  test('counts late usage by the hour of its use, and carries only what lies beyond', async () => {
    const world = aWorld();
    world.answer(included(100));
    await world.use(90, START);
    world.nowMs = START + HOUR_MS + 10 * MINUTE_MS;
    await world.close('2026-09-21T10');
    await world.use(25, START + 1);
    await world.close('2026-09-21T10');
    expect(await world.sealed('2026-09-21T10')).toMatchObject({
      withheldQuantity: 100,
      carriedOut: 15,
      accounted: 115,
    });

    await world.use(3, START + HOUR_MS);
    world.nowMs += HOUR_MS;
    await world.close('2026-09-21T11');

    // 3 of its own, all beyond, and 15 that were counted where they were used.
    expect(await world.sealed('2026-09-21T11')).toMatchObject({
      record: { quantity: 18 },
      entitlement: { ownAccounted: 3, ownOverage: 3 },
    });
    expect(await world.ledger.counters(LICENCE_KEY)).toMatchObject([{ used: 118, overage: 18 }]);
  });

  test('includes per hour by each hour alone', async () => {
    const world = aWorld({ included: { requests: 'perHour' } });
    world.answer(included(100));
    await world.use(130, START);
    await world.use(60, START + HOUR_MS);
    world.nowMs = START + 3 * HOUR_MS;
    await world.close('2026-09-21T10');
    await world.close('2026-09-21T11');
    await world.use(50, START + HOUR_MS + 1);
    await world.close('2026-09-21T11');

    expect(await world.sealed('2026-09-21T10')).toMatchObject({ record: { quantity: 30 }, withheldQuantity: 100 });
    expect(await world.sealed('2026-09-21T11')).toMatchObject({ withheldQuantity: 100, carriedOut: 10 });
  });

  test('bills a dimension that the contract does not name in full', async () => {
    const world = aWorld();
    world.answer({ ...included(100), dimension: 'seats' });
    await world.use(7, START);
    world.nowMs = START + 2 * HOUR_MS;
    await world.close('2026-09-21T10');
    expect(await world.sealed('2026-09-21T10')).toMatchObject({ status: 'open', record: { quantity: 7 } });
  });

  test('waits while AWS has not said what is included, and is looked at again once it has', async () => {
    const world = aWorld();
    world.answer();
    await world.use(70, START);
    world.nowMs = START + HOUR_MS + 10 * MINUTE_MS;
    expect(await world.close('2026-09-21T10')).toMatchObject({ awaiting: 1, sealed: 0 });
    expect(await world.work.lateMarkers()).toEqual([]);

    world.nowMs += MINUTE_MS;
    world.answer(included(50));
    await world.work.releaseAwaiting(LICENCE_KEY);
    expect(await world.work.lateMarkers()).toMatchObject([{ hour: '2026-09-21T10' }]);
    await world.close('2026-09-21T10');
    expect(await world.sealed('2026-09-21T10')).toMatchObject({ record: { quantity: 20 }, withheldQuantity: 50 });
  });

  test('is held with its reason where AWS has not said it by the time that the deadline is near', async () => {
    const world = aWorld();
    await world.use(70, START);
    world.nowMs = START + 23 * HOUR_MS;
    await world.close('2026-09-21T10');
    expect(await world.sealed('2026-09-21T10')).toMatchObject({ heldLate: 70, heldReasons: ['entitlementUnknown'] });
    expect(await world.ledger.counters(LICENCE_KEY)).toEqual([]);
  });

  test('believes the last answer for two days of silence, and no longer', async () => {
    const world = aWorld();
    world.answer(included(50));
    const later = START + 48 * HOUR_MS;
    await world.use(70, later);
    await world.use(70, later - 2 * HOUR_MS);
    world.nowMs = later;
    expect(await world.close(hourOf(later - 2 * HOUR_MS))).toMatchObject({ sealed: 1 });
    world.nowMs = later + HOUR_MS + 10 * MINUTE_MS;
    expect(await world.close(hourOf(later))).toMatchObject({ sealed: 0, awaiting: 1 });
  });

  test('begins to count anew in a renewed term, by the hour of the use', async () => {
    const world = aWorld();
    const expiry = START + 2 * HOUR_MS;
    world.answer(included(50, expiry));
    await world.use(80, START);
    await world.use(30, START + HOUR_MS);
    await world.use(60, START + 2 * HOUR_MS);
    world.nowMs = START + 2 * HOUR_MS + MINUTE_MS;
    world.answer(included(50, expiry + 365 * 24 * HOUR_MS));
    world.nowMs = START + 4 * HOUR_MS;
    for (const hour of ['2026-09-21T10', '2026-09-21T12', '2026-09-21T11']) await world.close(hour);

    expect(await world.sealed('2026-09-21T10')).toMatchObject({ record: { quantity: 30 } });
    expect(await world.sealed('2026-09-21T11')).toMatchObject({ record: { quantity: 30 } });
    expect(await world.sealed('2026-09-21T12')).toMatchObject({ record: { quantity: 10 }, withheldQuantity: 50 });
  });

  test('nets what was billed beyond an earlier, smaller entitlement against what is used under the amended one', async () => {
    const world = aWorld();
    world.answer(included(50));
    await world.use(100, START);
    world.nowMs = START + HOUR_MS + 10 * MINUTE_MS;
    await world.close('2026-09-21T10');
    world.answer(included(80));
    await world.use(30, START + HOUR_MS);
    await world.use(10, START + 2 * HOUR_MS);
    world.nowMs = START + 4 * HOUR_MS;
    await world.close('2026-09-21T11');
    await world.close('2026-09-21T12');

    // 140 used in all, 80 of them included: 60 are billed, 50 of which were before the amendment.
    expect(await world.sealed('2026-09-21T10')).toMatchObject({ record: { quantity: 50 } });
    expect(await world.sealed('2026-09-21T11')).toMatchObject({ record: { quantity: 0 }, withheldQuantity: 30 });
    expect(await world.sealed('2026-09-21T12')).toMatchObject({ record: { quantity: 10 } });
  });

  test('splits tags so that they add up to what is billed', async () => {
    const world = aWorld();
    world.answer(included(100));
    await world.use(80, START, { team: 'core' });
    await world.use(60, START, { team: 'edge' });
    world.nowMs = START + 2 * HOUR_MS;
    await world.close('2026-09-21T10');
    const { record } = (await world.sealed('2026-09-21T10')) ?? {};
    expect(record?.quantity).toBe(40);
    expect(record?.allocations?.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(40);
  });
});

describe('whatever comes late, is closed twice at once, and is amended', () => {
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('use' as const), units: fc.nat(60), age: fc.nat(5) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('close' as const), age: fc.nat(6), twice: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), minutes: fc.integer({ min: 5, max: 90 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('amend' as const), entitled: fc.nat(200) }) },
  );

  test.each(['perTerm', 'perHour'] as const)(
    '%s: exactly the overage is billed, and the books balance',
    async (basis) => {
      await fc.assert(
        fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), fc.nat(150), async (acts, entitled) => {
          const world = aWorld({ included: { requests: basis } });
          const amounts = [entitled];
          const used = new Map<string, number>();
          const note = async (units: number, atMs: number) => {
            await world.use(units, atMs, units % 3 === 0 ? { team: 'core' } : undefined);
            used.set(hourOf(atMs), (used.get(hourOf(atMs)) ?? 0) + units);
          };
          const back = (age: number) => Math.max(START, world.nowMs - age * HOUR_MS);
          world.answer(included(entitled));
          for (const each of acts) {
            if (each.kind === 'pass') world.nowMs += each.minutes * MINUTE_MS;
            else if (each.kind === 'use') await note(each.units, back(each.age));
            else if (each.kind === 'amend') {
              amounts.push(each.entitled);
              world.answer(included(each.entitled));
            } else {
              const look = () => world.close(hourOf(back(each.age)));
              await Promise.all(each.twice ? [look(), look()] : [look()]);
            }
          }
          const last = addHours(hourOf(world.nowMs), 1);
          for (let hour = hourOf(START); hour <= last; hour = addHours(hour, 1)) {
            world.nowMs = Math.max(world.nowMs, hourStartMs(hour) + 2 * HOUR_MS);
            // An hour is closed within AWS's window; the world's clock runs on from hour to hour.
            await world.close(hour);
          }
          // What was carried on the way goes into the hours after.
          for (let round = 0; round < 3; round++) {
            const hour = hourOf(world.nowMs);
            world.nowMs += 2 * HOUR_MS;
            await world.close(hour);
          }

          let billed = 0;
          for await (const books of verifyBooks(world, hourOf(START), hourOf(world.nowMs + HOUR_MS), LICENCE_KEY)) {
            expect(books.difference).toBe(0);
            billed += books.byStatus.open + books.notYetSealed;
            expect(books.heldLate).toBe(0);
          }
          const beyond = (entitledUnits: number) =>
            basis === 'perTerm'
              ? Math.max(0, [...used.values()].reduce((sum, units) => sum + units, 0) - entitledUnits)
              : [...used.values()].reduce((sum, units) => sum + Math.max(0, units - entitledUnits), 0);
          // With an unchanged contract exactly; amended, between what the most and the least of it would bill.
          expect(billed).toBeGreaterThanOrEqual(beyond(Math.max(...amounts)));
          expect(billed).toBeLessThanOrEqual(beyond(Math.min(...amounts)));
        }),
        { numRuns: 150 },
      );
    },
  );
});
