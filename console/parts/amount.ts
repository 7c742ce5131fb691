// Units, counts and money as text.

export function units(quantity: number): string {
  return quantity.toLocaleString('en-US');
}

/** `1 record`, `2,310 records`. */
export function counted(count: number, noun: string): string {
  return `${units(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1.2K`, `3.4M`: for the scale of a chart, where the exact number stands in the table. */
export function shortUnits(quantity: number): string {
  return new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 }).format(quantity);
}

/** `1234.5` as `$1,234.50`, exactly as many decimals as the amount has, and two at least. */
export function dollars(amount: string): string {
  const [, sign = '', whole = '0', decimals = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(amount) ?? [];
  return `${sign}$${BigInt(whole).toLocaleString('en-US')}.${decimals.padEnd(2, '0')}`;
}
