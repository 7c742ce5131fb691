// The rejects table: refused usage by day, with what was wrong.
import { hash } from 'node:crypto';
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Refusal } from '../domain/refusal.ts';
import type { Day } from '../domain/summary.ts';
import type { RejectStore } from '../flow/ports.ts';
import type { RefusedUsage, RejectReader } from '../flow/read-ports.ts';
import { fromItem, type Item, toItem, updateItem } from './dynamo.ts';
import { optionalMap, text, whole } from './item-reader.ts';

const KEPT_SECONDS = 400 * 86_400;

/** One partition takes 1,000 writes a second; a client that loops on a bad event must not stop the others. */
const DAY_SHARDS = 8;

export class DynamoRejectStore implements RejectStore, RejectReader {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async keep(refusal: Refusal): Promise<void> {
    const { at, hour, code, ...rest } = refusal;
    const identity = hash('sha256', [code, refusal.subject, refusal.dimension, refusal.eventId].join('\n'));
    const day = (hour ?? new Date(at).toISOString()).slice(0, 10);
    await updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: `${day}#${Number.parseInt(identity.slice(0, 4), 16) % DAY_SHARDS}`, sk: identity }),
      UpdateExpression:
        'ADD times :one SET lastAt = :at, firstAt = if_not_exists(firstAt, :at), code = :code, refusal = :refusal, expiresAt = :expires',
      ExpressionAttributeValues: toItem({
        ':one': 1,
        ':at': at,
        ':code': code,
        ':refusal': storable(rest),
        ':expires': Math.ceil(at / 1_000) + KEPT_SECONDS,
      }),
    });
  }

  async refusedOn(day: Day): Promise<readonly RefusedUsage[]> {
    const shards = Array.from({ length: DAY_SHARDS }, (_, shard) => shard);
    const pages = await Promise.all(
      shards.map((shard) =>
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: toItem({ ':pk': `${day}#${shard}` }),
            Limit: COUNTED,
          }),
        ),
      ),
    );
    const items = pages.flatMap(({ Items: listed = [] }) => listed.map(fromItem));
    return [...Map.groupBy(items, (item) => text(item, 'code'))].flatMap(([code, own]) => refusedAs(code, own));
  }
}

/** A client that loops writes them by the ten thousand; that there are many is told by a thousand. */
const COUNTED = 1_000;

function refusedAs(code: string, items: readonly Item[]): RefusedUsage[] {
  const [latest] = [...items].sort((one, other) => whole(other, 'lastAt') - whole(one, 'lastAt'));
  const refusal = latest && optionalMap(latest, 'refusal');
  if (!latest || !refusal) return [];
  return [
    {
      code,
      times: items.reduce((sum, item) => sum + whole(item, 'times'), 0),
      events: items.length,
      lastAt: whole(latest, 'lastAt'),
      message: text(refusal, 'message'),
      subject: text(refusal, 'subject'),
    },
  ];
}

/** What was refused may hold half a surrogate pair, as written or as cut off; DynamoDB takes none. */
function storable(refusal: object): object {
  return Object.fromEntries(
    Object.entries(refusal).map(([name, value]) => [name, typeof value === 'string' ? value.toWellFormed() : value]),
  );
}
