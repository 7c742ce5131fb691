// npm run bench: sizes, ratios and counts. Prints tables and writes them as JSON; never part of the tests.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchBundles } from './bundles.ts';
import { benchClose } from './close.ts';
import { benchWrites } from './writes.ts';

const RESULTS = 'bench/results';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '60000' },
    only: { type: 'string' },
  },
});
const events = Number(values.events);
if (!Number.isSafeInteger(events) || events < 1_000) {
  console.error('--events is a whole number of 1,000 or more.');
  process.exit(2);
}

const benches: Readonly<Record<string, () => Promise<readonly object[]>>> = {
  bundles: benchBundles,
  close: async () => [await benchClose(events)],
  writes: benchWrites,
  replay: async () => [await benchReplay()],
};
const wanted = values.only === undefined ? Object.keys(benches) : [values.only];
const results: Record<string, readonly object[]> = {};
for (const name of wanted) {
  const bench = benches[name];
  if (!bench) {
    console.error(`There is no bench ${name}; there are ${Object.keys(benches).join(', ')}.`);
    process.exit(2);
  }
  console.log(`\n${name}`);
  const rows = await bench();
  results[name] = rows;
  console.table(rows.map(rounded));
}
mkdirSync(RESULTS, { recursive: true });
writeFileSync(`${RESULTS}/latest.json`, `${JSON.stringify(results, null, 2)}\n`);
console.log(`\nWritten to ${RESULTS}/latest.json`);

/** The replay as a person would start it; its ratio is to the engine's bare writes, measured in the same run. */
async function benchReplay(): Promise<object> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'local/replay.ts'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  const ratio = /ratio ([\d.]+)/.exec(output)?.[1];
  const summary = JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as { calls: number; optimalCalls: number };
  return { ratioToFloor: Number(ratio), calls: summary.calls, optimalCalls: summary.optimalCalls };
}

function rounded(row: object): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' ? Math.round(value * 100) / 100 : value,
    ]),
  );
}
