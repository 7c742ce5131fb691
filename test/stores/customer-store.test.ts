import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrokenInvariant, Unavailable } from '../../lambdas/domain/failure.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import type { ResolvedBuyer } from '../../lambdas/flow/ports.ts';
import { licenceItemKey } from '../../lambdas/stores/customer-items.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { dynamoClient, fromItem, toItem } from '../../lambdas/stores/dynamo.ts';
import { type Database, startDatabase } from '../../local/database.ts';
import { createTables, type TableNames } from '../../local/tables.ts';

const NOW = Date.UTC(2026, 10, 23, 7, 30);
const PRODUCT: Product = {
  productCode: 'prod-code-1',
  title: 'Stream Processor',
  pricingModel: 'subscription',
  identityStyle: 'licence',
  meteringRegion: 'us-east-1',
  dimensions: [],
  zeroRecords: 'oneDimension',
  lateUsage: 'carry',
};
const LEGACY: Product = { ...PRODUCT, productCode: 'legacy-code-1', identityStyle: 'legacy' };

let database: Database;
let client: DynamoDBClient;
let tables: TableNames;
let store: DynamoCustomerStore;

beforeAll(async () => {
  database = await startDatabase();
  client = dynamoClient({
    region: 'us-east-1',
    endpoint: database.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  tables = await createTables(client);
  store = new DynamoCustomerStore(client, tables.customers);
});
afterAll(async () => {
  client?.destroy();
  await database?.close();
});

let counter = 0;

/** A buyer nobody has seen, with a licence of its own. */
function aBuyer(overrides: Partial<ResolvedBuyer> = {}): ResolvedBuyer & { licenceArn: string } {
  counter += 1;
  const tail = counter.toString(16).padStart(32, '0');
  return {
    productCode: PRODUCT.productCode,
    customerAwsAccountId: String(100_000_000_000 + counter),
    licenceArn: `arn:aws:license-manager::294406891311:license:l-${tail}`,
    ...overrides,
  };
}

function keyOf(buyer: { licenceArn: string }): string {
  return licenceKeyOf({ style: 'licence', licenceArn: buyer.licenceArn });
}

function withoutLicence({ productCode, customerAwsAccountId = '' }: ResolvedBuyer): ResolvedBuyer {
  return { productCode, customerAwsAccountId };
}

async function itemsOf(customerId: string): Promise<ReturnType<typeof fromItem>[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: tables.customers }));
  return Items.map(fromItem).filter((item) => item['customerId'] === customerId);
}

