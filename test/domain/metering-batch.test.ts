import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { MAX_CALL_BYTES } from '../../lambdas/domain/marketplace-limits.ts';
import { cutBatches, halves, identityOf } from '../../lambdas/domain/metering-batch.ts';
import { aSealedHour, aTally, at } from '../builders.ts';

const NOW = at('2026-09-21T11:20:00Z');

function records(count: number, overrides: Partial<SealedHour> = {}): SealedHour[] {
  return Array.from({ length: count }, (_, index) =>
    aSealedHour({ licenceKey: `l-${index.toString(16).padStart(32, '0')}`, ...overrides }),
  );
}

const cut = (list: readonly SealedHour[], lingerMs = 0, nowMs = NOW) => cutBatches(list, { nowMs, lingerMs });

describe('cutting calls', () => {
  test.each([
    [0, []],
    [1, [1]],
    [25, [25]],
    [26, [25, 1]],
    [51, [25, 25, 1]],
  ])('puts %d records into calls of %j', (count, sizes) => {
    expect(cut(records(count)).map((batch) => batch.records.length)).toEqual(sizes);
  });

  test('keeps products, identity styles and regions apart', () => {
    const mixed = [
      ...records(2),
      ...records(2, { productCode: 'other' }),
      ...records(2, { identityStyle: 'legacy' }),
      ...records(2, { meteringRegion: 'eu-west-1' }),
    ];

    const batches = cut(mixed);

    expect(batches).toHaveLength(4);
    for (const { records: each, productCode, identityStyle, meteringRegion } of batches) {
      for (const record of each) expect(record).toMatchObject({ productCode, identityStyle, meteringRegion });
    }
  });

  test('is the same whatever order the records come in, and loses none', () => {
    const anyRecords = fc.array(
      fc.record({ hour: fc.integer({ min: 0, max: 9 }), product: fc.constantFrom('a', 'b'), key: fc.nat(30) }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(anyRecords, fc.integer(), (wanted, seed) => {
        const list = wanted.map(({ hour, product, key }) =>
          aSealedHour({ productCode: product, deadlineAt: NOW + hour * 3_600_000, licenceKey: `l-${key}` }),
        );
        const shuffled = list.toSorted((a, b) => ((a.deadlineAt ^ seed) % 7) - ((b.deadlineAt ^ seed) % 7));
        const names = (batches: ReturnType<typeof cut>) => batches.map((batch) => batch.records.map(identityOf));

        const batches = cut(list);

        expect(names(cut(shuffled))).toEqual(names(batches));
        expect(names(batches).flat().sort()).toEqual(list.map(identityOf).sort());
      }),
    );
  });

  test('puts the soonest deadline first', () => {
    const late = records(25, { deadlineAt: NOW + 9 * 3_600_000, productCode: 'late' });
    const soon = records(3, { deadlineAt: NOW + 60_000, productCode: 'soon' });

    expect(cut([...late, ...soon]).map((batch) => batch.productCode)).toEqual(['soon', 'late']);
  });

  test('keeps every call under its bytes', () => {
    const rows = Array.from({ length: 900 }, (_, index) => ({
      quantity: 1,
      tags: { t: `${index}${'x'.repeat(240)}` },
    }));
    const big = aSealedHour({}, aTally(rows));

    const batches = cut(records(10).map((each) => ({ ...each, record: big.record })));

    expect(batches.length).toBeGreaterThan(1);
    for (const { records: each } of batches) {
      const wire = JSON.stringify(each.map(({ record }) => record));
      expect(Buffer.byteLength(wire)).toBeLessThan(MAX_CALL_BYTES);
    }
  });

  test('lets a call that is not full wait for company until nothing was sealed for the linger', () => {
    const fresh = records(3, { sealedAt: NOW - 59_999 });

    expect(cut(fresh, 60_000)).toEqual([]);
    expect(cut(fresh, 60_000, NOW + 1)).toHaveLength(1);
    expect(cut(records(25, { sealedAt: NOW }), 60_000)).toHaveLength(1);
  });

  test('makes nothing wait that has waited for five lingers, or is due within two hours', () => {
    const company = records(2, { sealedAt: NOW });

    expect(cut([...company, ...records(1, { sealedAt: NOW - 300_000 })], 60_000)).toHaveLength(1);
    expect(cut([...company, ...records(1, { sealedAt: NOW, deadlineAt: NOW + 7_199_999 })], 60_000)).toHaveLength(1);
    expect(cut(company, 60_000)).toEqual([]);
  });

  test('halves a refused call without losing or doubling a record, down to one', () => {
    const [batch] = cut(records(25));
    if (!batch) throw new Error('No batch was cut.');

    const sizes = [];
    for (let rest = batch; rest.records.length > 1; rest = halves(rest)[1] ?? rest) {
      expect(halves(rest).flatMap((half) => half.records)).toEqual(rest.records);
      sizes.push(rest.records.length);
    }

    expect(sizes).toEqual([25, 12, 6, 3]);
  });
});
