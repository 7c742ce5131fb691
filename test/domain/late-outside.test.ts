// Late usage of hours that a licence may not be billed for, or that another pipeline bills.
import { describe, expect, test } from 'vitest';
import { decideClose } from '../../lambdas/domain/close.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import type { Licence } from '../../lambdas/domain/licence.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import { aLicence, aMeter, anHour, aPolicy, aProduct, aSealedHour, aTally, at } from '../builders.ts';

const NOW = at('2026-09-21T13:30:00Z');
const LATE = aTally([{ quantity: 50 }, { quantity: 7 }]);

function decide(overrides: Parameters<typeof aMeter>[0], nowMs = NOW) {
  return decideClose(aMeter({ tally: LATE, ...overrides }), nowMs, aPolicy());
}

/** An hour as its first look sealed it: 50 units that were held. */
function heldHour(licence: Licence): SealedHour {
  const step = decide({ licence, tally: aTally([{ quantity: 50 }]) });
  if (step.kind !== 'sealCarried') throw new Error(`The hour was not held: ${step.kind}.`);
  return step.sealed;
}

describe('late usage of an hour that its licence may not be billed for', () => {
  test('is held like the usage before it where the hour lies before the cut-over', () => {
    const licence = aLicence({
      cutOverHour: anHour('2026-09-21T12'),
      counterpartKey: 'c-0123456789abcdef0123456789abcdef',
    });
    const sealed = heldHour(licence);
    expect(sealed).toMatchObject({ heldLate: 50, heldReasons: ['beforeCutOver'] });
    expect(decide({ licence, sealed })).toMatchObject({ kind: 'holdLate', quantity: 7, reason: 'beforeCutOver' });
  });

  test('is held like the usage before it where the hour lies between two agreements', () => {
    const periods = [{ to: at('2026-09-21T08:00:00Z') }, { from: at('2026-09-21T12:00:00Z') }];
    const licence = aLicence({ periods });
    const sealed = heldHour(licence);
    expect(sealed).toMatchObject({ heldLate: 50, heldReasons: ['afterEnd'] });
    expect(decide({ licence, sealed })).toMatchObject({ kind: 'holdLate', quantity: 7, reason: 'afterEnd' });
  });
});

describe('late usage of a billed hour, found while the product is rehearsed', () => {
  const sealed = aSealedHour({}, aTally([{ quantity: 50 }]));

  test('is held, since it would be withheld unseen in the running hour', () => {
    const product = aProduct({ rehearsal: { mode: 'shadow' } });
    expect(decide({ product, sealed })).toMatchObject({ kind: 'holdLate', quantity: 7, reason: 'shadow' });
  });

  test('is carried where the running hour is billed', () => {
    const product = aProduct({ rehearsal: { mode: 'shadow', until: anHour('2026-09-21T13') } });
    expect(decide({ product, sealed })).toMatchObject({ kind: 'carry', carry: { quantity: 7 } });
  });
});

describe('a rehearsed hour that is held from the start', () => {
  const rehearsed: Product = aProduct({
    pricingModel: 'contractWithConsumption',
    rehearsal: { mode: 'shadow', until: anHour('2026-09-22T09') },
  });
  const licence = aLicence({ pricingModel: 'contractWithConsumption' });
  const nearDeadline = at('2026-09-22T09:20:00Z');

  test('is marked as rehearsed, so that what comes late to it is never billed in an hour that is', () => {
    const first = decide(
      { licence, product: rehearsed, allowance: 'unknown', tally: aTally([{ quantity: 50 }]) },
      nearDeadline,
    );
    if (first.kind !== 'sealCarried') throw new Error(`The hour was not held: ${first.kind}.`);
    expect(first.sealed).toMatchObject({ rehearsal: 'shadow', heldLate: 50, heldReasons: ['entitlementUnknown'] });

    const termStart = anHour('2026-09-01T00');
    const allowance = { basis: 'none', entitledQuantity: 0, used: 0, overage: 0, termStart } as const;
    const late = decide({ licence, product: rehearsed, sealed: first.sealed, allowance }, nearDeadline);
    expect(late).toMatchObject({ kind: 'holdLate', quantity: 7, reason: 'shadow' });
  });
});
