// Whose usage it is: licences, products, buyers who come late or leave, and what others drop for it.
import { describe, expect, test } from 'vitest';
import { startGateway } from '../../local/gateway.ts';
import { anEvent, type BackendWorld, type Subscription, startBackendWorld, useServices } from '../backend-world.ts';
import { at } from '../builders.ts';
import { billed, OWN_PRODUCT, startWorker, tickOf, unitsBilled } from './workers.ts';

const services = useServices();

type Agreement = Pick<Subscription, 'agreementId' | 'licenceArn' | 'awsAccountId'>;

/** A buyer who has subscribed at AWS, and has not come to our page. */
function subscribed(world: BackendWorld, wanted: object = {}): Promise<Agreement> {
  return world.control.post<Agreement>('/control/agreements', { productCode: OWN_PRODUCT.productCode, ...wanted });
}

/** The buyer presses "Set up your account" and sends no form. */
async function arrive(world: BackendWorld, { agreementId }: Agreement, gatewayUrl = world.gateway.url) {
  const { token } = await world.control.post<{ token: string }>(`/control/agreements/${agreementId}/tokens`);
  const body = new URLSearchParams({ 'x-amzn-marketplace-token': token });
  const answer = await fetch(`${gatewayUrl}/register`, { method: 'POST', body, redirect: 'manual' });
  expect(answer.status).toBe(303);
}

describe('buyers', () => {
  test('a buyer who never sends the form is billed, where the April 2026 sample sends records without their account and the ESC sample drops the usage (A1)', async () => {
    const world = await startBackendWorld(services());
    const agreement = await subscribed(world);
    await arrive(world, agreement);
    await world.report([anEvent(agreement, '2026-09-21T10:05:00Z', { quantity: 12 })]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(await world.bill()).toMatchObject([{ quantity: 12, awsAccountId: agreement.awsAccountId }]);
  });

  test('two licences of one AWS account are billed each for its own usage, where the ESC sample keeps one row for the account and sbt-aws knows no licences (E1, S18)', async () => {
    const world = await startBackendWorld(services());
    const first = await world.subscribe();
    const second = await world.subscribe({ awsAccountId: first.awsAccountId });
    await world.report([
      anEvent(first, '2026-09-21T10:05:00Z', { quantity: 5 }),
      anEvent(second, '2026-09-21T10:05:00Z', { quantity: 7 }),
    ]);

    await world.tick('2026-09-21T11:11:00Z');

    const lines = (await world.bill()).map(({ licenceArn, quantity }) => [licenceArn, quantity]);
    expect(new Map(lines as [string, number][])).toEqual(
      new Map([
        [first.licenceArn, 5],
        [second.licenceArn, 7],
      ]),
    );
    expect(first.customerId).not.toBe(second.customerId);
  });

  test('a buyer of whom AWS names no licence is let in, and is billed once AWS names it, where the AWS skill answers 200 and knows no licence (K12)', async () => {
    const world = await startBackendWorld(services());
    const agreement = await subscribed(world);
    await world.control.put('/control/faults', { next: [{ kind: 'missingLicenseArn' }] });
    await arrive(world, agreement);
    const { counts } = await world.report([anEvent(agreement, '2026-09-21T10:05:00Z', { quantity: 12 })]);
    await world.tick('2026-09-21T11:11:00Z');
    const before = await world.books('2026-09-21T10', '2026-09-21T11');

    await arrive(world, agreement);
    await world.tick('2026-09-21T11:30:00Z');

    expect(counts.recorded).toBe(1);
    expect(before).toMatchObject([{ notYetSealed: 12, difference: 0 }]);
    expect(await billed(world)).toEqual([['2026-09-21T10', 12]]);
  });

  test('a licence whose ARN has another shape is metered like any, where the AWS skill wants :license: and twelve digits (K13)', async () => {
    const world = await startBackendWorld(services());
    const licenceArn = 'arn:aws-iso:license-manager:us-east-1:aws-marketplace:seller/licence/Acme.7';
    const acme = await world.subscribe({ licenceArn });
    const { counts } = await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 12 })]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(counts.recorded).toBe(1);
    expect(await world.bill()).toMatchObject([{ licenceArn, quantity: 12 }]);
  });

  test('two products of one deployment are billed each in calls of their own, where the AWS sample knows one product a stack (M21)', async () => {
    const world = await startBackendWorld(services());
    const other = { ...OWN_PRODUCT, productCode: 'log-cloud', title: 'Log Cloud', dimensions: ['lines'] };
    await world.control.put('/control/products/log-cloud', { title: other.title, dimensions: [{ key: 'lines' }] });
    const worker = await startWorker(world, services(), { products: [OWN_PRODUCT, other] });
    const gateway = await startGateway(worker.backend);
    const mine = await subscribed(world);
    const theirs = await subscribed(world, { productCode: 'log-cloud' });
    for (const agreement of [mine, theirs]) await arrive(world, agreement, gateway.url);
    const events = [
      anEvent(mine, '2026-09-21T10:05:00Z', { quantity: 5 }),
      anEvent(theirs, '2026-09-21T10:05:00Z', { quantity: 7, dimension: 'lines' }),
    ];
    await fetch(`${gateway.url}/usage`, { method: 'POST', body: JSON.stringify({ events }) });
    await gateway.close();

    await tickOf(world, worker.backend, '2026-09-21T11:11:00Z');

    const lines = (await world.bill()).map(({ dimension, quantity }) => `${dimension} ${quantity}`);
    expect(lines.sort()).toEqual(['lines 7', 'requests 5']);
    expect(worker.marketplace.calls.map(({ input }) => input['ProductCode'])).toContain(undefined);
    expect(await world.calls()).toBe(2);
  });
});

