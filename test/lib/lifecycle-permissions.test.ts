// From AWS's notices to the seller's product: the handlers do their work, and their roles have to allow all of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SQSEvent } from 'aws-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { createApplyNoticeHandler } from '../../lambdas/apply-notice.handler.ts';
import { createDeliverWebhooksHandler } from '../../lambdas/deliver-webhooks.handler.ts';
import { createReadCustomerHandler } from '../../lambdas/read-customer.handler.ts';
import { createRefreshEntitlementsHandler } from '../../lambdas/refresh-entitlements.handler.ts';
import type { Surroundings } from '../../lambdas/runtime/handler.ts';
import { createSendMailHandler } from '../../lambdas/send-mail.handler.ts';
import { DynamoBuyerStore } from '../../lambdas/stores/buyer-store.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { createTellProductHandler } from '../../lambdas/tell-product.handler.ts';
import { backendEnvironment, lambdaContext } from '../../local/backend.ts';
import { startBackendWorld, useServices } from '../backend-world.ts';
import { aSealedHour, at } from '../builders.ts';
import { startAwsServices } from '../doubles/aws-services.ts';
import { anEvent } from '../doubles/registration-world.ts';
import { startRecorder } from './recorder.ts';
import { EVERYTHING, permittedTo, synthesize } from './synthesized.ts';

const ROLES = {
  'apply-notice': 'ApplyNotice',
  'refresh-entitlements': 'RefreshEntitlements',
  'read-customer': 'ReadCustomer',
  'tell-product': 'TellProduct',
  'deliver-webhooks': 'DeliverWebhooks',
  'send-mail': 'SendMail',
} as const;

type Name = keyof typeof ROLES;

/** By the operations of the other services. */
const PERMISSIONS = {
  PutEvents: 'events:PutEvents on AccessEvents',
  GetEntitlements: 'aws-marketplace:GetEntitlements on *',
  GetSecretValue: 'secretsmanager:GetSecretValue on crm-AbCdEf',
  ChangeMessageVisibility: 'sqs:ChangeMessageVisibility on WebhooksQueue',
} as const;

const FIXTURES = join(import.meta.dirname, '../fixtures/notices/eventbridge');
const CODE = 'exampleproductcode1234567';
const KEY = 'l-0123456789abcdef0123456789abcdef';
const PRODUCT = { productCode: CODE, title: 'Example', pricingModel: 'contractWithConsumption' };
const WEBHOOK = { name: 'crm', url: 'https://hooks.example.com/', secretArn: EVERYTHING.webhooks[0]?.secretArn ?? '' };

const services = useServices();

function fixture(name: string): string {
  return readFileSync(join(FIXTURES, `${name}.json`), 'utf8');
}

/** The next term under another licence, which AWS names before it says what it replaces. */
const RENEWAL = fixture('purchase-agreement-created.proposer.renew').replaceAll(
  '2026-08-30T21:36:03Z',
  '2026-09-21T14:24:50Z',
);
const NEXT_LICENCE = fixture('license-updated.manufacturer')
  .replaceAll('agmt-exampleaaaaaaaaaaaaaaaaaa', 'agmt-examplebbbbbbbbbbbbbbbbbb')
  .replaceAll('000000000015', '000000000099')
  .replaceAll('14:24:23Z', '14:26:00Z')
  .replaceAll('l-0123', 'l-9999');

