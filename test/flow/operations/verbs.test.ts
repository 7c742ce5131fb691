// The verbs over stores in memory: plans write nothing, repeats change nothing, and each says what it found.
import { describe, expect, test } from 'vitest';
import { addHours, HOUR_MS, hourOf } from '../../../lambdas/domain/hour.ts';
import { licenceKeyOf } from '../../../lambdas/domain/licence.ts';
import { carryOn } from '../../../lambdas/flow/operations/carry-on.ts';
import { compare } from '../../../lambdas/flow/operations/compare.ts';
import { confirm } from '../../../lambdas/flow/operations/confirm.ts';
import { explain } from '../../../lambdas/flow/operations/explain.ts';
import { exportAudit, exportLedger } from '../../../lambdas/flow/operations/export.ts';
import { grantCredit, openCredits } from '../../../lambdas/flow/operations/grant-credit.ts';
import { release, releaseGroup } from '../../../lambdas/flow/operations/release.ts';
import { planResubmit, resubmit } from '../../../lambdas/flow/operations/resubmit.ts';
import { verify } from '../../../lambdas/flow/operations/verify.ts';
import { withhold } from '../../../lambdas/flow/operations/withhold.ts';
import { aLicence, anHour, at, aUsageEvent, LICENCE_KEY } from '../../builders.ts';
import { FIRST, type Mood, OperatedWorld, SHARD } from './operated-world.ts';

const NAME = { hour: FIRST, licenceKey: LICENCE_KEY, dimension: 'requests' };
const RANGE = { first: FIRST, end: addHours(FIRST, 48), licenceKey: LICENCE_KEY };

/** One hour of 300 units that was closed, and sent once in this mood. */
async function aWorld(mood?: Mood, product = {}): Promise<OperatedWorld> {
  const world = new OperatedWorld(product);
  await world.report(300);
  world.nowMs = at('2026-09-21T01:11:00Z');
  await world.close();
  if (mood) await world.send(mood);
  return world;
}

async function all<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

function actions(world: OperatedWorld) {
  return [...world.ledger.tables.actions.values()].map(({ action }) => action);
}

describe('an act on a record', () => {
  test('that is only planned shows before and after, and writes nothing', async () => {
    const world = await aWorld();
    const before = await world.sealed(FIRST);

    const outcome = await withhold(world, NAME, 100, world.act(), { dryRun: true });

    expect(outcome).toMatchObject({ kind: 'planned', before, after: { withheldQuantity: 100 } });
    expect(await world.sealed(FIRST)).toEqual(before);
    expect(actions(world)).toEqual([]);
  });

  test('answers "already" to its repeat, with the line that tells of it', async () => {
    const world = await aWorld();
    const act = world.act();

    expect(await withhold(world, NAME, 100, act)).toMatchObject({ kind: 'done' });
    expect(await withhold(world, NAME, 100, act)).toMatchObject({ kind: 'already', audit: { facts: { units: 100 } } });
    expect(await world.sealed(FIRST)).toMatchObject({ withheldQuantity: 100 });
  });

  test('is refused where its id stands for another act, or there is no such record', async () => {
    const world = await aWorld();
    const act = world.act();
    await withhold(world, NAME, 100, act);

    expect(await withhold(world, { ...NAME, dimension: 'gb_stored' }, 1, act)).toMatchObject({ code: 'actionIdTaken' });
    expect(await carryOn(world, NAME, act)).toMatchObject({ code: 'actionIdTaken' });
    expect(await withhold(world, { ...NAME, hour: anHour() }, 1, world.act())).toMatchObject({ code: 'notSealed' });
    expect(await withhold(world, NAME, 1, { ...act, who: '' })).toMatchObject({ code: 'whoMissing' });
  });

  test('decides anew where the record moved between its reading and its writing', async () => {
    const world = await aWorld();
    const { sealed } = world.ledger;
    let reads = 0;
    world.ledger.sealed = async (...name) => {
      const read = await sealed.apply(world.ledger, name);
      if (++reads === 1 && read) await world.ledger.intend(read, { id: 'a-1', at: world.nowMs });
      return read;
    };

    expect(await withhold(world, NAME, 'all', world.act())).toMatchObject({ kind: 'refused', code: 'attempted' });
    expect(reads).toBe(2);
  });

  test('has the hour looked at again that took its carry after its own looks', async () => {
    const world = await aWorld('denies');
    world.nowMs += 26 * HOUR_MS;
    await world.send('denies');
    const { licence } = world.customers;
    const cutOverHour = hourOf(world.nowMs);
    const legacy = aLicence({ identityStyle: 'legacy', customerIdentifier: 'b-1', cutOverHour });
    world.customers.licence = async () => legacy;
    await carryOn(world, NAME, world.act());
    world.customers.licence = licence;

    expect(await world.work.lateMarkers()).toMatchObject([{ hour: addHours(cutOverHour, -1), shard: SHARD }]);
  });
});

