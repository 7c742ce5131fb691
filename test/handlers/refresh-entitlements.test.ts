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

describe('a change of entitlements', () => {
  /** A customer with access, told of it, and its contract amended without a word that arrives. */
  async function anAmendedContract() {
    const world = await startContractWorld(services);
    const acme = await world.subscribe({ entitlements: world.seats(50), endAt: '2027-09-21T10:00:00Z' });
    await world.clock.set(world.clock.now() + 2 * 60_000);
    await world.deliverNotices();
    await world.refresh();
    await world.tell();
    const before = world.busEvents.length;
    await world.control.post(`/control/agreements/${acme.agreementId}/amend`, { entitlements: world.seats(80) });
    await world.clock.set(world.clock.now() + HOUR_MS);
    const told = () => world.busEvents.slice(before);
    return { world, acme, told };
  }

  test('of which no notice has told is told once, with the answer that shows it, in the sequence of the customer', async () => {
    const { world, acme, told } = await anAmendedContract();
    const last = world.busEvents.at(-1);

    await Promise.all([world.refresh(), world.refresh()]);
    await world.tell();
    await world.clock.set(world.clock.now() + HOUR_MS);
    await world.refresh();
    await world.tell();

    expect(told()).toMatchObject([
      { type: 'entitlementsChanged', customerId: acme.customerId, sequence: (last?.sequence ?? 0) + 1 },
    ]);
    expect(told()[0]?.data.standing).toMatchObject({ hasAccess: true, entitlementsAsOf: told()[0]?.at });
    const answer = await world.read(`/customers/${acme.customerId}/entitlements`);
    expect(JSON.parse(answer.body)).toMatchObject({ sequence: told()[0]?.sequence });
  });

  test('that the schedule has told of is not told again by notices that come late, and what they change otherwise has its own event', async () => {
    const { world, acme, told } = await anAmendedContract();
    await world.refresh();
    await world.deliverNotices();
    await world.tell();

    expect(told().filter(({ type }) => type === 'entitlementsChanged')).toHaveLength(1);
    const sequences = told().map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index));
    const stored = await world.read(`/customers/${acme.customerId}/entitlements`);
    expect(JSON.parse(stored.body).licences[0].entitlements).toContainEqual(
      expect.objectContaining({ dimension: 'seats', value: 80 }),
    );
  });

  test('that notices have told of is not told again by the schedule', async () => {
    const { world, told } = await anAmendedContract();
    await world.deliverNotices();
    await world.tell();
    const byNotices = told().length;
    await world.clock.set(world.clock.now() + HOUR_MS);
    await world.refresh();
    await world.tell();

    expect(byNotices).toBeGreaterThan(0);
    expect(told()).toHaveLength(byNotices);
  });

  test('of a customer without access is not told: what begins is read when it is granted', async () => {
    const world = await startContractWorld(services);
    await world.subscribe({ entitlements: world.seats(50), endAt: '2027-09-21T10:00:00Z' });

    await world.refresh();
    await world.tell();

    expect(world.busEvents).toEqual([]);
  });
});
