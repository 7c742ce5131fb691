// The runbook against the source: whoever is woken by a code has to find it there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const LAMBDAS = join(ROOT, 'lambdas');

const sources = readdirSync(LAMBDAS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(LAMBDAS, file), 'utf8'));

/** A heading may name several codes, parted by commas. */
const headings = new Set(
  [...readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8').matchAll(/^#+ (.*)$/gm)].flatMap(([, title = '']) =>
    title.split(', '),
  ),
);

function found(pattern: RegExp): string[] {
  const codes = sources.flatMap((source) => [...source.matchAll(pattern)].map(([, code = '']) => code));
  return [...new Set(codes)].sort();
}

describe('the runbook has a heading', () => {
  test('for every code that is logged as a warning or an error, and each is written out where it is logged', () => {
    const codes = found(/\blog\.(?:warn|error)\(\s*'(\w+)'/g);

    expect(codes.length).toBeGreaterThan(8);
    expect(codes.filter((code) => !headings.has(code))).toEqual([]);
    expect(found(/\blog\.(?:warn|error)\(\s*([^'\s])/g)).toEqual([]);
  });

  test('for every code of a failure that is not the caller’s', () => {
    const codes = found(/new (?:Misconfigured|Unavailable|BrokenInvariant)\(\s*'(\w+)'/g);

    expect(codes.length).toBeGreaterThan(15);
    expect(codes.filter((code) => !headings.has(code))).toEqual([]);
  });

  test('for every status in which a record waits for a person', () => {
    for (const status of ['held', 'quarantined', 'disputed', 'presumed', 'uncertain', 'expired'])
      expect(headings).toContain(status);
  });
});
