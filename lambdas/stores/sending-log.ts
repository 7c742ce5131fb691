// What each run of the sender came to, in the work table, a partition a day.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KEY_SEPARATOR } from '../domain/keys.ts';
import type { Day } from '../domain/summary.ts';
import type { Sending, SendingLog } from '../flow/sending-ports.ts';
import { type Item, putItem, queryAll, toItem } from './dynamo.ts';
import { text, whole } from './item-reader.ts';

const KEPT_SECONDS = 40 * 86_400;

export class DynamoSendingLog implements SendingLog {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async note(sending: Sending): Promise<void> {
    const { runId, startedAt } = sending;
    const at = new Date(startedAt).toISOString();
    await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({
        pk: partitionOf(at.slice(0, 10)),
        sk: `${at}${KEY_SEPARATOR}${runId}`,
        ...sending,
        expiresAt: Math.floor(startedAt / 1_000) + KEPT_SECONDS,
      }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
  }

  async ofDay(day: Day): Promise<readonly Sending[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :day',
      ExpressionAttributeValues: toItem({ ':day': partitionOf(day) }),
    });
    return items.map(fromSendingItem);
  }
}

function partitionOf(day: Day): string {
  return `sending#${day}`;
}

function fromSendingItem(item: Item): Sending {
  return {
    runId: text(item, 'runId'),
    startedAt: whole(item, 'startedAt'),
    calls: whole(item, 'calls'),
    records: whole(item, 'records'),
    honoured: whole(item, 'honoured'),
    faults: whole(item, 'faults'),
  };
}
