// The tables of AWS's serverless SaaS sample: read as a whole, and marked where a record of theirs is taken over.
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { parseOldBuyer, parseOldRecord, TAKEN_BY } from '../lambdas/contracts/sample-tables.ts';
import type { OldKey, OldRecord, PendingRecord } from '../lambdas/domain/migration/old-record.ts';
import type { OldTables, TakeOverMark } from '../lambdas/flow/migration/old-tables.ts';
import { type Aws, configOf } from './aws.ts';

export interface SampleTableNames {
  readonly subscribers: string;
  readonly records: string;
}

export class SampleTables implements OldTables {
  readonly #client: DynamoDBClient;
  readonly #names: SampleTableNames;

  constructor(aws: Aws, names: SampleTableNames) {
    this.#client = new DynamoDBClient({ ...configOf(aws), maxAttempts: 8 });
    this.#names = names;
  }

  async *buyers() {
    for await (const page of this.#pages(this.#names.subscribers)) yield page.map(parseOldBuyer);
  }

  async *records() {
    for await (const page of this.#pages(this.#names.records)) yield page.map(parseOldRecord);
  }

  async record(key: OldKey): Promise<OldRecord | undefined> {
    const { Item: item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#names.records, Key: keyOf(key), ConsistentRead: true }),
    );
    return item && parseOldRecord(plain(item));
  }

  async take({ key, amounts }: PendingRecord, { hour, at, actionId }: TakeOverMark): Promise<boolean> {
    const before = await this.#client.send(
      new GetItemCommand({ TableName: this.#names.records, Key: keyOf(key), ConsistentRead: true }),
    );
    const usage = before.Item?.['dimension_usage'];
    const stands = before.Item && parseOldRecord(plain(before.Item));
    // What was judged is what is taken.
    const isSame = stands?.kind === 'pending' && JSON.stringify(stands.amounts) === JSON.stringify(amounts);
    if (!usage || !isSame) return false;
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#names.records,
          Key: keyOf(key),
          UpdateExpression: `SET ${TAKEN_BY} = :mark REMOVE metering_pending`,
          ConditionExpression: `metering_pending = :true AND dimension_usage = :usage AND attribute_not_exists(${TAKEN_BY}) AND attribute_not_exists(metering_response)`,
          ExpressionAttributeValues: {
            ':mark': {
              M: { by: { S: 'fulfillment' }, hour: { S: hour }, at: { N: String(at) }, act: { S: actionId } },
            },
            ':true': { S: 'true' },
            ':usage': usage,
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  close(): void {
    this.#client.destroy();
  }

  /** All of a table, consistently, a page at a time. */
  async *#pages(table: string): AsyncGenerator<unknown[]> {
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.#client.send(
        new ScanCommand({ TableName: table, ConsistentRead: true, ExclusiveStartKey: start }),
      );
      yield (page.Items ?? []).map(plain);
      start = page.LastEvaluatedKey;
    } while (start);
  }
}

function keyOf({ customerIdentifier, createTimestamp }: OldKey): Record<string, AttributeValue> {
  return { customerIdentifier: { S: customerIdentifier }, create_timestamp: { N: createTimestamp } };
}

/** Numbers stay as they are written. */
function plain(item: Record<string, AttributeValue>): unknown {
  return unmarshall(item, { wrapNumbers: (n) => ({ n }) });
}
