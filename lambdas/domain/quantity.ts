// Whole, non-negative amounts of usage.
import { BrokenInvariant } from './failure.ts';

/** Whether a value is a quantity: a whole number, 0 or more, exact in a double. */
export function isQuantity(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Adds two quantities; throws instead of ever losing a unit to rounding. */
export function addQuantities(a: number, b: number): number {
  const sum = a + b;
  if (!isQuantity(sum)) {
    throw new BrokenInvariant('QuantityOverflow', 'A sum of usage left the range of exact whole numbers.', {
      facts: { a, b },
    });
  }
  return sum;
}
