import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { licenceNameOf, mergeEnding } from '../../lambdas/domain/licence.ts';
import type { Product } from '../../lambdas/domain/product.ts';

const step = fc.option(fc.nat(20), { nil: undefined });
const ending = fc.record({ noticeAt: fc.nat(20), revokedAt: step, deprovisionedAt: step }).map((members) => {
  const { noticeAt, revokedAt, deprovisionedAt } = members;
  return {
    noticeAt,
    ...(revokedAt === undefined ? {} : { revokedAt }),
    ...(deprovisionedAt === undefined ? {} : { deprovisionedAt }),
  };
});

describe('mergeEnding', () => {
  it('ends the same in any order of arrival and after any repeats', () => {
    fc.assert(
      fc.property(
        fc.array(ending, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat(1000)),
        (heard, random) => {
          const shuffled = [...heard, ...heard].sort(() => (random.next().value ?? 0) - 500);
          const [first, ...rest] = heard;
          const [start, ...others] = shuffled;
          if (!first || !start) return;
          expect(others.reduce(mergeEnding, mergeEnding(undefined, start))).toEqual(
            rest.reduce(mergeEnding, mergeEnding(undefined, first)),
          );
        },
      ),
    );
  });
});

describe('licenceNameOf', () => {
  const product = { productCode: 'p', identityStyle: 'licence' } as Product;

  it('never names a licence in the style that the product does not have', () => {
    const clues = { licenceArn: 'arn:aws:x:::l', customerIdentifier: 'c' };
    expect(licenceNameOf(product, clues)).toEqual({ style: 'licence', licenceArn: 'arn:aws:x:::l' });
    expect(licenceNameOf({ ...product, identityStyle: 'legacy' }, clues)?.style).toBe('legacy');
    expect(licenceNameOf(product, { customerIdentifier: 'c' })).toBeUndefined();
    expect(licenceNameOf({ ...product, identityStyle: 'legacy' }, { licenceArn: 'arn:aws:x:::l' })).toBeUndefined();
  });
});
