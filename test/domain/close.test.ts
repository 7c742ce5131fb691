// The one rule of closing, as a table: what is done with a meter, by what it has and what time it is.
import { describe, expect, test } from 'vitest';
import { decideClose, zeroSeal } from '../../lambdas/domain/close.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { tagSetDigest, tagSetOf } from '../../lambdas/domain/tag-set.ts';
import { aLicence, aMeter, anHour, aPolicy, aProduct, aSealedHour, aTally, at, stepOf } from '../builders.ts';

const SETTLED = at('2026-09-21T11:10:00Z');
const NEAR = at('2026-09-22T09:00:00Z');
const policy = aPolicy();

function sealedOf(quantity: number, overrides: Partial<SealedHour> = {}): SealedHour {
  return aSealedHour(overrides, aTally([{ quantity }]));
}

const lateMeter = (overrides = {}) =>
  aMeter({ sealed: sealedOf(300), tally: aTally([{ quantity: 300 }, { quantity: 45 }]), ...overrides });

describe('an hour that is not sealed', () => {
  test('waits until it has settled', () => {
    expect(decideClose(aMeter(), SETTLED - 1, policy).kind).toBe('wait');
    expect(decideClose(aMeter(), SETTLED, policy).kind).toBe('seal');
  });

  test('is left alone where nothing was used', () => {
    expect(decideClose(aMeter({ tally: aTally([{ quantity: 0 }]) }), SETTLED, policy).kind).toBe('nothing');
  });

  test('waits for its licence while nobody has told us of it', () => {
    expect(decideClose(aMeter({ licence: undefined }), SETTLED, policy).kind).toBe('awaitLicence');
  });

  test('waits while its product does not list the dimension', () => {
    const product = aProduct({ dimensions: ['gb_stored'] });

    expect(decideClose(aMeter({ product }), SETTLED, policy).kind).toBe('unknownDimension');
  });

  test('is billed all the same where its product has left the settings', () => {
    expect(decideClose(aMeter({ product: undefined }), SETTLED, policy)).toMatchObject({
      kind: 'seal',
      sealed: { status: 'open' },
    });
  });

  test('is withheld where its product was a contract before it left the settings', () => {
    const meter = aMeter({ product: undefined, licence: aLicence({ pricingModel: 'contract' }) });

    expect(decideClose(meter, SETTLED, policy)).toMatchObject({ kind: 'seal', sealed: { status: 'withheld' } });
  });

  test('is carried into the last hour of an ending licence where its own deadline is near', () => {
    const ending = { noticeAt: NEAR - 10 * 60_000, revokedAt: NEAR, deprovisionedAt: NEAR };
    const meter = aMeter({ licence: aLicence({ ending }) });

    const step = stepOf(decideClose(meter, NEAR, policy), 'sealCarried');

    expect(step).toMatchObject({ onlyInto: 'unsealed', carries: [{ hour: '2026-09-22T09', quantity: 12_500 }] });
    expect(decideClose({ ...meter, mayCarry: false }, NEAR, policy)).toMatchObject({ kind: 'seal' });
  });

  test('is sealed in place until an hour before its deadline, and carried from then on', () => {
    expect(decideClose(aMeter(), NEAR - 1, policy).kind).toBe('seal');

    const step = stepOf(decideClose(aMeter(), NEAR, policy), 'sealCarried');

    expect(step.sealed).toMatchObject({ status: 'carried', accounted: 12_500, carriedOut: 12_500 });
    expect(step.sealed.record.quantity).toBe(0);
    expect(step.carries).toMatchObject([
      { hour: '2026-09-22T09', originHour: '2026-09-21T10', originAccounted: 0, quantity: 12_500 },
    ]);
  });

  test('is carried past the cut-off of its month, an hour before it', () => {
    const meter = aMeter({ hour: anHour('2026-09-30T22') });

    expect(decideClose(meter, at('2026-10-01T04:59:59Z'), policy).kind).toBe('seal');
    expect(decideClose(meter, at('2026-10-01T05:00:00Z'), policy).kind).toBe('sealCarried');
  });

  test('is held instead of carried where the product says so', () => {
    const meter = aMeter({ product: aProduct({ lateUsage: 'hold' }) });

    const step = stepOf(decideClose(meter, NEAR, policy), 'sealCarried');

    expect(step).toMatchObject({ carries: [], sealed: { heldLate: 12_500, heldReasons: ['policy'], carriedOut: 0 } });
  });

  test('goes on into the next hour where its licence begins within its last second', () => {
    const licence = aLicence({ periods: [{ from: at('2026-09-21T10:59:59.165Z') }] });
    const product = aProduct({ lateUsage: 'hold' });

    const step = stepOf(decideClose(aMeter({ licence, product }), SETTLED, policy), 'sealCarried');

    expect(step).toMatchObject({
      sealed: { status: 'carried', carriedOut: 12_500, heldLate: 0 },
      carries: [{ hour: '2026-09-21T11', quantity: 12_500 }],
    });
  });

  test('is sealed in place where its licence begins with its last second', () => {
    const licence = aLicence({ periods: [{ from: at('2026-09-21T10:59:59Z') }] });

    expect(decideClose(aMeter({ licence }), SETTLED, policy)).toMatchObject({
      kind: 'seal',
      sealed: { record: { timestampSeconds: at('2026-09-21T10:59:59Z') / 1_000 } },
    });
  });

  test('carries at most 50 tag sets in its transaction; DynamoDB takes 100 writes', () => {
    const rows = Array.from({ length: 120 }, (_, index) => ({ quantity: 2, tags: { tenant: `t-${index}` } }));

    const step = stepOf(decideClose(aMeter({ tally: aTally(rows) }), NEAR, policy), 'sealCarried');

    expect(step.carries).toHaveLength(50);
    expect(step.sealed).toMatchObject({ accounted: 100, carriedOut: 100, record: { quantity: 0 } });
    expect(Object.keys(step.sealed.accountedByTagSet)).toHaveLength(50);
    expect(decideClose(aMeter({ tally: aTally(rows), sealed: step.sealed }), NEAR, policy)).toMatchObject({
      kind: 'carry',
      carry: { quantity: 2, originAccounted: 0 },
    });
  });

  test('is accounted for by its sum where it has more tag sets than an item can hold the amounts of', () => {
    const rows = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ quantity: 2, tags: { tenant: `t-${index}` } }));

    const { sealed } = stepOf(decideClose(aMeter({ tally: aTally(rows(2_600)) }), SETTLED, policy), 'seal');
    const late = decideClose(aMeter({ tally: aTally(rows(2_610)), sealed }), SETTLED, policy);

    expect(sealed.accountedByTagSet).toEqual({ '*': 5_200 });
    expect(sealed.record.allocations?.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(5_200);
    expect(late).toMatchObject({ kind: 'carry', carry: { tagSet: '*', quantity: 20, originAccounted: 5_200 } });
    expect(decideClose(aMeter({ tally: aTally(rows(2_600)), sealed }), SETTLED, policy).kind).toBe('nothing');
  });

  test('touches nothing where its sum left the exact numbers', () => {
    const tally = aTally([{ quantity: Number.MAX_SAFE_INTEGER }, { quantity: 1 }]);

    expect(decideClose(aMeter({ tally }), SETTLED, policy)).toEqual({ kind: 'broken', problem: 'quantityOverflow' });
  });
});

