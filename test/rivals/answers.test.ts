// AWS's answers: what others close, lose, bill twice or ask for ever because of what AWS said.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createSendMeteringHandler } from '../../lambdas/send-metering.handler.ts';
import { fromItem, toItem } from '../../lambdas/stores/dynamo.ts';
import { ATTENTION, openKey, REFUSED, STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import { BY_STATE } from '../../lambdas/stores/tables.ts';
import { backendEnvironment } from '../../local/backend.ts';
import {
  anEvent,
  type BackendWorld,
  PRODUCT,
  type Subscription,
  startBackendWorld,
  useServices,
} from '../backend-world.ts';
import { anHour, at } from '../builders.ts';
import { billElsewhere, billed, startWorker, subscribers, tickOf, unitsBilled } from './workers.ts';

const services = useServices();

async function statuses(world: BackendWorld, buyers: readonly Subscription[]): Promise<(string | undefined)[]> {
  const sealed = await Promise.all(buyers.map((each) => world.ledger.sealed(anHour(), each.licenceKey, 'requests')));
  return sealed.map((each) => each?.status);
}

/** A world in which `count` buyers used `quantity` in the hour of 10. */
async function usedWorld(count: number, quantity: number) {
  const world = await startBackendWorld(services());
  const buyers = await subscribers(world, count);
  await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity })));
  return { world, buyers };
}

const arm = (world: BackendWorld, ...next: object[]) => world.control.put('/control/faults', { next });
const honoured = (count: number) => Array<string>(count).fill('honoured');

