import { describe, expect, test } from 'vitest';
import { admit, type ReportedUsage } from '../../lambdas/domain/door.ts';
import type { Licence } from '../../lambdas/domain/licence.ts';
import { aLicence, aPolicy, aProduct, at } from '../builders.ts';

const NOW = at('2026-09-21T10:05:00Z');
const products = new Map([['metrics-cloud', aProduct()]]);

function aReport(overrides: Partial<ReportedUsage> = {}): ReportedUsage {
  return { id: 'e-1', dimension: 'requests', quantity: 250, atMs: NOW, ...overrides };
}

function decide(report: Partial<ReportedUsage>, licence: Licence | undefined = aLicence(), nowMs = NOW) {
  const decision = admit(aReport(report), licence, products, nowMs, aPolicy());
  return decision.kind === 'admitted' ? 'admitted' : decision.code;
}

function message(report: Partial<ReportedUsage>, licence: Licence | undefined = aLicence(), nowMs = NOW): string {
  const decision = admit(aReport(report), licence, products, nowMs, aPolicy());
  return decision.kind === 'admitted' ? '' : decision.message;
}

describe('the door', () => {
  test('lets in usage of any whole quantity from 0 to the last exact one', () => {
    for (const quantity of [0, 1, 2_147_483_648, Number.MAX_SAFE_INTEGER]) {
      expect(decide({ quantity })).toBe('admitted');
    }
  });

  test.each([2 ** 53, 1e300])('refuses the quantity %d as too large to be exact', (quantity) => {
    expect(decide({ quantity })).toBe('quantityTooLarge');
    expect(message({ quantity })).toMatch(/not exact.*larger unit/);
  });

  test.each([-1, 0.5, Number.POSITIVE_INFINITY, Number.NaN])('refuses the quantity %d', (quantity) => {
    expect(decide({ quantity })).toBe('quantityNotWhole');
    expect(message({ quantity })).toContain(`quantity was ${quantity}`);
    expect(message({ quantity })).toMatch(/whole numbers of 0 or more.*smaller unit/);
  });

  test('takes usage 23 hours old, and none older by a millisecond', () => {
    const oldest = NOW - 23 * 3_600_000;

    expect(decide({ atMs: oldest })).toBe('admitted');
    expect(decide({ atMs: oldest - 1 })).toBe('timeTooOld');
    expect(message({ atMs: oldest - 1 })).toMatch(
      /time 2026-09-20T11:04:59.999Z is more than 23 hours ago.*report sooner/,
    );
  });

  test('takes usage 5 minutes ahead of our clock, and none later by a millisecond', () => {
    const latest = NOW + 5 * 60_000;

    expect(decide({ atMs: latest })).toBe('admitted');
    expect(decide({ atMs: latest + 1 })).toBe('timeTooFarAhead');
    expect(message({ atMs: latest + 1 })).toMatch(/ahead of our clock .* by more than 5 minutes.*times are UTC/);
  });

  test('takes usage of the month before until 06:00 UTC on the first, and not from then on', () => {
    const lastOfMonth = at('2026-09-30T23:59:59.999Z');
    const cutOff = at('2026-10-01T06:00:00Z');

    expect(decide({ atMs: lastOfMonth }, aLicence(), cutOff - 1)).toBe('admitted');
    expect(decide({ atMs: lastOfMonth }, aLicence(), cutOff)).toBe('monthClosed');
    expect(decide({ atMs: lastOfMonth + 1 }, aLicence(), cutOff)).toBe('admitted');
    expect(message({ atMs: lastOfMonth }, aLicence(), cutOff)).toContain('closed at 2026-10-01T06:00:00.000Z');
  });

  test('names the listed dimensions where one is unknown or of another case', () => {
    expect(decide({ dimension: 'Requests' })).toBe('dimensionUnknown');
    expect(message({ dimension: 'Requests' })).toMatch(
      /'Requests' is not listed; expected one of 'requests', 'gb_stored'/,
    );
    expect(message({ dimension: 'x'.repeat(200) })).toContain(`'${'x'.repeat(80)}…'`);
  });

  test.each([
    ['is too long in its encoded form', '\u00fc'.repeat(200)],
    ['ends in half a surrogate pair', 'requests\ud800'],
  ])('refuses a dimension that %s, whatever the listing says', (_claim, dimension) => {
    const anyDimension = new Map([['metrics-cloud', aProduct({ dimensions: [] })]]);

    const decision = admit(aReport({ dimension }), aLicence(), anyDimension, NOW, aPolicy());

    expect(decision).toMatchObject({ kind: 'refused', code: 'dimensionUnknown' });
  });

  test('lets any dimension in where the product lists none, and where the product has left the settings', () => {
    const anyDimension = new Map([['metrics-cloud', aProduct({ dimensions: [] })]]);

    expect(admit(aReport({ dimension: 'novel' }), aLicence(), anyDimension, NOW, aPolicy()).kind).toBe('admitted');
    expect(decide({ dimension: 'novel' }, aLicence({ productCode: 'gone' }))).toBe('admitted');
  });

  test('lets usage of an unknown licence in, as long as some product lists its dimension', () => {
    expect(admit(aReport(), undefined, products, NOW, aPolicy()).kind).toBe('admitted');
    expect(admit(aReport({ dimension: 'novel' }), undefined, products, NOW, aPolicy())).toMatchObject({
      code: 'dimensionUnknown',
    });
  });

  test('says what is wrong with tags', () => {
    expect(decide({ tags: { team: 'core' } })).toBe('admitted');
    expect(decide({ tags: { team: '' } })).toBe('tagsInvalid');
    expect(message({ tags: { team: 'core;edge' } })).toMatch(/^tags has a key or value.*Mend the tags and report/);
  });

  test('refuses usage from before the licence, and takes it from its first instant on', () => {
    const licence = aLicence({ periods: [{ from: NOW - 60_000 }] });

    expect(decide({ atMs: NOW - 60_001 }, licence)).toBe('beforeLicence');
    expect(decide({ atMs: NOW - 60_000 }, licence)).toBe('admitted');
    expect(message({ atMs: NOW - 60_001 }, licence)).toContain('starts (2026-09-21T10:04:00.000Z)');
  });

  test('refuses usage of the instant of the revocation, and takes that of the millisecond before', () => {
    const licence = aLicence({ ending: { noticeAt: NOW - 60_000, revokedAt: NOW - 30_000 } });

    expect(decide({ atMs: NOW - 30_001 }, licence)).toBe('admitted');
    expect(decide({ atMs: NOW - 30_000 }, licence)).toBe('licenceEnded');
    expect(message({ atMs: NOW - 30_000 }, licence)).toMatch(/ended at 2026-09-21T10:04:30.000Z.*subscribe again/);
  });

  test('closes for an ended licence when its last hour may be sealed, 10 minutes after the revocation', () => {
    const licence = aLicence({ ending: { noticeAt: NOW, revokedAt: NOW } });
    const closesAt = NOW + 10 * 60_000;

    expect(decide({ atMs: NOW - 1 }, licence, closesAt - 1)).toBe('admitted');
    expect(decide({ atMs: NOW - 1 }, licence, closesAt)).toBe('licenceEnded');
  });

  describe('of a licence that ended and started again', () => {
    const before = { agreementId: 'agmt-a', from: NOW - 20 * 3_600_000, to: NOW - 10 * 3_600_000 };
    const running = { agreementId: 'agmt-b', from: NOW - 5 * 3_600_000 };
    const licence = aLicence({ periods: [before, running] });

    test('refuses usage of the gap as licenceEnded, from its first to its last instant', () => {
      expect(decide({ atMs: before.to - 1 }, licence)).toBe('admitted');
      expect(decide({ atMs: before.to }, licence)).toBe('licenceEnded');
      expect(decide({ atMs: running.from - 1 }, licence)).toBe('licenceEnded');
      expect(decide({ atMs: running.from }, licence)).toBe('admitted');
      expect(message({ atMs: before.to }, licence)).toMatch(/ended at 2026-09-21T00:05:00.000Z and had not started/);
    });

    test('refuses usage from before the first of its periods as beforeLicence', () => {
      expect(decide({ atMs: before.from - 1 }, licence)).toBe('beforeLicence');
      expect(decide({ atMs: before.from }, licence)).toBe('admitted');
    });

    test('closes for all of its periods when it has ended once more', () => {
      const ended = { ...licence, ending: { noticeAt: NOW - 3_600_000, revokedAt: NOW - 3_600_000 } };

      expect(decide({ atMs: NOW - 3_700_000 }, ended)).toBe('licenceEnded');
      expect(decide({ atMs: before.from }, ended)).toBe('licenceEnded');
    });
  });
});
