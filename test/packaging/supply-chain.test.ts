// What is installed, from whom, and what it may do before anybody runs it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { audit, readAudit } from '../../packaging/audit.ts';
import { isPermissive, licencesPage, lockedPackages, productionLicences } from '../../packaging/licences.ts';
import { billOfMaterials } from '../../packaging/sbom.ts';

const ROOT = resolve(import.meta.dirname, '../..');

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

describe('what is installed', () => {
  test('is named by exact versions, in the settings of the package and in what it overrides', () => {
    const manifest = JSON.parse(textOf('package.json'));
    const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides'];
    const versions = kinds.flatMap((kind) => Object.entries<string>(manifest[kind]));

    expect(versions.length).toBeGreaterThan(40);
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test('is locked with its checksum, and by no registry’s address', () => {
    const packages = Object.entries(JSON.parse(textOf('package-lock.json')).packages as Record<string, Locked>);

    const unlocked = packages.filter(([path, { integrity, inBundle }]) => path !== '' && !inBundle && !integrity);
    expect(packages.length).toBeGreaterThan(200);
    expect(unlocked.map(([path]) => path)).toEqual([]);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  test('needs no script of its own: the one package that has one works without', { timeout: 240_000 }, () => {
    const withScripts = Object.entries(lockedPackages()).flatMap(([path, { hasInstallScript }]) =>
      hasInstallScript ? [path] : [],
    );
    // It replaces its launcher by the binary, which saves some milliseconds a start.
    expect(withScripts).toEqual(['node_modules/esbuild']);

    const folder = mkdtempSync(join(tmpdir(), 'fulfillment-install-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(ROOT, file), join(folder, file));
    const words = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--silent'];
    execFileSync('npm', words, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    const built = execFileSync(join(folder, 'node_modules/.bin/esbuild'), ['--minify'], { input: 'let a = 1 + 1;' });

    expect(String(built)).toContain('let a=');
  });
});

interface Locked {
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly resolved?: string;
}

describe('licences', () => {
  test('of all that is installed for use are permissive', () => {
    const licences = productionLicences(lockedPackages());

    expect(licences.length).toBeGreaterThan(80);
    expect(licences.filter(({ licence }) => !isPermissive(licence))).toEqual([]);
  });

  test.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-or-later)', true],
    ['GPL-3.0-only', false],
    ['MIT AND GPL-3.0-only', false],
    ['none named', false],
  ])('are told apart: %s', (expression, expected) => {
    expect(isPermissive(expression)).toBe(expected);
  });

  test('stand in docs/licences.md as npm run licences writes it', () => {
    expect(textOf('docs/licences.md')).toBe(licencesPage(lockedPackages()));
  });
});

describe('the bill of materials', () => {
  test('is the same each time, and names every package for use with its checksum and licence', () => {
    const text = billOfMaterials();
    const { components, ...rest } = JSON.parse(text) as { components: Component[] };

    expect(billOfMaterials()).toBe(text);
    expect(JSON.stringify(rest)).not.toMatch(/timestamp|serialNumber/);
    const named = new Set(components.map(({ name, version }) => `${name}@${version}`));
    const wanted = productionLicences(lockedPackages()).map(({ name, version }) => `${name}@${version}`);
    expect([...named].sort()).toEqual([...new Set(wanted)].sort());
    expect(components.filter(({ licenses = [] }) => licenses.length === 0)).toEqual([]);
  });
});

interface Component {
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly object[];
}

describe('known vulnerabilities', () => {
  const advisory = { url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc', title: 'Prototype pollution' };
  const report = JSON.stringify({
    vulnerabilities: {
      bad: { severity: 'high', via: [advisory] },
      above: { severity: 'high', via: ['bad'] },
    },
  });

  test('are told once each, and pass where they are explained', () => {
    expect(readAudit(report)).toEqual({
      kind: 'vulnerable',
      found: ['GHSA-aaaa-bbbb-cccc high bad: Prototype pollution'],
    });
    expect(readAudit(report, { 'GHSA-aaaa-bbbb-cccc': 'never given what a buyer typed' })).toEqual({
      kind: 'clean',
      explained: 1,
    });
  });

  test('are not taken for none where the registry does not answer', () => {
    expect(readAudit('{"message":"405 Method Not Allowed"}')).toEqual({
      kind: 'unanswered',
      why: '405 Method Not Allowed',
    });
    expect(readAudit('').kind).toBe('unanswered');
  });

  test('of what is locked: none that is not explained', (context) => {
    const outcome = audit();

    if (outcome.kind === 'unanswered') return context.skip(`NOT CHECKED: the registry does not answer. ${outcome.why}`);
    expect(outcome.kind === 'vulnerable' ? outcome.found : []).toEqual([]);
  });
});

describe('the workflow that publishes', () => {
  const workflow = textOf('.github/workflows/publish.yml');

  test('takes every action by its commit', () => {
    const used = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action);

    expect(used.length).toBeGreaterThan(2);
    expect(used.filter((action) => !/^actions\/[\w-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
  });

  test('may read and sign, and no more; runs no package’s script; states where the package was built', () => {
    const granted = [...workflow.matchAll(/^ +([\w-]+): (?:read|write)$/gm)].map(([line]) => line.trim());

    expect(workflow).toMatch(/^permissions: \{\}$/m);
    expect(granted).toEqual(['contents: read', 'id-token: write']);
    expect(workflow).toContain('npm ci --ignore-scripts');
    expect(workflow).toMatch(/npm publish --provenance .*--ignore-scripts/);
    expect(workflow).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/);
  });
});