describe('a call', () => {
  test('26 dimensions of one buyer are billed in two calls, where the AWS sample and Laravel’s meter() send 26 in one and AWS refuses all (M10, L1)', async () => {
    const dimensions = Array.from({ length: 26 }, (_, index) => `dimension_${index}`);
    const world = await startBackendWorld(services(), { product: { dimensions } });
    const listing = { title: 'Metrics Cloud', dimensions: dimensions.map((key) => ({ key })) };
    await world.control.put(`/control/products/${PRODUCT}`, listing);
    const acme = await world.subscribe();
    await world.report(
      dimensions.map((dimension) => anEvent(acme, '2026-09-21T10:05:00Z', { dimension, quantity: 3 })),
    );

    await world.tick('2026-09-21T11:11:00Z');

    expect(await world.calls()).toBe(2);
    expect(await world.bill()).toHaveLength(26);
    expect(await unitsBilled(world)).toBe(78);
  });

  test('records that AWS hands back unprocessed stay open and are billed next, where the AWS sample never reads that list and closes them as sent: 0 of 5 (M11)', async () => {
    const { world, buyers } = await usedWorld(1, 5);
    await arm(world, { kind: 'partialUnprocessed', keep: 0 });
    await world.tick('2026-09-21T11:11:00Z');
    const during = [await statuses(world, buyers), await unitsBilled(world)];

    await world.tick('2026-09-21T11:13:00Z');

    expect(during).toEqual([['open'], 0]);
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });

  test('records that come back unprocessed five times over are asked for again after a wait, longer each time, where the AWS skill asks once more, at once (K3)', async () => {
    const { world, buyers } = await usedWorld(1, 5);
    const [acme] = buyers;
    await arm(world, { kind: 'partialUnprocessed', keep: 0, count: 5 });
    await world.clock.set(at('2026-09-21T11:11:00Z'));
    await world.backend.closeHours();
    const waits: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      await world.backend.sendMetering();
      const sealed = acme && (await world.ledger.sealed(anHour(), acme.licenceKey, 'requests'));
      const nextAttemptAt = sealed?.nextAttemptAt ?? 0;
      waits.push(nextAttemptAt - world.clock.now());
      await world.clock.set(nextAttemptAt);
    }
    const calls = await world.calls();

    await world.backend.sendMetering();

    expect(calls).toBe(5);
    expect(waits.every((wait) => wait > 20_000)).toBe(true);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });

  test('four throttles in a row close nothing and all is billed, where the AWS sample closes the rows as failed: 0 billed (M12)', async () => {
    const { world, buyers } = await usedWorld(4, 3);
    await arm(world, { kind: 'throttle', count: 4 });

    await world.tick('2026-09-21T11:11:00Z');
    await world.tick('2026-09-21T11:12:00Z');

    expect(await statuses(world, buyers)).toEqual(honoured(4));
    expect(await unitsBilled(world)).toBe(12);
  });

  test('an outage or a broken role closes no record and takes no call apart, where the AWS skill makes up to 49 calls of it and rejects all 25 for good (K1)', async () => {
    const codes = [
      'InternalServiceErrorException',
      'AccessDeniedException',
      'DisabledApiException',
      'ExpiredTokenException',
      'UnrecognizedClientException',
    ];
    const { world, buyers } = await usedWorld(25, 2);
    let code: string | undefined;
    const worker = await startWorker(world, services(), { marketplace: { refuse: () => code } });
    const calls: number[] = [];
    for (const [index, each] of codes.entries()) {
      code = each;
      const before = worker.marketplace.calls.length;
      await tickOf(world, worker.backend, `2026-09-21T${11 + index}:11:00Z`);
      calls.push(worker.marketplace.calls.length - before);
    }
    const during = new Set(await statuses(world, buyers));
    code = undefined;

    await tickOf(world, worker.backend, '2026-09-21T16:11:00Z');

    expect(calls).toEqual([1, 1, 1, 1, 1]);
    expect(during).toEqual(new Set(['open']));
    expect(await statuses(world, buyers)).toEqual(honoured(25));
    expect(await unitsBilled(world)).toBe(50);
  });

  test('credentials that are missing or unknown leave usage open, where Red Hat’s producer logs that and marks the usage as succeeded (H1)', async () => {
    const { world, buyers } = await usedWorld(1, 5);
    const worker = await startWorker(world, services(), {
      marketplace: { refuse: () => 'MissingAuthenticationToken' },
    });
    await tickOf(world, worker.backend, '2026-09-21T11:11:00Z');
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...environment } = backendEnvironment(worker.settings);
    const surroundings = { environment, clock: world.clock.now, log: worker.settings.log };
    expect(() => createSendMeteringHandler(surroundings)).toThrow('AWS_ACCESS_KEY_ID is not set');
    const during = await statuses(world, buyers);

    await world.tick('2026-09-21T12:11:00Z');

    expect(during).toEqual(['open']);
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });

  test('twelve failed attempts over 22 hours give nothing up and the record is billed, where the fdrn9999 mock ends it after five (B1)', async () => {
    const { world, buyers } = await usedWorld(1, 5);
    await arm(world, { kind: 'accessDenied', count: 12 });
    for (let attempt = 0; attempt < 12; attempt++) {
      await world.tick(new Date(at('2026-09-21T11:11:00Z') + attempt * 110 * 60_000).toISOString());
    }
    const during = [await world.calls(), await statuses(world, buyers)];

    await world.tick('2026-09-22T09:11:00Z');

    expect(during).toEqual([12, ['open']]);
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });

  test('records at fault are found by a query with AWS’s own code, where the AWS sample keeps an error as twice encoded text that only a scan finds (M22)', async () => {
    const world = await startBackendWorld(services(), { product: { dimensions: ['requests', 'unlisted'] } });
    const acme = await world.subscribe();
    await world.report([
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 9 }),
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 4, dimension: 'unlisted' }),
    ]);

    await world.tick('2026-09-21T11:11:00Z');

    const open = Array.from({ length: STATE_SHARDS }, (_, shard) => openKey(shard));
    const listed = await Promise.all(
      [...open, REFUSED, ATTENTION].map(async (place) => {
        const { Items = [] } = await world.client.send(
          new QueryCommand({
            TableName: world.tables.ledger,
            IndexName: BY_STATE,
            KeyConditionExpression: 'stateKey = :key',
            ExpressionAttributeValues: toItem({ ':key': place }),
          }),
        );
        return Items.map(fromItem);
      }),
    );
    const sealed = await world.ledger.sealed(anHour(), acme.licenceKey, 'unlisted');
    expect(listed.flat()).toMatchObject([{ status: 'quarantined', sk: `${acme.licenceKey}#unlisted` }]);
    expect(sealed).toMatchObject({ reason: 'InvalidUsageDimensionException', accounted: 4 });
    expect(world.logged).toContainEqual(expect.objectContaining({ level: 'warn', code: 'BatchInvalid' }));
    expect(await billed(world)).toEqual([['2026-09-21T10', 9]]);
  });
});

