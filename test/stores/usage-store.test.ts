import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { DynamoUsageStore, toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { aUsageEvent } from '../builders.ts';
import { describeUsageStore } from '../contracts/ledger-contract.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

async function store(): Promise<DynamoUsageStore> {
  const { client, tables } = await engine();
  return new DynamoUsageStore(client, tables.usage);
}

describe('the usage table', () => {
  describeUsageStore(store);

  test('gives every row of a partition of more than 1 MB, page by page', async () => {
    const usage = await store();
    const tags = Object.fromEntries('abcde'.split('').map((key) => [key, 'x'.repeat(256)]));
    const events = Array.from({ length: 900 }, (_, index) => aUsageEvent({ eventId: `${index}`, tags, quantity: 3 }));
    for (let from = 0; from < events.length; from += 50) {
      await Promise.all(events.slice(from, from + 50).map((event) => usage.put(event)));
    }

    const sizes = [];
    for await (const page of usage.rows(aUsageEvent().hour, aUsageEvent().shard)) sizes.push(page.length);

    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(900);
  });

  test.each([
    ['a quantity beyond every double', { N: '123456789012345678901.5' }],
    ['a quantity of 38 digits', { N: '99999999999999999999999999999999999999' }],
    ['a quantity as text', { S: '250' }],
    ['a quantity as a set', { NS: ['1', '2'] }],
  ])('gives %s that a seller wrote as a bad row, and its neighbours as good ones', async (_claim, quantity) => {
    const { client, tables } = await engine();
    const usage = new DynamoUsageStore(client, tables.usage);
    await usage.put(aUsageEvent({ eventId: 'good' }));
    const item = { ...toItem(toUsageItem(aUsageEvent({ eventId: 'bad' }))), quantity };
    await client.send(new PutItemCommand({ TableName: tables.usage, Item: item }));

    const rows = [];
    for await (const page of usage.rows(aUsageEvent().hour, aUsageEvent().shard)) rows.push(...page);

    expect(rows.map(({ kind }) => kind)).toEqual(['bad', 'good']);
  });

  test('calls an event that meets a row of a direct writer with other contents a conflict', async () => {
    const { client, tables } = await engine();
    const usage = new DynamoUsageStore(client, tables.usage);
    const item = toItem({ ...toUsageItem(aUsageEvent()), quantity: 0.5 });
    await client.send(new PutItemCommand({ TableName: tables.usage, Item: item }));

    expect(await usage.put(aUsageEvent())).toBe('conflict');
  });
});
