// Randomised worlds: the rules of money hold in all of them, and the check can fail. `npm run simulate` lives through
// thousands of them (docs/proof.md); these are a few, and each planted defect in a world that is known to show it.
import { describe, expect, test } from 'vitest';
import { commandOf, liveThrough, shrink } from '../simulation/live.ts';
import { drawPlan, KINDS, type Recipe } from '../simulation/plan.ts';
import { PLANTED_DEFECTS } from '../simulation/planted-defects.ts';

const SEEDS = 60;

const SMALL: Recipe = { seed: 1, hours: 9, customers: 1 };
const { firstSeed: _first, ...STAMPED } = PLANTED_DEFECTS['records are stamped with the time of the call'] ?? {
  firstSeed: 1,
};

describe('metering in randomised worlds', () => {
  test('bills every accepted unit once, or says where it stands and why, in any of them', async () => {
    const violations: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const wrong = await liveThrough({ seed });
      if (wrong) violations.push(`${commandOf({ seed })}: ${wrong}`);
    }

    expect(violations).toEqual([]);
  }, 600_000);

  // First in the world that is known to show it. Which one that is moves with the order of steps in the flow.
  test.each(Object.entries(PLANTED_DEFECTS))(
    'is found wrong where %s',
    async (_defect, { firstSeed, ...defect }) => {
      let wrong = await liveThrough({ seed: firstSeed }, defect);
      for (let seed = 1; !wrong && seed <= 400; seed++) wrong = await liveThrough({ seed }, defect);

      expect(wrong).toBeDefined();
    },
    300_000,
  );

  test('lives the same way again from the same seed, to the word', async () => {
    const wrong = await liveThrough(SMALL, STAMPED);

    expect(wrong).toBeDefined();
    expect(await liveThrough(SMALL, STAMPED)).toBe(wrong);
  });

  test('is told as the smallest world that still fails, by a recipe that fails again', async () => {
    const wrong = (await liveThrough(SMALL, STAMPED)) ?? '';

    const smallest = await shrink(SMALL, wrong, STAMPED, { tries: 100, ms: 60_000 });

    const count = (recipe: Recipe) => drawPlan(recipe).happenings.length + drawPlan(recipe).troubles.length;
    expect(count(smallest.recipe)).toBeLessThan(count(SMALL) / 2);
    expect(await liveThrough(smallest.recipe, STAMPED)).toBe(smallest.wrong);
  }, 120_000);

  test('draws each kind of happening on its own: leaving one out leaves the customers as they were', () => {
    const whole = drawPlan({ seed: 8 });
    for (const kind of KINDS.filter((each) => each !== 'monthEnd')) {
      const without = drawPlan({ seed: 8, without: [kind] });

      expect(without.customers.map(({ licence }) => licence.licenceKey)).toEqual(
        whole.customers.map(({ licence }) => licence.licenceKey),
      );
    }
  });
});