describe('releasing', () => {
  test('shows the groups in the way, and frees them where that is asked for', async () => {
    const world = await aWorld('refusesRecord');
    await world.work.holdGroup({ key: 'dimension metrics-cloud requests', code: 'X', since: world.nowMs });
    await world.work.holdGroup({ key: `suspect licence ${LICENCE_KEY} ${FIRST}`, code: 'X', since: world.nowMs });
    const act = world.act();

    const kept = await release(world, NAME, act);
    const freed = await release(world, NAME, act, { withGroups: true });

    expect(kept).toMatchObject({ kind: 'done', groups: { length: 2 } });
    expect(freed).toMatchObject({ kind: 'already', groups: { length: 2 } });
    expect((await world.work.heldGroups()).size).toBe(0);
    expect(actions(world).sort()).toEqual(['release', 'releaseGroup', 'releaseGroup']);
  });

  test('a group shows its records first, and leaves the quarantined ones to be released one by one', async () => {
    const world = await aWorld('refusesRecord');
    world.nowMs += HOUR_MS;
    await world.report(5, 1);
    await world.close();
    const key = 'dimension metrics-cloud requests';
    await world.work.holdGroup({ key, code: 'InvalidUsageDimensionException', since: world.nowMs });
    const act = world.act();

    const plan = await releaseGroup(world, key, act, { dryRun: true });
    const held = (await world.work.heldGroups()).size;
    const done = await releaseGroup(world, key, act);

    expect(plan).toMatchObject({ kind: 'planned', waiting: 1, quarantined: 1, shown: { length: 2 } });
    expect(held).toBe(1);
    expect(done).toMatchObject({ kind: 'done', groups: [{ key }] });
    expect(await releaseGroup(world, key, act)).toMatchObject({ kind: 'already' });
    expect(await releaseGroup(world, key, world.act())).toMatchObject({ code: 'groupNotHeld' });
    expect((await world.sealed(FIRST))?.status).toBe('quarantined');
  });
});

describe('a credit', () => {
  test('is planned, granted once, and shown until it is used up', async () => {
    const world = await aWorld('takes');
    const act = world.act();

    expect(await grantCredit(world, NAME, 500, act, { dryRun: true })).toMatchObject({
      kind: 'planned',
      remaining: 500,
    });
    expect(await grantCredit(world, NAME, 500, act)).toMatchObject({
      kind: 'done',
      remainingBefore: 0,
      remaining: 500,
    });
    expect(await grantCredit(world, NAME, 500, act)).toMatchObject({ kind: 'already' });
    await world.report(400);
    world.nowMs += HOUR_MS;
    await world.close();
    await world.send();

    expect(await all(openCredits(world, LICENCE_KEY))).toMatchObject([{ granted: 500, applied: 400 }]);
    expect(await world.sealed(addHours(FIRST, 1))).toMatchObject({ creditedQuantity: 400, record: { quantity: 0 } });
  });
});

