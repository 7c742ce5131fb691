// How fast the database takes conditional writes from this process: the floor that intake is measured against.
import { CreateTableCommand, DeleteTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import { putItem, toItem } from '../lambdas/stores/dynamo.ts';

const WRITES = 3_000;
const WRITES_AT_ONCE = 32;

/** Bare conditional puts a second, measured on a table of its own that is dropped again. */
export async function writesPerSecond(client: DynamoDBClient): Promise<number> {
  const table = `engine-speed-${process.pid}`;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  const limit = pLimit(WRITES_AT_ONCE);
  const startedAtMs = performance.now();
  const write = (index: number) =>
    putItem(client, {
      TableName: table,
      Item: toItem({ pk: String(index), quantity: 1, time: 1_431_856_800_000 }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
  await Promise.all(Array.from({ length: WRITES }, (_, index) => limit(() => write(index))));
  const seconds = (performance.now() - startedAtMs) / 1_000;
  await client.send(new DeleteTableCommand({ TableName: table }));
  return WRITES / seconds;
}