async function aWorld() {
  const world = await startBackendWorld(services());
  const recorder = await startRecorder(services().database.endpoint, world.tables);
  const state = { nowMs: at('2026-09-21T15:00:00Z'), isReceiverDown: true };
  const taken = (name: Name) => recorder.taken.get(name) ?? new Set<string>();
  const bus: string[] = [];
  const around = async (name: Name): Promise<Surroundings> => {
    const note = (operation: keyof typeof PERMISSIONS) => {
      recorder.taken.set(name, new Set([...taken(name), PERMISSIONS[operation]]));
    };
    const aws = await startAwsServices({
      PutEvents: ({ Entries }) => {
        note('PutEvents');
        const entries = Entries as { Detail: string }[];
        bus.push(...entries.map(({ Detail }) => Detail));
        return { FailedEntryCount: 0, Entries: entries.map((_, index) => ({ EventId: `e-${index}` })) };
      },
      GetEntitlements: () => {
        note('GetEntitlements');
        return { Entitlements: [{ ProductCode: CODE, Dimension: 'requests', Value: { IntegerValue: 50 } }] };
      },
      GetSecretValue: () => {
        note('GetSecretValue');
        return { SecretString: `whsec_${Buffer.alloc(32, 7).toString('base64')}` };
      },
      ChangeMessageVisibility: () => {
        note('ChangeMessageVisibility');
        return {};
      },
    });
    onTestFinished(aws.close);
    const log = { info() {}, warn() {}, error() {} };
    const environment = backendEnvironment({
      databaseEndpoint: `${recorder.url}/${name}`,
      tables: world.tables,
      marketplaceUrl: aws.url,
      messagingUrl: aws.url,
      mailUrl: world.mailServer.url,
      secretsUrl: aws.url,
      clock: () => state.nowMs,
      log,
      products: [PRODUCT],
      webhooks: [WEBHOOK],
    });
    return { environment, clock: () => state.nowMs, log };
  };
  const applyNotice = createApplyNoticeHandler(await around('apply-notice'));
  const deliver = createDeliverWebhooksHandler(await around('deliver-webhooks'), async () => ({
    kind: 'answered',
    status: state.isReceiverDown ? 503 : 204,
  }));
  const refresh = createRefreshEntitlementsHandler(await around('refresh-entitlements'));
  const mailing = await around('send-mail');
  const sendMail = createSendMailHandler(mailing, {}, '{}');
  const tell = createTellProductHandler(await around('tell-product'));
  const read = createReadCustomerHandler(await around('read-customer'));
  let sent = 0;
  const messages = (bodies: readonly string[]) => {
    const Records = bodies.map((body) => {
      sent += 1;
      return { messageId: `m-${sent}`, receiptHandle: 'r', body, attributes: { SentTimestamp: String(state.nowMs) } };
    });
    return { Records } as unknown as SQSEvent;
  };
  return {
    ...world,
    state,
    bus,
    taken,
    hear: async (...bodies: readonly string[]) =>
      (await applyNotice(messages(bodies), lambdaContext(60_000))).batchItemFailures.length,
    deliver: async (event: string) =>
      (await deliver(messages([`{"endpoint":"crm","event":${event}}`]), lambdaContext(60_000))).batchItemFailures
        .length,
    mail: async (event: string) => (await sendMail(messages([event]), lambdaContext(60_000))).batchItemFailures.length,
    refresh: () => refresh({}, lambdaContext(300_000)),
    tell: () => tell({}, lambdaContext(300_000)),
    read: async (path: string) => (await read(anEvent({ path }), lambdaContext(25_000))).statusCode,
  };
}

test('no function does anything that its role does not allow', async () => {
  const stacks = synthesize(EVERYTHING);
  const world = await aWorld();

  // The next term's licence comes first and is taken for another customer's; then what it replaces is told.
  expect(await world.hear(fixture('purchase-agreement-created.proposer.new-payg'))).toBe(0);
  expect(await world.hear(fixture('license-updated.manufacturer'), NEXT_LICENCE, RENEWAL)).toBe(0);
  const [first = ''] = world.bus;
  const { customerId } = JSON.parse(first) as { customerId: string };
  expect(await world.read(`/customers/${customerId}`)).toBe(200);
  world.state.nowMs += 2 * 3_600_000;
  await world.refresh();
  expect(await world.read(`/customers/${customerId}/entitlements`)).toBe(200);
  // A record that AWS refuses, and a customer whose registration was left to the schedule.
  await world.ledger.seal(
    aSealedHour({
      customerId,
      licenceKey: KEY,
      status: 'held',
      reason: 'CustomerNotSubscribed',
      deadlineAt: world.state.nowMs + 3_600_000,
    }),
  );
  await world.customers.markRegistered(customerId, world.state.nowMs);
  await new DynamoNoticeStore(world.client, world.tables).noteDue({ customerId, changesAt: world.state.nowMs });
  await world.tell();
  expect(await world.deliver(first)).toBe(1);
  world.state.isReceiverDown = false;
  world.state.nowMs += 60_000;
  expect(await world.deliver(first)).toBe(0);
  const buyer = { customerId, email: 'ada@example.com', fields: {}, submittedAt: 0 };
  await new DynamoBuyerStore(world.client, world.tables.buyers).put(buyer);
  const granted = world.bus.find((event) => event.includes('"accessGranted"')) ?? '';
  expect([await world.mail(granted), world.mails.length]).toEqual([0, 1]);
  expect(await world.hear(fixture('license-deprovisioned.manufacturer'))).toBe(0);

  const types = world.bus.map((event) => (JSON.parse(event) as { type: string }).type);
  expect(types).toEqual(expect.arrayContaining(['accessGranted', 'customerRegistered', 'usageHeld']));
  for (const [name, role] of Object.entries(ROLES) as [Name, string][]) {
    const taken = [...world.taken(name)].sort();
    expect(taken.length, name).toBeGreaterThan(1);
    expect(permittedTo(stacks, role), name).toEqual(expect.arrayContaining(taken));
  }
  // Settling does the same wherever it is called.
  const settling = [...world.taken('apply-notice')].filter((line) => line.startsWith('dynamodb:'));
  for (const role of ['ResolveBuyer', 'RegisterCustomer', 'TellProduct']) {
    expect(permittedTo(stacks, role), role).toEqual(expect.arrayContaining(settling));
  }
});