describe('upsert of a buyer whose licence AWS names', () => {
  it('makes a customer and a licence with an unknown start, pinned to the region of the product', async () => {
    const buyer = aBuyer();
    const { kind, customer } = await store.upsert(buyer, PRODUCT, NOW, { freeTrial: true });
    expect(kind).toBe('created');
    expect(customer.customerId).toMatch(/^cus_[A-Za-z0-9_-]{24}$/);
    expect(customer).toEqual({
      customerId: customer.customerId,
      productCode: PRODUCT.productCode,
      customerAwsAccountId: buyer.customerAwsAccountId,
      licenceKeys: [keyOf(buyer)],
      createdAt: NOW,
      sequence: 0,
      freeTrialHint: true,
    });
    expect(await store.customer(customer.customerId)).toEqual(customer);
    expect(await store.licence(keyOf(buyer))).toEqual({
      licenceKey: keyOf(buyer),
      identityStyle: 'licence',
      licenceArn: buyer.licenceArn,
      customerAwsAccountId: buyer.customerAwsAccountId,
      productCode: PRODUCT.productCode,
      pricingModel: 'subscription',
      meteringRegion: 'us-east-1',
      customerId: customer.customerId,
      firstSeenAt: NOW,
      periods: [{}],
    });
    const items = await itemsOf(customer.customerId);
    expect(items).toHaveLength(3);
    expect(items.every((item) => item['v'] === 1)).toBe(true);
  });

  it('answers a repeat with the same customer and changes nothing, whatever region the product has by then', async () => {
    const buyer = aBuyer();
    const first = await store.upsert(buyer, PRODUCT, NOW);
    const before = await itemsOf(first.customer.customerId);
    const again = await store.upsert(buyer, { ...PRODUCT, meteringRegion: 'eu-west-1' }, NOW + 1000);
    expect(again).toEqual({ kind: 'known', customer: first.customer });
    expect(await itemsOf(first.customer.customerId)).toEqual(before);
  });

  it('makes exactly one customer out of 20 requests at once', async () => {
    const buyer = aBuyer();
    const upserted = await Promise.all(Array.from({ length: 20 }, () => store.upsert(buyer, PRODUCT, NOW)));
    expect(new Set(upserted.map(({ customer }) => customer.customerId)).size).toBe(1);
    expect(upserted.filter(({ kind }) => kind === 'created')).toHaveLength(1);
    expect(await itemsOf(upserted[0]?.customer.customerId ?? '')).toHaveLength(3);
  });

  it('keeps two agreements of one account as two customers', async () => {
    const one = aBuyer();
    const other = { ...aBuyer(), customerAwsAccountId: one.customerAwsAccountId };
    const first = await store.upsert(one, PRODUCT, NOW);
    const second = await store.upsert(other as ResolvedBuyer, PRODUCT, NOW);
    expect(second.kind).toBe('created');
    expect(second.customer.customerId).not.toBe(first.customer.customerId);
  });

  it('keeps what notices wrote before: periods, ending and first sight stay, missing members are filled', async () => {
    const buyer = aBuyer();
    const key = keyOf(buyer);
    const periods = [{ agreementId: 'agmt-1', from: NOW - 5000 }];
    await client.send(
      new PutItemCommand({
        TableName: tables.customers,
        Item: toItem({
          ...licenceItemKey(key),
          v: 1,
          licenceKey: key,
          firstSeenAt: NOW - 9000,
          periods,
          ending: { noticeAt: NOW },
        }),
      }),
    );
    const { kind, customer } = await store.upsert(buyer, PRODUCT, NOW);
    expect(kind).toBe('created');
    expect(await store.licence(key)).toMatchObject({
      customerId: customer.customerId,
      licenceArn: buyer.licenceArn,
      firstSeenAt: NOW - 9000,
      periods,
      ending: { noticeAt: NOW },
    });
  });

  it('adds an account that AWS names only later, and never replaces one', async () => {
    const { customerAwsAccountId: account = '', ...nameless } = aBuyer();
    const { customer } = await store.upsert(nameless, PRODUCT, NOW);
    const filled = await store.upsert({ ...nameless, customerAwsAccountId: account }, PRODUCT, NOW);
    expect(filled).toEqual({ kind: 'known', customer: { ...customer, customerAwsAccountId: account } });
    const other = await store.upsert({ ...nameless, customerAwsAccountId: '999999999999' }, PRODUCT, NOW);
    expect(other.customer.customerAwsAccountId).toBe(account);
  });

  it('refuses to guess where AWS names neither licence nor account', async () => {
    await expect(store.upsert({ productCode: PRODUCT.productCode }, PRODUCT, NOW)).rejects.toThrow(Unavailable);
  });
});

describe('upsert of a buyer whose licence AWS does not name', () => {
  it('makes one waiting customer out of 20 requests at once, then gives it the licence once, from 20 at once', async () => {
    const buyer = aBuyer();
    const waiting = await Promise.all(
      Array.from({ length: 20 }, () => store.upsert(withoutLicence(buyer), PRODUCT, NOW)),
    );
    const ids = new Set(waiting.map(({ customer }) => customer.customerId));
    expect(ids.size).toBe(1);
    expect(waiting.filter(({ kind }) => kind === 'created')).toHaveLength(1);
    expect(waiting[0]?.customer.licenceKeys).toEqual([]);

    const named = await Promise.all(Array.from({ length: 20 }, () => store.upsert(buyer, PRODUCT, NOW + 1)));
    for (const { kind, customer } of named) {
      expect(kind).toBe('known');
      expect(ids.has(customer.customerId)).toBe(true);
      expect(customer.licenceKeys).toEqual([keyOf(buyer)]);
    }
  });

  it('finds the account’s only customer when AWS stops naming the licence, so no second one is made', async () => {
    const buyer = aBuyer();
    const { customer } = await store.upsert(buyer, PRODUCT, NOW);
    expect(await store.upsert(withoutLicence(buyer), PRODUCT, NOW + 1)).toEqual({ kind: 'known', customer });
  });

  it('makes a waiting customer of its own where the account has several, once', async () => {
    const one = aBuyer();
    await store.upsert(one, PRODUCT, NOW);
    await store.upsert({ ...aBuyer(), customerAwsAccountId: one.customerAwsAccountId } as ResolvedBuyer, PRODUCT, NOW);
    const third = await store.upsert(withoutLicence(one), PRODUCT, NOW);
    expect(third).toMatchObject({ kind: 'created', customer: { licenceKeys: [] } });
    expect((await store.upsert(withoutLicence(one), PRODUCT, NOW)).customer).toEqual(third.customer);
  });

  it('gives the licence to one customer and keeps it there when requests with and without it race', async () => {
    for (let round = 0; round < 5; round++) {
      const buyer = aBuyer();
      const [without, named] = await Promise.all([
        store.upsert(withoutLicence(buyer), PRODUCT, NOW),
        store.upsert(buyer, PRODUCT, NOW),
      ]);
      const settled = await store.upsert(buyer, PRODUCT, NOW);
      expect(settled.customer.customerId).toBe(named.customer.customerId);
      expect((await store.customer(without.customer.customerId))?.licenceKeys.length ?? 0).toBeLessThanOrEqual(1);
    }
  });
});