describe('resubmitting', () => {
  test('plans record by record, tries what waited at once, and changes nothing the second time', async () => {
    const world = await aWorld('denies');
    const range = { ...RANGE };

    const plan = await all(planResubmit(world, { range }, world.act()));
    const waited = await world.sealed(FIRST);
    const first = await resubmit(world, { range }, world.act());
    const second = await resubmit(world, { range }, world.act());
    await world.send();

    expect(plan).toMatchObject([{ step: { kind: 'tryNow' } }]);
    expect(waited).toHaveProperty('nextAttemptAt');
    expect(first).toMatchObject({ counts: { tryNow: 1, due: 0 } });
    expect(second).toMatchObject({ counts: { tryNow: 0, due: 1 } });
    expect((await world.sealed(FIRST))?.status).toBe('honoured');
    expect(await world.work.lateMarkers()).toMatchObject([{ hour: FIRST, shard: SHARD }]);
  });

  test('leaves quarantined records alone unless their release is asked for', async () => {
    const world = await aWorld('refusesRecord');

    const without = await resubmit(world, { range: RANGE }, world.act());
    const released = await resubmit(world, { range: RANGE, releaseQuarantined: true }, world.act());

    expect(without).toMatchObject({ counts: { needsRelease: 1, release: 0 } });
    expect(released).toMatchObject({ counts: { needsRelease: 0, release: 1 } });
    expect((await world.sealed(FIRST))?.status).toBe('open');
  });

  test('is bounded, by more for one licence than for all', async () => {
    const world = await aWorld();
    const range = { first: FIRST, end: addHours(FIRST, 49) };

    expect(await resubmit(world, { range }, world.act())).toMatchObject({ code: 'rangeTooLong' });
    expect(await resubmit(world, { range: { ...range, end: FIRST } }, world.act())).toMatchObject({
      code: 'rangeTooLong',
    });
    expect(await resubmit(world, { range: { ...range, licenceKey: LICENCE_KEY } }, world.act())).toMatchObject({
      kind: 'done',
    });
  });
});

describe('confirming', () => {
  test('lists what it would change, and why it leaves the rest', async () => {
    const world = await aWorld('losesAnswer');
    world.nowMs += HOUR_MS;
    await world.send();
    const terms = { range: RANGE, trail: world.awsLog() };

    const plan = await confirm(world, { ...terms, dryRun: true }, world.act());
    const before = (await world.sealed(FIRST))?.status;
    const done = await confirm(world, terms, world.act());

    expect(plan).toMatchObject({ kind: 'planned', changed: 1, lines: [{ after: { status: 'honoured' } }] });
    expect(before).toBe('presumed');
    expect(done).toMatchObject({ kind: 'done', changed: 1 });
    expect(await confirm(world, terms, world.act())).toMatchObject({ changed: 0, lines: [] });
  });

  test('takes a call that names the account for a record only where one licence of it has the hour', async () => {
    const world = await aWorld('losesAnswer');
    world.nowMs += HOUR_MS;
    await world.send();
    const records = world.trail
      .filter(({ answer }) => answer === 'metered')
      .map(({ licenceKey: _key, ...record }) => ({ ...record, accountId: '111122223333' }));
    const terms = { range: { first: FIRST, end: addHours(FIRST, 2) }, trail: { records, unread: [] }, dryRun: true };
    const alone = await confirm(world, terms, world.act());
    const sealed = await world.sealed(FIRST);
    if (sealed) world.ledger.tables.put({ ...sealed, licenceKey: `${LICENCE_KEY.slice(0, -1)}0`, status: 'honoured' });

    expect(alone).toMatchObject({ changed: 1 });
    expect(await confirm(world, terms, world.act())).toMatchObject({ changed: 0 });
  });

  test('believes no window of a file that could not be read in full', async () => {
    const world = await aWorld('losesCall');
    const window = { from: world.nowMs - HOUR_MS, to: world.nowMs };
    const trail = { records: [], unread: ['Event 1'] };

    expect(await confirm(world, { range: RANGE, trail, window }, world.act())).toMatchObject({ code: 'windowInvalid' });
  });
});

