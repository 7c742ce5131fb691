// What is published, in a folder of its own that has what the package asks for and nothing else.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const NAME = 'aws-marketplace-fulfillment';
/** What the seller's app brings itself. */
const OF_THE_APP = ['@types/node', 'typescript'];

interface Published {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

let scratch: string;
let published: Published;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fulfillment-package-'));
  execFileSync(process.execPath, [join(ROOT, 'packaging/build.ts'), scratch], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [packed = ''] = readdirSync(scratch).filter((file) => file.endsWith('.tgz'));
  const folder = join(scratch, 'node_modules', NAME);
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['xzf', join(scratch, packed), '-C', folder, '--strip-components', '1']);
  published = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const wanted = [...Object.keys({ ...published.dependencies, ...published.peerDependencies }), ...OF_THE_APP];
  for (const name of wanted) {
    const link = join(scratch, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  writeFileSync(join(scratch, 'package.json'), '{"type":"module"}');
}, 240_000);

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The app of docs/library.md. */
function exampleApp(): string {
  const [, app = ''] = /```ts\n(.*?)```/s.exec(readFileSync(join(ROOT, 'docs/library.md'), 'utf8')) ?? [];
  return app;
}

function run(...words: readonly string[]): string {
  return execFileSync(process.execPath, words, { cwd: scratch, encoding: 'utf8', env: { PATH: process.env['PATH'] } });
}

/** What the compiler says of a file of the seller's app; empty where it is content. */
function complaintsAbout(source: string): string {
  writeFileSync(join(scratch, 'checked.ts'), source);
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    'node',
    '--skipLibCheck',
  ];
  try {
    run(compiler, ...options, '--ignoreConfig', 'checked.ts');
    return '';
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
  }
}

test('the example app of the docs synthesizes every stack, its functions bundled', () => {
  writeFileSync(join(scratch, 'app.ts'), exampleApp());
  const outdir = join(scratch, 'cdk.out');
  execFileSync(process.execPath, ['app.ts'], { cwd: scratch, env: { PATH: process.env['PATH'], CDK_OUTDIR: outdir } });
  const stacks = readdirSync(outdir).filter((file) => file.endsWith('.template.json'));
  expect(stacks.sort()).toEqual(
    ['Access', 'Lifecycle', 'Metering', 'Registration', 'Storage', 'Watch'].map((name) => `${name}.template.json`),
  );
  const bundles = readdirSync(outdir).filter((file) => file.startsWith('asset.'));
  expect(bundles.length).toBeGreaterThan(0);
  for (const bundle of bundles) expect(readdirSync(join(outdir, bundle))).toContain('index.mjs');
}, 120_000);

test('its types let the example through, and refuse a setting that does not exist', () => {
  expect(complaintsAbout(exampleApp())).toBe('');
  expect(complaintsAbout(exampleApp().replace('registration: {', 'registraton: {'))).toContain('registraton');
}, 120_000);

test('the sign-up page of the docs fits the types of the client', () => {
  const docs = readFileSync(join(ROOT, 'docs/registration.md'), 'utf8');
  const [, page = ''] = /```ts\n(import \{ createSignUps.*?)```/s.exec(docs) ?? [];
  const express = `
    type Route = (path: string, answer: (request: any, response: any) => unknown) => void;
    declare const app: { get: Route; post: Route };
    declare function startAgain(kind: string): string;
    declare function welcomeBack(): string;
    declare function form(problems: readonly { readonly name: string; readonly message: string }[]): string;
  `;

  expect(complaintsAbout(page + express)).toBe('');
  expect(complaintsAbout(page.replace("told.kind === 'incomplete'", "told.kind === 'incomplet'") + express)).toContain(
    'incomplet',
  );
}, 120_000);

test('every export is there, with its types, and can be imported', () => {
  const entries = Object.entries(published.exports);
  expect(entries.length).toBeGreaterThan(0);
  const folder = join(scratch, 'node_modules', NAME);
  for (const [, { types }] of entries) expect(readFileSync(join(folder, types), 'utf8')).toContain('export');
  const names = entries.map(([path]) => `${NAME}/${path.slice(2)}`);
  const program = `for (const name of ${JSON.stringify(names)}) await import(name); console.log('all');`;
  expect(run('--input-type=module', '--eval', program)).toBe('all\n');
});

test('the command tells how it is used', () => {
  const help = run(join('node_modules', NAME, published.bin['fulfillment'] ?? ''), '--help');
  expect(help).toContain('usage import');
});

test('its client judges a hand-off by published keys alone', () => {
  const program = `
    import { createServer } from 'node:http';
    import { exportJWK, generateKeyPair, SignJWT } from 'jose';
    import { createSignUps } from '${NAME}/client/hand-off';
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA', use: 'sig' };
    const server = createServer((request, response) => response.end(JSON.stringify({ keys: [key] })));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = 'http://127.0.0.1:' + server.address().port;
    const signUps = createSignUps({ url, pagesUrl: url + '/register', signUpUrl: 'https://app.example.com/aws' });
    const handOff = (audience) =>
      new SignJWT({ productCode: 'code1' })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'k1', typ: 'hand-off+jwt' })
        .setIssuer('fulfillment-prod').setAudience(audience).setSubject('cus_1').setJti('id-1')
        .setIssuedAt().setExpirationTime('5m').sign(privateKey);
    const genuine = await handOff('https://app.example.com');
    const texts = [genuine, await handOff('https://other.example.com'), genuine.slice(0, -4) + 'AAAA'];
    const kinds = [];
    for (const text of texts) kinds.push((await signUps.verify(text)).kind);
    console.log(kinds.join());
    server.close();
  `;
  expect(run('--input-type=module', '--eval', program)).toBe('verified,notForUs,forged\n');
});
