// What every ledger promises of contracts with consumption: what is counted of a term moves with what it tells of.
import { expect, test } from 'vitest';
import type { Carry } from '../../lambdas/domain/ledger.ts';
import { tagSetDigest, UNTAGGED } from '../../lambdas/domain/tag-set.ts';
import type { LedgerStore } from '../../lambdas/flow/ports.ts';
import { anHour, aSealedHour, aTally } from '../builders.ts';

export function describeTermCounters(make: () => Promise<LedgerStore>): void {
  const termStart = anHour('2026-09-01T00');
  const entitlement = {
    basis: 'perTerm' as const,
    entitledQuantity: 100,
    usedBefore: 0,
    termStart,
    ownAccounted: 40,
    ownOverage: 0,
  };
  const sealed = aSealedHour({ entitlement, withheldQuantity: 40 }, aTally([{ quantity: 40 }]));
  const { licenceKey, dimension } = sealed;
  const nothing = { licenceKey, dimension, termStart, used: 0, overage: 0 };
  const carry: Carry = {
    kind: 'carry',
    hour: anHour('2026-09-21T14'),
    shard: sealed.shard,
    licenceKey,
    dimension,
    originHour: sealed.hour,
    originAccounted: 40,
    tagSet: UNTAGGED,
    quantity: 15,
    carriedAt: 0,
  };

  test('counts nothing of a term before the first hour is sealed', async () => {
    expect(await (await make()).counter(nothing)).toEqual(nothing);
  });

  test('counts a term with the seal, once, and seals nothing where the counter has moved', async () => {
    const ledger = await make();
    expect(await ledger.seal(sealed, undefined, { counter: nothing, used: 40, overage: 0 })).toBe('sealed');
    expect(await ledger.seal(sealed, undefined, { counter: nothing, used: 40, overage: 0 })).toBe('exists');
    const other = { ...sealed, hour: anHour('2026-09-21T11') };
    expect(await ledger.seal(other, undefined, { counter: nothing, used: 9, overage: 9 })).toBe('counterMoved');
    expect(await ledger.sealCarried(other, [], 'any', { counter: nothing, used: 9, overage: 9 })).toBe('counterMoved');

    expect(await ledger.sealed(other.hour, licenceKey, dimension)).toBeUndefined();
    expect(await ledger.counter(nothing)).toEqual({ ...nothing, used: 40 });
    expect(await ledger.counters(licenceKey)).toEqual([{ ...nothing, used: 40 }]);
  });

  test('splits late usage into what is withheld and what goes on, in one step with its counter', async () => {
    const ledger = await make();
    await ledger.seal(sealed, undefined, { counter: nothing, used: 40, overage: 0 });
    const counter = await ledger.counter(nothing);
    const inclusion = { own: 75, included: 60, step: { counter, used: 75, overage: 15 } };
    expect(await ledger.carry(sealed, carry, 'any', inclusion)).toBe('carried');
    expect(await ledger.carry(sealed, carry, 'any', inclusion)).toBe('moved');

    const after = await ledger.sealed(sealed.hour, licenceKey, dimension);
    expect(after).toMatchObject({ accounted: 115, withheldQuantity: 100, carriedOut: 15 });
    expect(after?.accountedByTagSet[tagSetDigest(UNTAGGED)]).toBe(115);
    expect(after?.entitlement).toMatchObject({ ownAccounted: 115, ownOverage: 15 });
    expect(await ledger.counter(nothing)).toEqual({ ...nothing, used: 115, overage: 15 });
  });

  test('takes late usage that is included, or held beyond it, under the same conditions', async () => {
    const ledger = await make();
    await ledger.seal(sealed, undefined, { counter: nothing, used: 40, overage: 0 });
    const counter = await ledger.counter(nothing);
    const inclusion = { own: 60, included: 60, step: { counter, used: 60, overage: 0 } };
    expect(await ledger.include(sealed, UNTAGGED, inclusion)).toBe('included');
    expect(await ledger.include(sealed, UNTAGGED, inclusion)).toBe('moved');
    const origin = (await ledger.sealed(sealed.hour, licenceKey, dimension)) ?? sealed;
    expect(origin).toMatchObject({ accounted: 100, withheldQuantity: 100, carriedOut: 0 });

    const late = { tagSet: UNTAGGED, quantity: 8, reason: 'policy' };
    const stale = { own: 8, included: 0, step: { counter, used: 8, overage: 8 } };
    expect(await ledger.holdLate(origin, late, stale)).toBe('moved');
    const fresh = { ...stale, step: { ...stale.step, counter: await ledger.counter(nothing) } };
    expect(await ledger.holdLate(origin, late, fresh)).toBe('held');
    expect(await ledger.sealed(sealed.hour, licenceKey, dimension)).toMatchObject({ accounted: 108, heldLate: 8 });
    expect(await ledger.counter(nothing)).toMatchObject({ used: 108, overage: 8 });
  });

  test('keeps what is included per hour by the hour alone', async () => {
    const ledger = await make();
    const perHour = { ...entitlement, basis: 'perHour' as const };
    await ledger.seal({ ...sealed, entitlement: perHour });
    const origin = { ...sealed, entitlement: perHour };
    expect(await ledger.include(origin, UNTAGGED, { own: 60, included: 60 })).toBe('included');
    // Another tag set of the hour, decided by what was read before.
    expect(await ledger.include(origin, '[["team","core"]]', { own: 5, included: 5 })).toBe('moved');
    expect(await ledger.counters(licenceKey)).toEqual([]);
  });
}
