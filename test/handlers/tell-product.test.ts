// From the outbox to the seller's own server: the deployed handlers, the bus, the queue, and a receiver that verifies
// with the public library.
import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AccessEventEnvelope } from '../../lambdas/contracts/access-event.ts';
import { createDeliverWebhooksHandler } from '../../lambdas/deliver-webhooks.handler.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import type { WebhookPoster } from '../../lambdas/flow/access-ports.ts';
import { applyNotice } from '../../lambdas/flow/apply-notice.ts';
import { resendWebhook } from '../../lambdas/flow/resend-webhook.ts';
import { customerItemKey } from '../../lambdas/stores/customer-items.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { queueClient, SqsDeliveryQueue } from '../../lambdas/stores/delivery-queue.ts';
import { DynamoDeliveryStore } from '../../lambdas/stores/delivery-store.ts';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { createTellProductHandler } from '../../lambdas/tell-product.handler.ts';
import { aProduct, aSealedHour, LICENCE_ARN } from '../builders.ts';
import { bodyOf, closed, listening, named, startAwsServices } from '../doubles/aws-services.ts';
import { ACCOUNT, aNotice } from '../purchase.ts';
import { useEngine } from '../stores/engine-tables.ts';

const engine = useEngine();
const [OLD_SECRET, SECRET] = [7, 9].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`);
const SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:crm-AbCdEf';
const CONTEXT = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 120_000 };
const CREDENTIALS = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' };

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A seller's server, which answers with the statuses that it is given, the last of them for good. */
async function aReceiver(...statuses: readonly number[]) {
  const received: Received[] = [];
  const waiting = [...statuses];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers as Record<string, string>, body: await bodyOf(request) });
    response.writeHead((waiting.length > 1 ? waiting.shift() : waiting[0]) ?? 204, { location: '/elsewhere' });
    response.end('thank you');
  });
  const url = await listening(server);
  onTestFinished(() => closed(server));
  // In place of https to a public address, which a test can't be.
  const post: WebhookPoster = async ({ headers, body }) => {
    const { status } = await fetch(url, { method: 'POST', headers, body, redirect: 'manual' });
    return { kind: 'answered', status };
  };
  return { received, post };
}

async function aWorld(post: WebhookPoster, options: { isBusDown?: () => boolean; secret?: string } = {}) {
  const { client, tables } = await engine();
  const bus: AccessEventEnvelope[] = [];
  const queued: string[] = [];
  const hidden: number[] = [];
  const aws = await startAwsServices({
    PutEvents: ({ Entries }) => {
      if (options.isBusDown?.()) return named('InternalException');
      const entries = Entries as { Detail: string }[];
      for (const { Detail } of entries) {
        bus.push(JSON.parse(Detail));
        // What the endpoint's rule makes of it.
        queued.push(`{"endpoint":"crm","event":${Detail}}`);
      }
      return { FailedEntryCount: 0, Entries: entries.map((_, index) => ({ EventId: `e-${index}` })) };
    },
    ChangeMessageVisibility: ({ VisibilityTimeout }) => {
      hidden.push(Number(VisibilityTimeout));
      return {};
    },
    SendMessage: ({ MessageBody }) => {
      queued.push(String(MessageBody));
      return { MessageId: 'm-1', MD5OfMessageBody: hash('md5', String(MessageBody)) };
    },
    GetSecretValue: () => ({ SecretString: options.secret ?? `${SECRET}\n${OLD_SECRET}` }),
  });
  onTestFinished(aws.close);
  const database = String((await client.config.endpoint?.())?.port);
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${database}`,
    AWS_ENDPOINT_URL_EVENTBRIDGE: aws.url,
    AWS_ENDPOINT_URL_SQS: aws.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.url,
    CUSTOMERS_TABLE: tables.customers,
    NOTICES_TABLE: tables.notices,
    WORK_TABLE: tables.work,
    LEDGER_TABLE: tables.ledger,
    DELIVERIES_TABLE: tables.deliveries,
    PRODUCTS: JSON.stringify([{ productCode: 'metrics-cloud', title: 'Metrics Cloud', meteringRegion: 'us-east-1' }]),
    EVENT_BUS: 'product-events',
    USAGE_WARNING_HOURS: '[12,6,2]',
    STAGE: 'test',
    WEBHOOKS: JSON.stringify([{ name: 'crm', url: 'https://hooks.example.com/aws', secretArn: SECRET_ARN }]),
    WEBHOOKS_QUEUE: `${aws.url}/111122223333/webhooks`,
  };
  const errors: { code: string; facts: unknown }[] = [];
  const state = { nowMs: Date.now() };
  const surroundings = {
    environment,
    clock: () => state.nowMs,
    log: {
      info: () => {},
      warn: () => {},
      error: (code: string, facts?: unknown) => void errors.push({ code, facts }),
    },
  };
  const tellProduct = createTellProductHandler(surroundings);
  const deliver = createDeliverWebhooksHandler(surroundings, post);
  const given = (body: string): SQSEvent =>
    ({
      Records: [{ messageId: 'm-1', receiptHandle: 'r-1', body, attributes: { SentTimestamp: String(state.nowMs) } }],
    }) as unknown as SQSEvent;
  return {
    client,
    tables,
    bus,
    queued,
    hidden,
    errors,
    state,
    customers: new DynamoCustomerStore(client, tables.customers),
    notices: new DynamoNoticeStore(client, tables),
    work: new DynamoWorkStore(client, tables.work),
    ledger: new DynamoLedgerStore(client, tables.ledger),
    deliveries: new DynamoDeliveryStore(client, tables.deliveries),
    queue: new SqsDeliveryQueue(
      queueClient({ region: 'us-east-1', endpoint: aws.url, credentials: CREDENTIALS }),
      environment.WEBHOOKS_QUEUE,
    ),
    tell: () => tellProduct({}, CONTEXT),
    /** Gives the handler the oldest message; it stays in the queue where it is handed back. */
    deliver: async (): Promise<SQSBatchResponse> => {
      const [body = ''] = queued;
      const response = await deliver(given(body), CONTEXT);
      if (response.batchItemFailures.length === 0) queued.shift();
      return response;
    },
  };
}

