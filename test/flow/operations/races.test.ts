// An act, its double, the sender and the closer at once, in any order of their steps.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addHours, HOUR_MS, hourOf, MINUTE_MS } from '../../../lambdas/domain/hour.ts';
import type { Act } from '../../../lambdas/domain/operations/act.ts';
import { carryOn } from '../../../lambdas/flow/operations/carry-on.ts';
import { confirm } from '../../../lambdas/flow/operations/confirm.ts';
import { release } from '../../../lambdas/flow/operations/release.ts';
import { resubmit } from '../../../lambdas/flow/operations/resubmit.ts';
import { settleDisputed } from '../../../lambdas/flow/operations/settle-disputed.ts';
import { withhold } from '../../../lambdas/flow/operations/withhold.ts';
import { LICENCE_KEY } from '../../builders.ts';
import { check, FIRST, type Mood, OperatedWorld } from './operated-world.ts';

const NAME = { hour: FIRST, licenceKey: LICENCE_KEY, dimension: 'requests' };
const RANGE = { first: FIRST, end: addHours(FIRST, 4), licenceKey: LICENCE_KEY };

interface Race {
  /** Brings the record of 300 units where the act finds it. */
  readonly arrange?: (world: OperatedWorld) => Promise<unknown>;
  readonly act: (world: OperatedWorld, by: Act) => Promise<unknown>;
}

const settled = async (world: OperatedWorld) => {
  world.foreign(FIRST, 200);
  await world.send();
};

const races: Record<string, Race> = {
  'withholding all': { act: (world, by) => withhold(world, NAME, 'all', by) },
  'withholding a part': { act: (world, by) => withhold(world, NAME, 100, by) },
  releasing: {
    arrange: (world) => world.send('refusesRecord'),
    act: (world, by) => release(world, NAME, by),
  },
  resubmitting: {
    arrange: (world) => world.send('denies'),
    act: (world, by) => resubmit(world, { range: RANGE, releaseQuarantined: true }, by),
  },
  'carrying a difference': {
    arrange: settled,
    act: (world, by) => settleDisputed(world, NAME, { kind: 'carryDifference', awsQuantity: 200 }, by),
  },
  accepting: {
    arrange: settled,
    act: (world, by) => settleDisputed(world, NAME, { kind: 'accept', awsQuantity: 200 }, by),
  },
  'carrying on': {
    arrange: async (world) => {
      await world.send('denies');
      world.nowMs += 24 * HOUR_MS;
    },
    act: async (world, by) => {
      // Its deadline passes under the sender's hands.
      await carryOn(world, NAME, by);
      return carryOn(world, NAME, { ...by, actionId: `${by.actionId}b` });
    },
  },
  confirming: {
    arrange: async (world) => {
      await world.send('losesAnswer');
      world.nowMs += HOUR_MS;
    },
    act: (world, by) => confirm(world, { range: RANGE, trail: world.awsLog() }, by),
  },
};

describe('an act that meets the sender, the closer and its own double', () => {
  test.each(Object.entries(races))('by %s leaves the books balanced, whoever is faster', async (_name, race) => {
    const moods: Mood[] = ['takes', 'losesAnswer', 'losesCall', 'denies'];
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.constantFrom(...moods), fc.boolean(), async (scheduler, mood, isLate) => {
        const world = new OperatedWorld();
        await world.report(200, 0, 'core');
        await world.report(100);
        world.nowMs += 41 * MINUTE_MS;
        await world.close();
        await race.arrange?.(world);
        if (isLate) await world.report(7, 1);
        const by = world.act();
        world.io = (_kind, _shard, apply) => scheduler.schedule(Promise.resolve()).then(apply);

        const all = Promise.all([race.act(world, by), world.send(mood), world.close(), race.act(world, by)]);
        await scheduler.waitFor(all);
        world.io = (_kind, _shard, apply) => Promise.resolve(apply());

        await check(world);
        const lines = [...world.ledger.tables.actions.keys()].filter((id) => id === by.actionId);
        expect(lines.length).toBeLessThanOrEqual(1);
        await settle(world);
        await check(world);
      }),
      { numRuns: 60 },
    );
  });
});

/** Everything that can be billed still is. */
async function settle(world: OperatedWorld): Promise<void> {
  for (const hours of [1, 1, 1]) {
    world.nowMs = Date.parse(`${addHours(hourOf(world.nowMs), hours)}:12:00Z`);
    await world.close();
    await world.send();
  }
}
