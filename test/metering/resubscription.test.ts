// A buyer who left comes back: the same customer and licence, billed again from the new start on.
import { describe, expect, test } from 'vitest';
import type { NoticeFeed } from '../../local/notice-feed.ts';
import { anEvent, type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';

const services = useServices();
const LEGACY = 'search-legacy';

async function startLegacyWorld() {
  const product = { productCode: LEGACY, title: 'Search', identityStyle: 'legacy' };
  const world = await startBackendWorld(services(), { product });
  return { world, feed: world.noticeFeed() };
}

/** Minute by minute, as the schedules tick, with the notices read before. */
async function minutes(world: BackendWorld, feed: NoticeFeed, from: string, count: number): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    await world.clock.set(Date.parse(from) + minute * 60_000);
    await feed.follow();
    await world.tick();
  }
}

async function billed(world: BackendWorld): Promise<[string, number][]> {
  return (await world.bill()).map(({ hour, quantity }) => [hour.slice(0, 13), quantity]);
}

async function differences(world: BackendWorld): Promise<number[]> {
  const books = await world.books('2026-09-21T08', '2026-09-21T18');
  return books.map(({ difference }) => difference).filter((difference) => difference !== 0);
}

describe('a legacy buyer who subscribes again', () => {
  test('is billed for the final hour, not for the gap, and again from the new start on', async () => {
    const { world, feed } = await startLegacyWorld();
    const first = await world.subscribe();
    await feed.follow();
    const event = (time: string, quantity: number) =>
      anEvent(first, time, { licenseArn: undefined, customerId: first.customerId, quantity });
    await world.clock.set(Date.parse('2026-09-21T11:40:00Z'));
    await world.report([event('2026-09-21T11:30:00Z', 5)]);
    await world.control.post(`/control/agreements/${first.agreementId}/cancel`);
    await minutes(world, feed, '2026-09-21T11:41:00Z', 15);
    expect(await billed(world)).toEqual([['2026-09-21T11', 5]]);
    await world.clock.set(Date.parse('2026-09-21T13:10:00Z'));
    const gone = await world.report([event('2026-09-21T13:09:00Z', 70)]);

    await world.clock.set(Date.parse('2026-09-21T14:20:00Z'));
    const again = await world.subscribe({ awsAccountId: first.awsAccountId });
    await world.clock.set(Date.parse('2026-09-21T14:40:00Z'));
    await feed.follow();
    const back = await world.report([
      event('2026-09-21T14:30:00Z', 9),
      event('2026-09-21T14:19:59Z', 700),
      event('2026-09-21T11:40:31Z', 700),
    ]);
    await minutes(world, feed, '2026-09-21T15:10:00Z', 3);
    await world.report([event('2026-09-21T15:12:00Z', 11)]);
    await minutes(world, feed, '2026-09-21T16:10:00Z', 3);

    expect(again).toMatchObject({ customerIdentifier: first.customerIdentifier, customerId: first.customerId });
    expect(gone.outcomes[0]?.code).toBe('licenceEnded');
    expect(back.outcomes.map(({ outcome, code }) => code ?? outcome)).toEqual([
      'recorded',
      'licenceEnded',
      'licenceEnded',
    ]);
    expect(await billed(world)).toEqual([
      ['2026-09-21T11', 5],
      ['2026-09-21T14', 9],
      ['2026-09-21T15', 11],
    ]);
    expect(await differences(world)).toEqual([]);
    expect(await world.customers.endingLicences()).toEqual([]);
  });

  test('is billed again although the notices of the first end are read again after a restart', async () => {
    const { world, feed } = await startLegacyWorld();
    const first = await world.subscribe();
    await world.control.post(`/control/agreements/${first.agreementId}/cancel`);
    await minutes(world, feed, '2026-09-21T10:06:00Z', 12);
    await world.clock.set(Date.parse('2026-09-21T14:00:00Z'));
    const again = await world.subscribe({ awsAccountId: first.awsAccountId });
    const restarted = world.noticeFeed();
    await world.clock.set(Date.parse('2026-09-21T14:30:00Z'));
    await restarted.follow();
    const event = anEvent(again, '2026-09-21T14:20:00Z', { licenseArn: undefined, customerId: again.customerId });
    expect((await world.report([event])).counts.recorded).toBe(1);

    await minutes(world, restarted, '2026-09-21T15:10:00Z', 3);
    await minutes(world, world.noticeFeed(), '2026-09-21T15:14:00Z', 1);

    expect(await billed(world)).toEqual([['2026-09-21T14', 1]]);
  });

  test('within the drain of the old end goes on without a final hour, and loses nothing', async () => {
    const { world, feed } = await startLegacyWorld();
    const first = await world.subscribe();
    await feed.follow();
    const event = (time: string, quantity: number) =>
      anEvent(first, time, { licenseArn: undefined, customerId: first.customerId, quantity });
    await world.report([event('2026-09-21T10:05:00Z', 5)]);
    await world.control.post(`/control/agreements/${first.agreementId}/cancel`);
    await world.clock.set(Date.parse('2026-09-21T10:05:10Z'));
    await world.subscribe({ awsAccountId: first.awsAccountId });
    await minutes(world, feed, '2026-09-21T10:06:00Z', 12);
    await world.report([event('2026-09-21T10:17:00Z', 6)]);

    await minutes(world, feed, '2026-09-21T11:10:00Z', 3);

    expect(await billed(world)).toEqual([['2026-09-21T10', 11]]);
    expect(await differences(world)).toEqual([]);
  });
});
