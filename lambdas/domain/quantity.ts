// Whole, non-negative amounts of usage.

/** Whether a value is a quantity: a whole number, 0 or more, exact in a double. */
export function isQuantity(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
