// A layout of tomorrow: a step that only this test knows, through every way in which stores read.
import { ConditionalCheckFailedException, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DynamoCustomerDirectory } from '../../lambdas/stores/customer-directory.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { dynamoClient, toItem } from '../../lambdas/stores/dynamo.ts';
import { type LayoutStep, upgraded } from '../../lambdas/stores/layout.ts';
import { useEngine } from '../stores/engine-tables.ts';
import { frozenItems, restore } from './frozen-items.ts';

const engine = useEngine();

/** Licences get a counterpart, where they have none, and customers a hint: a step fills what is missing. */
const toSecond: LayoutStep = (item) => {
  if (item['sk'] === 'customer') return { freeTrialHint: true, ...item };
  return String(item['pk']).startsWith('licences#') ? { counterpartKey: 'c-of-layout-2', ...item } : item;
};
const toThird: LayoutStep = (item) =>
  item['sk'] === 'customer' ? { isFreeTrial: item['freeTrialHint'], ...item } : item;

describe('an item of an older layout', () => {
  test('is brought up step by step, from the layout that it has', () => {
    const key = { pk: 'customer#a', sk: 'customer' };

    const steps = [toSecond, toThird];
    expect(upgraded({ ...key, v: 1 }, steps)).toEqual({ ...key, freeTrialHint: true, isFreeTrial: true });
    expect(upgraded({ ...key, v: 2, freeTrialHint: false }, steps)).toEqual({
      ...key,
      freeTrialHint: false,
      isFreeTrial: false,
    });
    expect(upgraded({ pk: 'late', sk: 'x' }, steps)).toEqual({ pk: 'late', sk: 'x' });
  });

  test('of today’s layout, or of a newer one, is left as it is', () => {
    const item = { pk: 'customer#a', sk: 'customer', v: 3 };

    expect(upgraded(item, [toSecond, toThird])).toBe(item);
    expect(upgraded({ ...item, v: 9 }, [toSecond, toThird])).toEqual({ ...item, v: 9 });
  });
});

describe('a client with a step', () => {
  async function tomorrow() {
    const { client: today, tables } = await engine();
    const items = frozenItems('v1');
    await restore({ client: today, tables }, items);
    const { endpoint } = today.config;
    if (!endpoint) throw new Error('The engine has no address.');
    const { protocol, hostname, port } = await endpoint();
    const client = dynamoClient({
      region: 'us-east-1',
      endpoint: `${protocol}//${hostname}:${port}`,
      credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' },
      steps: [toSecond],
    });
    onTestFinished(() => client.destroy());
    const customerIds = items.customers.flatMap((item) =>
      item['sk']?.S === 'customer' ? [item['customerId']?.S ?? ''] : [],
    );
    const [customerId = ''] = customerIds;
    const licences = items.customers.filter(({ pk }) => pk?.S?.startsWith('licences#'));
    return {
      today,
      client,
      tables,
      customerIds,
      customerId,
      licences,
      store: new DynamoCustomerStore(client, tables.customers),
    };
  }

  test('gives stores today’s layout by key, by batch, by query and where a condition fails; the table stays as it is', async () => {
    const { today, client, tables, customerIds, customerId, licences, store } = await tomorrow();
    const directory = new DynamoCustomerDirectory(client, { notices: tables.notices, customers: tables.customers });
    const [licence] = licences;
    const shard = Number(licence?.['pk']?.S?.slice(-2));

    expect(await store.customer(customerId)).toMatchObject({ customerId, freeTrialHint: true });
    const listed = await directory.customers(customerIds);
    expect(listed.map(({ customer }) => customer.freeTrialHint)).toEqual(customerIds.map(() => true));
    const counterparts: (string | undefined)[] = [];
    for await (const page of store.licencesOfShard(shard))
      counterparts.push(...page.map((each) => each.counterpartKey));
    expect(counterparts.length).toBeGreaterThan(0);
    expect(new Set(counterparts)).toEqual(new Set(['c-of-layout-2']));
    const key = { pk: `customer#${customerId}`, sk: 'customer' };
    const refused = client.send(
      new PutItemCommand({
        TableName: tables.customers,
        Item: toItem(key),
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    await expect(refused).rejects.toSatisfy(
      (error) => error instanceof ConditionalCheckFailedException && error.Item?.['freeTrialHint']?.BOOL === true,
    );
    const { Item } = await today.send(new GetItemCommand({ TableName: tables.customers, Key: toItem(key) }));
    expect([Item?.['v'], Item?.['freeTrialHint']]).toEqual([{ N: '1' }, undefined]);
  });

  test('finds customers by an index, which holds too little of them to be brought up', async () => {
    const { client, tables, customerIds } = await tomorrow();
    const directory = new DynamoCustomerDirectory(client, { notices: tables.notices, customers: tables.customers });

    const { items } = await directory.list('all', 50);

    expect([...items].sort()).toEqual([...customerIds].sort());
  });

  test('brings an item up that has been written to since, member by member, without taking from it', async () => {
    const { store, customerId } = await tomorrow();
    const before = (await store.customer(customerId))?.registeredAt;

    await store.markRegistered(customerId, 1_790_000_000_000);

    const expected = { freeTrialHint: true, registeredAt: before ?? 1_790_000_000_000 };
    expect(await store.customer(customerId)).toMatchObject(expected);
  });
});
