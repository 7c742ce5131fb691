import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accentContrast, accentShades, contrast, MIN_CONTRAST } from '../../lambdas/domain/accent.ts';

const HEX = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);
const WHITE = [255, 255, 255] as const;

describe('contrast', () => {
  test('is that of WCAG: 21 of black on white, 1 of a colour on itself, and 4.48 of its grey that just fails', () => {
    expect(contrast([0, 0, 0], WHITE)).toBeCloseTo(21);
    expect(contrast(WHITE, WHITE)).toBe(1);
    // https://webaim.org/articles/contrast/: #777 on white.
    expect(contrast([119, 119, 119], WHITE)).toBeCloseTo(4.48, 2);
  });
});

describe('a seller’s colour', () => {
  test('that is read badly on a light page is known by its contrast', () => {
    expect(accentContrast('#facc15')).toBeLessThan(2);
    expect(accentContrast('#0f766e')).toBeGreaterThan(MIN_CONTRAST);
  });

  test('is lightened on a dark page until everybody can read it, whatever colour it is', () => {
    fc.assert(
      fc.property(HEX, (hex) => {
        const { dark } = accentShades(hex);
        expect(contrast(dark.accent, dark.tint)).toBeGreaterThanOrEqual(
          Math.min(MIN_CONTRAST, contrast(WHITE, dark.tint)),
        );
      }),
    );
  });

  test('that is let through has enough contrast as a link, as a button and in a note', () => {
    fc.assert(
      fc.property(HEX, (hex) => {
        fc.pre(accentContrast(hex) >= MIN_CONTRAST);
        const { light, dark } = accentShades(hex);
        const buttonText = [10, 20, 45] as const;
        for (const [text, ground] of [
          [light.accent, WHITE],
          [light.deep, WHITE],
          [light.accent, light.tint],
          [dark.accent, [22, 28, 39]],
          [dark.accent, [13, 17, 25]],
          [dark.accent, buttonText],
          [dark.deep, buttonText],
        ] as const) {
          expect(contrast(text, ground)).toBeGreaterThanOrEqual(MIN_CONTRAST);
        }
      }),
    );
  });
});
