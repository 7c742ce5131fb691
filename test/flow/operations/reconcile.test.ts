// The ledger beside AWS's own record.
import { describe, expect, test } from 'vitest';
import { addHours } from '../../../lambdas/domain/hour.ts';
import { type ReportedUsage, reportedByTrail } from '../../../lambdas/domain/operations/reported-usage.ts';
import { type ReconciledSpan, reconcile } from '../../../lambdas/flow/operations/reconcile.ts';
import { aLicence, anHour, aSealedHour, LICENCE_KEY } from '../../builders.ts';
import { FIRST, OperatedWorld } from './operated-world.ts';

const RANGE = { first: FIRST, end: addHours(FIRST, 24) };
const OURS = aLicence().customerId;

async function reconciled(
  world: OperatedWorld,
  reported: readonly ReportedUsage[],
  grain: 'hour' | 'day' = 'hour',
): Promise<ReconciledSpan[]> {
  const outcome = await reconcile(world, { range: RANGE, grain, reported });
  if (outcome.kind === 'refused') throw new Error(outcome.message);
  const spans: ReconciledSpan[] = [];
  for await (const span of outcome.spans) spans.push(span);
  return spans;
}

function linesOf(spans: readonly ReconciledSpan[]) {
  return spans.flatMap(({ lines }) => lines);
}

/** Three hours of 300 each: the first two reach AWS, the third waits. */
async function aWorld(): Promise<OperatedWorld> {
  const world = new OperatedWorld();
  for (const mood of ['takes', 'takes', 'denies'] as const) {
    await world.report(300);
    world.nowMs += 60 * 60_000;
    await world.close();
    await world.send(mood);
  }
  return world;
}

describe('reconciling', () => {
  test('finds nothing where AWS’s log says what the ledger says, and counts apart what is on its way', async () => {
    const world = await aWorld();

    const spans = await reconciled(world, reportedByTrail(world.trail));

    expect(linesOf(spans)).toEqual([]);
    expect(spans).toHaveLength(24);
    const sum = (name: 'same' | 'unitsHere' | 'unitsThere') => spans.reduce((all, { totals }) => all + totals[name], 0);
    expect([sum('same'), sum('unitsHere'), sum('unitsThere')]).toEqual([2, 600, 600]);
    expect(spans.reduce((all, { unitsOnTheirWay }) => all + unitsOnTheirWay, 0)).toBe(300);
  });

  test('names each seeded difference, what the ledger says there, and what to do', async () => {
    const world = await aWorld();
    const [first, second, third] = [FIRST, addHours(FIRST, 1), addHours(FIRST, 2)];
    const there = { licenceKey: LICENCE_KEY, dimension: 'requests' };
    const reported = [
      { ...there, hour: first, quantity: 290 },
      { ...there, hour: third, quantity: 7 },
      { ...there, hour: third, quantity: 40, dimension: 'gb_stored' },
      { hour: third, dimension: 'requests', licenceKey: 'c-0', customerIdentifier: 'buyer-9', quantity: 5 },
    ];

    const spans = await reconciled(world, reported);

    expect(linesOf(spans)).toEqual([
      expect.objectContaining({
        kind: 'different',
        hour: first,
        customer: OURS,
        here: 300,
        there: 290,
        statuses: { honoured: 300 },
      }),
      expect.objectContaining({ kind: 'onlyHere', hour: second, here: 300, there: 0 }),
      expect.objectContaining({ kind: 'onlyThere', hour: third, customer: 'buyer-9', there: 5, statuses: {} }),
      expect.objectContaining({
        kind: 'onlyThere',
        dimension: 'gb_stored',
        there: 40,
        advice: expect.stringContaining('knows nothing'),
      }),
      expect.objectContaining({ kind: 'onlyThere', dimension: 'requests', there: 7, statuses: { open: 300 } }),
    ]);
  });

  test('tells of a dispute to settle it, and of what waits for AWS’s word to confirm it', async () => {
    const world = new OperatedWorld();
    world.foreign(FIRST, 120);
    await world.report(300);
    world.nowMs += 60 * 60_000;
    await world.close();
    await world.send();

    const lines = linesOf(await reconciled(world, reportedByTrail(world.trail)));

    expect(lines).toMatchObject([{ kind: 'onlyThere', there: 120, statuses: { disputed: 300 } }]);
    expect(lines[0]?.advice).toContain('Settle');
  });

  test('says that a record metered in two regions is billed twice', async () => {
    const world = await aWorld();
    const [first] = world.trail;
    if (!first) throw new Error('The world sent nothing.');

    const lines = linesOf(
      await reconciled(world, reportedByTrail([...world.trail, { ...first, region: 'eu-west-1' }])),
    );

    expect(lines).toMatchObject([{ here: 300, there: 600, remark: 'severalRegions' }]);
  });

  test('adds up the hours of a day where AWS’s report tells days, by agreement', async () => {
    const world = await aWorld();
    world.customers.add(aLicence({ periods: [{ agreementId: 'agmt-1' }] }));
    const day = { agreementId: 'agmt-1', accountId: 'a-hash', dimension: 'requests', hour: FIRST };

    expect(linesOf(await reconciled(world, [{ ...day, quantity: 600 }], 'day'))).toEqual([]);
    expect(linesOf(await reconciled(world, [{ ...day, quantity: 599 }], 'day'))).toMatchObject([
      { kind: 'different', customer: OURS, here: 600, there: 599 },
    ]);
  });

  test('compares the customers of an account as one where AWS’s record names the account alone', async () => {
    const world = await aWorld();
    const other = aLicence({ licenceKey: `${LICENCE_KEY.slice(0, -1)}0`, customerId: 'cus_BBBBBBBBBBBBBBBBBBBBBBBB' });
    world.customers.add(other);
    const { licenceKey, customerId } = other;
    world.ledger.tables.put(aSealedHour({ licenceKey, customerId, status: 'honoured', hour: FIRST }));
    const all = { accountId: '111122223333', dimension: 'requests', hour: FIRST };

    const [line] = linesOf(await reconciled(world, [{ ...all, quantity: 500 }], 'day'));

    expect(line).toMatchObject({ customer: 'account 111122223333', here: 600 + 12_500, there: 500 });
  });

  test('counts what lies outside of the range, and refuses a range that is none', async () => {
    const world = await aWorld();
    const usage = { accountId: '1', dimension: 'requests', hour: anHour('2026-10-01T00'), quantity: 3 };

    const outcome = await reconcile(world, { range: RANGE, grain: 'hour', reported: [usage] });
    const refused = await reconcile(world, { range: { first: FIRST, end: FIRST }, grain: 'hour', reported: [] });

    expect(outcome).toMatchObject({ outsideRange: 1 });
    expect(refused).toMatchObject({ kind: 'refused', code: 'rangeTooLong' });
  });
});
