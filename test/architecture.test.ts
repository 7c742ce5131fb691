// Who may import whom. The rooms stay what their names promise because this test says no.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const ROOMS = [
  'lambdas',
  'lib',
  'simulator',
  'client',
  'cli',
  'operator',
  'console',
  'local',
  'bench',
  'packaging',
  'test',
];

/** What each room may import besides itself: other rooms, node: modules and packages by name. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'lambdas/domain': ['node:crypto'],
  'lambdas/flow': ['lambdas/domain', 'node:crypto'],
  'lambdas/contracts': ['lambdas/domain', 'lambdas/flow', 'valibot'],
  'lambdas/stores': [
    'lambdas/domain',
    'lambdas/flow',
    'lambdas/runtime',
    'node:crypto',
    'node:stream',
    'node:zlib',
    '@aws-sdk/*',
    '@smithy/signature-v4',
  ],
  'lambdas/marketplace': ['lambdas/domain', 'lambdas/flow', 'lambdas/runtime', '@aws-sdk/*'],
  'lambdas/pages': ['lambdas/domain', 'lambdas/runtime', 'node:crypto'],
  'lambdas/runtime': ['lambdas/domain', '@middy/core', 'jose', 'aws-lambda', 'node:*', '@aws-sdk/types', '@smithy/*'],
  lambdas: ['lambdas/*', 'aws-lambda', 'node:crypto', 'p-limit'],
  lib: [
    'lambdas/contracts',
    'lambdas/domain',
    'lambdas/runtime',
    'lambdas/stores',
    'lambdas/pages',
    'aws-cdk-lib',
    'cdk-nag',
    'esbuild',
    'constructs',
    'valibot',
    'node:*',
  ],
  simulator: ['node:*'],
  client: [
    'lambdas/domain',
    'lambdas/contracts',
    'lambdas/flow',
    'lambdas/stores',
    'lambdas/runtime',
    '@aws-sdk/*',
    '@smithy/*',
    'p-limit',
    'node:*',
  ],
  operator: [
    'client',
    'lambdas/domain',
    'lambdas/contracts',
    'lambdas/flow',
    'lambdas/stores',
    'lambdas/runtime',
    'lambdas/marketplace',
    '@aws-sdk/*',
    'node:*',
    'valibot',
    'lib',
  ],
  cli: [
    'client',
    'console',
    'operator',
    'lambdas/domain',
    'lambdas/contracts',
    'lambdas/flow',
    'lambdas/stores',
    'lambdas/runtime',
    '@aws-sdk/*',
    'node:*',
    'p-limit',
  ],
  console: [
    'operator',
    'lambdas/domain',
    'lambdas/contracts',
    'lambdas/flow',
    'lambdas/stores',
    'lambdas/runtime',
    'lambdas/pages',
    'node:*',
  ],
  local: [
    'client',
    'console',
    'lambdas',
    'lambdas/*',
    'simulator',
    'operator',
    '@aws-sdk/*',
    'aws-lambda',
    'node:*',
    'p-limit',
  ],
  bench: ['*'],
  packaging: ['node:*'],
  test: ['*'],
};

/** Only these files of a room may be reached from outside of it. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  simulator: ['simulator/simulator.ts'],
  /** The settings and how functions are given them; everything else there is CDK's. */
  lib: ['lib/deployment.ts', 'lib/mail-deployment.ts', 'lib/removal-settings.ts'],
  console: ['console/console.ts'],
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly isTypeOnly: boolean;
}

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const found = source.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm);
  return [...found].map(([, typeOnly, specifier = '']) => ({
    file,
    isTypeOnly: typeOnly !== undefined,
    target: specifier.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), specifier)) : specifier,
  }));
}

function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'lambdas' && path.split('/').length > 2 ? `${first}/${second}` : first;
}

function isOurs(target: string): boolean {
  return ROOMS.includes(target.split('/')[0] ?? '');
}