describe('an hour that is sealed', () => {
  test('needs nothing where all that was used is accounted for', () => {
    expect(decideClose(aMeter({ sealed: aSealedHour() }), SETTLED, policy).kind).toBe('nothing');
  });

  test('has its late usage carried into the running hour, under an id of origin and amount accounted for', () => {
    const step = stepOf(decideClose(lateMeter(), at('2026-09-21T15:20:00Z'), policy), 'carry');

    expect(step).toMatchObject({
      onlyInto: 'any',
      carry: { hour: '2026-09-21T15', originHour: '2026-09-21T10', originAccounted: 300, quantity: 45, tagSet: '' },
    });
  });

  test('never carries into itself, even on a clock that is behind', () => {
    const ending = { noticeAt: at('2026-09-21T10:00:00Z'), revokedAt: at('2026-09-21T10:00:00Z') };
    const running = lateMeter({ licence: aLicence({ ending }) });

    expect(decideClose(running, at('2026-09-21T10:30:00Z'), policy).kind).toBe('holdLate');
  });

  test('carries what 32 bits could not hold', () => {
    const tally = aTally([{ quantity: 3_000_000_000 }]);
    const sealed = aSealedHour({}, tally);

    const step = stepOf(decideClose(aMeter({ sealed, tally }), SETTLED, policy), 'carry');

    expect(step.carry).toMatchObject({ quantity: 852_516_353, originAccounted: 2_147_483_647 });
  });

  test('carries each tag set on its own account', () => {
    const tags = { team: 'core' };
    const tally = aTally([{ quantity: 300 }, { quantity: 45, tags }]);
    const sealed = sealedOf(300);

    const { carry } = stepOf(decideClose(aMeter({ sealed, tally }), SETTLED, policy), 'carry');

    expect(carry).toMatchObject({ tagSet: tagSetOf(tags), originAccounted: 0, quantity: 45 });
  });

  test('is held where the product holds late usage', () => {
    const meter = lateMeter({ product: aProduct({ lateUsage: 'hold' }) });

    expect(decideClose(meter, SETTLED, policy)).toMatchObject({ kind: 'holdLate', quantity: 45, reason: 'policy' });
  });

  test('carries what 32 bits could not hold though late usage is held, whoever withheld a part of the record', () => {
    const tally = aTally([{ quantity: 3_000_000_000 }]);
    const product = aProduct({ lateUsage: 'hold' });
    const full = aSealedHour({}, tally);
    const { record } = full;
    const allowance = { basis: 'perTerm' as const, entitledQuantity: 700, used: 0, overage: 0, termStart: anHour() };
    const counted = { ...allowance, used: 2_147_484_347, overage: 2_147_483_647 };
    const ofContract = { tally, product: aProduct({ lateUsage: 'hold', pricingModel: 'contractWithConsumption' }) };
    const included = stepOf(decideClose(aMeter({ ...ofContract, allowance }), SETTLED, policy), 'seal').sealed;
    const withheld = (sealed: SealedHour) => ({
      ...sealed,
      record: { ...record, quantity: sealed.record.quantity - 500 },
      withheldQuantity: (sealed.withheldQuantity ?? 0) + 500,
    });

    expect(included).toMatchObject({ record: { quantity: 2_147_483_647 }, withheldQuantity: 700 });
    expect(decideClose(aMeter({ sealed: withheld(full), tally, product }), SETTLED, policy)).toMatchObject({
      kind: 'carry',
      carry: { quantity: 852_516_353 },
    });
    const late = aMeter({ ...ofContract, sealed: withheld(included), allowance: counted });
    expect(decideClose(late, SETTLED, policy)).toMatchObject({ kind: 'carry', carry: { quantity: 852_515_653 } });
  });

  test('holds late usage of an hour that is one unit short of 32 bits, where the product holds it', () => {
    const sealed = sealedOf(2_147_483_646);
    const tally = aTally([{ quantity: 2_147_483_646 }, { quantity: 45 }]);
    const meter = aMeter({ sealed, tally, product: aProduct({ lateUsage: 'hold' }) });

    expect(decideClose(meter, SETTLED, policy)).toMatchObject({ kind: 'holdLate', quantity: 45, reason: 'policy' });
  });

  test('is broken where less was used than is accounted for, in all or of one tag set', () => {
    const tags = { team: 'core' };
    const sealed = aSealedHour({}, aTally([{ quantity: 100 }, { quantity: 45, tags }]));
    const less = aTally([{ quantity: 100 }]);
    const shifted = aTally([{ quantity: 200 }, { quantity: 44, tags }]);

    expect(sealed.accountedByTagSet[tagSetDigest(tagSetOf(tags))]).toBe(45);
    for (const tally of [less, shifted]) {
      expect(decideClose(aMeter({ sealed, tally }), SETTLED, policy)).toMatchObject({ kind: 'broken' });
    }
  });

  test('is broken where as many rows as were seen have other contents', () => {
    const sealed = aSealedHour({}, aTally([{ quantity: 100 }]));

    const step = decideClose(aMeter({ sealed, tally: aTally([{ quantity: 101 }]) }), SETTLED, policy);

    expect(step).toEqual({ kind: 'broken', problem: 'rowsOverwritten' });
  });
});

