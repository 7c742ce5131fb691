// One event to one endpoint: tried for a day, settled once, and seen where it does not arrive.
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import type { PostOutcome } from '../../lambdas/domain/delivery.ts';
import { WEBHOOK_TRIED_FOR_MS, webhookKey } from '../../lambdas/domain/webhook.ts';
import type { WebhookPoster } from '../../lambdas/flow/access-ports.ts';
import { type Delivered, deliverWebhook } from '../../lambdas/flow/deliver-webhook.ts';
import { resendWebhook } from '../../lambdas/flow/resend-webhook.ts';
import { MemoryDeliveries } from '../doubles/memory-access.ts';

const SECRETS = [7, 9].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`);
const KEYS = SECRETS.flatMap((secret) => webhookKey(secret) ?? []);
const CRM = { name: 'crm', url: 'https://hooks.example.com/aws', secretArn: 'arn' };
const DISPATCH = { endpoint: 'crm', customerId: 'cus_a', sequence: 3, type: 'accessGranted', body: '{"sequence":3}' };

function aWorld(answers: readonly PostOutcome[]) {
  const waiting = [...answers];
  const posts: Parameters<WebhookPoster>[0][] = [];
  const errors: unknown[] = [];
  const deliveries = new MemoryDeliveries();
  const state = { nowMs: Date.now() };
  const post: WebhookPoster = async (each) => {
    posts.push(each);
    return waiting.length > 1 ? (waiting.shift() as PostOutcome) : (waiting[0] as PostOutcome);
  };
  const ports = {
    deliveries,
    endpoints: new Map([['crm', CRM]]),
    keys: async () => KEYS,
    post,
    clock: () => state.nowMs,
    chance: () => 0.5,
    log: { error: (code: string, facts?: object) => void errors.push({ code, ...facts }) },
  };
  /** What the queue does: brings the message again when it is told to, until it is done. */
  const untilSettled = async (): Promise<Delivered> => {
    for (;;) {
      const delivered = await deliverWebhook(ports, DISPATCH);
      if (delivered.kind === 'settled') return delivered;
      state.nowMs += delivered.inSeconds * 1_000;
    }
  };
  return { posts, errors, deliveries, state, ports, untilSettled, kept: () => deliveries.delivery(DISPATCH) };
}

const answered = (status: number): PostOutcome => ({ kind: 'answered', status });

describe('a webhook', () => {
  test('is posted as it is, signed with every secret of the endpoint', async () => {
    const { posts, ports } = aWorld([answered(204)]);

    expect(await deliverWebhook(ports, DISPATCH)).toEqual({ kind: 'settled', status: 'delivered', tries: 1 });

    const [post] = posts;
    expect(post).toMatchObject({ url: CRM.url, body: DISPATCH.body, headers: { 'webhook-id': 'cus_a_3' } });
    for (const secret of SECRETS) expect(new Webhook(secret).verify(DISPATCH.body, post?.headers ?? {})).toBeTruthy();
  });

  test('that the bus or the queue brings again is not posted again', async () => {
    const { posts, ports } = aWorld([answered(200)]);

    await deliverWebhook(ports, DISPATCH);
    expect(await deliverWebhook(ports, DISPATCH)).toMatchObject({ kind: 'settled', status: 'delivered' });

    expect(posts).toHaveLength(1);
  });

  test.each<[string, PostOutcome]>([
    ['a fault of the receiver', answered(500)],
    ['too much at once', answered(429)],
    ['a redirect, which is never followed', answered(301)],
    ['a path that is not there yet', answered(404)],
    ['no answer', { kind: 'failed', reason: 'timeout' }],
  ])('is tried again after %s, under the same id, until it arrives', async (_claim, outcome) => {
    const { posts, ports, untilSettled, kept } = aWorld([outcome, outcome, answered(200)]);

    expect(await deliverWebhook(ports, DISPATCH)).toMatchObject({ kind: 'again', inSeconds: 5, tries: 1 });
    expect(await untilSettled()).toEqual({ kind: 'settled', status: 'delivered', tries: 3 });

    expect(new Set(posts.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['cus_a_3']));
    expect(new Set(posts.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3);
    expect((await kept())?.attempts).toHaveLength(3);
  });

  test('is given up after a day of tries, which is kept and told', async () => {
    const { errors, state, untilSettled, kept, posts } = aWorld([answered(503)]);
    const beganAt = state.nowMs;

    expect(await untilSettled()).toMatchObject({ status: 'givenUp', tries: posts.length });

    expect(state.nowMs - beganAt).toBeLessThanOrEqual(WEBHOOK_TRIED_FOR_MS);
    expect(state.nowMs - beganAt).toBeGreaterThan(WEBHOOK_TRIED_FOR_MS - 4 * 3_600_000);
    const delivery = await kept();
    expect(delivery?.attempts).toHaveLength(10);
    expect(delivery?.attempts.at(-1)?.outcome).toBe('503');
    expect(errors).toEqual([
      { code: 'WebhookGivenUp', endpoint: 'crm', eventId: 'cus_a_3', tries: posts.length, outcome: '503' },
    ]);
  });

  test.each<[string, PostOutcome, string]>([
    ['a receiver that wants nothing more', answered(410), '410'],
    ['an address inside of a network', { kind: 'forbidden', reason: 'private' }, 'private'],
  ])('is stopped at once by %s, which is kept and told', async (_claim, outcome, said) => {
    const { posts, ports, errors, kept } = aWorld([outcome]);

    expect(await deliverWebhook(ports, DISPATCH)).toEqual({ kind: 'settled', status: 'stopped', tries: 1 });

    expect(posts).toHaveLength(1);
    expect(await kept()).toMatchObject({ status: 'stopped', attempts: [{ outcome: said }] });
    expect(errors).toMatchObject([{ code: 'WebhookStopped', outcome: said }]);
  });

  test('of an endpoint that is not in the settings waits without a post: its deployment may be under way', async () => {
    const { posts, ports, state, kept } = aWorld([answered(200)]);

    await deliverWebhook({ ...ports, endpoints: new Map() }, DISPATCH);

    expect(posts).toEqual([]);
    expect(await kept()).toMatchObject({ status: 'pending', attempts: [{ outcome: 'endpointUnknown' }] });
    state.nowMs += 10_000;
    expect(await deliverWebhook(ports, DISPATCH)).toMatchObject({ kind: 'settled', status: 'delivered' });
  });

  test('that comes before its time waits for it: a second message does not double the tries', async () => {
    const { posts, ports, state } = aWorld([answered(500)]);
    await deliverWebhook(ports, DISPATCH);
    state.nowMs += 2_000;

    expect(await deliverWebhook(ports, DISPATCH)).toEqual({ kind: 'again', inSeconds: 3, tries: 1 });

    expect(posts).toHaveLength(1);
  });

  test('whose secrets can not be read counts no try: the fault is ours', async () => {
    const { ports, kept } = aWorld([answered(200)]);
    const keys = () => Promise.reject(new Error('no secrets'));

    await expect(deliverWebhook({ ...ports, keys }, DISPATCH)).rejects.toThrow('no secrets');

    expect(await kept()).toMatchObject({ status: 'pending', tries: 0 });
    expect(await deliverWebhook(ports, DISPATCH)).toMatchObject({ status: 'delivered', tries: 1 });
  });

  test.each([500, 410])('that arrived stays delivered, though a slower worker was told %i', async (status) => {
    const { ports, kept, errors } = aWorld([answered(500)]);
    const slow: WebhookPoster = async () => {
      await deliverWebhook({ ...ports, post: async () => answered(200) }, DISPATCH);
      return answered(status);
    };

    expect(await deliverWebhook({ ...ports, post: slow }, DISPATCH)).toMatchObject({ kind: 'again' });

    expect(await kept()).toMatchObject({ status: 'delivered' });
    expect(errors).toEqual([]);
    expect(await deliverWebhook(ports, DISPATCH)).toMatchObject({ kind: 'settled', status: 'delivered' });
  });

  test('that arrived is noted as delivered, though a faster worker saw it fail', async () => {
    const { ports, kept } = aWorld([answered(500)]);
    const slow: WebhookPoster = async () => {
      await deliverWebhook(ports, DISPATCH);
      return answered(200);
    };

    expect(await deliverWebhook({ ...ports, post: slow }, DISPATCH)).toMatchObject({ status: 'delivered' });
    expect(await kept()).toMatchObject({ status: 'delivered' });
  });
});

describe('an event that an operator wants again', () => {
  test('is posted once more under its id, with a day of tries of its own', async () => {
    const { posts, ports, state, untilSettled, deliveries, kept } = aWorld([answered(503)]);
    await untilSettled();
    const before = posts.length;
    const sent: unknown[] = [];
    const queue = { send: async (endpoint: string, body: string) => void sent.push({ endpoint, body }) };

    expect(await resendWebhook({ deliveries, queue, clock: () => state.nowMs }, DISPATCH)).toBe('resent');
    expect(sent).toEqual([{ endpoint: 'crm', body: DISPATCH.body }]);
    expect(await kept()).toMatchObject({ status: 'pending', tries: 0, since: state.nowMs });

    const post: WebhookPoster = async (each) => {
      posts.push(each);
      return answered(200);
    };
    expect(await deliverWebhook({ ...ports, post }, DISPATCH)).toMatchObject({ status: 'delivered', tries: 1 });
    expect(posts).toHaveLength(before + 1);
    expect(posts.at(-1)?.headers['webhook-id']).toBe('cus_a_3');
  });

  test('is unknown where it was never to be posted there', async () => {
    const { deliveries } = aWorld([answered(200)]);
    const queue = { send: () => expect.unreachable('Nothing is to be sent.') };

    expect(await resendWebhook({ deliveries, queue, clock: () => 0 }, DISPATCH)).toBe('unknown');
  });
});