describe('upsert of a buyer of a legacy product', () => {
  it('names the licence by product code and customer identifier, once', async () => {
    const buyer: ResolvedBuyer = {
      productCode: LEGACY.productCode,
      customerIdentifier: 'cust-77',
      customerAwsAccountId: '777777777777',
    };
    const upserted = await Promise.all([store.upsert(buyer, LEGACY, NOW), store.upsert(buyer, LEGACY, NOW)]);
    const [key = ''] = upserted[0].customer.licenceKeys;
    expect(key).toMatch(/^c-[0-9a-f]{32}$/);
    expect(upserted[1].customer).toEqual(upserted[0].customer);
    expect(await store.licence(key)).toMatchObject({ identityStyle: 'legacy', customerIdentifier: 'cust-77' });
  });
});

describe('markRegistered', () => {
  it('keeps the first time', async () => {
    const { customer } = await store.upsert(aBuyer(), PRODUCT, NOW);
    await store.markRegistered(customer.customerId, NOW + 1);
    await store.markRegistered(customer.customerId, NOW + 2);
    expect((await store.customer(customer.customerId))?.registeredAt).toBe(NOW + 1);
  });

  it('makes no customer out of an unknown id', async () => {
    await expect(store.markRegistered('cus_unknown', NOW)).rejects.toThrow(BrokenInvariant);
    expect(await store.customer('cus_unknown')).toBeUndefined();
  });
});