function mayImport(room: string, target: string): boolean {
  const wanted = isOurs(target) ? roomOf(target) : target;
  if (wanted === room) return true;
  return (ALLOWED[room] ?? []).some((allowed) => {
    if (allowed === '*' || allowed === wanted) return true;
    if (allowed.endsWith('*')) return wanted.startsWith(allowed.slice(0, -1));
    return !isOurs(target) && wanted.startsWith(`${allowed}/`);
  });
}

const imports = ROOMS.flatMap(filesOf).flatMap(importsOf);

describe('the rooms of the project', () => {
  test('import only in the directions that the house plan allows', () => {
    const wrong = imports
      .filter(({ file, target }) => !mayImport(roomOf(file), target))
      .map(({ file, target }) => `${file} -> ${target}`);

    expect(wrong).toEqual([]);
  });

  test('meet only in handlers: nothing deployed imports a handler', () => {
    const wrong = imports.filter(
      ({ file, target }) => target.endsWith('.handler.ts') && /^(lambdas|lib|client|operator|cli|console)\//.test(file),
    );

    expect(wrong).toEqual([]);
  });

  test('reach the simulator by its one door', () => {
    const wrong = imports
      .filter(
        ({ file, target }) => target.startsWith('simulator/') && !/^(simulator|test\/simulator|bench)\//.test(file),
      )
      .filter(({ target }) => !DOORS['simulator']?.includes(target));

    expect(wrong).toEqual([]);
  });

  test('reach the console by its one door', () => {
    const wrong = imports
      .filter(({ file, target }) => target.startsWith('console/') && !/^(console|test)\//.test(file))
      .filter(({ target }) => !DOORS['console']?.includes(target));

    expect(wrong).toEqual([]);
  });

  test('reach the stacks by their settings alone', () => {
    const wrong = imports
      .filter(({ file, target }) => target.startsWith('lib/') && !/^(lib|test|bench)\//.test(file))
      .filter(({ target }) => !DOORS['lib']?.includes(target));

    expect(wrong).toEqual([]);
  });

  test('take nothing from the tests', () => {
    const wrong = imports.filter(({ file, target }) => target.startsWith('test/') && !file.startsWith('test/'));

    expect(wrong).toEqual([]);
  });

  test('ask for the time only where the clock is handed in', () => {
    const readers = [
      'lambdas/domain',
      'lambdas/flow',
      'lambdas/stores',
      'lambdas/marketplace',
      'lambdas/contracts',
      'lambdas/pages',
    ]
      .flatMap(filesOf)
      .filter((file) => /Date\.now\(|new Date\(\)|performance\.now/.test(readFileSync(join(ROOT, file), 'utf8')));

    expect(readers).toEqual([]);
  });

  test('never ask whether they run on a laptop', () => {
    const askers = ['lambdas', 'lib']
      .flatMap(filesOf)
      .filter((file) => /is_?local\b|NODE_ENV|if \(local/i.test(readFileSync(join(ROOT, file), 'utf8')));

    expect(askers).toEqual([]);
  });

  test('list the commands, and answer a slip of the pen, without what the commands themselves are made of', () => {
    const reached = new Set(['cli/commands.ts', 'cli/fulfillment.ts']);
    for (const file of reached) {
      for (const each of imports) if (each.file === file && !each.isTypeOnly) reached.add(each.target);
    }

    const loaded = [...reached].filter((each) => !each.startsWith('node:')).sort();
    expect(loaded).toEqual([
      'cli/commands.ts',
      'cli/exit.ts',
      'cli/fulfillment.ts',
      'cli/options.ts',
      'lambdas/domain/failure.ts',
      'operator/aws-fault.ts',
    ]);
  });

  test('see what is there: the test finds the imports that it judges', () => {
    expect(imports.length).toBeGreaterThan(200);
    expect(imports).toContainEqual({
      file: 'lambdas/flow/close-hour.ts',
      target: 'lambdas/domain/close.ts',
      isTypeOnly: false,
    });
    expect(mayImport('lambdas/domain', 'lambdas/stores/dynamo.ts')).toBe(false);
    expect(mayImport('simulator', 'lambdas/domain/hour.ts')).toBe(false);
    expect(mayImport('lambdas/flow', '@aws-sdk/client-dynamodb')).toBe(false);
  });
});
