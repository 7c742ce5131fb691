// The acts that are on more than one record, or on none, on the real engine against the simulated AWS.
import { describe, expect, test } from 'vitest';
import { redrive } from '../../lambdas/flow/operations/redrive.ts';
import { WEBHOOK_SECRET_ARN } from '../../local/secrets.ts';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { deskOf } from './desk-world.ts';

const services = useServices();

describe('the act of redrive', () => {
  async function deadWorld() {
    const world = await startBackendWorld(services());
    world.queues.notices.deadLetters.push({ queue: 'notices', messageId: 'm-1', receives: 8, body: 'not a notice' });
    return { world, ...(await deskOf(world)) };
  }

  test('brings what a queue gave up back to it, and says so in the audit', async () => {
    const { world, desk, perform } = await deadWorld();

    const plan = await perform('redrive', { queue: 'notices' }, { dryRun: true });
    const stillDead = world.queues.notices.deadLetters.length;
    const done = await perform('redrive', { queue: 'notices' }, { why: 'the table is back' });

    expect(plan).toMatchObject({
      kind: 'planned',
      changes: [{ what: 'dead letters of notices', before: 1, after: 0 }],
    });
    expect(stillDead).toBe(1);
    if (done.kind !== 'done') throw new Error(done.kind);
    expect([world.queues.notices.deadLetters.length, world.queues.notices.length]).toEqual([0, 1]);
    expect(await desk.ledger.action(done.actionId)).toMatchObject({
      action: 'redrive',
      why: 'the table is back',
      facts: { queue: 'notices', letters: 1 },
    });
  });

  test('is refused where nothing lies there, and is already done under the same id', async () => {
    const { perform } = await deadWorld();
    const done = await perform('redrive', { queue: 'notices' });
    if (done.kind !== 'done') throw new Error(done.kind);

    const again = await perform('redrive', { queue: 'notices' }, { actionId: done.actionId });
    const anew = await perform('redrive', { queue: 'notices' });
    const other = await perform('redrive', { queue: 'webhooks' }, { actionId: done.actionId });

    expect(again.kind).toBe('already');
    expect(anew).toMatchObject({ kind: 'refused', code: 'nothingDead' });
    expect(other).toMatchObject({ kind: 'refused', code: 'actionIdTaken' });
  });

  test('under an old id leaves what was given up since where it is', async () => {
    const { world, perform } = await deadWorld();
    const done = await perform('redrive', { queue: 'notices' });
    if (done.kind !== 'done') throw new Error(done.kind);
    world.queues.notices.deadLetters.push({ queue: 'notices', messageId: 'm-2', receives: 8, body: 'later' });

    const again = await perform('redrive', { queue: 'notices' }, { actionId: done.actionId });

    expect(again).toMatchObject({ kind: 'already', changes: [] });
    expect(world.queues.notices.deadLetters.map(({ messageId }) => messageId)).toEqual(['m-2']);
  });

  test('that stopped between its audit line and the queue is done by the same id again, and then no more', async () => {
    const { world, desk, perform } = await deadWorld();
    const act = { actionId: '2026-09-21T10:05:00.000Z.stopped', who: 'ada', why: 'the table is back' };
    const lost = new Error('the connection is lost');
    const letters = { count: async () => 1, isRedriving: async () => false, redrive: () => Promise.reject(lost) };
    const stopped = redrive({ ...desk, deadLetters: { notices: letters } }, 'notices', act);
    await expect(stopped).rejects.toThrow(lost);

    const carriedOn = await perform('redrive', { queue: 'notices' }, { actionId: act.actionId });
    world.queues.notices.deadLetters.push({ queue: 'notices', messageId: 'm-2', receives: 8, body: 'later' });
    const again = await perform('redrive', { queue: 'notices' }, { actionId: act.actionId });

    expect([carriedOn.kind, again.kind]).toEqual(['done', 'already']);
    expect(world.queues.notices.deadLetters.map(({ messageId }) => messageId)).toEqual(['m-2']);
  });
});

