// Data on a laptop belongs to one start at a time.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockFolder } from '../../local/folder-lock.ts';

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('refuses a folder that a living process uses, and names the process', () => {
  const folder = aFolder();
  lockFolder(folder);

  expect(() => lockFolder(folder)).toThrow(`Process ${process.pid} uses the data in ${folder}`);
});

test('gives a folder to the next start once the first has let go of it', () => {
  const folder = aFolder();
  lockFolder(folder)();

  expect(() => lockFolder(folder)).not.toThrow();
});

test.each(['999999999', 'nobody', ''])('takes over the lock that a killed process left: %j', (left) => {
  const folder = aFolder();
  writeFileSync(join(folder, 'lock'), left);

  expect(() => lockFolder(folder)).not.toThrow();
});
