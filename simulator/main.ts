// The simulator as a program: node simulator/main.ts --port 4566 --data world.db --seed demo
import { parseArgs } from 'node:util';
import type { ClockSetting } from './clock.ts';
import { startSimulator } from './simulator.ts';

const USAGE = `Usage: node simulator/main.ts [options]
  --port <number>             port on 127.0.0.1; any free one where absent
  --data <file>               SQLite file of the world; in memory where absent
  --secret <text>             control secret; random where absent
  --clock real                the wall's time (default)
  --clock <instant>           stands still at the instant, such as 2026-09-21T14:00:00Z, until it is advanced
  --clock <instant> --rate n  runs n times as fast as the wall, from the instant
  --region <name>             region of unsigned calls; us-east-1 where absent
  --fulfillment-url <url>     where buyers are sent
  --seed demo|none            what an empty world begins with; demo where absent`;

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    data: { type: 'string' },
    secret: { type: 'string' },
    clock: { type: 'string', default: 'real' },
    rate: { type: 'string' },
    region: { type: 'string' },
    'fulfillment-url': { type: 'string' },
    seed: { type: 'string', default: 'demo' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const simulator = await startSimulator({
  seed: values.seed === 'none' ? 'none' : 'demo',
  clock: clockOf(values.clock, values.rate),
  ...(values.port !== undefined && { port: Number(values.port) }),
  ...(values.data !== undefined && { dataPath: values.data }),
  ...(values.secret !== undefined && { controlSecret: values.secret }),
  ...(values.region !== undefined && { region: values.region }),
  ...(values['fulfillment-url'] !== undefined && { fulfillmentUrl: values['fulfillment-url'] }),
}).catch((error: unknown) => {
  // A taken port, a file that is no world, a clock that makes no sense: a sentence says more than a stack.
  console.error(`The simulator can not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});

console.log(`AWS endpoint    ${simulator.url}`);
console.log(`Marketplace     ${simulator.url}/?secret=${encodeURIComponent(simulator.controlSecret)}`);
console.log(`Control secret  ${simulator.controlSecret}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void simulator.close().then(() => process.exit(0)));
}

function clockOf(clock: string, rate: string | undefined): ClockSetting {
  if (clock === 'real') return { mode: 'real' };
  return rate === undefined ? { mode: 'set', at: clock } : { mode: 'accelerated', at: clock, rate: Number(rate) };
}
