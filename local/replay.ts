// npm run replay -- [FILE] [--keep] [--folder F] [--kills N] [--seed S]: meters real traffic through the public
// interfaces, and checks the bill; with --kills, kills itself that many times on the way.
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Kill, replayWithKills } from './replay-kills.ts';
import { replayOnce } from './replay-run.ts';

const { values, positionals } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    folder: { type: 'string', default: '.local/replay' },
    kills: { type: 'string' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
  },
  allowPositionals: true,
});
const file = positionals[0] ?? 'bench/data/web-requests.csv';

const isTrue =
  values.kills === undefined
    ? await replayOnce({ file, folder: values.folder, isKept: values.keep })
    : await killed(wholeNumber('--kills', values.kills), wholeNumber('--seed', values.seed));
if (!isTrue) process.exitCode = 1;

async function killed(kills: number, seed: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'replay-kills-'));
  console.log(`${kills} kills at random moments, seed ${seed}`);
  const startedAtMs = performance.now();
  const result = await replayWithKills({
    file,
    folder,
    kills,
    seed,
    onKill: (kill) => console.log(lineOf(kill)),
    onReplay: (summary) => console.log(`a replay has finished: ${JSON.stringify(summary)}`),
  });
  const { balanced, differences } = result;
  const isExact = balanced && differences === 0;
  console.log(`
kills            ${result.kills}, replays ${result.replays}, in ${((performance.now() - startedAtMs) / 1_000).toFixed(0)} s, seed ${seed}
units of truth   ${JSON.stringify(result.truth)}
units billed     ${JSON.stringify(result.billed)}
calls            ${result.calls}; the fewest possible are ${result.optimalCalls}
books            ${balanced ? 'balanced' : 'NOT balanced'}
bill = truth     ${differences === 0 ? 'for every customer, dimension and hour' : `NO: ${differences} totals differ`}
`);
  // Kept for looking where something is wrong.
  if (isExact) rmSync(folder, { recursive: true, force: true });
  else console.log(`The worlds are in ${folder}`);
  return isExact;
}

function lineOf({ number, replay, moment, step }: Kill): string {
  const where = step.hour === undefined ? step.doing : `${step.doing}, ${step.hour}:00Z`;
  return `kill ${String(number).padStart(3)}  replay ${replay}  ${String(moment.ms).padStart(4)} ms into the ${moment.since}: ${where}`;
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${option} takes a whole number; it was '${text}'.`);
  return number;
}
