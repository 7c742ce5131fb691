// Whose an agreement is, where the notice that tells its product comes after the one that tells what it replaces.
import { expect, test } from 'vitest';
import { applyNotice } from '../../lambdas/flow/apply-notice.ts';
import { aProduct, LICENCE_KEY } from '../builders.ts';
import { LifecycleTables, memoryNoticePorts } from '../doubles/memory-notices.ts';
import { aNotice, BOUGHT_AT, MINUTE, NEXT_ARN, PURCHASE } from '../purchase.ts';

const REPLACED = { agreementId: 'agmt-b', intent: 'REPLACE', previousAgreementId: 'agmt-a' };
const CREATED = aNotice('agreementCreated', 5, REPLACED);
const UPDATED = aNotice('licenceUpdated', 6, { agreementId: 'agmt-b', licenceArn: NEXT_ARN, productCode: 'other' });

async function heard(products: readonly string[], notices = [CREATED, UPDATED]) {
  const tables = new LifecycleTables();
  const named = products.map((productCode) => aProduct({ productCode }));
  const { ports } = memoryNoticePorts(tables, named);
  for (const notice of [...PURCHASE.slice(0, 2), ...notices]) {
    await applyNotice(ports, notice, '', BOUGHT_AT + 9 * MINUTE);
  }
  return tables;
}

const standingOf = (tables: LifecycleTables, customerId: string) =>
  tables.outbox.findLast((event) => event.customerId === customerId)?.standing;

test.each([
  ['before', [CREATED, UPDATED]],
  ['after', [UPDATED, CREATED]],
])(
  'an agreement of another product is another customer’s, though Created comes %s its licence',
  async (_order, notices) => {
    const tables = await heard(['metrics-cloud', 'other'], notices);

    const [first, second] = [...tables.licences.values()];
    expect(first).toMatchObject({ licenceKey: LICENCE_KEY, customerId: 'cus_1', productCode: 'metrics-cloud' });
    expect(second).toMatchObject({ licenceArn: NEXT_ARN, customerId: 'cus_2', productCode: 'other' });
    expect(standingOf(tables, 'cus_1')?.agreements).toHaveLength(1);
    expect(standingOf(tables, 'cus_2')?.agreements).toHaveLength(1);
  },
);

test('an agreement of a product that is not in the settings gives nobody a licence', async () => {
  const tables = await heard(['metrics-cloud']);

  expect([...tables.licences.keys()]).toEqual([LICENCE_KEY]);
});
