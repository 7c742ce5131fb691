// Where the engine is found, and that it ends with whoever started it.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startDatabase } from '../../local/database.ts';

const MODULE = join(import.meta.dirname, '../../local/database.ts');

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'database-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A dynoxide on the PATH that notes each call and does what the packaged one does. */
function engineOnPath(): { path: string; calls: () => string } {
  const folder = aFolder();
  const noted = join(folder, 'calls');
  writeFileSync(noted, '');
  const platform = `@dynoxide/${process.platform}-${process.arch}/package.json`;
  const real = join(dirname(createRequire(MODULE).resolve(platform)), 'dynoxide');
  const script = join(folder, 'dynoxide');
  writeFileSync(script, `#!/bin/sh\necho "$@" >> '${noted}'\nexec '${real}' "$@"\n`);
  chmodSync(script, 0o755);
  return { path: `${folder}:/usr/bin:/bin`, calls: () => readFileSync(noted, 'utf8') };
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint, { method: 'POST', body: '{}' }).then(
    () => true,
    () => false,
  );
}

describe('the search for an engine', () => {
  test('ends with DYNAMODB_ENDPOINT where it is set, whatever engines there are', async () => {
    const { path, calls } = engineOnPath();
    const environment = { DYNAMODB_ENDPOINT: 'http://127.0.0.1:8000', PATH: path };

    const database = await startDatabase({ environment });
    await database.close();

    expect(database.endpoint).toBe('http://127.0.0.1:8000');
    expect(calls()).toBe('');
  });

  test('takes the engine among the packages before the one on the PATH', async () => {
    const { path, calls } = engineOnPath();

    const database = await startDatabase({ environment: { PATH: path } });
    onTestFinished(() => database.close());

    expect(await answers(database.endpoint)).toBe(true);
    expect(calls()).toBe('');
  });

  test('takes the engine on the PATH where no package holds one', async () => {
    const { path, calls } = engineOnPath();
    const searchedFrom = pathToFileURL(join(aFolder(), 'elsewhere.js')).href;

    const database = await startDatabase({ environment: { PATH: path }, searchedFrom });
    onTestFinished(() => database.close());

    expect(await answers(database.endpoint)).toBe(true);
    expect(calls()).toMatch(/^--version\n--host 127\.0\.0\.1 --port \d+\n$/);
  });

  test('says what to do where nothing is found', async () => {
    const empty = aFolder();
    const searchedFrom = pathToFileURL(join(empty, 'elsewhere.js')).href;

    const starting = startDatabase({ environment: { PATH: empty }, searchedFrom });

    await expect(starting).rejects.toThrow(
      /No DynamoDB engine was found.*\n.*set DYNAMODB_ENDPOINT.*\n.*put dynoxide 1\.2\.1 on the PATH.*\n.*npm ci without --omit=optional/,
    );
  });
});

test('The engine ends with its parent, even where that is killed', async () => {
  const program = `import { startDatabase } from '${pathToFileURL(MODULE).href}';
    console.log((await startDatabase()).endpoint);
    setInterval(() => {}, 1000);`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const parent = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const endpoint = await new Promise<string>((resolve) => {
    parent.stdout.once('data', (chunk) => resolve(String(chunk).trim()));
  });
  expect(await answers(endpoint)).toBe(true);

  parent.kill('SIGKILL');

  await vi.waitFor(async () => expect(await answers(endpoint)).toBe(false), { timeout: 10_000, interval: 50 });
});