describe('an hour of a licence that ends', () => {
  const ending = { noticeAt: at('2026-09-21T12:50:00Z'), revokedAt: at('2026-09-21T12:58:00Z') };
  const licence = aLicence({ ending: { ...ending, deprovisionedAt: ending.revokedAt } });

  test('is sealed in place however near its deadline is', () => {
    const step = decideClose(aMeter({ licence }), at('2026-09-21T13:50:00Z'), policy);

    expect(step).toMatchObject({ kind: 'seal', sealed: { deadlineAt: at('2026-09-21T13:58:00Z') } });
  });

  test('carries late usage into the running hour, and only while that is not sealed', () => {
    const step = decideClose(lateMeter({ licence }), at('2026-09-21T12:55:00Z'), policy);

    expect(step).toMatchObject({ kind: 'carry', onlyInto: 'unsealed', carry: { hour: '2026-09-21T12' } });
  });

  test('carries late usage into the last hour even when that is over', () => {
    const step = decideClose(lateMeter({ licence }), at('2026-09-21T13:05:00Z'), policy);

    expect(step).toMatchObject({ kind: 'carry', onlyInto: 'unsealed', carry: { hour: '2026-09-21T12' } });
  });

  test('holds what comes late to the last hour itself', () => {
    const sealed = sealedOf(300, { hour: anHour('2026-09-21T12') });
    const meter = lateMeter({ licence, sealed, hour: anHour('2026-09-21T12'), earlierSettled: true });

    const step = decideClose(meter, at('2026-09-21T13:30:00Z'), policy);

    expect(step).toMatchObject({ kind: 'holdLate', reason: 'licenceEnding', quantity: 45 });
  });

  test('holds usage of an hour after the last', () => {
    const meter = aMeter({ licence, hour: anHour('2026-09-21T13'), earlierSettled: true });

    const step = decideClose(meter, at('2026-09-21T14:30:00Z'), policy);

    expect(step).toMatchObject({ kind: 'sealCarried', carries: [], sealed: { heldReasons: ['afterEnd'] } });
  });
});