describe('ends', () => {
  test('a buyer who unsubscribes has the last hour billed within the hour that AWS leaves, where the AWS sample sends it too late and closes it as failed (M20)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.deliverNotices();
    await world.clock.set(at('2026-09-21T11:45:00Z'));
    await world.report([
      anEvent(acme, '2026-09-21T10:30:00Z', { quantity: 5 }),
      anEvent(acme, '2026-09-21T11:44:00Z', { quantity: 7 }),
    ]);
    await world.control.post(`/control/agreements/${acme.agreementId}/cancel`);

    for (let minute = 46; minute < 60; minute++) {
      await world.clock.set(at(`2026-09-21T11:${minute}:00Z`));
      await world.deliverNotices();
      await world.tick();
    }

    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 5],
      ['2026-09-21T11', 7],
    ]);
  });

  test('a notice of a licence that nobody knows is kept until its buyer comes, and the final hour is billed, where the AWS skill and Laravel’s package drop it (K11, L3)', async () => {
    const world = await startBackendWorld(services());
    const agreement = await subscribed(world);
    await world.report([anEvent(agreement, '2026-09-21T10:05:00Z', { quantity: 12 })]);
    await world.control.post(`/control/agreements/${agreement.agreementId}/cancel`);
    await world.clock.set(at('2026-09-21T10:07:00Z'));
    await world.deliverNotices();
    await arrive(world, agreement);

    for (let minute = 8; minute < 30; minute++) {
      await world.clock.set(at('2026-09-21T10:00:00Z') + minute * 60_000);
      await world.deliverNotices();
      await world.tick();
    }

    const [ending] = await world.customers.endingLicences();
    expect(ending).toMatchObject({ licenceArn: agreement.licenceArn });
    expect(await billed(world)).toEqual([['2026-09-21T10', 12]]);
  });

  test('a start and an earlier step of the end that are told late give an ended licence no life, where the AWS sample overwrites by order of arrival (R7)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.deliverNotices();
    const startedAt = world.clock.now();
    await world.clock.set(at('2026-09-21T10:30:00Z'));
    await world.control.post(`/control/agreements/${acme.agreementId}/cancel`);
    await world.clock.set(at('2026-09-21T10:31:00Z'));
    await world.deliverNotices();
    const ended = await world.customers.licence(acme.licenceKey);
    const { agreementId, licenceKey } = acme;

    await world.customers.noteStart(licenceKey, { agreementId, from: startedAt });
    await world.customers.noteEnding(licenceKey, { agreementId, noticeAt: at('2026-09-21T10:30:00Z') });
    await world.clock.set(at('2026-09-21T10:45:00Z'));
    const { outcomes } = await world.report([anEvent(acme, '2026-09-21T10:40:00Z', { quantity: 9 })]);

    expect(ended?.ending?.deprovisionedAt).toBe(at('2026-09-21T10:30:31Z'));
    expect((await world.customers.licence(licenceKey))?.ending).toEqual(ended?.ending);
    expect(outcomes[0]).toMatchObject({ outcome: 'refused', code: 'licenceEnded' });
    expect(await unitsBilled(world)).toBe(0);
  });
});
