// Randomised worlds: the rules of money hold in all of them, and the check can fail.
// SEEDS=500 walks through more of them; a world that fails is named by its seed and lives the same way again.
import { describe, expect, test } from 'vitest';
import { auditEnd, auditNow } from '../doubles/metering-audit.ts';
import { type Defect, MeteringWorld } from '../doubles/metering-world.ts';
import { PLANTED_DEFECTS } from '../doubles/planted-defects.ts';

async function violationOf(seed: number, defect?: Defect): Promise<string | undefined> {
  const world = new MeteringWorld(seed, defect);
  const wrong = await world.live(() => auditNow(world));
  return wrong ?? auditEnd(world);
}

const SEEDS = Number(process.env['SEEDS'] ?? 24);

describe('metering in randomised worlds', () => {
  test('bills every accepted unit once, or says where it stands and why, in any of them', async () => {
    const violations: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const wrong = await violationOf(seed);
      if (wrong) violations.push(`world ${seed}: ${wrong}`);
    }

    expect(violations).toEqual([]);
  }, 600_000);

  test.each(Object.entries(PLANTED_DEFECTS))(
    'is found wrong where %s',
    async (_defect, { firstSeed, ...defect }) => {
      let wrong: string | undefined;
      for (let seed = firstSeed; seed < firstSeed + 12 && !wrong; seed++) wrong = await violationOf(seed, defect);

      expect(wrong).toBeDefined();
    },
    60_000,
  );
});