describe('the end of a licence', () => {
  it('keeps the earliest instant of each step, in any order of arrival', async () => {
    const buyer = aBuyer();
    const key = keyOf(buyer);
    await store.upsert(buyer, PRODUCT, NOW);
    await store.noteEnding(key, { noticeAt: 50, deprovisionedAt: 90 });
    await store.noteEnding(key, { noticeAt: 40, revokedAt: 70 });
    await store.noteEnding(key, { noticeAt: 60, revokedAt: 80, deprovisionedAt: 95 });
    const ending = { noticeAt: 40, revokedAt: 70, deprovisionedAt: 90 };
    expect((await store.licence(key))?.ending).toEqual(ending);
    expect((await store.endingLicences()).find(({ licenceKey }) => licenceKey === key)?.ending).toEqual(ending);
  });

  it('joins 10 notices at once without losing a step', async () => {
    const buyer = aBuyer();
    const key = keyOf(buyer);
    await store.upsert(buyer, PRODUCT, NOW);
    const steps = Array.from({ length: 3 }, (_, index) => [
      { noticeAt: 100 - index },
      { noticeAt: 100, revokedAt: 200 - index },
      { noticeAt: 100, deprovisionedAt: 300 - index },
    ]).flat();
    await Promise.all(steps.map((step) => patiently(() => store.noteEnding(key, step))));
    expect((await store.licence(key))?.ending).toEqual({ noticeAt: 98, revokedAt: 198, deprovisionedAt: 298 });
  });

  it('is not put back on the list by a repeat once it is dealt with', async () => {
    const buyer = aBuyer();
    const key = keyOf(buyer);
    await store.upsert(buyer, PRODUCT, NOW);
    await store.noteEnding(key, { noticeAt: NOW, deprovisionedAt: NOW + 1 });
    const ending = { noticeAt: NOW, deprovisionedAt: NOW + 1 };
    expect(await store.finishEnding(key, ending)).toBe(true);
    expect(await store.finishEnding(key, ending)).toBe(true);
    await store.noteEnding(key, { noticeAt: NOW + 5, deprovisionedAt: NOW + 5 });
    expect((await store.endingLicences()).map(({ licenceKey }) => licenceKey)).not.toContain(key);
  });

  it('stays on the list when a further step was noted since the end was read that is to be finished', async () => {
    const buyer = aBuyer();
    const key = keyOf(buyer);
    await store.upsert(buyer, PRODUCT, NOW);
    const read = await store.noteEnding(key, { noticeAt: NOW });
    await store.noteEnding(key, { noticeAt: NOW, revokedAt: NOW - 1 });

    expect(await store.finishEnding(key, read?.ending ?? { noticeAt: 0 })).toBe(false);

    expect((await store.endingLicences()).map(({ licenceKey }) => licenceKey)).toContain(key);
  });

  it('is on the list after a further step that is noted while others finish what they read before', async () => {
    for (let round = 0; round < 10; round++) {
      const buyer = aBuyer();
      const key = keyOf(buyer);
      await store.upsert(buyer, PRODUCT, NOW);
      const ending = { noticeAt: NOW };
      await store.noteEnding(key, ending);

      let isNoted = false;
      const noting = patiently(() => store.noteEnding(key, { noticeAt: NOW, revokedAt: NOW - 1 })).finally(() => {
        isNoted = true;
      });
      const finisher = async () => {
        while (!isNoted) await store.finishEnding(key, ending);
      };
      await Promise.all([noting, ...Array.from({ length: 4 }, finisher)]);

      const listed = (await store.endingLicences()).find(({ licenceKey }) => licenceKey === key);
      expect(listed?.ending).toEqual({ noticeAt: NOW, revokedAt: NOW - 1 });
    }
  });

  it('is undefined for a licence that nobody knows, and makes none', async () => {
    expect(await store.noteEnding('l-unknown', { noticeAt: NOW })).toBeUndefined();
    expect(await store.licence('l-unknown')).toBeUndefined();
  });
});

