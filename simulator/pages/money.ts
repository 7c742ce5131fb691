// Money in whole trillionths of a dollar: prices have up to twelve decimals, and sums of them must be exact.

const DECIMALS = 12;
const SHOWN_DECIMALS = 6;

/** The price of a quantity. `price` is a decimal text as the control API takes it, such as "0.0004". */
export function cost(price: string, quantity: number): bigint {
  const [whole = '0', fraction = ''] = price.split('.');
  return BigInt(whole + fraction.padEnd(DECIMALS, '0')) * BigInt(quantity);
}

/** Dollars with two to six decimals; what is finer is rounded half up. */
export function formatUsd(amount: bigint): string {
  const unit = 10n ** BigInt(DECIMALS - SHOWN_DECIMALS);
  const digits = String((amount + unit / 2n) / unit).padStart(SHOWN_DECIMALS + 1, '0');
  const whole = digits.slice(0, -SHOWN_DECIMALS).replaceAll(/\B(?=(\d{3})+$)/g, ',');
  const fraction = digits.slice(-SHOWN_DECIMALS).replace(/0{1,4}$/, '');
  return `$${whole}.${fraction}`;
}
