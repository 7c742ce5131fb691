// A replay of traffic whose process is killed again and again, at moments that a seed decides.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ReplaySummary, Units } from './replay-result.ts';

interface KillOptions {
  /** The traffic. */
  readonly file: string;
  /** Where each replay gets a folder of its own. */
  readonly folder: string;
  readonly kills: number;
  /** Draws the same moments again; what a process is doing then is up to the machine. */
  readonly seed: number;
  readonly onKill?: (kill: Kill) => void;
  readonly onReplay?: (summary: ReplaySummary) => void;
}

export interface Kill {
  /** From 1. */
  readonly number: number;
  readonly replay: number;
  readonly moment: Moment;
  /** What the process said last. */
  readonly step: ReplayStep;
}

interface Moment {
  /** Since the process was started, or since it began to work. */
  readonly since: 'start' | 'work';
  readonly ms: number;
}

/** What a replay tells the process that started it, step by step. */
export interface ReplayStep {
  readonly doing: 'starting' | 'registering' | 'reporting' | 'closing' | 'sending' | 'checking';
  readonly hour?: string;
}

interface KillResult {
  readonly seed: number;
  readonly kills: number;
  readonly replays: number;
  readonly truth: Units;
  readonly billed: Units;
  readonly calls: number;
  readonly optimalCalls: number;
  readonly balanced: boolean;
  readonly differences: number;
}

const REPLAY = join(import.meta.dirname, 'replay.ts');

/** A fifth falls into the start, before there is any work to interrupt; it takes about as long. */
const SHARE_IN_START = 0.2;
const LONGEST_START_MS = 800;
/** Work of a few hours of traffic, so that many kills come upon one replay. */
const LONGEST_WORK_MS = 3_000;

/**
 * Replays the traffic, with SIGKILL for the whole stack at random moments, and goes on with what the killed process
 * left. A replay that finishes before all kills are done is followed by another in a new folder; the last one
 * finishes undisturbed. Throws where a replay ends by a fault of its own.
 */
export async function replayWithKills(options: KillOptions): Promise<KillResult> {
  const finished: ReplaySummary[] = [];
  let kills = 0;
  let draws = 0;
  const random = () => randomAt(options.seed, draws++);
  do {
    const replay = finished.length + 1;
    const world = join(options.folder, `replay-${replay}`);
    for (let isKept = false; finished.length < replay; isKept = true) {
      const moment = kills < options.kills ? drawMoment(random) : undefined;
      const end = await runReplay({ file: options.file, world, isKept, moment });
      if ('doing' in end) {
        kills += 1;
        if (moment) options.onKill?.({ number: kills, replay, moment, step: end });
      } else {
        finished.push(end);
        options.onReplay?.(end);
      }
    }
  } while (kills < options.kills);
  return {
    seed: options.seed,
    kills,
    replays: finished.length,
    truth: summed(finished.map(({ truth }) => truth)),
    billed: summed(finished.map(({ billed }) => billed)),
    calls: finished.reduce((sum, { calls }) => sum + calls, 0),
    optimalCalls: finished.reduce((sum, { optimalCalls }) => sum + optimalCalls, 0),
    balanced: finished.every(({ balanced }) => balanced),
    differences: finished.reduce((sum, { differences }) => sum + differences, 0),
  };
}

/** The same number in [0, 1) for the same seed and index, on every machine. */
function randomAt(seed: number, index: number): number {
  return createHash('sha256').update(`${seed} ${index}`).digest().readUInt32BE() / 2 ** 32;
}

function drawMoment(random: () => number): Moment {
  const since = random() < SHARE_IN_START ? 'start' : 'work';
  return { since, ms: Math.floor(random() * (since === 'start' ? LONGEST_START_MS : LONGEST_WORK_MS)) };
}

/** Runs one process of a replay to its end, its summary, or to the moment of its kill, the step it was at. */
function runReplay({
  file,
  world,
  isKept,
  moment,
}: {
  file: string;
  world: string;
  isKept: boolean;
  moment: Moment | undefined;
}): Promise<ReplaySummary | ReplayStep> {
  const args = [
    '--disable-warning=ExperimentalWarning',
    REPLAY,
    file,
    '--folder',
    world,
    ...(isKept ? ['--keep'] : []),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let step: ReplayStep = { doing: 'starting' };
  let [output, errors] = ['', ''];
  let timer: NodeJS.Timeout | undefined;
  const killAt = (since: Moment['since']) => {
    if (moment?.since === since) timer ??= setTimeout(() => child.kill('SIGKILL'), moment.ms);
  };
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  child.on('message', (told: ReplayStep) => {
    step = told;
    killAt('work');
  });
  killAt('start');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL' && moment) return resolve(step);
      const summary = summaryIn(output);
      if (summary) resolve(summary);
      else reject(new Error(`The replay in ${world} ended with ${code ?? signal}: ${errors.slice(-4_000)}`));
    });
  });
}

/** The last line of a replay that came to its end. */
function summaryIn(output: string): ReplaySummary | undefined {
  const last = output.trim().split('\n').at(-1) ?? '';
  return last.startsWith('{"truth":') ? (JSON.parse(last) as ReplaySummary) : undefined;
}

function summed(all: readonly Units[]): Units {
  const sum: Record<string, number> = {};
  for (const units of all) {
    for (const [dimension, quantity] of Object.entries(units)) sum[dimension] = (sum[dimension] ?? 0) + quantity;
  }
  return sum;
}
