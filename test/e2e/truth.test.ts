// The bill is compared place by place: what is missing, too much or in another hour has to show.
import { expect, test } from 'vitest';
import { Truth } from './truth.ts';

const PURCHASE = { productCode: 'p', licenceArn: 'arn:l', agreementId: 'agmt' };
const AT = Date.parse('2026-11-26T13:20:00Z');

function billed(quantity: number, hour = '2026-11-26T13:00:00.000Z') {
  return { productCode: 'p', licenceArn: 'arn:l', dimension: 'requests', hour, quantity };
}

function used(...quantities: readonly number[]): Truth {
  const truth = new Truth();
  for (const quantity of quantities) truth.add(PURCHASE, 'requests', AT, quantity);
  return truth;
}

test('says nothing of a bill with exactly what was used', () => {
  expect(used(40, 2).differenceFrom([billed(42)])).toBe('');
});

test('says nothing of usage that the contract includes', () => {
  expect(used(0).differenceFrom([])).toBe('');
});

test.each([
  ['a missing line', [], 'p arn:l requests 2026-11-26T13: used 42, billed 0'],
  ['too much', [billed(42), billed(1)], 'p arn:l requests 2026-11-26T13: used 42, billed 43'],
  [
    'another hour',
    [billed(42, '2026-11-26T14:00:00.000Z')],
    'p arn:l requests 2026-11-26T13: used 42, billed 0; p arn:l requests 2026-11-26T14: used 0, billed 42',
  ],
])('names the place of %s', (_, lines, told) => {
  expect(used(40, 2).differenceFrom(lines)).toBe(told);
});
