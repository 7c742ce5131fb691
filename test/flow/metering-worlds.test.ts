// Randomised worlds: the rules of money hold in all of them, and the check can fail.
import { expect, test } from 'vitest';
import { auditEnd, auditNow } from '../doubles/metering-audit.ts';
import { type Defect, MeteringWorld } from '../doubles/metering-world.ts';

async function violation(seed: number, defect?: Defect): Promise<string | undefined> {
  const world = new MeteringWorld(seed, defect);
  const wrong = await world.live(() => auditNow(world));
  return wrong ?? auditEnd(world);
}

test('bills every accepted unit once, or says where it stands and why, in any world', async () => {
  const violations: string[] = [];
  const start = performance.now();
  for (let seed = Number(process.env['SEED'] ?? 1); seed <= Number(process.env['SEEDS'] ?? 20); seed++) {
    const wrong = await violation(seed);
    if (wrong) violations.push(`world ${seed}: ${wrong}`);
  }
  console.log(performance.now() - start);
  expect(violations).toEqual([]);
});
