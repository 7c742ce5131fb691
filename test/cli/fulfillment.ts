// Runs the command as a person does: a process of its own, with its arguments, its streams and its exit code.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Only what the command is told: a developer's own AWS profile must not reach it. */
const ENVIRONMENT = { PATH: process.env['PATH'], HOME: '/nonexistent', NODE_NO_WARNINGS: '1' };

export function startFulfillment(
  args: readonly string[],
  {
    input = '',
    isInputOpen = false,
    environment = {},
  }: {
    input?: string;
    /** Whether more input could still come, as from a pipe whose writer is slow. */
    isInputOpen?: boolean;
    environment?: Record<string, string>;
  } = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...ENVIRONMENT, ...environment } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  child.stdin.on('error', () => {});
  if (isInputOpen) child.stdin.write(input);
  else child.stdin.end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return { child, ended };
}

export function fulfillment(...call: Parameters<typeof startFulfillment>): Promise<Ended> {
  return startFulfillment(...call).ended;
}

/** A folder that goes with the test. */
export function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fulfillment-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function aFile(name: string, text: string): string {
  const path = join(aFolder(), name);
  writeFileSync(path, text);
  return path;
}
