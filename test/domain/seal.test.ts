import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Allocation } from '../../lambdas/domain/ledger.ts';
import { MAX_ALLOCATIONS, MAX_QUANTITY } from '../../lambdas/domain/marketplace-limits.ts';
import { sealForSending } from '../../lambdas/domain/seal.ts';
import { takeUpTo } from '../../lambdas/domain/tally.ts';
import { aLicence, anHour, aPolicy, aTally, at } from '../builders.ts';

const NOW = at('2026-09-21T11:10:00Z');

function seal(tally = aTally(), licence = aLicence(), hour = anHour()) {
  return sealForSending(
    { hour, shard: 5, dimension: 'requests', licence },
    tally,
    { pricingModel: 'subscription' },
    NOW,
    aPolicy(),
  );
}

function sumOf(allocations: readonly Allocation[] = []): number {
  return allocations.reduce((sum, { quantity }) => sum + quantity, 0);
}

describe('a sealed hour', () => {
  test('freezes the whole record as it will be sent', () => {
    const sealed = seal(aTally([{ quantity: 12_000 }, { quantity: 500 }]));

    expect(sealed.record).toEqual({
      timestampSeconds: at('2026-09-21T10:00:00Z') / 1_000,
      dimension: 'requests',
      quantity: 12_500,
      licenceArn: aLicence().licenceArn,
      customerAwsAccountId: '111122223333',
    });
    expect(sealed).toMatchObject({
      status: 'open',
      accounted: 12_500,
      accountedByTagSet: { untagged: 12_500 },
      deadlineAt: at('2026-09-22T10:00:00Z'),
      attempts: {},
    });
  });

  test('names a legacy buyer by its identifier alone', () => {
    const legacy = aLicence({ identityStyle: 'legacy', customerIdentifier: 'X01EXAMPLEX' });

    const { record } = seal(aTally(), legacy);

    expect(record.customerIdentifier).toBe('X01EXAMPLEX');
    expect(record).not.toHaveProperty('licenceArn');
    expect(record).not.toHaveProperty('customerAwsAccountId');
  });

  test.each([
    ['at its hour’s start where the licence began before', '2026-09-21T09:59:59.999Z', '2026-09-21T10:00:00Z'],
    ['at its hour’s start where the licence began with it', '2026-09-21T10:00:00.000Z', '2026-09-21T10:00:00Z'],
    ['at the licence’s start within the hour', '2026-09-21T10:30:00.000Z', '2026-09-21T10:30:00Z'],
    ['at the next whole second, never before the licence', '2026-09-21T10:30:00.001Z', '2026-09-21T10:30:01Z'],
    [
      'within its own hour where the licence began in its last second',
      '2026-09-21T10:59:59.500Z',
      '2026-09-21T10:59:59Z',
    ],
    ['at its hour’s start where the licence began after the hour', '2026-09-21T11:00:00.000Z', '2026-09-21T10:00:00Z'],
  ])('is stamped %s', (_claim, from, stamp) => {
    const licence = aLicence({ firstSeenAt: at('2026-09-21T12:00:00Z'), periods: [{ from: at(from) }] });

    expect(seal(aTally(), licence).record.timestampSeconds).toBe(at(stamp) / 1_000);
  });

  test('is stamped at its first usage where we heard of its licence later and do not know its start', () => {
    const heardAtNoon = aLicence({ firstSeenAt: at('2026-09-21T12:00:00Z') });

    expect(seal(aTally(), heardAtNoon).record.timestampSeconds).toBe(at('2026-09-21T10:05:00Z') / 1_000);
    expect(seal(aTally([], 700), heardAtNoon).record.timestampSeconds).toBe(at('2026-09-21T10:00:00Z') / 1_000);
    expect(seal(aTally()).record.timestampSeconds).toBe(at('2026-09-21T10:00:00Z') / 1_000);
  });

  test('takes as much as AWS’s 32 bits hold, and accounts for no more', () => {
    const exact = seal(aTally([{ quantity: MAX_QUANTITY }]));
    const over = seal(aTally([{ quantity: MAX_QUANTITY }, { quantity: 1 }]));

    expect(exact.record.quantity).toBe(2_147_483_647);
    expect(over.record.quantity).toBe(2_147_483_647);
    expect(over.accounted).toBe(2_147_483_647);
  });

  test('of a contract is withheld, and of one with consumption until the entitlement is known', () => {
    const meter = { hour: anHour(), shard: 5, dimension: 'requests', licence: aLicence() };

    expect(sealForSending(meter, aTally(), { pricingModel: 'contract' }, NOW, aPolicy())).toMatchObject({
      status: 'withheld',
    });
    expect(sealForSending(meter, aTally(), { pricingModel: 'contractWithConsumption' }, NOW, aPolicy())).toMatchObject({
      status: 'withheld',
      reason: 'entitlementUnknown',
    });
  });
});

