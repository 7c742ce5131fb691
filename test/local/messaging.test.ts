// The bus and the queue of webhooks on a laptop, as the deployed handlers meet them.
import { request } from 'node:http';

import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { expect, onTestFinished, test } from 'vitest';
import { queueClient, SqsDeliveryQueue } from '../../lambdas/stores/delivery-queue.ts';
import { eventBridgeClient } from '../../lambdas/stores/event-bus.ts';
import { LocalQueue } from '../../local/local-queue.ts';
import { type BusEvent, queueUrl, startMessaging, webhookRules } from '../../local/messaging.ts';
import { WEBHOOK_SECRET_ARN } from '../../local/secrets.ts';
import { startBackendWorld, useServices } from '../backend-world.ts';

const services = useServices();
const credentials = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' };

async function startTestMessaging() {
  const time = { nowMs: 0 };
  const queue = new LocalQueue({ name: 'webhooks', clock: () => time.nowMs, maxReceives: 10, onDeadLetter: () => {} });
  const heard: BusEvent[] = [];
  const rules = webhookRules([{ name: 'all' }, { name: 'ends', types: ['accessRevoked'] }], queue);
  const messaging = await startMessaging({ targets: [(event) => void heard.push(event), rules], queues: [queue] });
  onTestFinished(() => messaging.close());
  const settings = { region: 'us-east-1', endpoint: messaging.url, credentials };
  const deliveries = new SqsDeliveryQueue(queueClient(settings), queueUrl(messaging.url, 'webhooks'));
  return { time, queue, heard, deliveries, bus: eventBridgeClient(settings), url: messaging.url };
}

test('What the SDK puts on the bus is heard, and goes to the endpoints that want its type', async () => {
  const { bus, heard, queue } = await startTestMessaging();
  const entry = (type: string) => ({ Source: 'ours', DetailType: type, Detail: `{"type":"${type}"}` });

  const answer = await bus.send(new PutEventsCommand({ Entries: [entry('accessGranted'), entry('accessRevoked')] }));

  expect(answer.Entries?.map(({ EventId }) => EventId)).toEqual([expect.any(String), expect.any(String)]);
  expect(heard).toEqual([
    { source: 'ours', detailType: 'accessGranted', detail: '{"type":"accessGranted"}' },
    { source: 'ours', detailType: 'accessRevoked', detail: '{"type":"accessRevoked"}' },
  ]);
  const bodies: string[] = [];
  await queue.deliver(async ({ Records }) => {
    bodies.push(...Records.map(({ body }) => body));
    return { batchItemFailures: [] };
  });
  expect(bodies.map((body) => JSON.parse(body))).toEqual([
    { endpoint: 'all', event: { type: 'accessGranted' } },
    { endpoint: 'all', event: { type: 'accessRevoked' } },
    { endpoint: 'ends', event: { type: 'accessRevoked' } },
  ]);
});

test('What the SDK sends to the queue comes, and stays away for as long as the SDK asks', async () => {
  const { deliveries, queue, time } = await startTestMessaging();
  await deliveries.send('all', '{"äöü":1}');
  const came: [number, string][] = [];
  const take = () =>
    queue.deliver(async ({ Records }) => {
      for (const { body, receiptHandle } of Records) {
        came.push([time.nowMs, body]);
        await deliveries.hide(receiptHandle, 120);
      }
      return { batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });

  for (const nowMs of [0, 119_000, 120_000]) {
    time.nowMs = nowMs;
    await take();
  }

  const body = '{"endpoint":"all","event":{"äöü":1}}';
  expect(came).toEqual([
    [0, body],
    [120_000, body],
  ]);
  await expect(deliveries.hide('another handle', 1)).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
});

test('A page of elsewhere that has pointed a name of its own here is refused', async () => {
  const { url } = await startTestMessaging();
  const { port } = new URL(url);
  const status = await new Promise<number>((resolve) => {
    request({ host: '127.0.0.1', port, method: 'POST', headers: { host: 'rebound.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).end();
  });

  expect(status).toBe(403);
});

test('An event that a receiver does not take is posted again by the world’s clock, signed each time, until it is taken', async () => {
  const posts: { at: string; id: string | undefined; signature: string | undefined; type: string }[] = [];
  const world = await startBackendWorld(services(), {
    webhooks: [{ name: 'product', url: 'https://hooks.example.com/', secretArn: WEBHOOK_SECRET_ARN }],
    postWebhook: async ({ headers, body }) => {
      const { 'webhook-id': id, 'webhook-signature': signature } = headers;
      const { type } = JSON.parse(body) as { type: string };
      posts.push({ at: new Date(world.clock.now()).toISOString(), id, signature, type });
      return { kind: 'answered', status: posts.length < 3 ? 503 : 204 };
    },
  });
  const { customerId } = await world.subscribe();
  await world.clock.set(Date.parse('2026-09-21T10:07:00Z'));
  await world.deliverNotices();
  await world.tell();
  await world.tell();
  const first = posts.length;

  for (let minute = 8; minute < 60; minute++) {
    await world.clock.set(Date.parse(`2026-09-21T10:${String(minute).padStart(2, '0')}:00Z`));
    await world.tell();
  }

  expect(world.busEvents.map(({ type }) => type)).toEqual(['accessGranted']);
  expect(first).toBe(1);
  expect(posts).toHaveLength(3);
  expect(new Set(posts.map(({ id }) => id))).toEqual(new Set([`${customerId}_1`]));
  expect(new Set(posts.map(({ signature }) => signature)).size).toBe(3);
  expect(posts.map(({ at }) => at)).toEqual([...new Set(posts.map(({ at }) => at))].toSorted());
  expect(world.logged.filter(({ level }) => level === 'error')).toEqual([]);
});
