// What is checked on every page of the walk, by measuring it in the browser.
import type { Page } from 'playwright-core';

export interface PageAudit {
  readonly lang: string;
  /** Levels of the headings, as they stand. */
  readonly headings: readonly number[];
  /** How far the page is wider than its window, in pixels. */
  readonly overflow: number;
  /** Fields without a label. */
  readonly unlabelled: readonly string[];
  /** Texts whose contrast is below 4.5 to 1, or 3 to 1 where they are large. */
  readonly faint: readonly string[];
  /** How many texts were measured. */
  readonly measured: number;
  /** Names of what scripts could read: cookies and stored items. */
  readonly stored: readonly string[];
}

export function auditPage(page: Page): Promise<PageAudit> {
  return page.evaluate(auditInPage);
}

/** The parts of the browser's own world that are used below; the project's TypeScript knows Node's only. */
interface PageWorld {
  readonly document: {
    readonly documentElement: PageElement & { readonly lang: string };
    readonly body: PageElement;
    readonly cookie: string;
    querySelectorAll(selector: string): Iterable<PageElement>;
  };
  readonly innerWidth: number;
  readonly localStorage: object;
  readonly sessionStorage: object;
  getComputedStyle(
    element: PageElement,
  ): Readonly<Record<'color' | 'backgroundColor' | 'fontSize' | 'fontWeight', string>>;
}

interface PageElement {
  readonly tagName: string;
  readonly outerHTML: string;
  readonly scrollWidth: number;
  readonly parentElement: PageElement | null;
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string | null }>;
  readonly labels?: { readonly length: number };
  getBoundingClientRect(): { readonly width: number; readonly height: number };
}

/** Runs in the page, so it may use nothing from outside of itself. */
function auditInPage(): PageAudit {
  const world = globalThis as unknown as PageWorld;
  const { document } = world;
  const all = (selector: string) => [...document.querySelectorAll(selector)];

  type Colour = readonly [red: number, green: number, blue: number, alpha: number];
  const colourOf = (text: string): Colour => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return [red, green, blue, alpha];
  };
  const luminance = ([red, green, blue]: Colour): number => {
    const linear = (channel: number) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  };
  const backgroundOf = (element: PageElement): Colour => {
    for (let at: PageElement | null = element; at !== null; at = at.parentElement) {
      const colour = colourOf(world.getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const isShownText = (element: PageElement): boolean => {
    const { width, height } = element.getBoundingClientRect();
    const ownText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim() !== '');
    return ownText && width > 1 && height > 1;
  };

  const texts = all('body *').filter(isShownText);
  const faint = texts.flatMap((element) => {
    const { color, fontSize, fontWeight } = world.getComputedStyle(element);
    const [one, other] = [luminance(colourOf(color)), luminance(backgroundOf(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = Number.parseFloat(fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
    return contrast >= (isLarge ? 3 : 4.5) ? [] : [`${contrast.toFixed(2)}: ${element.outerHTML.slice(0, 120)}`];
  });
  return {
    lang: document.documentElement.lang,
    headings: all('h1, h2, h3, h4, h5, h6').map(({ tagName }) => Number(tagName.slice(1))),
    overflow: document.documentElement.scrollWidth - world.innerWidth,
    unlabelled: all('input:not([type=hidden]), select, textarea')
      .filter(({ labels }) => (labels?.length ?? 0) === 0)
      .map(({ outerHTML }) => outerHTML),
    faint,
    measured: texts.length,
    stored: [document.cookie, ...Object.keys(world.localStorage), ...Object.keys(world.sessionStorage)].filter(Boolean),
  };
}
