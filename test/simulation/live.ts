// One seed, from its recipe to its verdict; and the smallest recipe that still fails.
import { auditEnd, auditNow } from './metering-audit.ts';
import { type Defect, MeteringWorld } from './metering-world.ts';
import { drawPlan, type Happening, KINDS, type Recipe } from './plan.ts';

/** What is wrong with a world, in words; undefined where all is well. */
export async function liveThrough(recipe: Recipe, defect?: Defect): Promise<string | undefined> {
  const world = new MeteringWorld(drawPlan(recipe), defect);
  return (await world.live(() => auditNow(world))) ?? auditEnd(world);
}

const LIVES = [1, 2, 3, 4, 6, 9, 12, 18, 24, 36] as const;
/** A happening that is left out costs a life; so many are tried. */
const TRIES = 250;

/** What AWS tells of licences: the check takes it to be told. Kinds as a whole leave it out. */
const NEEDED: ReadonlySet<Happening['kind']> = new Set(['start', 'notice', 'deprovision', 'renewal']);

export interface Shrunk {
  readonly recipe: Recipe;
  readonly wrong: string;
  readonly tries: number;
}

/** Leaves out what it can while the world still fails: kinds, customers, hours, then single happenings. */
export async function shrink(
  failing: Recipe,
  wrong: string,
  defect?: Defect,
  budget: { readonly tries: number; readonly ms: number } = { tries: TRIES, ms: 60_000 },
): Promise<Shrunk> {
  const untilMs = performance.now() + budget.ms;
  let best = { recipe: failing, wrong, tries: 0 };
  const attempt = async (recipe: Recipe): Promise<boolean> => {
    if (best.tries >= budget.tries || performance.now() > untilMs) return false;
    const found = await liveThrough(recipe, defect);
    best = { ...best, tries: best.tries + 1 };
    if (found === undefined || kindOf(found) !== kindOf(wrong)) return false;
    best = { recipe, wrong: found, tries: best.tries };
    return true;
  };
  const without = (...names: readonly string[]): Recipe => ({
    ...best.recipe,
    without: [...new Set([...(best.recipe.without ?? []), ...names])].sort(),
  });
  for (const kind of KINDS) await attempt(without(kind));
  const { customers } = drawPlan(failing);
  for (let count = 1; count < customers.length; count++) if (await attempt({ ...best.recipe, customers: count })) break;
  const { startMs, endMs } = drawPlan(best.recipe);
  for (const hours of LIVES) {
    if (hours * 3_600_000 < endMs - startMs && (await attempt({ ...best.recipe, hours }))) break;
  }
  // Ever smaller parts of what is left, as long as leaving them out changes nothing.
  const left = drawPlan(best.recipe);
  let ids = [...left.troubles, ...left.happenings.filter(({ kind }) => !NEEDED.has(kind))].map(({ id }) => id);
  for (let size = Math.ceil(ids.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < ids.length; ) {
      const part = ids.slice(from, from + size);
      if (await attempt(without(...part))) ids = ids.filter((id) => !part.includes(id));
      else from += size;
    }
  }
  return best;
}

/** What kind of wrong it is, without the amounts, times and names: a smaller world has to fail in the same way. */
function kindOf(wrong: string): string {
  return (wrong.split(':')[0] ?? '').replace(/[\d.TZ-]+/g, '#').slice(0, 40);
}

/** The command that lives through a world again. */
export function commandOf({ seed, without = [], hours, customers }: Recipe): string {
  return [
    `npm run simulate -- --seed ${seed}`,
    ...(without.length === 0 ? [] : [`--without ${without.join(',')}`]),
    ...(hours === undefined ? [] : [`--hours ${hours}`]),
    ...(customers === undefined ? [] : [`--customers ${customers}`]),
  ].join(' ');
}