describe('AWS’s word on one record', () => {
  test('a dimension that AWS refuses leaves the 9 units of the other honoured and never sent again, where the AWS sample marks both as failed (M13)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await billElsewhere(world, acme, '2026-09-21T10:05:00Z', 999);
    await world.report([
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 }),
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 9, dimension: 'gb_stored' }),
    ]);
    await world.tick('2026-09-21T11:11:00Z');
    const calls = await world.calls();

    await world.tick('2026-09-21T13:11:00Z');

    const sealed = await Promise.all(
      ['requests', 'gb_stored'].map((dimension) => world.ledger.sealed(anHour(), acme.licenceKey, dimension)),
    );
    expect(sealed.map((each) => each?.status)).toEqual(['disputed', 'honoured']);
    expect(await world.calls()).toBe(calls);
    expect(await unitsBilled(world)).toBe(1_008);
  });

  test('a buyer who is not subscribed is asked about again until the usage is billed, where the AWS skill ends the record at the first such answer (K9)', async () => {
    const { world, buyers } = await usedWorld(1, 5);
    const [acme] = buyers;
    await world.control.post(`/control/agreements/${acme?.agreementId}/suspend`);
    await world.tick('2026-09-21T11:11:00Z');
    await world.tick('2026-09-21T15:11:00Z');
    const during = await statuses(world, buyers);

    await world.control.post(`/control/agreements/${acme?.agreementId}/resume`);
    await world.tick('2026-09-21T15:22:00Z');

    expect(during).toEqual(['held']);
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });

  test('a duplicate of our own is told from a stranger’s: one counts as billed, one is listed as disputed, where the AWS skill ends both alike (K9)', async () => {
    const { world, buyers } = await usedWorld(2, 5);
    const [ours, theirs] = buyers;
    if (!ours || !theirs) throw new Error('Two buyers are needed.');
    await world.control.put('/control/switches', { identicalResend: 'DuplicateRecord' });
    await billElsewhere(world, ours, '2026-09-21T10:05:00Z', 5);
    await billElsewhere(world, theirs, '2026-09-21T10:05:00Z', 999);
    const sealed = async (each: Subscription) => world.ledger.sealed(anHour(), each.licenceKey, 'requests');
    await world.clock.set(at('2026-09-21T11:11:00Z'));
    await world.backend.closeHours();
    const record = await sealed(ours);
    // An attempt of ours that heard no answer: the call that AWS took of us before.
    if (record) await world.ledger.intend(record, { id: 'unanswered', at: at('2026-09-21T11:10:30Z') });

    await world.backend.sendMetering();

    expect(await sealed(ours)).toMatchObject({ status: 'presumed', reason: 'DuplicateRecord' });
    expect(await sealed(theirs)).toMatchObject({ status: 'disputed', reason: 'DuplicateRecord' });
  });

  test('a duplicate is asked about once and a lost subscription until the deadline, where Flexprice tries both again for ever (F2)', async () => {
    const { world, buyers } = await usedWorld(2, 5);
    const [elsewhere, gone] = buyers;
    if (!elsewhere || !gone) throw new Error('Two buyers are needed.');
    await billElsewhere(world, elsewhere, '2026-09-21T10:05:00Z', 999);
    await world.control.post(`/control/agreements/${gone.agreementId}/suspend`);
    await world.tick('2026-09-21T11:11:00Z');
    const first = await statuses(world, buyers);
    for (const time of ['21T14:11', '21T20:11', '22T09:59', '22T10:05']) await world.tick(`2026-09-${time}:00Z`);
    const calls = await world.calls();

    for (const time of ['22T12:11', '22T18:11']) await world.tick(`2026-09-${time}:00Z`);

    const ended = await world.ledger.sealed(anHour(), gone.licenceKey, 'requests');
    expect(first).toEqual(['disputed', 'held']);
    expect(await statuses(world, buyers)).toEqual(['disputed', 'expired']);
    expect(ended?.reason).toBe('CustomerNotSubscribed');
    expect(await world.calls()).toBe(calls);
  });

  test('a status that AWS never documented bills nothing in our books, and the record is billed later, where Red Hat’s producer took any status for success until August 2026 (H4)', async () => {
    const { world, buyers } = await usedWorld(1, 5);
    await arm(world, { kind: 'unknownStatus', status: 'PendingReview' });
    await world.tick('2026-09-21T11:11:00Z');
    const during = await statuses(world, buyers);
    const [books] = await world.books('2026-09-21T10', '2026-09-21T11');

    await world.tick('2026-09-21T11:13:00Z');

    expect(during).toEqual(['open']);
    expect(books?.byStatus).toMatchObject({ honoured: 0, open: 5 });
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
  });

  test('a record that AWS did not take is not completed for it, where MichaelWalker’s processor only logs the status and completes it (W1)', async () => {
    const { world, buyers } = await usedWorld(2, 5);
    const [suspended] = buyers;
    await world.control.post(`/control/agreements/${suspended?.agreementId}/suspend`);
    await arm(world, { kind: 'partialUnprocessed', keep: 0 });
    await world.tick('2026-09-21T11:11:00Z');
    const handedBack = await statuses(world, buyers);
    await world.tick('2026-09-21T11:13:00Z');
    const refused = await statuses(world, buyers);

    await world.control.post(`/control/agreements/${suspended?.agreementId}/resume`);
    await world.tick('2026-09-21T11:24:00Z');

    expect(handedBack).toEqual(['open', 'open']);
    expect(refused).toEqual(['held', 'honoured']);
    expect(await unitsBilled(world)).toBe(10);
  });
});
