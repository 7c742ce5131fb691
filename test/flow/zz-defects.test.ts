import { test } from 'vitest';
import { auditEnd, auditNow } from '/work/main/test/doubles/metering-audit.ts';
import { MeteringWorld } from '/work/main/test/doubles/metering-world.ts';
import { PLANTED_DEFECTS } from '/work/main/test/doubles/planted-defects.ts';
test('x', async () => {
  for (const [name, defect] of Object.entries(PLANTED_DEFECTS)) {
    const caught: string[] = [];
    let t = performance.now();
    for (let seed = 1; seed <= 60 && caught.length < 3; seed++) {
      const world = new MeteringWorld(seed, defect);
      const wrong = (await world.live(() => auditNow(world))) ?? (await auditEnd(world));
      if (wrong) caught.push(`${seed}: ${wrong}`);
    }
    console.log(name, Math.round(performance.now() - t), caught);
  }
}, 300000);
