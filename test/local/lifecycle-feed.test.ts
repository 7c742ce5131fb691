// The feed of starts and ends, over the database engine and the simulator.
import { describe, expect, test } from 'vitest';
import { Unavailable } from '../../lambdas/domain/failure.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import type { CustomerStore } from '../../lambdas/flow/ports.ts';
import { LifecycleFeed } from '../../local/lifecycle-feed.ts';
import { type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';

const services = useServices();
const NOW = Date.parse('2026-09-21T10:05:00Z');

async function cancel(world: BackendWorld, agreementId: string): Promise<void> {
  await world.control.post(`/control/agreements/${agreementId}/cancel`);
}

/** The customers' store, whose database is away for the next notices. */
function hiccuping(customers: CustomerStore, state: { isAway: boolean }) {
  const unlessAway = async <T>(note: () => Promise<T>): Promise<T> => {
    if (state.isAway) throw new Unavailable('DatabaseBusy', 'The database is away.');
    return note();
  };
  return {
    noteStart: (...call: Parameters<CustomerStore['noteStart']>) => unlessAway(() => customers.noteStart(...call)),
    noteEnding: (...call: Parameters<CustomerStore['noteEnding']>) => unlessAway(() => customers.noteEnding(...call)),
  };
}

describe('the feed of starts and ends', () => {
  test('notes an end that a fault of the database kept from being noted at first', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const state = { isAway: false };
    const feed = new LifecycleFeed(world.control, hiccuping(world.customers, state));
    await feed.follow();
    await cancel(world, acme.agreementId);
    state.isAway = true;
    await expect(feed.follow()).rejects.toThrow(Unavailable);
    expect((await world.customers.licence(acme.licenceKey))?.ending).toBeUndefined();
    state.isAway = false;

    expect(await feed.follow()).toEqual([acme.licenceKey]);

    expect((await world.customers.licence(acme.licenceKey))?.ending).toEqual({ noticeAt: NOW });
    expect(await feed.follow()).toEqual([]);
  });

  test('keeps the end of a licence whose buyer has not come to us yet until that buyer is registered', async () => {
    const world = await startBackendWorld(services());
    const feed = new LifecycleFeed(world.control, world.customers);
    const agreement = await world.control.post<{ agreementId: string; licenceArn: string; awsAccountId: string }>(
      '/control/agreements',
      { productCode: 'metrics-cloud' },
    );
    await cancel(world, agreement.agreementId);
    expect(await feed.follow()).toEqual([]);
    expect(await feed.follow()).toEqual([]);
    const { token } = await world.control.post<{ token: string }>(
      `/control/agreements/${agreement.agreementId}/tokens`,
    );
    await world.clock.set(NOW + 10_000);
    await fetch(`${world.gateway.url}/register`, {
      method: 'POST',
      body: new URLSearchParams({ 'x-amzn-marketplace-token': token }),
      redirect: 'manual',
    });

    const key = licenceKeyOf({ style: 'licence', licenceArn: agreement.licenceArn });
    expect(await feed.follow()).toEqual([key]);

    const { agreementId } = agreement;
    expect(await world.customers.licence(key)).toMatchObject({
      periods: [{ agreementId, from: NOW }],
      ending: { noticeAt: NOW },
    });
    expect(await feed.follow()).toEqual([]);
  });

  test('changes nothing when it is read anew after a restart, and puts no licence that is dealt with on the list', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const feed = new LifecycleFeed(world.control, world.customers);
    await cancel(world, acme.agreementId);
    await world.clock.set(NOW + 60_000);
    await feed.follow();
    const ending = { noticeAt: NOW, revokedAt: NOW + 31_000, deprovisionedAt: NOW + 31_000 };
    await world.customers.finishEnding(acme.licenceKey, ending);
    const before = await world.customers.licence(acme.licenceKey);
    expect(before?.ending).toEqual(ending);

    await new LifecycleFeed(world.control, world.customers).follow();

    expect(await world.customers.licence(acme.licenceKey)).toEqual(before);
    expect(await world.customers.endingLicences()).toEqual([]);
  });

  test('notes a renewal of the same licence as its next period, when it starts and not before', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const feed = new LifecycleFeed(world.control, world.customers);
    const { agreementId } = await world.control.post<{ agreementId: string }>('/control/agreements', {
      productCode: 'metrics-cloud',
      previousAgreementId: acme.agreementId,
      licenceArn: acme.licenceArn,
      startAt: '2026-09-21T12:30:00Z',
    });
    await feed.follow();
    const early = await world.customers.licence(acme.licenceKey);
    await world.clock.set(Date.parse('2026-09-21T12:31:00Z'));

    expect(await feed.follow()).toEqual([]);

    expect(early?.periods).toEqual([{ agreementId: acme.agreementId, from: NOW }]);
    const from = Date.parse('2026-09-21T12:30:00Z');
    const licence = await world.customers.licence(acme.licenceKey);
    expect(licence?.periods).toEqual([
      { agreementId: acme.agreementId, from: NOW, to: from },
      { agreementId, from },
    ]);
    expect(licence?.ending).toBeUndefined();
  });
});
