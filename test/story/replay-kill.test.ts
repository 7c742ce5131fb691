// Real traffic through the public interfaces, with the process killed again and again.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const TRAFFIC = join(ROOT, 'bench/data/web-requests.csv');

/** The first hours of the log: enough for several full calls an hour, short enough to be killed ten times over. */
const ROWS = 700;
const KILLS = 10;

const folder = mkdtempSync(join(tmpdir(), 'replay-kill-'));
const file = join(folder, 'traffic.csv');
const rows = readFileSync(TRAFFIC, 'utf8')
  .split('\n')
  .slice(1, ROWS + 1);
writeFileSync(file, ['request,time,client,bytes', ...rows].join('\n'));
const truth = {
  requests: rows.length,
  kib_sent: rows.reduce((sum, row) => sum + Math.ceil(Number(row.split(',')[3]) / 1_024), 0),
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Summary {
  readonly billed: object;
  readonly records: number;
  readonly calls: number;
  readonly optimalCalls: number;
  readonly balanced: boolean;
}

function startReplay(world: string, isKept: boolean): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', join(ROOT, 'local/replay.ts'), file, '--folder', world];
  return spawn(process.execPath, isKept ? [...args, '--keep'] : args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finished(child: ChildProcess): Promise<Summary> {
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await new Promise((done) => child.once('close', done));
  if (code !== 0) throw new Error(`The replay ended with ${code}: ${errors}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Summary;
}

describe('a replay of real traffic', () => {
  test('bills exactly the traffic in the fewest calls, and nothing more when it is repeated', async () => {
    const world = join(folder, 'calm');

    const first = await finished(startReplay(world, false));
    const again = await finished(startReplay(world, true));

    expect(first).toMatchObject({ billed: truth, balanced: true });
    expect(first.calls).toBe(first.optimalCalls);
    expect(again).toEqual(first);
  });

  test('bills exactly the traffic after ten kills at random moments', async () => {
    const world = join(folder, 'killed');
    const moments: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startReplay(world, kill > 0);
      const ended = new Promise((done) => child.once('exit', done));
      // Most moments fall into the work, some into the start and the very end.
      const afterMs = 300 + Math.random() * 2_200;
      moments.push(Math.round(afterMs));
      await Promise.race([delay(afterMs), ended]);
      child.kill('SIGKILL');
      await ended;
    }

    const result = await finished(startReplay(world, true));

    expect({ ...result, moments }).toMatchObject({ billed: truth, balanced: true });
    // A kill may cost the calls that were in flight (three at most here, an hour's) and a batch that is cut anew.
    expect(result.calls).toBeLessThanOrEqual(result.optimalCalls + KILLS * 4);
  });
});
