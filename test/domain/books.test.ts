import { describe, expect, test } from 'vitest';
import { booksOf } from '../../lambdas/domain/books.ts';
import { TallyBuilder } from '../../lambdas/domain/tally.ts';
import { parseUsageRow } from '../../lambdas/domain/usage-row.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { anHour, aSealedHour, aTally, aUsageEvent, LICENCE_KEY } from '../builders.ts';

const METER = { hour: anHour(), licenceKey: LICENCE_KEY, dimension: 'requests' };

describe('the books of an hour', () => {
  test('balance with everything in its place', () => {
    const tally = aTally([{ quantity: 12_500 }, { quantity: 345 }, { quantity: 5 }], 700);
    const sealed = aSealedHour({ status: 'honoured', accounted: 12_845, carriedOut: 300, heldLate: 45 });

    const books = booksOf(METER, tally, sealed);

    expect(books).toMatchObject({ recorded: 12_850, carriedIn: 700, carriedOut: 300, heldLate: 45, notYetSealed: 705 });
    expect(books.byStatus.honoured).toBe(12_500);
    expect(books.difference).toBe(0);
  });

  test('name what was rejected as recorded and as rejected', () => {
    const builder = new TallyBuilder();
    builder.addRow(parseUsageRow({ ...toUsageItem(aUsageEvent({ quantity: 40 })), tags: ['team'] }));

    const books = booksOf(METER, builder.tally(), undefined);

    expect(books).toMatchObject({ recorded: 40, rejectedAtClose: 40, notYetSealed: 0, difference: 0 });
  });

  test('say by how much they differ where a seal says less than it accounts for', () => {
    const sealed = aSealedHour({ accounted: 12_500 });
    const short = { ...sealed, record: { ...sealed.record, quantity: 12_000 } };

    expect(booksOf(METER, aTally(), short).difference).toBe(500);
  });

  test('are never right where more is accounted for than was used, even where the sums agree', () => {
    const sealed = aSealedHour({ accounted: 12_500 });

    expect(booksOf(METER, aTally([{ quantity: 12_000 }]), sealed).difference).toBe(-500);
  });
});