describe('allocations', () => {
  test('are absent where nothing is tagged', () => {
    expect(seal().record).not.toHaveProperty('allocations');
  });

  test('are the same whatever order the events came in, the untagged rest last', () => {
    const rows = [
      { quantity: 5 },
      { quantity: 30, tags: { team: 'edge' } },
      { quantity: 20, tags: { team: 'core' } },
      { quantity: 1, tags: { team: 'core' } },
    ];

    const forwards = seal(aTally(rows)).record.allocations;

    expect(seal(aTally(rows.toReversed())).record.allocations).toEqual(forwards);
    expect(forwards).toEqual([
      { quantity: 21, tags: [['team', 'core']] },
      { quantity: 30, tags: [['team', 'edge']] },
      { quantity: 5, tags: [] },
    ]);
  });

  test('name at most five tag keys over the whole record; what has a sixth goes into the untagged rest', () => {
    const rows = 'abcdefg'.split('').map((key, index) => ({ quantity: 10 + index, tags: { [key]: 'x' } }));

    const { allocations = [], quantity } = seal(aTally(rows)).record;

    const keys = new Set(allocations.flatMap(({ tags }) => tags.map(([key]) => key)));
    expect([...keys]).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(allocations.at(-1)).toEqual({ quantity: 15 + 16, tags: [] });
    expect(sumOf(allocations)).toBe(quantity);
  });

  test('are at most 2,500; what is over goes into the one untagged allocation', () => {
    const rows = Array.from({ length: 3_000 }, (_, index) => ({ quantity: 1, tags: { tenant: `t-${index}` } }));

    const { allocations = [], quantity } = seal(aTally(rows)).record;

    expect(allocations).toHaveLength(MAX_ALLOCATIONS);
    expect(allocations.at(-1)).toEqual({ quantity: 501, tags: [] });
    expect([sumOf(allocations), quantity]).toEqual([3_000, 3_000]);
  });

  test('take at most 300 KB, so that a record can be stored and sent', () => {
    const rows = Array.from({ length: 1_500 }, (_, index) => ({
      quantity: 2,
      tags: { tenant: `${index}-${'x'.repeat(250)}` },
    }));

    const { allocations = [], quantity } = seal(aTally(rows)).record;

    expect(Buffer.byteLength(JSON.stringify(allocations))).toBeLessThan(300_000);
    expect([sumOf(allocations), quantity]).toEqual([3_000, 3_000]);
  });

  test('always sum up to the quantity, and each tag set stands once', () => {
    const someRow = fc.record({
      quantity: fc.integer({ min: 0, max: 1_500_000_000 }),
      tags: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), fc.constantFrom('x', 'y'), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    });
    fc.assert(
      fc.property(fc.array(someRow, { maxLength: 20 }), (rows) => {
        const tally = aTally(rows);

        const { record, accounted, accountedByTagSet } = seal(tally);

        expect(record.quantity).toBe(Math.min(tally.used, MAX_QUANTITY));
        if (record.allocations) expect(sumOf(record.allocations)).toBe(record.quantity);
        const sets = (record.allocations ?? []).map(({ tags }) => JSON.stringify(tags));
        expect(new Set(sets).size).toBe(sets.length);
        expect(Object.values(accountedByTagSet).reduce((sum, each) => sum + each, 0)).toBe(accounted);
      }),
    );
  });
});

test('taking a part of a tally fills one tag set after the other, in canonical order', () => {
  const byTagSet = new Map([
    ['', 10],
    ['[["team","edge"]]', 10],
    ['[["team","core"]]', 10],
  ]);

  expect([...takeUpTo(byTagSet, 15)]).toEqual([
    ['[["team","core"]]', 10],
    ['[["team","edge"]]', 5],
  ]);
});
