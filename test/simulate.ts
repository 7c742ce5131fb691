// npm run simulate: lives through randomised worlds of metering and checks their books (docs/proof.md).
//   --seeds N --from S [--workers W]                               many worlds
//   --seed S [--without a,b] [--hours H] [--customers C]           one world, as a failure names it
//   --defects [--seeds N] [--share N] [--defect TEXT]      worlds with a planted defect: each has to fail
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { commandOf, liveThrough, shrink } from './simulation/live.ts';
import type { Recipe } from './simulation/plan.ts';
import { PLANTED_DEFECTS } from './simulation/planted-defects.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
    seed: { type: 'string' },
    without: { type: 'string' },
    hours: { type: 'string' },
    customers: { type: 'string' },
    defects: { type: 'boolean', default: false },
    defect: { type: 'string' },
    share: { type: 'string' },
  },
});

function wholeOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`--${name} is a whole number of ${least} or more.`);
  process.exit(2);
}

interface Outcome {
  readonly failed: number[];
  readonly seconds: number;
}

const recipeOf = (seed: number): Recipe => ({
  seed,
  ...(values.without === undefined ? {} : { without: values.without.split(',') }),
  ...(values.hours === undefined ? {} : { hours: wholeOf('hours', values.hours, 1) }),
  ...(values.customers === undefined ? {} : { customers: wholeOf('customers', values.customers, 1) }),
});

/** How many failing worlds are shrunk: each costs many lives. */
const SHRUNK_AT_MOST = 3;

async function liveThroughAll(seeds: number, from: number): Promise<Outcome> {
  const startedAtMs = performance.now();
  const failed: number[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const recipe = recipeOf(seed);
    const wrong = await liveThrough(recipe);
    if (!wrong) continue;
    failed.push(seed);
    console.log(`world ${seed}: ${wrong}\n  again: ${commandOf(recipe)}`);
    if (failed.length > SHRUNK_AT_MOST || values.without) continue;
    const smallest = await shrink(recipe, wrong);
    console.log(`  smallest after ${smallest.tries} tries: ${smallest.wrong}\n  again: ${commandOf(smallest.recipe)}`);
  }
  return { failed, seconds: (performance.now() - startedAtMs) / 1_000 };
}

/** Worlds in processes of their own: each takes a span of the seeds, and says what it found in its last line. */
async function liveInProcesses(seeds: number, from: number, workers: number): Promise<Outcome> {
  const startedAtMs = performance.now();
  const share = Math.ceil(seeds / workers);
  const spans = Array.from({ length: workers }, (_, index) => ({
    from: from + index * share,
    seeds: Math.min(share, seeds - index * share),
  })).filter((span) => span.seeds > 0);
  const failed = await Promise.all(spans.map((span) => liveInProcess(span.seeds, span.from)));
  return { failed: failed.flat(), seconds: (performance.now() - startedAtMs) / 1_000 };
}

function liveInProcess(seeds: number, from: number): Promise<number[]> {
  const script = process.argv[1] ?? '';
  const options = ['--seeds', `${seeds}`, '--from', `${from}`];
  for (const name of ['without', 'hours', 'customers'] as const) {
    if (values[name] !== undefined) options.push(`--${name}`, values[name]);
  }
  const child = spawn(process.execPath, [...process.execArgv, script, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  let last = '';
  // What a process found is told as it finds it; its last line is for us.
  lines.on('line', (line) => {
    if (last !== '') console.log(last);
    last = line;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      if (code !== 0 && code !== 1) return reject(new Error(`The worlds from ${from} on ended with code ${code}.`));
      resolve((JSON.parse(last) as { failed: number[] }).failed);
    });
  });
}

/** Lives through worlds with each defect until one of them fails, or through all of a number of them. */
async function liveWithDefects(seeds: number, from: number, share: number): Promise<boolean> {
  const uncaught: string[] = [];
  const chosen = Object.entries(PLANTED_DEFECTS).filter(([name]) => name.includes(values.defect ?? ''));
  for (const [name, { firstSeed, ...defect }] of chosen) {
    let [first, caught] = [0, 0];
    let said = '';
    for (let seed = from; seed < from + seeds && (first === 0 || seed < from + share); seed++) {
      const wrong = await liveThrough(recipeOf(seed), defect);
      if (!wrong) continue;
      caught += seed < from + share ? 1 : 0;
      first ||= seed;
      said ||= wrong;
    }
    if (first === 0) uncaught.push(name);
    const later = first > firstSeed ? `, known to show at ${firstSeed}` : '';
    const part = share > 0 ? `, ${caught} of the first ${share}` : '';
    console.log(
      first === 0 ? `NOT CAUGHT in ${seeds} worlds: ${name}` : `world ${first}${later}${part}: ${name}\n    ${said}`,
    );
  }
  console.log(JSON.stringify({ defects: chosen.length, uncaught }));
  return uncaught.length === 0;
}

const from = wholeOf('from', values.seed ?? values.from, 0);
if (values.defects) {
  const share = wholeOf('share', values.share ?? '0', 0);
  const isCaught = await liveWithDefects(wholeOf('seeds', values.seeds ?? '2000', 1), from, share);
  process.exitCode = isCaught ? 0 : 1;
} else {
  const seeds = values.seed === undefined ? wholeOf('seeds', values.seeds ?? '200', 1) : 1;
  const workers = Math.min(wholeOf('workers', values.workers, 1), seeds);
  const { failed, seconds } =
    workers === 1 ? await liveThroughAll(seeds, from) : await liveInProcesses(seeds, from, workers);
  const secondsPerSeed = Number(((seconds * workers) / seeds).toFixed(3));
  console.log(JSON.stringify({ seeds, from, failed, workers, secondsPerSeed }));
  process.exitCode = failed.length > 0 ? 1 : 0;
}
