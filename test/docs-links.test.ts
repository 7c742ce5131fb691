// Every link of every page leads somewhere: to a file that is there, and to a heading that it has.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

function pages(): string[] {
  const tops = ['README.md', 'CHANGELOG.md', 'simulator/README.md'];
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return [...tops, ...docs.filter((file) => file.endsWith('.md')).map((file) => join('docs', file))];
}

/** Code shows links that are none. */
function withoutCode(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ' '));
}

/** The anchor that GitHub gives a heading. */
function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-');
}

const slugs = new Map<string, ReadonlySet<string>>();

function slugsOf(file: string): ReadonlySet<string> {
  const known = slugs.get(file);
  if (known) return known;
  const text = readFileSync(join(ROOT, file), 'utf8').replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
  const counts = new Map<string, number>();
  const found = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#{1,6} (.*)$/gm)) {
    const slug = slugOf(heading);
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    found.add(count === 0 ? slug : `${slug}-${count}`);
  }
  slugs.set(file, found);
  return found;
}

interface Link {
  readonly page: string;
  readonly target: string;
}

function linksOf(page: string): Link[] {
  const text = withoutCode(readFileSync(join(ROOT, page), 'utf8'));
  return [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target = '']) => ({ page, target }));
}

function problemOf({ page, target }: Link): string | undefined {
  if (/^(https?:|mailto:)/.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), path));
  if (!existsSync(join(ROOT, file))) return `${page} -> ${target}: there is no ${file}`;
  if (anchor === undefined || !file.endsWith('.md')) return undefined;
  return slugsOf(file).has(anchor) ? undefined : `${page} -> ${target}: ${file} has no such heading`;
}

/** What the source tells people to read: in alarms, findings and messages. */
function mentions(): Link[] {
  const rooms = ['lambdas', 'lib', 'operator/doctor', 'cli', 'local', 'client'];
  const files = rooms.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(room, file)),
  );
  return files.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\bdocs\/[\w./-]+\.md(#[\w-]+)?/g)].map(([target]) => ({
      page,
      target:
        relative(dirname(page), target.split('#')[0] ?? '') + (target.includes('#') ? `#${target.split('#')[1]}` : ''),
    })),
  );
}

describe('the pages', () => {
  test('have no link that leads nowhere', () => {
    const links = pages().flatMap(linksOf);

    expect(links.length).toBeGreaterThan(80);
    expect(links.map(problemOf).filter((problem) => problem !== undefined)).toEqual([]);
  });

  test('are there where the source speaks of them', () => {
    const found = mentions();

    expect(found.length).toBeGreaterThan(40);
    expect(found.map(problemOf).filter((problem) => problem !== undefined)).toEqual([]);
  });

  test('would be missed: the test sees a link that leads nowhere', () => {
    expect(problemOf({ page: 'README.md', target: 'docs/nowhere.md' })).toContain('there is no');
    expect(problemOf({ page: 'README.md', target: 'docs/metering.md#nothing-of-the-kind' })).toContain(
      'no such heading',
    );
    expect(problemOf({ page: 'docs/runbook.md', target: '#eventrefused-tellingincomplete' })).toBeUndefined();
  });
});
