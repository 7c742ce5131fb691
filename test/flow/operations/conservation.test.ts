// Whatever an operator does, in whatever order, the books balance and AWS's bill is what they say.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addHours, HOUR_MS, hourOf, MINUTE_MS } from '../../../lambdas/domain/hour.ts';
import { type SealedHour, standingQuantity } from '../../../lambdas/domain/ledger.ts';
import type { Act } from '../../../lambdas/domain/operations/act.ts';
import type { LateUsage } from '../../../lambdas/domain/product.ts';
import { carryOn } from '../../../lambdas/flow/operations/carry-on.ts';
import { confirm } from '../../../lambdas/flow/operations/confirm.ts';
import { grantCredit } from '../../../lambdas/flow/operations/grant-credit.ts';
import { release } from '../../../lambdas/flow/operations/release.ts';
import { resubmit } from '../../../lambdas/flow/operations/resubmit.ts';
import { settleDisputed } from '../../../lambdas/flow/operations/settle-disputed.ts';
import { withhold } from '../../../lambdas/flow/operations/withhold.ts';
import { LICENCE_KEY } from '../../builders.ts';
import { check, FIRST, type Mood, OperatedWorld } from './operated-world.ts';

type Step = (world: OperatedWorld) => Promise<void>;

/** One of the hours that are sealed, chosen by any number. */
function chosen(world: OperatedWorld, index: number): SealedHour | undefined {
  const sealed = world.ledger.sealedHours().sort((a, b) => (a.hour < b.hour ? -1 : 1));
  return sealed[index % Math.max(1, sealed.length)];
}

/** Does an act on one of the sealed hours twice under one id: the second time changes nothing. */
function acting(index: number, act: (world: OperatedWorld, on: SealedHour, by: Act) => Promise<unknown>): Step {
  return async (world) => {
    const on = chosen(world, index);
    if (!on) return;
    const by = world.act();
    await act(world, on, by);
    const once = snapshot(world);
    await act(world, on, by);
    expect(snapshot(world)).toEqual(once);
  };
}

function snapshot({ ledger: { tables } }: OperatedWorld) {
  return structuredClone([[...tables.entries.entries()], [...tables.credits], [...tables.actions.keys()]]);
}

const index = fc.nat(40);
const moods: Mood[] = ['takes', 'losesAnswer', 'losesCall', 'refusesRecord', 'notSubscribed', 'denies'];

const everyday: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 500 }), fc.nat(6), fc.constantFrom(undefined, 'core', 'edge')).map(
    ([quantity, back, team]): Step =>
      (world) =>
        world.report(quantity, back, team),
  ),
  fc.constantFrom(20, 61, 61, 300, 1_500).map(
    (minutes): Step =>
      async (world) => {
        world.nowMs += minutes * MINUTE_MS;
      },
  ),
  fc.constant<Step>((world) => world.close()),
  fc.constantFrom(...moods).map(
    (mood): Step =>
      async (world) => {
        await world.send(mood);
      },
  ),
  fc.tuple(fc.nat(3), fc.integer({ min: 0, max: 600 })).map(
    ([back, quantity]): Step =>
      async (world) => {
        world.foreign(addHours(hourOf(world.nowMs), -back), quantity);
      },
  ),
);

/** An hour that passes with usage, whose record meets this or that at AWS. */
const anHourPasses: fc.Arbitrary<Step> = fc
  .tuple(fc.integer({ min: 1, max: 500 }), fc.constantFrom(undefined, 'core'), fc.constantFrom(...moods), fc.nat(4))
  .map(
    ([quantity, team, mood, foreign]): Step =>
      async (world) => {
        await world.report(quantity, 0, team);
        await world.report(quantity);
        if (foreign === 0) world.foreign(hourOf(world.nowMs), quantity + 7);
        world.nowMs += 71 * MINUTE_MS;
        await world.close();
        await world.send(mood);
      },
  );

const operated: fc.Arbitrary<Step> = fc.oneof(
  index.map((at) => acting(at, (world, on, by) => release(world, on, by, { withGroups: true }))),
  index.map((at) => acting(at, (world, on, by) => carryOn(world, on, by))),
  fc.tuple(index, fc.boolean()).map(([at, carries]) =>
    acting(at, (world, on, by) => {
      const awsQuantity = world.billedOf(on) ?? 0;
      return settleDisputed(world, on, { kind: carries ? 'carryDifference' : 'accept', awsQuantity }, by);
    }),
  ),
  fc
    .tuple(index, fc.oneof(fc.constant<'all'>('all'), fc.integer({ min: 1, max: 300 })))
    .map(([at, quantity]) => acting(at, (world, on, by) => withhold(world, on, quantity, by))),
  fc
    .tuple(index, fc.integer({ min: 1, max: 300 }))
    .map(([at, quantity]) => acting(at, (world, on, by) => grantCredit(world, on, quantity, by))),
  fc.tuple(index, fc.boolean()).map(([at, releaseQuarantined]) =>
    acting(at, async (world, on, by) => {
      const range = { first: on.hour, end: addHours(on.hour, 3), licenceKey: LICENCE_KEY };
      expect(await resubmit(world, { range, releaseQuarantined }, by)).toMatchObject({ kind: 'done' });
    }),
  ),
  index.map((at) =>
    acting(at, async (world, _on, by) => {
      const range = { first: FIRST, end: addHours(hourOf(world.nowMs), 1), licenceKey: LICENCE_KEY };
      const window = { from: Date.parse(`${FIRST}:00:00Z`), to: world.nowMs };
      expect(await confirm(world, { range, trail: world.awsLog(), window }, by)).toMatchObject({ kind: 'done' });
    }),
  ),
);

/** Lets AWS's log decide what is left open, and everything be sent that still can be. */
async function settleAll(world: OperatedWorld): Promise<void> {
  await world.close();
  await world.send();
  world.nowMs += 25 * HOUR_MS;
  await world.close();
  await world.send();
  const range = { first: FIRST, end: addHours(hourOf(world.nowMs), 1), licenceKey: LICENCE_KEY };
  const window = { from: Date.parse(`${FIRST}:00:00Z`), to: world.nowMs };
  await confirm(world, { range, trail: world.awsLog(), window }, world.act());
}

describe('what an operator does', () => {
  test('leaves the books balanced after each step, done twice as done once, and the bill as the books say', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            { weight: 2, arbitrary: everyday },
            { weight: 2, arbitrary: anHourPasses },
            { weight: 4, arbitrary: operated },
          ),
          { minLength: 10, maxLength: 60, size: 'max' },
        ),
        fc.constantFrom<LateUsage>('carry', 'hold'),
        async (steps, lateUsage) => {
          const world = new OperatedWorld({ lateUsage });
          for (const step of steps) {
            await step(world);
            await check(world);
          }
          await settleAll(world);
          await check(world);
          const sealed = world.ledger.sealedHours();
          for (const each of sealed.filter(({ status }) => status === 'honoured' || status === 'presumed')) {
            const over = (world.billedOf(each) ?? 0) - standingQuantity(each);
            // What AWS bills beyond ours was another's doing, and was accepted.
            expect(over === 0 || (over > 0 && each.reason === 'accepted')).toBe(true);
          }
          for (const { status, attempts } of sealed) expect(status === 'uncertain' && attempts).toBeFalsy();
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);
});