describe('the act of resend', () => {
  async function undeliveredWorld() {
    const posted: string[] = [];
    let status = 410;
    const world = await startBackendWorld(services(), {
      webhooks: [{ name: 'crm', url: 'https://hooks.example.com/', secretArn: WEBHOOK_SECRET_ARN }],
      postWebhook: async ({ body }) => {
        posted.push(body);
        return { kind: 'answered', status };
      },
    });
    const buyer = await world.subscribe();
    await world.clock.set(Date.parse('2026-09-21T10:10:00Z'));
    await world.deliverNotices();
    await world.tell();
    const [first] = world.busEvents;
    if (!first) throw new Error('Nothing was told.');
    const raw = { endpoint: 'crm', customerId: buyer.customerId, sequence: String(first.sequence) };
    const mend = () => {
      status = 200;
      posted.length = 0;
    };
    return { world, raw, posted, mend, ...(await deskOf(world)) };
  }

  test('posts an event that its receiver did not take again, once under an id', async () => {
    const { world, raw, posted, mend, desk, perform } = await undeliveredWorld();
    mend();

    const plan = await perform('resend', raw, { dryRun: true });
    const done = await perform('resend', raw);
    if (done.kind !== 'done') throw new Error(done.kind);
    await world.tell();
    const again = await perform('resend', raw, { actionId: done.actionId });
    await world.tell();

    expect(plan).toMatchObject({ kind: 'planned', changes: [{ before: 'stopped', after: 'pending' }, {}] });
    expect(again.kind).toBe('already');
    expect(posted.length).toBe(1);
    const name = { ...raw, sequence: Number(raw.sequence) };
    expect((await desk.deliveries.delivery(name))?.status).toBe('delivered');
  });

  test('of a delivery that is not kept is refused', async () => {
    const { raw, perform } = await undeliveredWorld();

    const answer = await perform('resend', { ...raw, sequence: '999' });

    expect(answer).toMatchObject({ kind: 'refused', code: 'deliveryUnknown' });
  });

  test('of a mail is refused: no webhook would know what to do with it', async () => {
    const { raw, perform } = await undeliveredWorld();

    const answer = await perform('resend', { ...raw, endpoint: 'mail.buyerGranted' });

    expect(answer).toMatchObject({ kind: 'refused', message: expect.stringContaining('is mail') });
  });
});

describe('the act of link', () => {
  async function replacedWorld() {
    const world = await startBackendWorld(services());
    // AWS's notice of the new agreement names none before it.
    const account = { awsAccountId: '111122223333' };
    const first = await world.subscribe(account);
    const second = await world.subscribe(account);
    await world.clock.set(Date.parse('2026-09-21T10:10:00Z'));
    await world.deliverNotices();
    const raw = { agreementId: second.agreementId, previousAgreementId: first.agreementId };
    return { world, first, second, raw, ...(await deskOf(world)) };
  }

  test('makes both agreements one customer, after words, and once under an id', async () => {
    const { first, second, raw, desk, perform } = await replacedWorld();

    const plan = await perform('link', raw, { dryRun: true });
    const done = await perform('link', raw, { why: 'ticket 4711' });
    if (done.kind !== 'done') throw new Error(done.kind);
    const again = await perform('link', raw, { actionId: done.actionId });

    expect(plan).toMatchObject({ confirmation: `join ${second.customerId} into ${first.customerId}` });
    expect(again.kind).toBe('already');
    expect((await desk.customers.licence(second.licenceKey))?.customerId).toBe(first.customerId);
    expect(await desk.ledger.auditOf(first.customerId, 5)).toMatchObject([{ action: 'link', why: 'ticket 4711' }]);
  });

  test('of an unknown agreement, or one with itself, is refused', async () => {
    const { raw, perform } = await replacedWorld();

    const unknown = await perform('link', { ...raw, agreementId: 'agmt-nobody' });
    const itself = await perform('link', { ...raw, previousAgreementId: raw.agreementId });

    expect([unknown, itself]).toMatchObject([{ code: 'agreementUnknown' }, { code: 'agreementUnknown' }]);
  });
});

describe('the act of resubmit', () => {
  test('tries what waits for its time now, and tells what it leaves', async () => {
    const world = await startBackendWorld(services());
    const buyer = await world.subscribe();
    await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 40 })]);
    await world.control.put('/control/faults', { next: [{ kind: 'throttle', count: 50 }] });
    await world.tick('2026-09-21T11:11:00Z');
    await world.control.delete('/control/faults');
    const { perform } = await deskOf(world);
    const range = { first: '2026-09-21T10', end: '2026-09-21T11' };

    const plan = await perform('resubmit', range, { dryRun: true });
    const done = await perform('resubmit', range);
    await world.tick();

    expect(plan).toMatchObject({ kind: 'planned' });
    expect(done).toMatchObject({ kind: 'done' });
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([40]);
  });

  test('of too many hours is refused, as a plan as well', async () => {
    const { perform } = await deskOf(await startBackendWorld(services()));
    const range = { first: '2026-09-01T00', end: '2026-09-21T00' };

    const answers = [await perform('resubmit', range, { dryRun: true }), await perform('resubmit', range)];

    expect(answers).toMatchObject([{ code: 'rangeTooLong' }, { code: 'rangeTooLong' }]);
  });
});
