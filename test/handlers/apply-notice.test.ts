// The handler of AWS's notices over a real database: what a queue delivers, and what stands afterwards.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { SQSEvent } from 'aws-lambda';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createApplyNoticeHandler } from '../../lambdas/apply-notice.handler.ts';
import { parseProducts } from '../../lambdas/contracts/product-settings.ts';
import type { SafeFacts } from '../../lambdas/domain/failure.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { noteRegistration, settleDue } from '../../lambdas/flow/apply-notice.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { fromItem, type Item } from '../../lambdas/stores/dynamo.ts';
import { DynamoEntitlementStore } from '../../lambdas/stores/entitlement-store.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { anHour, at } from '../builders.ts';
import { named, startAwsServices } from '../doubles/aws-services.ts';
import { randomOf } from '../doubles/turns.ts';
import { useEngine } from '../stores/engine-tables.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/notices');
const NOW = at('2026-09-21T15:00:00Z');
const CODE = 'exampleproductcode1234567';
const KEY = 'l-0123456789abcdef0123456789abcdef';
const ARN = `arn:aws:license-manager::294406891311:license:${KEY}`;

const CREATED = 'eventbridge/purchase-agreement-created.proposer.new-payg.json';
const UPDATED = 'eventbridge/license-updated.manufacturer.json';
const ENDED = 'eventbridge/purchase-agreement-ended.proposer.cancelled.json';
const DEPROVISIONED = 'eventbridge/license-deprovisioned.manufacturer.json';

const engine = useEngine();

function fixture(path: string): string {
  return readFileSync(join(FIXTURES, path), 'utf8');
}

/** The end of the first agreement with another status, after its beginning. */
function ended(status: string): string {
  return fixture(ENDED).replace('CANCELLED', status);
}

/** The sample of a renewal, while the first agreement runs. */
function renewed(): string {
  return fixture('eventbridge/purchase-agreement-created.proposer.renew.json').replaceAll(
    '2026-08-30T21:36:03Z',
    '2026-09-21T14:24:50Z',
  );
}

/** The renewal's licence: another one, of the agreement that the sample of a renewal makes. */
function successorsLicence(): string {
  return fixture(UPDATED)
    .replaceAll('agmt-exampleaaaaaaaaaaaaaaaaaa', 'agmt-examplebbbbbbbbbbbbbbbbbb')
    .replaceAll('000000000015', '000000000099')
    .replaceAll('14:24:23Z', '14:26:00Z')
    .replaceAll('l-0123', 'l-9999');
}

async function aWorld({ identityStyle = 'licence', pricingModel = 'subscription' } = {}) {
  const { client, tables } = await engine();
  const { hostname, port, protocol } = (await client.config.endpoint?.().then((found) => found)) ?? {
    hostname: '',
    port: 0,
    protocol: '',
  };
  const logged: { code: string; facts: SafeFacts | undefined }[] = [];
  const keep = (code: string, facts?: SafeFacts) => void logged.push({ code, facts });
  /** What was on the bus, by id, in order; and the services that were called, in order. */
  const told = new Map<string, string>();
  const called: string[] = [];
  const state = { isBusDown: false, areEntitlementsDown: false };
  const aws = await startAwsServices({
    PutEvents: ({ Entries }) => {
      called.push('PutEvents');
      if (state.isBusDown) return named('InternalException');
      const entries = Entries as { Detail: string }[];
      for (const { Detail } of entries) {
        const { id, type } = JSON.parse(Detail) as { id: string; type: string };
        told.set(id, type);
      }
      return { FailedEntryCount: 0, Entries: entries.map((_, index) => ({ EventId: `e-${index}` })) };
    },
    GetEntitlements: () => {
      called.push('GetEntitlements');
      if (state.areEntitlementsDown) return named('InternalServiceErrorException');
      const Entitlements = [{ ProductCode: CODE, Dimension: 'seats', Value: { IntegerValue: 50 } }];
      return { Entitlements };
    },
  });
  onTestFinished(aws.close);
  const products = JSON.stringify([
    { productCode: CODE, title: 'Example', meteringRegion: 'us-east-1', identityStyle, pricingModel },
  ]);
  const handler = createApplyNoticeHandler({
    environment: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIALOCAL',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_DYNAMODB: `${protocol}//${hostname}:${port}`,
      AWS_ENDPOINT_URL_EVENTBRIDGE: aws.url,
      AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE: aws.url,
      EVENT_BUS: 'access-events',
      MARKETPLACE_ACCESS: '{}',
      LEGACY_TOPICS: '[]',
      CUSTOMERS_TABLE: tables.customers,
      NOTICES_TABLE: tables.notices,
      WORK_TABLE: tables.work,
      PRODUCTS: products,
    },
    clock: () => NOW,
    log: { info: keep, warn: keep, error: keep },
  });
  const customers = new DynamoCustomerStore(client, tables.customers);
  const work = new DynamoWorkStore(client, tables.work);
  const notices = new DynamoNoticeStore(client, tables);
  let delivered = 0;
  return {
    logged,
    called,
    state,
    told: () => [...told.values()],
    entitlements: new DynamoEntitlementStore(client, tables.customers),
    customers,
    work,
    notices,
    ports: { customers, work, notices, products: parseProducts(products) },
    /** Delivers bodies in one batch; gives how many were handed back. */
    deliver: async (...bodies: readonly string[]) => {
      const records = bodies.map((body) => {
        delivered += 1;
        return { messageId: `m-${delivered}`, body, attributes: { SentTimestamp: String(NOW + delivered) } };
      });
      const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 };
      const { batchItemFailures } = await handler({ Records: records } as unknown as SQSEvent, context);
      return batchItemFailures.length;
    },
    /** Of the customer who holds the first licence. */
    standing: async () => {
      const licence = await customers.licence(KEY);
      return licence && (await notices.folded(licence.customerId))?.standing;
    },
    items: async (): Promise<Item[]> => {
      const { Items = [] } = await client.send(new ScanCommand({ TableName: tables.notices }));
      return Items.map(fromItem).sort((a, b) => (`${a['pk']} ${a['sk']}` < `${b['pk']} ${b['sk']}` ? -1 : 1));
    },
  };
}

