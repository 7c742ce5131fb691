// Amounts of money, exactly: prices have up to eight decimals, and units are whole.

/** In hundred-millionths of the currency's unit. */
declare const money: unique symbol;
export type Money = bigint & { readonly [money]: true };

const DECIMALS = 8;
const PRICE = new RegExp(`^(\\d{1,9})(?:\\.(\\d{1,${DECIMALS}}))?$`);

export const NO_MONEY = 0n as Money;

/** Reads `0.0035`; undefined for anything but a decimal number of 0 or more with at most eight decimals. */
export function parsePrice(text: string): Money | undefined {
  const [, whole = '', decimals = ''] = PRICE.exec(text) ?? [];
  return whole === '' ? undefined : (BigInt(`${whole}${decimals.padEnd(DECIMALS, '0')}`) as Money);
}

export function priceOf(units: number, price: Money): Money {
  return (BigInt(units) * price) as Money;
}

export function sumOfMoney(parts: Iterable<Money>): Money {
  return [...parts].reduce((sum, part) => sum + part, 0n) as Money;
}

/** `12.30`: two decimals, or as many as the amount has. */
export function moneyText(amount: Money): string {
  const digits = String(amount < 0n ? -amount : amount).padStart(DECIMALS + 1, '0');
  const decimals = digits.slice(-DECIMALS).replace(/0+$/, '').padEnd(2, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -DECIMALS)}.${decimals}`;
}
