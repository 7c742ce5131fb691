// What every entitlement store promises, tried against the real engine and against the memory port alike.
import { expect, test } from 'vitest';
import { type Entitlement, type LicenceEntitlements, withAnswer } from '../../lambdas/domain/entitlement.ts';
import { HOUR_MS } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { EntitlementStore, RefreshProgress } from '../../lambdas/flow/entitlement-ports.ts';
import { aLicence, at, LICENCE_KEY } from '../builders.ts';

const NOW = at('2026-09-21T10:05:00Z');
const SEATS: Entitlement = { dimension: 'seats', value: { kind: 'integer', value: 50 }, expiresAt: NOW + 9 * HOUR_MS };
const ALL: readonly Entitlement[] = [
  SEATS,
  { dimension: 'größe', value: { kind: 'double', value: 0.5 } },
  { dimension: 'pro', value: { kind: 'boolean', value: false } },
  { dimension: 'tier', value: { kind: 'string', value: '' } },
];

/** What was known, with an answer. */
function told(before: LicenceEntitlements | undefined, entitlements: readonly Entitlement[], atMs = NOW) {
  const after = withAnswer(before, LICENCE_KEY, entitlements, atMs);
  return { licence: aLicence(), before, after };
}

export function describeEntitlementStore(make: () => Promise<EntitlementStore>): void {
  test('gives back what was written, every kind of value and what was before', async () => {
    const store = await make();
    const first = told(undefined, ALL);
    const second = told(first.after, [SEATS], NOW + 5 * HOUR_MS);

    expect(await store.entitlements(LICENCE_KEY)).toBeUndefined();
    expect(await store.write(first)).toBe('written');
    expect(await store.entitlements(LICENCE_KEY)).toEqual(first.after);
    expect(await store.write(second)).toBe('written');
    expect(await store.entitlements(LICENCE_KEY)).toEqual(second.after);
  });

  test('writes once per state that was read: of answers on one state, one stands', async () => {
    const store = await make();
    const first = told(undefined, [SEATS]);
    await store.write(first);
    const answers = [told(first.after, [], NOW + HOUR_MS), told(first.after, ALL, NOW + HOUR_MS)];

    const outcomes = await Promise.all(answers.map((answer) => store.write(answer)));

    expect([...outcomes].sort()).toEqual(['moved', 'written']);
    expect(await store.entitlements(LICENCE_KEY)).toEqual(answers[outcomes.indexOf('written')]?.after);
    expect(await store.write(told(undefined, ALL, NOW + 2 * HOUR_MS))).toBe('moved');
  });

  test('takes an older check for another state, though it said the same', async () => {
    const store = await make();
    const first = told(undefined, [SEATS]);
    const checked = told(first.after, [SEATS], NOW + HOUR_MS);
    await store.write(first);
    await store.write(checked);

    expect(await store.write(told(first.after, [], NOW + HOUR_MS))).toBe('moved');
    expect(await store.entitlements(LICENCE_KEY)).toEqual(checked.after);
  });

  test('tells of a shard when each licence is due', async () => {
    const store = await make();
    const first = told(undefined, [SEATS]);
    await store.write(first);

    expect(await store.dueTimes(shardOf(LICENCE_KEY))).toEqual(new Map([[LICENCE_KEY, NOW + HOUR_MS]]));
    expect(await store.dueTimes((shardOf(LICENCE_KEY) + 1) % 64)).toEqual(new Map());
  });
}

export function describeRefreshProgress(make: () => Promise<RefreshProgress>): void {
  test('begins with the first shard, then with the one that was noted last', async () => {
    const progress = await make();

    expect(await progress.nextShard()).toBe(0);
    await progress.noteNextShard(17);
    await progress.noteNextShard(3);
    expect(await progress.nextShard()).toBe(3);
  });
}