describe('the start of a licence', () => {
  const HOUR = 3_600_000;

  /** The buyer of agreement A, who came to us an hour after its start. */
  async function subscribed(): Promise<{ key: string; customerId: string }> {
    const buyer = aBuyer();
    const key = keyOf(buyer);
    const { customer } = await store.upsert(buyer, PRODUCT, NOW + HOUR);
    await store.noteStart(key, { agreementId: 'agmt-a', from: NOW });
    return { key, customerId: customer.customerId };
  }

  async function listed(key: string): Promise<boolean> {
    return (await store.endingLicences()).some(({ licenceKey }) => licenceKey === key);
  }

  it('takes the place of the unknown start, once per agreement, and leaves the first sight as it was', async () => {
    const { key } = await subscribed();
    await store.noteStart(key, { agreementId: 'agmt-a', from: NOW });
    expect(await store.licence(key)).toMatchObject({
      firstSeenAt: NOW + HOUR,
      periods: [{ agreementId: 'agmt-a', from: NOW }],
    });
  });

  it('after an end makes the licence run again, off the list of endings, with the old period closed', async () => {
    const { key } = await subscribed();
    await store.noteEnding(key, {
      agreementId: 'agmt-a',
      noticeAt: NOW + 2 * HOUR,
      deprovisionedAt: NOW + 2 * HOUR + 31_000,
    });
    expect(await listed(key)).toBe(true);
    const noted = await store.noteStart(key, { agreementId: 'agmt-b', from: NOW + 5 * HOUR });
    const licence = await store.licence(key);
    expect(noted).toEqual(licence);
    expect(licence?.ending).toBeUndefined();
    expect(licence?.periods).toEqual([
      { agreementId: 'agmt-a', from: NOW, to: NOW + 2 * HOUR + 31_000 },
      { agreementId: 'agmt-b', from: NOW + 5 * HOUR },
    ]);
    expect(await listed(key)).toBe(false);
  });

  it('is not undone by old notices that are read again, and its own end puts it on the list again', async () => {
    const { key } = await subscribed();
    const old = { noticeAt: NOW + 2 * HOUR, revokedAt: NOW + 2 * HOUR, deprovisionedAt: NOW + 2 * HOUR };
    await store.noteEnding(key, old);
    await store.noteStart(key, { agreementId: 'agmt-b', from: NOW + 5 * HOUR });
    const before = await store.licence(key);
    await store.noteEnding(key, old);
    await store.noteStart(key, { agreementId: 'agmt-a', from: NOW });
    expect(await store.licence(key)).toEqual(before);
    expect(await listed(key)).toBe(false);
    await store.noteEnding(key, { noticeAt: NOW + 7 * HOUR });
    expect((await store.licence(key))?.ending).toEqual({ noticeAt: NOW + 7 * HOUR });
    expect(await listed(key)).toBe(true);
  });

  it('heard before the notice of the old end leaves the new period running', async () => {
    const { key } = await subscribed();
    await store.noteStart(key, { agreementId: 'agmt-b', from: NOW + 5 * HOUR });
    await store.noteEnding(key, { noticeAt: NOW + 2 * HOUR, revokedAt: NOW + 2 * HOUR });
    expect(await store.licence(key)).toMatchObject({ periods: [{ to: NOW + 2 * HOUR }, { from: NOW + 5 * HOUR }] });
    expect((await store.licence(key))?.ending).toBeUndefined();
    expect(await listed(key)).toBe(false);
  });

  it('and ends that come at once are all noted', async () => {
    const { key } = await subscribed();
    const starts = ['b', 'c', 'd'].map((name, index) => ({
      agreementId: `agmt-${name}`,
      from: NOW + (index + 2) * HOUR,
    }));
    await Promise.all([
      ...starts.map((start) => patiently(() => store.noteStart(key, start))),
      ...starts.map(({ agreementId, from }) =>
        patiently(() => store.noteEnding(key, { agreementId, noticeAt: from + 1, revokedAt: from + 1 })),
      ),
    ]);
    const licence = await store.licence(key);
    expect(licence?.periods.map(({ from = 0, to = 0 }) => to - from)).toEqual([2 * HOUR, 1, 1, -NOW - 4 * HOUR]);
    expect(licence?.ending).toEqual({ noticeAt: NOW + 4 * HOUR + 1, revokedAt: NOW + 4 * HOUR + 1 });
    expect(await listed(key)).toBe(true);
  });

  it('is undefined for a licence that nobody knows, and makes none', async () => {
    expect(await store.noteStart('l-unknown', { agreementId: 'agmt-a', from: NOW })).toBeUndefined();
    expect(await store.licence('l-unknown')).toBeUndefined();
  });
});

describe('reading', () => {
  it('lists each licence in its shard, in key order, over several pages', async () => {
    const keys: string[] = [];
    const shard = 5;
    // A megabyte is a page: six licences of a fifth of one each make two.
    for (let index = 0; keys.length < 6; index++) {
      const key = licenceKeyOf({ style: 'licence', licenceArn: `arn:aws:x:::fat:${index}` });
      if (shardOf(key) !== shard) continue;
      keys.push(key);
      const of = { licenceKey: key, identityStyle: 'licence', productCode: 'p' };
      const base = { ...of, pricingModel: 'subscription', meteringRegion: 'us-east-1' };
      const item = { ...licenceItemKey(key), v: 1, ...base, customerId: 'cus_x', firstSeenAt: 1, periods: [{}] };
      await client.send(
        new PutItemCommand({ TableName: tables.customers, Item: toItem({ ...item, pad: 'x'.repeat(220_000) }) }),
      );
    }
    const pages: string[][] = [];
    for await (const page of store.licencesOfShard(shard)) pages.push(page.map(({ licenceKey }) => licenceKey));
    expect(pages.length).toBeGreaterThan(1);
    const listed = pages.flat();
    expect(listed).toEqual([...listed].sort());
    expect(listed).toEqual(expect.arrayContaining(keys));
  });

  it('names a broken item instead of handing it on', async () => {
    const { customer } = await store.upsert(aBuyer(), PRODUCT, NOW);
    await client.send(
      new UpdateItemCommand({
        TableName: tables.customers,
        Key: toItem({ pk: `customer#${customer.customerId}`, sk: 'customer' }),
        UpdateExpression: 'SET createdAt = :text',
        ExpressionAttributeValues: toItem({ ':text': 'yesterday' }),
      }),
    );
    await expect(store.customer(customer.customerId)).rejects.toThrow('createdAt');
  });
});

/** What a queue does with Unavailable: it brings the notice again. */
async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }
}
