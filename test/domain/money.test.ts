import { describe, expect, test } from 'vitest';
import { moneyText, NO_MONEY, parsePrice, priceOf, sumOfMoney } from '../../lambdas/domain/money.ts';

function price(text: string) {
  const parsed = parsePrice(text);
  if (parsed === undefined) throw new Error(`No price: ${text}`);
  return parsed;
}

describe('money', () => {
  test('is exact where a binary fraction is not', () => {
    const tenth = priceOf(3, price('0.1'));

    expect(moneyText(tenth)).toBe('0.30');
    expect(moneyText(sumOfMoney([tenth, priceOf(2_147_483_647, price('0.00000001'))]))).toBe('21.77483647');
    expect(moneyText(NO_MONEY)).toBe('0.00');
  });

  test.each(['', '-1', '1.', '.5', '1e3', '0.123456789', '1,5', ' 1'])('takes %j for no price', (text) => {
    expect(parsePrice(text)).toBeUndefined();
  });
});
