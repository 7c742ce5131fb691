import { describe, expect, test } from 'vitest';
import { HOUR_MS } from '../../lambdas/domain/hour.ts';
import { DynamoEntitlementStore } from '../../lambdas/stores/entitlement-store.ts';
import { useServices } from '../backend-world.ts';
import { startContractWorld } from './contract-world.ts';

const services = useServices();

describe('the schedule of entitlements', () => {
  test('writes what each contract includes, and an amendment at its next turn', async () => {
    const world = await startContractWorld(services);
    const store = new DynamoEntitlementStore(world.client, world.tables.customers);
    const acme = await world.subscribe({ entitlements: world.seats(50), endAt: '2027-09-21T10:00:00Z' });
    const bolt = await world.subscribe({ entitlements: world.seats(7), endAt: '2027-09-21T10:00:00Z' });
    const seatsOf = async ({ licenceKey }: { licenceKey: string }) =>
      (await store.entitlements(licenceKey))?.versions.map(({ entitlements }) =>
        entitlements.filter(({ dimension }) => dimension === 'seats').map(({ value }) => value.value),
      );

    await world.refresh();
    await world.control.post(`/control/agreements/${acme.agreementId}/amend`, { entitlements: world.seats(80) });
    await world.clock.set(world.clock.now() + HOUR_MS);
    await world.refresh();

    expect(await seatsOf(acme)).toEqual([[50], [80]]);
    expect(await seatsOf(bolt)).toEqual([[7]]);
    expect(world.logged.filter(({ code }) => code === 'EntitlementsRefreshed').map(({ facts }) => facts)).toEqual([
      { asked: 2, changed: 2, unnamed: 0, failed: 0, isUnfinished: false },
      { asked: 2, changed: 1, unnamed: 0, failed: 0, isUnfinished: false },
    ]);
  });

  test('fails loud and keeps what it knew while AWS refuses, and is whole again after it', async () => {
    const world = await startContractWorld(services);
    const store = new DynamoEntitlementStore(world.client, world.tables.customers);
    const acme = await world.subscribe({ entitlements: world.seats(50), endAt: '2027-09-21T10:00:00Z' });
    await world.refresh();
    const known = await store.entitlements(acme.licenceKey);
    await world.clock.set(world.clock.now() + HOUR_MS);
    await world.control.put('/control/faults', { next: [{ kind: 'accessDenied', operation: 'GetEntitlements' }] });

    await expect(world.refresh()).rejects.toMatchObject({ code: 'RefreshIncomplete' });
    const during = await store.entitlements(acme.licenceKey);
    await world.refresh();

    expect(during).toEqual(known);
    expect(await store.entitlements(acme.licenceKey)).toMatchObject({ checkedAt: world.clock.now() });
    expect(world.logged).toContainEqual({
      level: 'error',
      code: 'EntitlementsNotRefreshed',
      facts: expect.objectContaining({ licenceKey: acme.licenceKey, failureCode: 'GetEntitlementsRefused' }),
    });
  });
});
