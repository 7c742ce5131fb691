import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DynamoBuyerStore } from '../../lambdas/stores/buyer-store.ts';
import { dynamoClient, queryAll, toItem } from '../../lambdas/stores/dynamo.ts';
import { BY_EMAIL } from '../../lambdas/stores/tables.ts';
import { type Database, startDatabase } from '../../local/database.ts';
import { createTables, type TableNames } from '../../local/tables.ts';

const DETAILS = {
  customerId: 'cus_1',
  email: 'Ada.Lovelace@Example.com',
  fields: { name: 'Ada', company: 'Größe & Söhne' },
  submittedAt: 1_795_419_000_000,
};

let database: Database;
let client: DynamoDBClient;
let tables: TableNames;
let store: DynamoBuyerStore;

beforeAll(async () => {
  database = await startDatabase();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = dynamoClient({ region: 'us-east-1', endpoint: database.endpoint, credentials });
  tables = await createTables(client);
  store = new DynamoBuyerStore(client, tables.buyers);
});
afterAll(async () => {
  client?.destroy();
  await database?.close();
});

it('keeps what was told first, out of 20 at once and of any later one', async () => {
  const puts = await Promise.all(Array.from({ length: 20 }, () => store.put(DETAILS)));
  expect(puts.filter((put) => put === 'recorded')).toHaveLength(1);
  expect(await store.put({ ...DETAILS, email: 'other@example.com', fields: {} })).toBe('already');
  expect(await store.details('cus_1')).toEqual(DETAILS);
});

it('knows nothing of a customer who told nothing', async () => {
  expect(await store.details('cus_unknown')).toBeUndefined();
});

it('finds a buyer by e-mail address in any case, without copying personal data into the index', async () => {
  await store.put({ ...DETAILS, customerId: 'cus_2' });
  const found = await queryAll(client, {
    TableName: tables.buyers,
    IndexName: BY_EMAIL,
    KeyConditionExpression: 'emailKey = :email',
    ExpressionAttributeValues: toItem({ ':email': 'ada.lovelace@example.com' }),
  });
  expect(found.map((item) => item['customerId'])).toContain('cus_2');
  expect(found.every((item) => !('fields' in item))).toBe(true);
});
