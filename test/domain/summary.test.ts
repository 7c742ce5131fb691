import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { booksOf } from '../../lambdas/domain/books.ts';
import { amountsOf, differenceOf, sumOf, unitsOf } from '../../lambdas/domain/summary.ts';
import { anHour, aSealedHour, aTally, LICENCE_KEY } from '../builders.ts';

const METER = { hour: anHour(), licenceKey: LICENCE_KEY, dimension: 'requests' };

describe('a summary', () => {
  test('leaves out places that hold nothing, and balances where the books do', () => {
    const units = unitsOf(booksOf(METER, aTally([{ quantity: 7 }]), undefined));

    expect(units).toEqual({ recorded: 7, notYetSealed: 7 });
    expect(differenceOf(units)).toBe(0);
    expect(amountsOf(units)).toMatchObject({ recorded: 7, pending: 7, billed: 0 });
  });

  test('balances by as much as its parts do, whatever is added up', () => {
    const places = [
      'recorded',
      'carriedIn',
      'open',
      'honoured',
      'expired',
      'heldLate',
      'withheld',
      'carriedOut',
    ] as const;
    const units = fc.dictionary(fc.constantFrom(...places), fc.nat(1_000_000));
    fc.assert(
      fc.property(fc.array(units), (parts) => {
        const sum = parts.reduce((total, part) => total + differenceOf(part), 0);
        expect(differenceOf(sumOf(parts))).toBe(sum);
      }),
    );
  });

  test('shows what stands in two places', () => {
    const sealed = aSealedHour({}, aTally([{ quantity: 7 }]));
    const books = booksOf(METER, aTally([{ quantity: 7 }]), { ...sealed, heldLate: 2 });

    expect(differenceOf(unitsOf(books))).toBe(-2);
  });
});