describe('the queue of notices', () => {
  test('walks through a purchase: the licence runs, ends, and each change is told once, at once', async () => {
    const world = await aWorld();
    await world.work.awaitLicence(KEY, anHour(), 5);
    const bodies = [CREATED, UPDATED, ENDED, DEPROVISIONED].map(fixture);

    expect(await world.deliver(...bodies)).toBe(0);
    expect(await world.deliver(...bodies.reverse())).toBe(0);

    const licence = await world.customers.licence(KEY);
    expect(licence).toMatchObject({
      licenceArn: ARN,
      productCode: CODE,
      customerAwsAccountId: '111122223333',
      periods: [{ agreementId: 'agmt-exampleaaaaaaaaaaaaaaaaaa', from: at('2026-09-21T14:23:11.013Z') }],
      ending: {
        noticeAt: at('2026-09-21T14:24:57Z'),
        revokedAt: at('2026-09-21T14:25:28Z'),
        deprovisionedAt: at('2026-09-21T14:25:28Z'),
      },
    });
    const items = await world.items();
    expect(world.told()).toEqual(['accessGranted', 'accessEnding', 'accessRevoked']);
    expect(items.filter(({ pk }) => String(pk).startsWith('outbox#'))).toEqual([]);
    expect(items.filter(({ sk }) => String(sk).startsWith('notice#'))).toHaveLength(4);
    expect((await world.customers.endingLicences()).map(({ licenceKey }) => licenceKey)).toEqual([KEY]);
    expect(await world.work.lateMarkers()).toMatchObject([{ hour: '2026-09-21T10', shard: 5 }]);
  });

  test('takes every sample of AWS without a fault, and none of them revives what ended', async () => {
    const world = await aWorld();
    const all = ['eventbridge', 'sns'].flatMap((channel) =>
      readdirSync(join(FIXTURES, channel)).map((file) => fixture(`${channel}/${file}`)),
    );
    expect(all.length).toBeGreaterThan(30);

    for (const body of all) expect(await world.deliver(body)).toBe(0);

    expect(world.logged.map(({ code }) => code)).toEqual(all.map(() => 'NoticeApplied'));
    // Two agreements: one that ended, whatever came after its end, and its renewal, whose licence no sample names.
    const states = (await world.standing())?.agreements.map(({ agreementId, state }) => [agreementId, state]);
    expect(states).toEqual([
      ['agmt-exampleaaaaaaaaaaaaaaaaaa', 'ended'],
      ['agmt-examplebbbbbbbbbbbbbbbbbb', 'awaitingLicence'],
    ]);
  });

  test('hands back poison alone, with its reason and nothing of it in the log', async () => {
    const world = await aWorld();

    expect(
      await world.deliver(fixture(CREATED), '{"action":"subscribe-success","name":"Jane Doe"}', fixture(UPDATED)),
    ).toBe(1);

    expect(world.logged.map(({ code }) => code)).toEqual(['NoticeApplied', 'MessageRefused', 'NoticeApplied']);
    expect(world.logged[1]?.facts).toMatchObject({
      refused: 'memberMissing',
      reason: 'customer-identifier, product-code',
    });
    expect(JSON.stringify(world.logged)).not.toContain('Jane');
  });

  test('comes to one customer and one grant where both halves and their repeats arrive at once', async () => {
    const world = await aWorld();

    await Promise.all([CREATED, UPDATED, CREATED, UPDATED, UPDATED].map((path) => world.deliver(fixture(path))));
    // What met too many others is delivered again.
    expect(await world.deliver(fixture(CREATED), fixture(UPDATED))).toBe(0);

    expect(world.told().filter((type) => type === 'accessGranted')).toHaveLength(1);
    const found = await world.notices.customersOfAccount('111122223333', CODE);
    expect(found.customerIds).toHaveLength(1);
  });

  test('keeps a renewed customer in any order, several at once: the standing is that of the order of time', async () => {
    const bodies = [
      fixture(CREATED),
      fixture(UPDATED),
      ended('RENEWED'),
      fixture(DEPROVISIONED),
      renewed(),
      successorsLicence(),
    ];
    const inOrder = await aWorld();
    await inOrder.deliver(...bodies);
    const expected = await inOrder.standing();

    for (let seed = 1; seed <= 5; seed++) {
      const world = await aWorld();
      const random = randomOf(seed);
      let waiting = [...bodies, ...bodies].sort(() => random() - 0.5);
      for (let round = 0; waiting.length > 0; round++) {
        expect(round).toBeLessThan(20);
        const together = waiting.splice(0, 4);
        const failed = await Promise.all(together.map((body) => world.deliver(body)));
        waiting = [...waiting, ...together.filter((_, index) => failed[index] === 1)];
      }
      await settleDue(world.ports, NOW);
      expect(await world.standing()).toEqual(expected);
    }
    expect(expected).toMatchObject({
      state: 'active',
      marks: [],
      agreements: [{ state: 'succeeded' }, { state: 'active' }],
    });
  });

  test('gives a legacy buyer, of whom both channels tell, one grant once the registration joins the two', async () => {
    const world = await aWorld({ identityStyle: 'legacy' });
    await world.deliver(fixture('sns/sqs-body.subscribe-success.json'), fixture(CREATED), fixture(UPDATED));
    const waitingBefore = await world.notices.waiting();
    const buyer = { productCode: CODE, customerIdentifier: 'X01EXAMPLEX', customerAwsAccountId: '111122223333' };
    const product = world.ports.products.get(CODE);
    if (!product) throw new Error('The product is missing.');

    const { kind, customer } = await world.customers.upsert(buyer, product, NOW);
    const found = await world.customers.customer(customer.customerId);
    if (found) await noteRegistration(world.ports, found, NOW);
    await world.deliver(fixture(ENDED), fixture(DEPROVISIONED), fixture('sns/message.unsubscribe-success.json'));

    expect(kind).toBe('known');
    expect(waitingBefore).toMatchObject([{ waitsFor: 'registration' }]);
    expect(world.told()).toEqual(['accessGranted', 'accessChanged', 'accessEnding', 'accessRevoked']);
    const key = licenceKeyOf({ style: 'legacy', productCode: CODE, customerIdentifier: 'X01EXAMPLEX' });
    expect((await world.customers.licence(key))?.ending?.deprovisionedAt).toBe(at('2026-09-21T14:25:28Z'));
  });
});