describe('a zero record', () => {
  const product = aProduct({ zeroRecords: 'oneDimension' });
  const zero = (overrides: { licence?: object; product?: object; hour?: string; now?: number } = {}) =>
    zeroSeal(
      { licence: aLicence(overrides.licence), hour: anHour(overrides.hour), shard: 5, dimension: 'requests' },
      { ...product, ...overrides.product },
      overrides.now ?? SETTLED,
      policy,
    );

  test('is sealed for a dimension that a licence did not use', () => {
    expect(zero()).toMatchObject({ dimension: 'requests', status: 'open', record: { quantity: 0 }, accounted: 0 });
  });

  test.each<[string, Parameters<typeof zero>[0]]>([
    ['the product is a contract', { product: { pricingModel: 'contract' } }],
    ['the hour has not settled', { now: SETTLED - 1 }],
    ['the deadline is near', { now: NEAR }],
    ['the licence was first seen after the hour', { licence: { firstSeenAt: at('2026-09-21T11:00:00Z') } }],
    ['the licence ended before the hour', { licence: { ending: { noticeAt: 0, revokedAt: 0 } } }],
    ['the hour was metered by customer identifier', { licence: { cutOverHour: anHour('2026-09-21T11') } }],
    ['the licence begins within the last second', { licence: { periods: [{ from: at('2026-09-21T10:59:59.001Z') }] } }],
    ['no period covers the hour', { licence: { periods: [{ to: at('2026-09-21T10:00:00Z') }] } }],
  ])('is left out where %s', (_claim, overrides) => {
    expect(zero(overrides)).toBeUndefined();
  });
});

const aHundred = (overrides: Parameters<typeof aMeter>[0] = {}) =>
  aMeter({ tally: aTally([{ quantity: 100 }]), ...overrides });

