// Whose code a deployment and an installation of ours take in, and under which licence: docs/licences.md is made from it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs/licences.md');

/** What asks for no more than its notice to be kept, as SPDX names it. */
export const PERMISSIVE: ReadonlySet<string> = new Set([
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Python-2.0', 'Unlicense'],
]);

export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

/** By where each stands: `node_modules/a/node_modules/b`. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

export function lockedPackages(): LockedPackages {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
}

/** Whether one licence at least of an SPDX expression that offers a choice is permissive. */
export function isPermissive(expression: string): boolean {
  return expression
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((each) => PERMISSIVE.has(each));
}

export interface Licensed {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}

/** Every package that is installed without those for development, by name. Versions that differ stand apart. */
export function productionLicences(packages: LockedPackages): readonly Licensed[] {
  const rows = Object.entries(packages).flatMap(([path, { version = '', license = 'none named', dev }]) => {
    const name = path.split('node_modules/').at(-1) ?? '';
    return name === '' || dev ? [] : [{ name, version, licence: license }];
  });
  const once = new Map(rows.map((row) => [`${row.name}@${row.version}`, row]));
  return [...once.values()].sort((one, other) => compare(one.name, other.name) || compare(one.version, other.version));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

export function licencesPage(packages: LockedPackages): string {
  const rows = productionLicences(packages);
  const counts = new Map<string, number>();
  for (const { licence } of rows) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const kinds = [...counts].sort(([one, few], [other, many]) => many - few || compare(one, other));
  return [
    '# Licences of what this is built on',
    '',
    'Every package that is installed with this one, by `package-lock.json`; those for development alone are left out. Made by',
    '`npm run licences`; a test keeps the page in step, and lets in permissive licences alone. Where a choice is offered, we take',
    'the permissive one.',
    '',
    '| licence | packages |',
    '|---|---|',
    ...kinds.map(([licence, count]) => `| ${licence} | ${count} |`),
    '',
    '## All',
    '',
    '| package | version | licence |',
    '|---|---|---|',
    ...rows.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`),
    '',
  ].join('\n');
}

if (process.argv[1] === import.meta.filename) writeFileSync(PAGE, licencesPage(lockedPackages()));
