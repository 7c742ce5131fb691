import { expect, test } from 'vitest';
import { DemoProduct } from '../../local/demo-product.ts';

function anEvent(customerId: string, sequence: number, type: string, hasAccess: boolean) {
  const standing = { hasAccess, state: hasAccess ? 'active' : 'ended', marks: [], agreements: [] };
  const detail = JSON.stringify({ version: 1, type, customerId, sequence, data: { standing } });
  return { source: 'marketplace-fulfillment', detailType: type, detail };
}

test('The demo product believes the highest sequence of each customer, and tells of each change once', async () => {
  const told: unknown[] = [];
  const product = new DemoProduct({ info: (_code, facts) => void told.push(facts), warn() {}, error() {} });

  product.hear(anEvent('cus_a', 1, 'accessGranted', true));
  product.hear(anEvent('cus_a', 3, 'accessRevoked', false));
  product.hear(anEvent('cus_a', 2, 'accessEnding', true));
  product.hear(anEvent('cus_a', 3, 'accessRevoked', false));
  product.hear(anEvent('cus_b', 1, 'accessGranted', true));

  const { statusCode, body } = await product.show();
  const shown = JSON.parse(body) as { customers: object[]; events: { sequence: number }[] };
  expect(statusCode).toBe(200);
  expect(shown.customers).toEqual([
    { customerId: 'cus_a', sequence: 3, hasAccess: false, state: 'ended' },
    { customerId: 'cus_b', sequence: 1, hasAccess: true, state: 'active' },
  ]);
  expect(shown.events.map(({ sequence }) => sequence)).toEqual([1, 3, 2, 3, 1]);
  expect(told).toEqual([
    { type: 'accessGranted', customerId: 'cus_a', sequence: 1 },
    { type: 'accessRevoked', customerId: 'cus_a', sequence: 3 },
    { type: 'accessGranted', customerId: 'cus_b', sequence: 1 },
  ]);
});
