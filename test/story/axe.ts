// Deque's rules for accessible pages, run in the page as it stands in the browser.
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** WCAG 2.2 up to AA, and what Deque holds to be good practice. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface AxeFindings {
  /** `rule: element`, each. */
  readonly violations: readonly string[];
  /** How many rules found something to judge, and that it is right. */
  readonly passes: number;
}

export async function axeFindings(page: Page): Promise<AxeFindings> {
  // Evaluated by the browser itself, so that no page has to let a foreign script in.
  await page.evaluate(axe.source);
  const options = JSON.stringify({ runOnly: { type: 'tag', values: TAGS } });
  const results = (await page.evaluate(`globalThis.axe.run(document, ${options})`)) as AxeResults;
  return {
    violations: results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`)),
    passes: results.passes.length,
  };
}
