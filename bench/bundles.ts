// How large each function is and how long Lambda takes to load it, beside what it would be with the whole SDK,
// its credential chain above all.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { BUNDLE_FILE, bundleHandler, handlerNames } from '../lib/constructs/bundle.ts';

export interface BundleRow {
  readonly name: string;
  readonly kib: number;
  readonly gzipKib: number;
  /** The middle of 20 loads, each in a new process. */
  readonly importMs: number;
  readonly fullChainKib: number;
  /** Size over size with the whole SDK. */
  readonly ratio: number;
}

const RUNS = 20;

const TIMED_IMPORT = `
  const startedAt = performance.now();
  await import(process.argv[1]);
  console.log(performance.now() - startedAt);
`;

/** Bundles and loads every handler. */
export async function benchBundles(): Promise<BundleRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
  try {
    return handlerNames().map((name) => measured(name, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measured(name: string, folder: string): BundleRow {
  const ours = join(folder, name, BUNDLE_FILE);
  const full = join(folder, `${name}-full-chain`, BUNDLE_FILE);
  bundleHandler(name, ours);
  bundleHandler(name, full, { wholeSdk: true });
  const code = readFileSync(ours);
  const fullBytes = readFileSync(full).length;
  return {
    name,
    kib: rounded(code.length / 1024),
    gzipKib: rounded(gzipSync(code).length / 1024),
    importMs: rounded(middle(Array.from({ length: RUNS }, () => importMs(ours)))),
    fullChainKib: rounded(fullBytes / 1024),
    ratio: Math.round((code.length / fullBytes) * 100) / 100,
  };
}

function importMs(file: string): number {
  const argv = ['--input-type=module', '--eval', TIMED_IMPORT, pathToFileURL(file).href];
  return Number(execFileSync(process.execPath, argv, { encoding: 'utf8' }));
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
