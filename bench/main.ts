// npm run bench: sizes, counts, ratios and costs. Prints tables and writes them as JSON; never part of the tests.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchBundles } from './bundles.ts';
import { benchCalls } from './calls.ts';
import { benchClose } from './close.ts';
import { benchCost } from './cost.ts';
import { benchIntake } from './intake.ts';
import { benchReads } from './reads.ts';
import { benchScale } from './scale.ts';
import { benchSender } from './sender.ts';
import { benchWrites } from './writes.ts';

const RESULTS = 'bench/results';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    /** close: how full the hour is. */
    events: { type: 'string', default: '1000000' },
    customers: { type: 'string', default: '10000' },
    /** reads: how many sealed hours the ledger holds, and of how many customers. */
    rows: { type: 'string', default: '1000000' },
    buyers: { type: 'string', default: '1000' },
    /** close: what the events are imported from stays in the temporary folder for the next run. */
    keep: { type: 'boolean', default: false },
    /** close, intake: how often each thing is timed; with 0, close measures memory alone. */
    rounds: { type: 'string', default: '5' },
    /** sender: how many records are open. */
    records: { type: 'string', default: '30000' },
  },
});
const events = wholeNumber('events', 1_000);
const customers = wholeNumber('customers', 1);
const rounds = wholeNumber('rounds', 0);
const openRecords = wholeNumber('records', 25);
const rows = wholeNumber('rows', 1_000);
const buyers = wholeNumber('buyers', 1);

const benches: Readonly<Record<string, () => Promise<readonly object[]>>> = {
  bundles: benchBundles,
  close: async () => [await benchClose({ events, customers, rounds, keep: values.keep })],
  writes: benchWrites,
  calls: benchCalls,
  cost: benchCost,
  intake: () => benchIntake(rounds),
  reads: () => benchReads({ rows, customers: buyers, rounds, keep: values.keep }),
  scale: async () => benchScale(),
  sender: async () => [await benchSender(openRecords)],
  replay: async () => [await benchReplay()],
};
const wanted = values.only === undefined ? Object.keys(benches) : [values.only];
mkdirSync(RESULTS, { recursive: true });
for (const name of wanted) {
  const bench = benches[name];
  if (!bench) {
    console.error(`There is no bench ${name}; there are ${Object.keys(benches).join(', ')}.`);
    process.exit(2);
  }
  console.log(`\n${name}`);
  const rows = await bench();
  console.table(rows.map(rounded));
  writeFileSync(`${RESULTS}/${name}.json`, `${JSON.stringify(rows, null, 2)}\n`);
}
console.log(`\nWritten to ${RESULTS}`);

function wholeNumber(name: 'events' | 'customers' | 'rounds' | 'records' | 'rows' | 'buyers', least: number): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`--${name} is a whole number of ${least} or more.`);
  process.exit(2);
}

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
      typeof value === 'number' ? Number(value.toFixed(Math.abs(value) < 1 ? 5 : 2)) : value,
    ]),
  );
}
