// What an operator does about records that need a person, on the real engine against the simulated AWS.
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { parseCloudTrail } from '../../lambdas/contracts/cloudtrail.ts';
import { carryOn } from '../../lambdas/flow/operations/carry-on.ts';
import { confirm } from '../../lambdas/flow/operations/confirm.ts';
import { explain } from '../../lambdas/flow/operations/explain.ts';
import { grantCredit } from '../../lambdas/flow/operations/grant-credit.ts';
import { release } from '../../lambdas/flow/operations/release.ts';
import { settleDisputed } from '../../lambdas/flow/operations/settle-disputed.ts';
import { verify } from '../../lambdas/flow/operations/verify.ts';
import { withhold } from '../../lambdas/flow/operations/withhold.ts';
import { anEvent, type BackendWorld, PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour } from '../builders.ts';
import { cloudTrailOf, meterElsewhere, operatorOf } from './operator.ts';

const services = useServices();

async function billed(world: BackendWorld): Promise<[string, number][]> {
  return (await world.bill()).map(({ hour, quantity }) => [hour.slice(0, 13), quantity]);
}

/** A buyer who used 300 in the hour of 10, which may be closed now. */
async function usedWorld(options: object = {}, event: object = {}) {
  const world = await startBackendWorld(services(), options);
  const buyer = await world.subscribe();
  await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 300, ...event })]);
  await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
  const name = { hour: anHour(), licenceKey: buyer.licenceKey, dimension: 'requests' };
  const statusNow = async () => (await world.ledger.sealed(name.hour, name.licenceKey, name.dimension))?.status;
  const expectBalanced = async () => {
    const range = { first: anHour('2026-09-21T09'), end: anHour('2026-09-23T00'), licenceKey: buyer.licenceKey };
    expect(await verify(world, range)).toMatchObject({ balanced: true, exitCode: 0 });
  };
  return { world, buyer, name, statusNow, expectBalanced };
}

describe('a disputed record', () => {
  async function disputedWorld() {
    const used = await usedWorld();
    const { world, buyer } = used;
    await meterElsewhere(world, {
      Timestamp: new Date('2026-09-21T10:30:00Z'),
      Dimension: 'requests',
      Quantity: 200,
      LicenseArn: buyer.licenceArn,
      CustomerAWSAccountId: buyer.awsAccountId,
    });
    await world.tick();
    expect(await used.statusNow()).toBe('disputed');
    return used;
  }

  test('is settled by carrying what AWS does not hold, so that each unit is billed once', async () => {
    const { world, name, expectBalanced } = await disputedWorld();
    const operator = operatorOf(world);
    const act = operator.act('the old importer was still running');

    const first = await settleDisputed(operator, name, { kind: 'carryDifference', awsQuantity: 200 }, act);
    const again = await settleDisputed(operator, name, { kind: 'carryDifference', awsQuantity: 200 }, act);
    await world.tick('2026-09-21T12:11:00Z');

    expect([first.kind, again.kind]).toEqual(['done', 'already']);
    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 200],
      ['2026-09-21T11', 100],
    ]);
    await expectBalanced();
  });

  test('is settled by accepting AWS’s amount, and AWS’s log then confirms it', async () => {
    const { world, name, statusNow, expectBalanced } = await disputedWorld();
    const operator = operatorOf(world);
    await settleDisputed(operator, name, { kind: 'accept', awsQuantity: 200 }, operator.act('not worth it'));
    const accepted = await world.ledger.sealed(name.hour, name.licenceKey, name.dimension);

    const range = { first: anHour(), end: anHour('2026-09-21T11') };
    const trail = parseCloudTrail(await cloudTrailOf(world));
    const confirmed = await confirm(operator, { range, trail }, operator.act('month end'));
    await world.tick('2026-09-21T12:11:00Z');

    expect(accepted).toMatchObject({
      status: 'presumed',
      reason: 'accepted',
      settledQuantity: 200,
      withheldQuantity: 100,
    });
    expect(confirmed).toMatchObject({ kind: 'done', changed: 1 });
    expect(await statusNow()).toBe('honoured');
    expect(await billed(world)).toEqual([['2026-09-21T10', 200]]);
    await expectBalanced();
  });
});

describe('a quarantined record', () => {
  test('is billed once its dimension is listed, and it and its group are released', async () => {
    const listed = { dimensions: ['requests', 'gb_stored', 'novel'] };
    const { world, name, expectBalanced } = await usedWorld({ product: listed }, { dimension: 'novel' });
    const operator = operatorOf(world, listed);
    await world.tick();
    const novel = { ...name, dimension: 'novel' };
    await world.control.put(`/control/products/${PRODUCT}`, {
      title: 'Metrics Cloud',
      dimensions: ['requests', 'gb_stored', 'novel'].map((key) => ({ key })),
    });
    await world.tick();
    const before = await billed(world);

    const outcome = await release(operator, novel, operator.act('it is listed now'), { withGroups: true });
    await world.tick();

    expect(before).toEqual([]);
    expect(outcome).toMatchObject({ kind: 'done', before: { status: 'quarantined' }, groups: { length: 1 } });
    expect(await billed(world)).toEqual([['2026-09-21T10', 300]]);
    expect((await explain(operator, novel)).audit.map(({ action }) => action)).toEqual(['release']);
    await expectBalanced();
  });
});

