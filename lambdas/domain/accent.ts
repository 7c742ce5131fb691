// The seller's colour on the pages: what is derived from it, and whether everybody can read it.

/** Red, green and blue, 0 to 255. */
type Colour = readonly [number, number, number];

interface Shades {
  readonly accent: Colour;
  /** Under the pointer. */
  readonly deep: Colour;
  /** Behind notes. */
  readonly tint: Colour;
}

export interface AccentShades {
  readonly light: Shades;
  readonly dark: Shades;
}

/** What text of normal size needs: WCAG 2.2, success criterion 1.4.3. */
export const MIN_CONTRAST = 4.5;

// As lambdas/pages/style.ts has them: the accent is read on each.
const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];
const LIGHT_PAGE: Colour = [244, 246, 249];
const DARK_CARD: Colour = [22, 28, 39];

/** The shades of a colour such as `#0f766e`. The dark pages' is as much lighter as it takes to be read there. */
export function accentShades(hex: string): AccentShades {
  const accent = colourOf(hex);
  const darkTint = mixed(accent, DARK_CARD, 0.85);
  const whiteShares = Array.from({ length: 11 }, (_, step) => step / 10);
  const candidates = whiteShares.map((share) => mixed(accent, WHITE, share));
  const onDark =
    candidates.find((candidate) => leastContrast(candidate, [darkTint, DARK_CARD]) >= MIN_CONTRAST) ?? WHITE;
  return {
    light: { accent, deep: mixed(accent, BLACK, 0.25), tint: mixed(accent, WHITE, 0.92) },
    dark: { accent: onDark, deep: mixed(onDark, WHITE, 0.35), tint: darkTint },
  };
}

/** The least contrast that the colour has with what it is read on, from 1 to 21. */
export function accentContrast(hex: string): number {
  const { light } = accentShades(hex);
  return leastContrast(light.accent, [WHITE, LIGHT_PAGE, light.tint]);
}

function leastContrast(colour: Colour, grounds: readonly Colour[]): number {
  return Math.min(...grounds.map((ground) => contrast(colour, ground)));
}

function colourOf(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** `share` of the second colour, the rest of the first. */
function mixed(one: Colour, other: Colour, share: number): Colour {
  const part = (index: 0 | 1 | 2) => Math.round(one[index] * (1 - share) + other[index] * share);
  return [part(0), part(1), part(2)];
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(one: Colour, other: Colour): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
