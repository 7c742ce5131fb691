// Real traffic through the public interfaces, with the process killed again and again.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Kill, replayWithKills } from '../../local/replay-kills.ts';
import type { ReplaySummary } from '../../local/replay-result.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const TRAFFIC = join(ROOT, 'bench/data/web-requests.csv');

/** The first hours of the log: enough for several full calls an hour, short enough to be killed over and over. */
const ROWS = 700;
/** A hundred on demand: `npm run replay -- --kills 100`. */
const KILLS = 5;

const folder = mkdtempSync(join(tmpdir(), 'replay-kill-'));
const file = join(folder, 'traffic.csv');
const rows = readFileSync(TRAFFIC, 'utf8')
  .split('\n')
  .slice(1, ROWS + 1);
writeFileSync(file, ['request,time,client,bytes', ...rows].join('\n'));
/** Added up here once more: the replay's own idea of the truth is not to be taken for it. */
const truth = {
  requests: rows.length,
  kib_sent: rows.reduce((sum, row) => sum + Math.ceil(Number(row.split(',')[3]) / 1_024), 0),
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function startReplay(world: string, isKept: boolean): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', join(ROOT, 'local/replay.ts'), file, '--folder', world];
  return spawn(process.execPath, isKept ? [...args, '--keep'] : args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finished(child: ChildProcess): Promise<ReplaySummary> {
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
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as ReplaySummary;
}

describe('a replay of real traffic', () => {
  test('bills exactly the traffic in the fewest calls, and nothing more when it is repeated', async () => {
    const world = join(folder, 'calm');

    const first = await finished(startReplay(world, false));
    const again = await finished(startReplay(world, true));

    expect(first).toMatchObject({ billed: truth, balanced: true, differences: 0 });
    expect(first.calls).toBe(first.optimalCalls);
    expect(again).toEqual(first);
  });

  test('bills exactly the traffic of every customer, dimension and hour after kills at random moments', async () => {
    const kills: Kill[] = [];
    const seed = randomInt(1_000_000);

    const result = await replayWithKills({ file, folder, kills: KILLS, seed, onKill: (kill) => void kills.push(kill) });

    const billed = { requests: truth.requests * result.replays, kib_sent: truth.kib_sent * result.replays };
    const said = { ...result, moments: kills };
    expect(said).toMatchObject({ kills: KILLS, billed, truth: billed, balanced: true, differences: 0 });
    // A kill may cost the calls that were in flight (three at most here, an hour's) and a batch that is cut anew.
    expect(result.calls).toBeLessThanOrEqual(result.optimalCalls + KILLS * 4);
  });
});