describe('an expired record', () => {
  test('is carried on by an operator’s act, with its tags, and billed in a later hour', async () => {
    const { world, name, statusNow, expectBalanced } = await usedWorld({}, { tags: { team: 'core' } });
    const operator = operatorOf(world);
    await world.control.put('/control/faults', { next: [{ kind: 'accessDenied', count: 10_000 }] });
    await world.tick();
    await world.tick('2026-09-22T10:30:00Z');
    const lost = await statusNow();
    await world.control.delete('/control/faults');
    const act = operator.act('our role had lost its permission');

    await carryOn(operator, name, act);
    await carryOn(operator, name, act);
    await world.tick('2026-09-22T11:11:00Z');

    expect(lost).toBe('expired');
    expect(await world.bill()).toMatchObject([
      { quantity: 300, allocations: [{ AllocatedUsageQuantity: 300, Tags: [{ Key: 'team', Value: 'core' }] }] },
    ]);
    const explained = await explain(operator, name);
    expect(explained).toMatchObject({ carriesOut: [{ hour: '2026-09-22T10', quantity: 300 }], carriedOutElsewhere: 0 });
    await expectBalanced();
  });
});

describe('a record whose answer was lost', () => {
  test('is confirmed with AWS’s id of it from a CloudTrail file', async () => {
    const { world, name, statusNow } = await usedWorld();
    const operator = operatorOf(world);
    await world.control.put('/control/switches', { identicalResend: 'DuplicateRecord' });
    await world.control.put('/control/faults', { next: [{ kind: 'acceptThenTimeout', count: 1, delayMs: 50 }] });
    await world.tick();
    await world.tick('2026-09-21T11:30:00Z');
    const before = await statusNow();

    const trail = parseCloudTrail(await cloudTrailOf(world));
    const range = { first: anHour(), end: anHour('2026-09-21T11') };
    await confirm(operator, { range, trail }, operator.act('month end'));

    const [line] = await world.bill();
    expect(before).toBe('presumed');
    expect(await world.ledger.sealed(name.hour, name.licenceKey, name.dimension)).toMatchObject({
      status: 'honoured',
      meteringRecordId: line?.meteringRecordId,
    });
  });
});

describe('a record that is to be sent', () => {
  test.each<[number | 'all']>([['all'], [120]])(
    'is withheld (%s) or sent, and never both, whoever is faster',
    async (quantity) => {
      const { world, name, expectBalanced } = await usedWorld();
      const operator = operatorOf(world);
      await world.backend.closeHours();

      const [outcome] = await Promise.all([
        withhold(operator, name, quantity, operator.act('a trial was promised')),
        world.backend.sendMetering(),
      ]);
      await world.tick('2026-09-21T11:30:00Z');

      const kept = outcome.kind === 'done' ? (quantity === 'all' ? [] : [180]) : [300];
      expect((await billed(world)).map(([, units]) => units)).toEqual(kept);
      expect(outcome.kind === 'done' || /attempted|notLive/.test(JSON.stringify(outcome))).toBe(true);
      await expectBalanced();
    },
  );

  test('can not be withheld any more while its call is under way', async () => {
    const { world, name, statusNow } = await usedWorld();
    const operator = operatorOf(world);
    await world.backend.closeHours();
    await world.control.put('/control/faults', { next: [{ kind: 'slow', count: 1, delayMs: 1_500 }] });
    const attempts = async () => {
      const sealed = await world.ledger.sealed(name.hour, name.licenceKey, name.dimension);
      return Object.keys(sealed?.attempts ?? {}).length;
    };

    const sending = world.backend.sendMetering();
    while ((await attempts()) === 0) await setTimeout(5);
    const outcome = await withhold(operator, name, 'all', operator.act('a trial was promised'));
    await sending;

    expect(outcome).toMatchObject({ kind: 'refused', code: 'attempted' });
    expect(await statusNow()).toBe('honoured');
    expect(await billed(world)).toEqual([['2026-09-21T10', 300]]);
  });
});

describe('a credit', () => {
  test('bills two later hours less, down to zero and no further', async () => {
    const { world, buyer, name, expectBalanced } = await usedWorld();
    const operator = operatorOf(world);
    await world.tick();
    await grantCredit(operator, name, 250, operator.act('billed too much in September'));
    await world.report([anEvent(buyer, '2026-09-21T11:05:00Z', { quantity: 180 })]);
    await world.tick('2026-09-21T12:11:00Z');
    await world.report([anEvent(buyer, '2026-09-21T12:05:00Z', { quantity: 100 })]);
    await world.tick('2026-09-21T13:11:00Z');

    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 300],
      ['2026-09-21T11', 0],
      ['2026-09-21T12', 30],
    ]);
    await expectBalanced();
  });
});

describe('a rehearsal', () => {
  test('bills nothing of its hours, whatever an operator tries, and the product goes live at its hour', async () => {
    const until = anHour('2026-09-21T12');
    const rehearsal = { mode: 'dryRun', until } as const;
    const { world, buyer, name, expectBalanced } = await usedWorld({ product: { rehearsal } });
    const operator = operatorOf(world, { rehearsal });
    await world.tick();
    const tried = await carryOn(operator, name, operator.act('test'));
    await world.clock.set(Date.parse('2026-09-21T12:06:00Z'));
    await world.report([anEvent(buyer, '2026-09-21T12:05:00Z', { quantity: 40 })]);
    await world.tick('2026-09-21T13:11:00Z');

    expect(tried).toMatchObject({ kind: 'refused', code: 'rehearsed' });
    expect(await billed(world)).toEqual([['2026-09-21T12', 40]]);
    await expectBalanced();
  });
});