describe('what follows on a batch', () => {
  test('of a contract is asked of AWS before the product is told of it, once a customer', async () => {
    const world = await aWorld({ pricingModel: 'contract' });

    await world.deliver(fixture(CREATED), fixture(UPDATED), fixture(UPDATED));

    expect(world.called).toEqual(['GetEntitlements', 'PutEvents']);
    expect((await world.entitlements.entitlements(KEY))?.versions.at(-1)?.entitlements).toMatchObject([
      { dimension: 'seats', value: { kind: 'integer', value: 50 } },
    ]);
  });

  test('of a subscription, or of an end, asks AWS nothing', async () => {
    const subscription = await aWorld();
    await subscription.deliver(fixture(CREATED), fixture(UPDATED));
    const contract = await aWorld({ pricingModel: 'contract' });
    await contract.deliver(fixture(DEPROVISIONED));

    expect(subscription.called).toEqual(['PutEvents']);
    expect(contract.called).not.toContain('GetEntitlements');
  });

  test('is named and left to the schedules where AWS does not answer; the notices are taken', async () => {
    const world = await aWorld({ pricingModel: 'contract' });
    Object.assign(world.state, { isBusDown: true, areEntitlementsDown: true });

    expect(await world.deliver(fixture(CREATED), fixture(UPDATED))).toBe(0);

    const codes = world.logged.map(({ code }) => code);
    expect(codes).toEqual([
      'NoticeApplied',
      'NoticeApplied',
      'EntitlementsNotRefreshed',
      'EventRefused',
      'FollowUpLeft',
    ]);
    expect(await world.standing()).toMatchObject({ state: 'active' });
    const waiting = (await world.items()).filter(({ pk }) => String(pk).startsWith('outbox#'));
    expect(waiting.map(({ type }) => type)).toEqual(['accessGranted']);
  });
});