describe('an hour that is rehearsed', () => {
  const product = aProduct({ rehearsal: { mode: 'dryRun', until: anHour('2026-09-21T12') } });

  test('is sealed with the record that would be sent, and withheld', () => {
    const { sealed } = stepOf(decideClose(aHundred({ product }), SETTLED, policy), 'seal');
    expect(sealed).toMatchObject({
      status: 'withheld',
      reason: 'dryRun',
      rehearsal: 'dryRun',
      record: { quantity: 100 },
    });
  });

  test('is billed from the hour on that the rehearsal ends with, whenever it is sealed', () => {
    const live = aMeter({ product, hour: anHour('2026-09-21T12') });
    expect(decideClose(live, at('2026-09-21T13:10:00Z'), policy)).toMatchObject({ sealed: { status: 'open' } });
    expect(decideClose(aHundred({ product }), at('2026-09-21T20:00:00Z'), policy)).toMatchObject({
      sealed: { status: 'withheld' },
    });
  });

  test('never lets its usage into an hour that is billed, near its deadline or late', () => {
    expect(decideClose(aHundred({ product }), NEAR, policy)).toMatchObject({
      kind: 'seal',
      sealed: { status: 'withheld' },
    });
    const { sealed } = stepOf(decideClose(aHundred({ product }), SETTLED, policy), 'seal');
    const late = aMeter({ product, sealed, tally: aTally([{ quantity: 100 }, { quantity: 7 }]) });
    expect(decideClose(late, SETTLED, policy)).toMatchObject({ kind: 'holdLate', quantity: 7, reason: 'dryRun' });
    // The setting may have been taken away by then: what counts is how the hour was sealed.
    expect(decideClose({ ...late, product: aProduct() }, SETTLED, policy)).toMatchObject({ kind: 'holdLate' });
  });
});

describe('a credit', () => {
  const credit = { licenceKey: aLicence().licenceKey, dimension: 'requests', granted: 130, applied: 0 };

  test('is taken off the record, down to zero and never below', () => {
    const { sealed } = stepOf(decideClose(aHundred({ credit }), SETTLED, policy), 'seal');
    expect(sealed).toMatchObject({ record: { quantity: 0 }, creditedQuantity: 100, accounted: 100 });
    const rest = { ...credit, applied: 100 };
    const { sealed: next } = stepOf(decideClose(aHundred({ credit: rest }), SETTLED, policy), 'seal');
    expect(next).toMatchObject({ record: { quantity: 70 }, creditedQuantity: 30, accounted: 100 });
  });

  test('is left whole by an hour that is not billed', () => {
    const product = aProduct({ rehearsal: { mode: 'shadow' } });
    const { sealed } = stepOf(decideClose(aHundred({ credit, product }), SETTLED, policy), 'seal');
    expect(sealed.creditedQuantity).toBeUndefined();
    expect(sealed.record.quantity).toBe(100);
  });
});

describe('at a cut-over from customer identifier to licence', () => {
  const cutOverHour = anHour('2026-09-21T11');
  const legacy = aLicence({ identityStyle: 'legacy', customerIdentifier: 'buyer-1', cutOverHour });

  test('an hour is billed under the name of its side alone', () => {
    expect(decideClose(aMeter({ licence: legacy }), SETTLED, policy)).toMatchObject({ kind: 'seal' });
    expect(decideClose(aHundred({ licence: aLicence({ cutOverHour }) }), SETTLED, policy)).toMatchObject({
      kind: 'sealCarried',
      carries: [],
      sealed: { heldLate: 100, heldReasons: ['beforeCutOver'] },
    });
    const after = aHundred({ licence: legacy, hour: cutOverHour });
    expect(decideClose(after, at('2026-09-21T12:10:00Z'), policy)).toMatchObject({
      kind: 'sealCarried',
      sealed: { heldLate: 100, heldReasons: ['afterCutOver'] },
    });
  });

  test('late usage stays before it: in the last hour where that is open, held with its reason where not', () => {
    const earlier = lateMeter({ licence: legacy, hour: anHour('2026-09-21T08') });
    const step = stepOf(decideClose(earlier, at('2026-09-21T12:30:00Z'), policy), 'carry');
    expect(step).toMatchObject({ carry: { hour: anHour('2026-09-21T10') }, onlyInto: 'unsealed' });
    expect(decideClose(lateMeter({ licence: legacy }), at('2026-09-21T12:30:00Z'), policy)).toMatchObject({
      kind: 'holdLate',
      reason: 'afterCutOver',
    });
  });
});
