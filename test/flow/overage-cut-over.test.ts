// A contract with consumption whose buyer is cut over from customer identifier to licence within its term.
import { describe, expect, test } from 'vitest';
import { type LicenceEntitlements, withAnswer } from '../../lambdas/domain/entitlement.ts';
import { HOUR_MS, hourOf, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { type Licence, licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { closeHour } from '../../lambdas/flow/close-hour.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const START = at('2026-09-21T10:00:00Z');
const CUT_OVER = anHour('2026-09-21T14');
const LEGACY_KEY = licenceKeyOf({ style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: 'ifAPi5AcF3' });
const EXPIRY = at('2027-09-01T00:00:00Z');

function aWorld() {
  const customers = new MemoryLicences();
  const common = { pricingModel: 'contractWithConsumption', cutOverHour: CUT_OVER, firstSeenAt: START } as const;
  const { licenceArn: _arn, ...named } = aLicence({ ...common, licenceKey: LEGACY_KEY });
  const legacy: Licence = { ...named, identityStyle: 'legacy', customerIdentifier: 'ifAPi5AcF3' };
  customers.add({ ...legacy, counterpartKey: LICENCE_KEY });
  customers.add(aLicence({ ...common, counterpartKey: LEGACY_KEY }));
  const known = new Map<string, LicenceEntitlements>();
  let events = 0;
  const world = {
    usage: new MemoryUsageStore(),
    ledger: new MemoryLedgerStore(),
    customers,
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    entitlements: { entitlements: async (licenceKey: string) => known.get(licenceKey) },
    nowMs: START,
    clock: () => world.nowMs,
    limit: <T>(task: () => Promise<T>) => task(),
    log: { warn: () => {}, error: (code: string) => expect.unreachable(code) },
    products: new Map([['metrics-cloud', aProduct({ pricingModel: 'contractWithConsumption' })]]),
    policy: aPolicy(),
    answer: (licenceKey: string, units: number, expiresAt: number) => {
      const entitlement = { dimension: 'requests', value: { kind: 'integer', value: units }, expiresAt } as const;
      known.set(licenceKey, withAnswer(known.get(licenceKey), licenceKey, [entitlement], world.nowMs));
    },
    /** Uses, and closes the hour as soon as it is due. */
    useAndClose: async (licenceKey: string, quantity: number, atMs: number) => {
      const [hour, shard] = [hourOf(atMs), shardOf(licenceKey)];
      await world.usage.put(aUsageEvent({ licenceKey, eventId: `event-${++events}`, hour, atMs, quantity }));
      world.nowMs = Math.max(world.nowMs, atMs + HOUR_MS + 10 * MINUTE_MS);
      await closeHour(world, { hour, shard });
      return world.ledger.sealed(hour, licenceKey, 'requests');
    },
  };
  world.answer(LEGACY_KEY, 100, EXPIRY);
  return world;
}

describe('a contract whose buyer is cut over within its term', () => {
  test('includes nothing twice: what was used by customer identifier counts on', async () => {
    const world = aWorld();
    await world.useAndClose(LEGACY_KEY, 70, START);
    world.answer(LICENCE_KEY, 100, EXPIRY);
    expect(await world.useAndClose(LICENCE_KEY, 50, START + 4 * HOUR_MS)).toMatchObject({
      record: { quantity: 20 },
      withheldQuantity: 30,
      entitlement: { usedBefore: 70 },
    });
    // What comes late to the hours before counts in the same term.
    expect(await world.useAndClose(LEGACY_KEY, 5, START + 1)).toMatchObject({ withheldQuantity: 70, carriedOut: 5 });
    expect(await world.ledger.counters(LICENCE_KEY)).toEqual([]);
    expect(await world.ledger.counters(LEGACY_KEY)).toMatchObject([{ used: 125, overage: 25 }]);
  });

  test('begins anew with the next term', async () => {
    const world = aWorld();
    await world.useAndClose(LEGACY_KEY, 70, START);
    world.answer(LICENCE_KEY, 100, EXPIRY);
    await world.useAndClose(LICENCE_KEY, 50, START + 4 * HOUR_MS);
    world.nowMs = EXPIRY + 1;
    world.answer(LICENCE_KEY, 100, EXPIRY + 365 * 24 * HOUR_MS);
    expect(await world.useAndClose(LICENCE_KEY, 120, EXPIRY + HOUR_MS)).toMatchObject({
      record: { quantity: 20 },
      withheldQuantity: 100,
    });
  });

  test('is another contract, counted on its own, where it ends at another time', async () => {
    const world = aWorld();
    await world.useAndClose(LEGACY_KEY, 70, START);
    world.answer(LICENCE_KEY, 100, EXPIRY + HOUR_MS);
    expect(await world.useAndClose(LICENCE_KEY, 50, START + 4 * HOUR_MS)).toMatchObject({ withheldQuantity: 50 });
  });
});