type World = Awaited<ReturnType<typeof aWorld>>;

/** A customer whose licence AWS then says is active. */
async function grant({ notices, customers, work, state }: World): Promise<string> {
  const product = aProduct();
  const buyer = { productCode: product.productCode, customerAwsAccountId: ACCOUNT, licenceArn: LICENCE_ARN };
  const { customer } = await customers.upsert(buyer, product, state.nowMs);
  const ports = { notices, customers, work, products: new Map([[product.productCode, product]]) };
  const notice = aNotice('licenceUpdated', 0, { atMs: state.nowMs - 60_000 });
  expect(await applyNotice(ports, notice, '', state.nowMs)).toMatchObject({
    kind: 'applied',
    events: [expect.any(String)],
  });
  return customer.customerId;
}

describe("the seller's product", () => {
  test('is told on the bus and by a webhook that any Standard Webhooks library verifies', async () => {
    const { received, post } = await aReceiver(204);
    const world = await aWorld(post);
    const customerId = await grant(world);

    await world.tell();
    expect(world.bus.map(({ type }) => type)).toEqual(['accessGranted']);
    expect(await world.deliver()).toEqual({ batchItemFailures: [] });

    const [{ headers, body } = { headers: {}, body: '' }] = received;
    for (const secret of [SECRET, OLD_SECRET]) {
      expect(new Webhook(secret ?? '').verify(body, headers)).toEqual(world.bus[0]);
    }
    expect(JSON.parse(body)).toMatchObject({
      version: 1,
      id: headers['webhook-id'],
      type: 'accessGranted',
      customerId,
      sequence: 1,
      data: { standing: { hasAccess: true, state: 'active' } },
    });
    expect(world.errors).toEqual([]);
  });

  test('is told each event once, and nothing while nothing changes', async () => {
    const { received, post } = await aReceiver(204);
    const world = await aWorld(post);
    await grant(world);

    await world.tell();
    await world.tell();
    expect(world.bus).toHaveLength(1);
    world.queued.push(...world.queued);
    await world.deliver();
    await world.deliver();

    expect(received).toHaveLength(1);
  });

  test('is told what waited, once the bus takes events again', async () => {
    const { post } = await aReceiver(204);
    let isDown = true;
    const world = await aWorld(post, { isBusDown: () => isDown });
    await grant(world);

    await expect(world.tell()).rejects.toThrow(/could not be told/);
    expect(world.bus).toEqual([]);
    isDown = false;
    await world.tell();

    expect(world.bus).toHaveLength(1);
    expect(world.errors.map(({ code }) => code)).toEqual(['EventRefused', 'ScheduleFailed']);
  });

  test('is told by the next run of a registration that its request did not settle, whoever else can’t be settled', async () => {
    const { post } = await aReceiver(204);
    const world = await aWorld(post);
    const customerId = await grant(world);
    await world.customers.markRegistered(customerId, world.state.nowMs);
    const broken = toItem({ ...customerItemKey('cus_broken'), v: 1 });
    await world.client.send(new PutItemCommand({ TableName: world.tables.customers, Item: broken }));
    for (const each of ['cus_broken', customerId]) {
      await world.notices.noteDue({ customerId: each, changesAt: world.state.nowMs });
    }

    await expect(world.tell()).rejects.toMatchObject({ code: 'SettlingIncomplete' });

    expect(world.bus.map(({ type }) => type)).toEqual(['accessGranted', 'customerRegistered']);
    expect(await world.notices.due(world.state.nowMs)).toMatchObject([{ customerId: 'cus_broken' }]);
    expect(world.errors).toMatchObject([
      { code: 'ScheduleFailed', facts: { failureCode: 'SettlingIncomplete', failed: 1, customerId: 'cus_broken' } },
    ]);
  });

  test('that fails is tried again after a wait that the queue is told of, until it takes the event', async () => {
    const { received, post } = await aReceiver(503, 302, 200);
    const world = await aWorld(post);
    const customerId = await grant(world);
    await world.tell();

    expect((await world.deliver()).batchItemFailures).toHaveLength(1);
    world.state.nowMs += (world.hidden[0] ?? 0) * 1_000;
    expect((await world.deliver()).batchItemFailures).toHaveLength(1);
    world.state.nowMs += (world.hidden[1] ?? 0) * 1_000;
    expect((await world.deliver()).batchItemFailures).toEqual([]);

    expect(received).toHaveLength(3);
    expect(world.hidden[0]).toBeGreaterThanOrEqual(4);
    expect(world.hidden[1]).toBeGreaterThan(world.hidden[0] ?? 0);
    const [delivery] = await world.deliveries.ofCustomer(customerId);
    expect(delivery?.attempts.map(({ outcome }) => outcome)).toEqual(['503', '302', '200']);
    expect(delivery?.status).toBe('delivered');
  });

  test('that is gone stops its event, until an operator has it sent again', async () => {
    const { received, post } = await aReceiver(410, 204);
    const world = await aWorld(post);
    const customerId = await grant(world);
    await world.tell();

    expect((await world.deliver()).batchItemFailures).toEqual([]);
    expect(world.errors).toMatchObject([{ code: 'WebhookStopped', facts: { endpoint: 'crm', outcome: '410' } }]);
    const name = { endpoint: 'crm', customerId, sequence: 1 };
    expect(await resendWebhook({ ...world, clock: () => world.state.nowMs }, name)).toBe('resent');
    expect((await world.deliver()).batchItemFailures).toEqual([]);

    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([`${customerId}_1`, `${customerId}_1`]);
    expect(await world.deliveries.delivery(name)).toMatchObject({ status: 'delivered' });
  });

  test('is sent nothing unsigned: without a secret the message waits, and the fault names no secret', async () => {
    const { received, post } = await aReceiver(204);
    const world = await aWorld(post, { secret: 'hunter2-hunter2' });
    const customerId = await grant(world);
    await world.tell();

    expect((await world.deliver()).batchItemFailures).toHaveLength(1);

    expect(received).toEqual([]);
    expect(world.errors).toMatchObject([{ code: 'MessageFailed', facts: { failureCode: 'WebhookSecretMalformed' } }]);
    expect(JSON.stringify(world.errors)).not.toContain('hunter2');
    expect((await world.deliveries.ofCustomer(customerId))[0]).toMatchObject({ status: 'pending', tries: 0 });
  });

  test('is told of usage that AWS does not take, by the next run', async () => {
    const { post } = await aReceiver(204);
    const world = await aWorld(post);
    const customerId = await grant(world);
    await world.tell();
    const sealed = aSealedHour({
      customerId,
      licenceKey: licenceKeyOf({ style: 'licence', licenceArn: LICENCE_ARN }),
      status: 'held',
      reason: 'CustomerNotSubscribed',
      deadlineAt: world.state.nowMs + 20 * 3_600_000,
    });
    await world.ledger.seal(sealed);

    for (let run = 0; run < 3; run++) await world.tell();

    expect(world.bus.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['accessGranted', 1],
      ['usageHeld', 2],
    ]);
    expect(world.bus[1]?.data).toMatchObject({
      standing: { hasAccess: true },
      usage: { dimension: 'requests', quantity: 12_500, reason: 'CustomerNotSubscribed' },
    });
  });

  test('hands a message that is none of ours back, for the dead letters', async () => {
    const { post } = await aReceiver(204);
    const world = await aWorld(post);
    world.queued.push('{"endpoint":"crm"}');

    expect((await world.deliver()).batchItemFailures).toHaveLength(1);
    expect(world.errors).toMatchObject([{ code: 'MessageRefused' }]);
  });
});
