// Cutting a buyer over, on stores in memory: what is written, what is refused, and what a repeat does.
import { describe, expect, test } from 'vitest';
import { MINUTE_MS } from '../../../lambdas/domain/hour.ts';
import { licenceKeyOf } from '../../../lambdas/domain/licence.ts';
import { cutOver } from '../../../lambdas/flow/operations/cut-over.ts';
import { aLicence, anHour, at, aUsageEvent, LICENCE_KEY } from '../../builders.ts';
import { FIRST, OperatedWorld } from './operated-world.ts';

function actions(world: OperatedWorld) {
  return [...world.ledger.tables.actions.values()].map(({ action }) => action);
}

describe('a cut-over', () => {
  const LEGACY_NAME = { style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: 'buyer-1' } as const;
  const legacyKey = licenceKeyOf(LEGACY_NAME);
  const licenceArn = 'arn:aws:license-manager::294406891311:license:l-ffffffffffffffffffffffffffffffff';
  const licenceKey = licenceKeyOf({ style: 'licence', licenceArn });
  const wanted = { legacyKey, licenceArn, hour: anHour('2026-09-21T04') };
  const { licenceArn: _arn, ...known } = aLicence();
  const legacy = {
    ...known,
    licenceKey: legacyKey,
    identityStyle: 'legacy',
    customerIdentifier: 'buyer-1',
    meteringRegion: 'eu-west-1',
  } as const;

  function aLegacyWorld() {
    const world = new OperatedWorld();
    const { customerId, productCode } = legacy;
    world.customers.add(legacy);
    const customer = { customerId, productCode, licenceKeys: [legacyKey], createdAt: 0, sequence: 0 };
    world.customers.table.customers.set(customerId, customer);
    return world;
  }

  test('writes the hour onto both licences, makes the new one in the same region, and is done once', async () => {
    const world = aLegacyWorld();
    const act = world.act();

    const plan = await cutOver(world, wanted, act, { dryRun: true });
    const before = await world.customers.licence(licenceKey);
    const done = await cutOver(world, wanted, act);

    expect(plan).toMatchObject({ kind: 'planned', licence: { licenceKey } });
    expect(before).toBeUndefined();
    expect(done).toMatchObject({ kind: 'done' });
    expect(await world.customers.licence(legacyKey)).toMatchObject({
      cutOverHour: wanted.hour,
      counterpartKey: licenceKey,
    });
    expect(await world.customers.licence(licenceKey)).toMatchObject({
      identityStyle: 'licence',
      licenceArn,
      meteringRegion: 'eu-west-1',
      cutOverHour: wanted.hour,
      counterpartKey: legacyKey,
    });
    expect((await world.customers.customer(legacy.customerId))?.licenceKeys).toEqual([legacyKey, licenceKey]);
    expect(await cutOver(world, wanted, act)).toMatchObject({ kind: 'already' });
    expect(actions(world)).toEqual(['cutOver']);
    expect(await cutOver(world, { ...wanted, hour: anHour('2026-09-21T05') }, world.act())).toMatchObject({
      code: 'cutOverElsewhere',
    });
  });

  test.each<[string, (world: OperatedWorld) => unknown, object]>([
    ['hourTooSoon', () => {}, { hour: anHour('2026-09-21T02') }],
    ['hourTooFar', () => {}, { hour: anHour('2027-09-21T04') }],
    ['licenceUnknown', () => {}, { legacyKey: 'c-00000000000000000000000000000000' }],
    ['notLegacy', () => {}, { legacyKey: LICENCE_KEY }],
    ['licenceArnInvalid', () => {}, { licenceArn: 'l-ffffffffffffffffffffffffffffffff' }],
    ['licenceEnded', (world) => world.customers.noteEnding(legacyKey, { noticeAt: world.nowMs }), {}],
    [
      'licenceEnded',
      (world) => world.customers.add(aLicence({ licenceKey, licenceArn, ending: { noticeAt: world.nowMs } })),
      {},
    ],
    ['licenceTaken', (world) => world.customers.add(aLicence({ licenceKey, licenceArn, customerId: 'cus_B' })), {}],
    ['licenceMetered', (world) => world.usage.put(aUsageEvent({ licenceKey, hour: FIRST })), {}],
    ['moved', (world) => world.customers.table.customers.clear(), {}],
    [
      'accountUnknown',
      (world) => {
        const { customerAwsAccountId: _account, ...nameless } = legacy;
        world.customers.add(nameless);
      },
      {},
    ],
  ])('is refused as %s', async (code, arrange, wrong) => {
    const world = aLegacyWorld();
    await arrange(world);

    expect(await cutOver(world, { ...wanted, ...wrong }, world.act())).toMatchObject({ kind: 'refused', code });
    expect(actions(world)).toEqual([]);
  });

  test('may begin two whole hours from now, and not a minute before', async () => {
    const world = aLegacyWorld();
    world.nowMs = at('2026-09-21T02:00:00Z');
    const soonest = await cutOver(world, wanted, world.act(), { dryRun: true });
    world.nowMs += MINUTE_MS;

    expect(soonest).toMatchObject({ kind: 'planned' });
    expect(await cutOver(world, wanted, world.act(), { dryRun: true })).toMatchObject({ code: 'hourTooSoon' });
  });
});
