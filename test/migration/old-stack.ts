// AWS's serverless SaaS sample as a seller has it: its two tables, its hourly job and its sender, faithful in what they
// do to money. The job sums up what is pending; the sender stamps it with the time of sending and closes every row.
import { randomBytes } from 'node:crypto';
import {
  type AttributeValue,
  CreateTableCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { BatchMeterUsageCommand, MarketplaceMeteringClient } from '@aws-sdk/client-marketplace-metering';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { onTestFinished } from 'vitest';
import { type BackendWorld, PRODUCT } from '../backend-world.ts';

interface OldUsage {
  readonly dimension: string;
  readonly value: number;
}

interface Message {
  readonly customerIdentifier: string;
  readonly usage: ReadonlyMap<string, number>;
  readonly createTimestamps: readonly string[];
}

export interface OldBuyerName {
  readonly customerIdentifier: string;
  readonly awsAccountId: string;
}

/** Makes the tables beside a world's own. */
export async function startOldStack(world: BackendWorld) {
  const { client, clock } = world;
  const prefix = randomBytes(4).toString('hex');
  const [subscribers, records] = [`${prefix}-subscribers`, `${prefix}-records`];
  await client.send(
    new CreateTableCommand({
      TableName: subscribers,
      KeySchema: [{ AttributeName: 'customerIdentifier', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'customerIdentifier', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  await client.send(
    new CreateTableCommand({
      TableName: records,
      KeySchema: [
        { AttributeName: 'customerIdentifier', KeyType: 'HASH' },
        { AttributeName: 'create_timestamp', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'customerIdentifier', AttributeType: 'S' },
        { AttributeName: 'create_timestamp', AttributeType: 'N' },
        { AttributeName: 'metering_pending', AttributeType: 'S' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'PendingMeteringRecordsIndex',
          KeySchema: [{ AttributeName: 'metering_pending', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  const metering = new MarketplaceMeteringClient({
    region: 'us-east-1',
    endpoint: world.simulator.url,
    credentials: { accessKeyId: 'AKIDOLDSTACK', secretAccessKey: 'not-a-secret' },
    maxAttempts: 1,
  });
  onTestFinished(() => metering.destroy());

  /** Somebody subscribes at AWS, and fills in the old stack's form. */
  const buyer = async (item: Record<string, AttributeValue> = {}, agreement: object = {}): Promise<OldBuyerName> => {
    const made = await world.control.post<OldBuyerName>('/control/agreements', { productCode: PRODUCT, ...agreement });
    const { customerIdentifier, awsAccountId } = made;
    await client.send(
      new PutItemCommand({
        TableName: subscribers,
        Item: {
          customerIdentifier: { S: customerIdentifier },
          productCode: { S: PRODUCT },
          customerAWSAccountID: { S: awsAccountId },
          companyName: { S: 'Acme GmbH' },
          contactPerson: { S: 'Kim Muster' },
          contactPhone: { S: '+49 30 1234' },
          contactEmail: { S: 'kim@acme.example' },
          created: { S: String(clock.now()) },
          subscription_action: { S: 'subscribe-success' },
          successfully_subscribed: { BOOL: true },
          subscription_expired: { BOOL: false },
          is_free_trial_term_present: { BOOL: false },
          ...item,
        },
      }),
    );
    return { customerIdentifier, awsAccountId };
  };

  const put = (
    { customerIdentifier }: Pick<OldBuyerName, 'customerIdentifier'>,
    at: string,
    usage: readonly OldUsage[],
    item: Record<string, AttributeValue>,
  ) =>
    client.send(
      new PutItemCommand({
        TableName: records,
        Item: {
          customerIdentifier: { S: customerIdentifier },
          create_timestamp: { N: String(Date.parse(at) / 1_000) },
          dimension_usage: {
            L: usage.map(({ dimension, value }) => ({
              M: { dimension: { S: dimension }, value: { N: String(value) } },
            })),
          },
          ...item,
        },
      }),
    );

  /** The seller's product records usage there. */
  const record = (
    buyer: Pick<OldBuyerName, 'customerIdentifier'>,
    at: string,
    usage: readonly OldUsage[],
    item: Record<string, AttributeValue> = {},
  ) => put(buyer, at, usage, { metering_pending: { S: 'true' }, ...item });

  /** The hourly job: one message a buyer, of all that is pending. */
  const collect = async (): Promise<Message[]> => {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: records,
        IndexName: 'PendingMeteringRecordsIndex',
        KeyConditionExpression: 'metering_pending = :true',
        ExpressionAttributeValues: { ':true': { S: 'true' } },
      }),
    );
    const byBuyer = Map.groupBy(Items, (item) => item['customerIdentifier']?.S ?? '');
    return [...byBuyer].map(([customerIdentifier, items]) => {
      const usage = new Map<string, number>();
      for (const item of items) {
        const { dimension_usage } = unmarshall(item) as { dimension_usage: OldUsage[] };
        for (const { dimension, value } of dimension_usage) usage.set(dimension, (usage.get(dimension) ?? 0) + value);
      }
      return { customerIdentifier, usage, createTimestamps: items.map((item) => item['create_timestamp']?.N ?? '') };
    });
  };

  /** The sender. Where it dies after so many notes, AWS has the usage and the other rows do not tell. */
  const send = async ({ customerIdentifier, usage, createTimestamps }: Message, diesAfterNotes = Infinity) => {
    let response = '';
    let isFailed = false;
    try {
      const { Results = [], UnprocessedRecords = [] } = await metering.send(
        new BatchMeterUsageCommand({
          ProductCode: PRODUCT,
          UsageRecords: [...usage].map(([Dimension, Quantity]) => ({
            CustomerIdentifier: customerIdentifier,
            Dimension,
            Quantity,
            Timestamp: new Date(clock.now()),
          })),
        }),
      );
      isFailed = Results.some(({ Status }) => Status !== 'Success');
      response = JSON.stringify({ Results, UnprocessedRecords });
    } catch (error) {
      isFailed = true;
      const code = error instanceof Error ? error.name : 'Unknown';
      response = JSON.stringify(JSON.stringify({ message: 'refused', code }));
    }
    for (const timestamp of createTimestamps.slice(0, diesAfterNotes)) {
      await client.send(
        new UpdateItemCommand({
          TableName: records,
          Key: { customerIdentifier: { S: customerIdentifier }, create_timestamp: { N: timestamp } },
          UpdateExpression: 'SET metering_response = :response, metering_failed = :failed REMOVE metering_pending',
          ExpressionAttributeValues: { ':response': { S: response }, ':failed': { BOOL: isFailed } },
        }),
      );
    }
  };

  const run = async (): Promise<void> => {
    for (const message of await collect()) await send(message);
  };

  const item = async ({ customerIdentifier }: Pick<OldBuyerName, 'customerIdentifier'>, at: string) => {
    const key = {
      customerIdentifier: { S: customerIdentifier },
      create_timestamp: { N: String(Date.parse(at) / 1_000) },
    };
    const { Item } = await client.send(new GetItemCommand({ TableName: records, Key: key, ConsistentRead: true }));
    return Item && unmarshall(Item);
  };

  /** A record as its sender left it, whatever AWS had answered. */
  return { subscribers, records, buyer, record, closed: put, collect, send, run, item };
}

export type OldStack = Awaited<ReturnType<typeof startOldStack>>;
