// npm run package [-- FOLDER]: builds what is published into dist/ and packs it. In node_modules Node runs no TypeScript, so that
// the package holds JavaScript beside its types; everything else of this repository stays out of it.
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type Manifest, publishedManifest } from './manifest.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
/** Where the packed file goes. */
const [DESTINATION = ROOT] = process.argv.slice(2);
const TYPESCRIPT = createRequire(import.meta.url).resolve('typescript/package.json');

rmSync(DIST, { recursive: true, force: true });
// What is imported has types; the functions and the command have none.
for (const project of ['tsconfig.json', 'tsconfig.types.json']) {
  const words = [join(dirname(TYPESCRIPT), 'bin/tsc'), '--project', join(import.meta.dirname, project)];
  execFileSync(process.execPath, words, { stdio: 'inherit' });
}
// What the console serves beside its pages is no TypeScript.
cpSync(join(ROOT, 'console/assets'), join(DIST, 'console/assets'), { recursive: true });
const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE', 'docs'])
  cpSync(join(ROOT, name), join(DIST, name), { recursive: true });
execFileSync('npm', ['pack', '--silent', '--pack-destination', DESTINATION, DIST], { stdio: 'inherit' });
