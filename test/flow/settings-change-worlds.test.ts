// Settings that change between two looks at an hour: whatever they were, each unit stands in one place, and a contract
// includes no unit more than it says.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../lambdas/domain/amendment.ts';
import { type Entitlement, type LicenceEntitlements, withAnswer } from '../../lambdas/domain/entitlement.ts';
import { addHours, HOUR_MS, hourOf, hourStartMs, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import { MAX_QUANTITY } from '../../lambdas/domain/marketplace-limits.ts';
import type { PricingModel, Product } from '../../lambdas/domain/product.ts';
import { closeHour } from '../../lambdas/flow/close-hour.ts';
import { verifyBooks } from '../../lambdas/flow/verify-books.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const START = at('2026-09-21T10:00:00Z');
const SHARD = aUsageEvent().shard;
const ENTITLED = 100;
const METER = { licenceKey: LICENCE_KEY, dimension: 'requests' };

function aWorld(settings: Partial<Product> = {}) {
  let known: LicenceEntitlements | undefined;
  let isSilent = false;
  let events = 0;
  const customers = new MemoryLicences();
  customers.add(aLicence({ pricingModel: 'contractWithConsumption', firstSeenAt: START }));
  const entitled: Entitlement = { dimension: 'requests', value: { kind: 'integer', value: ENTITLED } };
  const world = {
    usage: new MemoryUsageStore(),
    ledger: new MemoryLedgerStore(),
    customers,
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    entitlements: { entitlements: async () => (isSilent ? undefined : known) },
    nowMs: START,
    clock: () => world.nowMs,
    limit: <T>(task: () => Promise<T>) => task(),
    log: { warn: () => {}, error: (code: string) => expect.unreachable(code) },
    products: new Map<string, Product>(),
    policy: aPolicy(),
    set: (changed: Partial<Product>) => {
      const before = world.products.get('metrics-cloud') ?? aProduct({ pricingModel: 'contractWithConsumption' });
      world.products.set('metrics-cloud', { ...before, ...changed });
    },
    answer: (isKnown = true) => {
      isSilent = !isKnown;
      if (isKnown) known = withAnswer(known, LICENCE_KEY, [entitled], world.nowMs);
    },
    use: async (quantity: number, atMs: number, tags?: Record<string, string>) => {
      const event = { eventId: `event-${++events}`, hour: hourOf(atMs), atMs, quantity };
      await world.usage.put(aUsageEvent({ ...event, ...(tags && { tags }) }));
    },
    grant: async (quantity: number) => {
      const audit: AuditEntry = {
        actionId: `${new Date(world.nowMs).toISOString()}.${++events}`,
        at: world.nowMs,
        who: 'a person',
        why: 'too much',
        action: 'credit',
        facts: {},
      };
      await world.ledger.grantCredit(METER, quantity, audit);
    },
    close: (hour: string) => closeHour(world, { hour: anHour(hour), shard: SHARD }),
    sealed: (hour: string) => world.ledger.sealed(anHour(hour), LICENCE_KEY, 'requests'),
  };
  world.set(settings);
  return world;
}

describe('an hour that was sealed before the product became a contract that includes usage per hour', () => {
  test('includes of what comes late no more than the contract says, however often it comes', async () => {
    const world = aWorld({ pricingModel: 'subscription', included: { requests: 'perHour' } });
    world.answer();
    await world.use(20, START);
    world.nowMs = START + HOUR_MS + 10 * MINUTE_MS;
    await world.close('2026-09-21T10');
    world.set({ pricingModel: 'contractWithConsumption' });
    for (let round = 0; round < 3; round++) {
      await world.use(90, START + 1 + round);
      await world.close('2026-09-21T10');
    }

    // 290 used of which 100 are included: 20 were billed before anybody knew, and 170 are carried.
    expect(await world.sealed('2026-09-21T10')).toMatchObject({
      record: { quantity: 20 },
      withheldQuantity: 100,
      carriedOut: 170,
    });
  });
});

describe('settings that change at any time', () => {
  const models: readonly PricingModel[] = ['subscription', 'contractWithConsumption', 'contractWithConsumption'];
  const rehearsals = [
    undefined,
    undefined,
    { mode: 'shadow' as const, until: anHour('2026-09-21T12') },
    { mode: 'dryRun' as const },
  ];
  const units = fc.oneof({ weight: 9, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.constant(MAX_QUANTITY) });
  const act = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('use' as const), units, age: fc.nat(5), tag: fc.nat(3) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('close' as const), age: fc.nat(6), twice: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), minutes: fc.integer({ min: 5, max: 90 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 15, max: 23 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('answer' as const), isKnown: fc.boolean() }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('grant' as const), units: fc.integer({ min: 1, max: 80 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('set' as const),
        changed: fc.record(
          {
            pricingModel: fc.constantFrom(...models),
            lateUsage: fc.constantFrom('carry' as const, 'hold' as const),
            rehearsal: fc.constantFrom(...rehearsals),
          },
          { requiredKeys: [] },
        ),
      }),
    },
  );

  test.each(['perTerm', 'perHour'] as const)(
    '%s: the books balance, credits are written off once, and no unit too many is included',
    async (basis) => {
      await fc.assert(
        fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 60 }), async (acts) => {
          const world = aWorld({ included: { requests: basis } });
          world.answer();
          const back = (age: number) => Math.max(START, world.nowMs - age * HOUR_MS);
          for (const each of acts) {
            if (each.kind === 'pass') world.nowMs += each.minutes * MINUTE_MS;
            else if (each.kind === 'wait') world.nowMs += each.hours * HOUR_MS;
            else if (each.kind === 'use') await world.use(each.units, back(each.age), TAGS[each.tag]);
            else if (each.kind === 'answer') world.answer(each.isKnown);
            else if (each.kind === 'grant') await world.grant(each.units);
            else if (each.kind === 'set') world.set(each.changed);
            else {
              const look = () => world.close(hourOf(back(each.age)));
              await Promise.all(each.twice ? [look(), look()] : [look()]);
            }
          }
          world.answer();
          const last = addHours(hourOf(world.nowMs), 1);
          for (let hour = hourOf(START); hour <= last; hour = addHours(hour, 1)) {
            world.nowMs = Math.max(world.nowMs, hourStartMs(hour) + 2 * HOUR_MS);
            await world.close(hour);
          }
          const end = addHours(hourOf(world.nowMs), 1);

          const sums = { recorded: 0, standing: 0, carriedIn: 0, carriedOut: 0, credited: 0, included: 0 };
          for await (const books of verifyBooks(world, hourOf(START), end, LICENCE_KEY)) {
            expect(books.difference).toBe(0);
            const sealed = await world.sealed(books.hour);
            const included = sealed?.withheldQuantity ?? 0;
            if (basis === 'perHour') expect(included).toBeLessThanOrEqual(ENTITLED);
            sums.included += included;
            sums.recorded += books.recorded;
            sums.carriedIn += books.carriedIn;
            sums.carriedOut += books.carriedOut;
            sums.credited += books.credited;
            const places = Object.values(books.byStatus).reduce((sum, quantity) => sum + quantity, 0);
            sums.standing += places + books.notYetSealed + books.credited + books.heldLate;
            const { allocations, quantity } = sealed?.record ?? {};
            if (allocations) expect(allocations.reduce((sum, each) => sum + each.quantity, 0)).toBe(quantity);
            expect(quantity ?? 0).toBeLessThanOrEqual(MAX_QUANTITY);
          }
          expect(sums.carriedIn).toBe(sums.carriedOut);
          expect(sums.standing).toBe(sums.recorded);
          if (basis === 'perTerm') expect(sums.included).toBeLessThanOrEqual(ENTITLED);
          const credits = [...world.ledger.tables.credits.values()];
          expect(credits.reduce((sum, { applied }) => sum + applied, 0)).toBe(sums.credited);
        }),
        { numRuns: 200 },
      );
    },
  );
});

const TAGS = [undefined, { team: 'core' }, { team: 'edge' }, { team: 'ops', env: 'live' }] as const;
