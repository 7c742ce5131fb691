// The tables of docs/rivals.md against the tests: every claim there has a test, and every such test its row.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const TESTS = import.meta.dirname;
const RIVALS = join(TESTS, 'rivals');

interface Row {
  readonly code: string;
  readonly cells: readonly string[];
  readonly titles: readonly string[];
}

const rows: Row[] = readFileSync(join(TESTS, '../docs/rivals.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [A-Z]\d+ \|/.test(line))
  .map((line) => {
    const cells = line.slice(2, -2).split(' | ');
    return { code: cells[0] ?? '', cells, titles: (cells[3] ?? '').split('<br>') };
  });

const sources = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => readFileSync(join(TESTS, file), 'utf8'));

function titlesIn(source: string): string[] {
  return [...source.matchAll(/\b(?:test|it)\(\s*'((?:[^'\\]|\\.)*)'/g)].map(([, title = '']) => title);
}

const replays = readdirSync(RIVALS)
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) => titlesIn(readFileSync(join(RIVALS, file), 'utf8')));

/** `(M17, K7)` at the end of a title: the failures that it replays. */
function codesOf(title: string): string[] {
  return /\(([A-Z]\d+(?:, [A-Z]\d+)*)\)$/.exec(title)?.[1]?.split(', ') ?? [];
}

const pairs = (entries: readonly (readonly [string, string])[]) =>
  entries.map(([code, title]) => `${code} ${title}`).sort();

describe('the tables of docs/rivals.md', () => {
  test('have one row for each failure of metering in the AWS sample and skill, and none twice', () => {
    const codes = rows.map(({ code }) => code);

    const wanted = [
      ...Array.from({ length: 22 }, (_, index) => `M${index + 1}`),
      ...Array.from({ length: 14 }, (_, index) => `K${index + 1}`),
    ];
    expect(wanted.filter((code) => !codes.includes(code))).toEqual([]);
    expect(codes).toEqual([...new Set(codes)]);
  });

  test('say in every row what happens there, what happens here and which test shows it', () => {
    const short = rows.filter(({ cells }) => cells.length !== 4 || cells.some((cell) => cell.trim() === ''));

    expect(short).toEqual([]);
  });

  test('name only tests that are there', () => {
    const known = new Set(sources.flatMap(titlesIn));

    expect(rows.flatMap(({ titles }) => titles).filter((title) => !known.has(title))).toEqual([]);
  });

  test('name every test that replays a failure, at each failure that it replays', () => {
    const claimed = rows.flatMap(({ code, titles }) =>
      titles.filter((title) => replays.includes(title)).map((title) => [code, title] as const),
    );
    const replayed = replays.flatMap((title) => codesOf(title).map((code) => [code, title] as const));

    expect(replays.length).toBeGreaterThan(60);
    expect(replays.filter((title) => codesOf(title).length === 0)).toEqual([]);
    expect(pairs(claimed)).toEqual(pairs(replayed));
  });
});
