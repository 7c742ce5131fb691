// The way of AWS's notices on a laptop, over the database engine and the simulator.
import { describe, expect, test } from 'vitest';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import type { QueueFunction } from '../../local/local-queue.ts';
import { LocalQueue } from '../../local/local-queue.ts';
import { NoticeFeed } from '../../local/notice-feed.ts';
import { type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';

const services = useServices();
const START = '2026-09-21T10:05:00.000Z';
const NOW = Date.parse(START);

async function cancel(world: BackendWorld, agreementId: string): Promise<void> {
  await world.control.post(`/control/agreements/${agreementId}/cancel`);
}

async function licenceOf(world: BackendWorld, licenceKey: string) {
  return world.customers.licence(licenceKey);
}

/** Reads all anew, as a start does. */
function startAnew(world: BackendWorld, apply: QueueFunction = world.backend.applyNotice) {
  const letters: string[] = [];
  const queue = new LocalQueue({
    name: 'notices',
    clock: world.clock.now,
    maxReceives: 3,
    onDeadLetter: ({ body }) => void letters.push(body),
  });
  return { feed: new NoticeFeed(world.control, queue, apply), queue, letters };
}

describe('the feed of notices', () => {
  test('brings an end again that a fault kept from being applied at first', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(NOW + 61_000);
    let isAway = false;
    const { feed } = startAnew(world, async (event) => {
      if (isAway) return { batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      return world.backend.applyNotice(event);
    });
    expect(await feed.follow()).toBe(2);
    await cancel(world, acme.agreementId);
    isAway = true;
    expect(await feed.follow()).toBe(0);
    expect((await licenceOf(world, acme.licenceKey))?.ending).toBeUndefined();
    isAway = false;
    expect(await feed.follow()).toBe(0);
    await world.clock.set(NOW + 62_000);

    expect(await feed.follow()).toBe(1);

    expect((await licenceOf(world, acme.licenceKey))?.ending).toEqual({ noticeAt: NOW + 61_000 });
    expect(await feed.follow()).toBe(0);
  });

  test('hands what is never taken to the dead letters as it came, and the ones behind it are applied', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(NOW + 61_000);
    await cancel(world, acme.agreementId);
    const { feed, queue, letters } = startAnew(world, async ({ Records }) => {
      const refused = Records.filter(({ body }) => body.includes('Agreement Created'));
      const { batchItemFailures } = await world.backend.applyNotice({
        Records: Records.filter((each) => !refused.includes(each)),
      });
      const itemIdentifiers = refused.map(({ messageId }) => ({ itemIdentifier: messageId }));
      return { batchItemFailures: [...batchItemFailures, ...itemIdentifiers] };
    });

    for (let minute = 2; minute < 8; minute++) {
      await world.clock.set(NOW + minute * 60_000);
      await feed.follow();
    }

    expect(letters).toEqual([expect.stringContaining('"detail-type":"Purchase Agreement Created')]);
    expect(queue.deadLetters).toMatchObject([{ queue: 'notices', receives: 3, body: letters[0] }]);
    expect((await licenceOf(world, acme.licenceKey))?.ending).toMatchObject({ revokedAt: NOW + 92_000 });
  });

  test('makes a customer of a buyer who never comes, whose end is then known', async () => {
    const world = await startBackendWorld(services());
    const { agreementId, licenceArn } = await world.control.post<{ agreementId: string; licenceArn: string }>(
      '/control/agreements',
      { productCode: 'metrics-cloud' },
    );
    await world.clock.set(NOW + 61_000);
    await cancel(world, agreementId);

    await world.deliverNotices();

    expect(await licenceOf(world, licenceKeyOf({ style: 'licence', licenceArn }))).toMatchObject({
      periods: [{ agreementId, from: NOW }],
      ending: { noticeAt: NOW + 61_000 },
    });
  });

  test('changes nothing when it is read anew after a restart, and puts no licence that is dealt with on the list', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.clock.set(NOW + 61_000);
    await cancel(world, acme.agreementId);
    await world.clock.set(NOW + 600_000);
    await world.deliverNotices();
    const ending = { noticeAt: NOW + 61_000, revokedAt: NOW + 92_000, deprovisionedAt: NOW + 92_000 };
    await world.customers.finishEnding(acme.licenceKey, ending);
    const before = await licenceOf(world, acme.licenceKey);
    await world.tell();
    const told = world.busEvents.length;
    expect(before?.ending).toEqual(ending);

    expect(await startAnew(world).feed.follow()).toBe(4);

    expect(await licenceOf(world, acme.licenceKey)).toEqual(before);
    expect(await world.customers.endingLicences()).toEqual([]);
    await world.tell();
    expect(world.busEvents).toHaveLength(told);
  });

  test('notes a renewal of the same licence as its next period, when it starts and not before', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const { agreementId } = await world.control.post<{ agreementId: string }>('/control/agreements', {
      productCode: 'metrics-cloud',
      previousAgreementId: acme.agreementId,
      licenceArn: acme.licenceArn,
      startAt: '2026-09-21T12:30:00Z',
    });
    await world.clock.set(NOW + 120_000);
    await world.deliverNotices();
    const early = await licenceOf(world, acme.licenceKey);
    await world.clock.set(Date.parse('2026-09-21T12:35:00Z'));

    await world.deliverNotices();

    expect(early?.periods).toEqual([{ agreementId: acme.agreementId, from: NOW }]);
    const from = Date.parse('2026-09-21T12:30:00Z');
    const licence = await licenceOf(world, acme.licenceKey);
    expect(licence?.periods).toEqual([
      { agreementId: acme.agreementId, from: NOW, to: from },
      { agreementId, from },
    ]);
    expect(licence?.ending).toBeUndefined();
  });
});