describe('comparing', () => {
  test('puts a shadow’s hours beside what the other pipeline submitted, customer by customer', async () => {
    const world = await aWorld(undefined, { rehearsal: { mode: 'shadow' } });
    const name = { style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: 'buyer-1' } as const;
    const there = { hour: FIRST, dimension: 'requests', state: 'submitted' } as const;
    const submitted = [
      { ...there, accountId: '111122223333', quantity: 290 },
      { ...there, licenceKey: licenceKeyOf(name), customerIdentifier: 'buyer-1', quantity: 7 },
      { ...there, licenceKey: LICENCE_KEY, quantity: 5, state: 'failed' } as const,
      { ...there, licenceKey: LICENCE_KEY, quantity: 9, hour: anHour('2026-10-01T00') },
    ];

    const range = { first: FIRST, end: addHours(FIRST, 24) };
    const outcome = await compare(world, range, submitted);

    expect(outcome).toMatchObject({
      kind: 'compared',
      totals: { same: 0, different: 1, onlyThere: 1, unitsHere: 300, unitsThere: 297 },
      unitsFailed: 5,
      unitsPending: 0,
    });
    expect(outcome).toMatchObject({
      differences: [
        { kind: 'onlyThere', customer: 'buyer-1', there: 7 },
        { kind: 'different', customer: aLicence().customerId, here: 300, there: 290 },
      ],
    });
  });
});

describe('explaining and verifying', () => {
  test('tell where each unit of an hour came from and went, and what was done to it', async () => {
    const world = await aWorld('denies');
    world.nowMs += 26 * HOUR_MS;
    await world.send('denies');
    await carryOn(world, NAME, world.act('the outage was ours'));
    const target = hourOf(world.nowMs);

    const origin = await explain(world, NAME);
    const into = await explain(world, { ...NAME, hour: target });

    expect(origin).toMatchObject({
      sealed: { status: 'carried', refusals: [{ code: 'AccessDeniedException' }] },
      events: { count: 1, shown: [{ quantity: 300 }] },
      carriesOut: [{ hour: target, quantity: 300 }],
      carriedOutElsewhere: 0,
      audit: [{ action: 'carryOn', who: 'kim@example.com', why: 'the outage was ours', facts: { into: target } }],
      books: { recorded: 300, carriedOut: 300, difference: 0 },
    });
    expect(origin.timeLeftMs).toBeLessThan(0);
    expect(into).toMatchObject({ carriesIn: [{ originHour: FIRST, quantity: 300 }], books: { notYetSealed: 300 } });
    expect(into).not.toHaveProperty('sealed');
  });

  test('balance over a range, and name the hour that does not', async () => {
    const world = await aWorld('takes');

    const right = await verify(world, RANGE);
    const sealed = await world.sealed(FIRST);
    if (sealed) world.ledger.tables.put({ ...sealed, withheldQuantity: 1 });
    const wrong = await verify(world, RANGE);

    expect(right).toMatchObject({ balanced: true, exitCode: 0, hoursChecked: 48, metersChecked: 1, differences: [] });
    expect(right.totals).toMatchObject({ recorded: 300, honoured: 300, expired: 0, carriedOut: 0 });
    expect(wrong).toMatchObject({ balanced: false, exitCode: 1, differences: [{ hour: FIRST, difference: -1 }] });
  });

  test('show the first events of an hour with many, and count them all', async () => {
    const world = new OperatedWorld();
    for (let event = 0; event < 130; event++) {
      await world.usage.put(aUsageEvent({ hour: FIRST, atMs: at('2026-09-21T00:05:00Z'), eventId: `e${event}` }));
    }
    await world.usage.put(
      aUsageEvent({ hour: FIRST, atMs: at('2026-09-21T00:05:00Z'), dimension: 'requests2', eventId: 'other' }),
    );

    const { events } = await explain(world, NAME);

    expect(events).toMatchObject({ count: 130, shown: { length: 100 } });
  });
});

describe('exporting', () => {
  test('gives every sealed hour and carry of a range, and every act of the months', async () => {
    const world = await aWorld('denies');
    world.nowMs += 26 * HOUR_MS;
    await world.send('denies');
    await carryOn(world, NAME, world.act());

    const rows = await all(exportLedger(world, { first: FIRST, end: addHours(FIRST, 30) }));
    const lines = await all(exportAudit(world, '2026-08', '2026-10'));

    expect(rows).toMatchObject([
      { kind: 'sealed', status: 'carried', standingQuantity: 0, carriedOut: 300 },
      { kind: 'carry', carryQuantity: 300, carryOriginHour: FIRST },
    ]);
    expect(lines).toMatchObject([{ action: 'carryOn', who: 'kim@example.com' }]);
  });
});
