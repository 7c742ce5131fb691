import { describe, expect, test } from 'vitest';
import { moneyText } from '../../lambdas/domain/money.ts';
import { PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';
import { deskOf } from './desk-world.ts';

const services = useServices();
const WANTED = { productCode: PRODUCT, dimension: 'requests', price: '0.0035' };

async function world() {
  return deskOf(await startBackendWorld(services()));
}

describe('the act of setting a price', () => {
  test('tells what it would do, and writes nothing', async () => {
    const { desk, perform } = await world();

    const plan = await perform('setPrice', WANTED, { dryRun: true });

    expect(plan).toMatchObject({ kind: 'planned', changes: [{ before: 'none', after: '0.0035' }] });
    expect(plan).not.toHaveProperty('confirmation');
    expect(await desk.prices.prices()).toEqual([]);
  });

  test('is done with its line in the audit, and once under an id, though a later one has come since', async () => {
    const { desk, perform } = await world();
    const first = await perform('setPrice', WANTED, { why: 'as listed' });
    if (first.kind !== 'done') throw new Error(first.kind);
    await perform('setPrice', { ...WANTED, price: '0.004' });

    const again = await perform('setPrice', WANTED, { actionId: first.actionId });

    expect(again).toMatchObject({ kind: 'already' });
    expect((await desk.prices.prices()).map(({ amount }) => moneyText(amount))).toEqual(['0.004']);
    expect(await desk.ledger.action(first.actionId)).toMatchObject({
      action: 'setPrice',
      why: 'as listed',
      facts: { product: PRODUCT, before: 'none', after: '0.0035' },
    });
  });

  test('refuses an id that stands for another price', async () => {
    const { perform } = await world();
    const first = await perform('setPrice', WANTED);
    if (first.kind !== 'done') throw new Error(first.kind);

    const other = await perform('setPrice', { ...WANTED, price: '9' }, { actionId: first.actionId });

    expect(other).toMatchObject({ kind: 'refused', code: 'actionIdTaken' });
  });

  test.each([
    [{ price: '-1' }, 'priceInvalid'],
    [{ price: '0.000000001' }, 'priceInvalid'],
    [{ price: '1e3' }, 'priceInvalid'],
    [{ productCode: 'nobodys' }, 'productUnknown'],
    [{ dimension: 'unlisted' }, 'dimensionUnknown'],
  ])('refuses %j, and says what is expected', async (wrong, code) => {
    const { desk, perform } = await world();

    const answer = await perform('setPrice', { ...WANTED, ...wrong });

    expect(answer).toMatchObject({ kind: 'refused', code });
    expect(await desk.prices.prices()).toEqual([]);
  });
});
