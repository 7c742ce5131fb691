import { describe, expect, test } from 'vitest';
import { newActionId } from '../../lambdas/domain/amendment.ts';
import { parsePrice } from '../../lambdas/domain/money.ts';
import type { Price } from '../../lambdas/flow/price-ports.ts';
import { DynamoPriceStore } from '../../lambdas/stores/price-store.ts';
import { at } from '../builders.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

function aPrice(text: string, version: number, overrides: Partial<Price> = {}): Price {
  const amount = parsePrice(text);
  if (amount === undefined) throw new Error(`${text} is no price.`);
  const actionId = newActionId(at('2026-09-21T10:00:00Z'), `a${10 - version}`);
  return { productCode: 'prod/a', dimension: 'gb stored', amount, version, actionId, ...overrides };
}

async function makeStore() {
  const { client, tables } = await engine();
  return new DynamoPriceStore(client, tables.work);
}

describe('prices', () => {
  test('are kept exactly, one a dimension of a product', async () => {
    const store = await makeStore();
    const first = aPrice('0.00000001', 1);
    const other = aPrice('12', 1, { dimension: 'requests' });

    await store.setPrice(first);
    await store.setPrice(other);

    expect(await store.prices()).toEqual([first, other]);
  });

  test('follow the latest version, whichever is written last and though a clock stands', async () => {
    const store = await makeStore();
    const early = aPrice('1', 1);
    const late = aPrice('2', 2);

    expect(await store.setPrice(late)).toBe(true);
    expect(await store.setPrice(early)).toBe(false);
    expect(await store.setPrice(late)).toBe(true);

    expect(await store.prices()).toEqual([late]);
  });

  test('are the same in the end where two acts make the same version, whichever comes first', async () => {
    const [one, other] = [aPrice('1', 1, { actionId: 'a' }), aPrice('2', 1, { actionId: 'b' })];
    const ends = [];

    for (const order of [
      [one, other],
      [other, one],
    ]) {
      const store = await makeStore();
      for (const price of order) await store.setPrice(price);
      ends.push(await store.prices());
    }

    expect(ends).toEqual([[other], [other]]);
  });
});
