// npm run simulate -- --seeds N --from S: lives through randomised worlds of metering and checks their books.
import { parseArgs } from 'node:util';
import { auditEnd, auditNow } from './doubles/metering-audit.ts';
import { MeteringWorld } from './doubles/metering-world.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '200' }, from: { type: 'string', default: '1' } },
});
const seeds = Number(values.seeds);
const from = Number(values.from);
if (!Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(from) || from < 0) {
  console.error('--seeds is a whole number of 1 or more, --from one of 0 or more.');
  process.exit(2);
}

const startedAtMs = performance.now();
const failed: number[] = [];
for (let seed = from; seed < from + seeds; seed++) {
  const world = new MeteringWorld(seed);
  const wrong = (await world.live(() => auditNow(world))) ?? (await auditEnd(world));
  if (!wrong) continue;
  failed.push(seed);
  console.log(`world ${seed}: ${wrong}   (npm run simulate -- --seeds 1 --from ${seed})`);
}
const secondsPerSeed = Number(((performance.now() - startedAtMs) / 1_000 / seeds).toFixed(3));
console.log(JSON.stringify({ seeds, from, failed, secondsPerSeed }));
process.exitCode = failed.length > 0 ? 1 : 0;
