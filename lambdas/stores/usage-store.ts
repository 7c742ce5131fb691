// The usage table: one item an event, appended once and never written to again.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { HourStart } from '../domain/hour.ts';
import { encodeKeyPart, hourShardKey, KEY_SEPARATOR, meterKey } from '../domain/keys.ts';
import { USAGE_ROW_LIFETIME_DAYS, type UsageEvent } from '../domain/usage-event.ts';
import { isSameUsage, parseUsageRow, USAGE_ROW_LAYOUT, type UsageRow, usageRowReader } from '../domain/usage-row.ts';
import type { UsageBounds, UsageStore } from '../flow/ports.ts';
import { getItem, type Item, putItem, queryPages, toItem } from './dynamo.ts';

const DAY_SECONDS = 86_400;

export class DynamoUsageStore implements UsageStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async put(event: UsageEvent): Promise<'recorded' | 'already' | 'conflict'> {
    const written = await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem(toUsageItem(event)),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    return written.kind === 'written' ? 'recorded' : compared(written.existing ?? {}, event);
  }

  async standing(event: UsageEvent): Promise<'already' | 'conflict' | 'absent'> {
    const { pk, sk } = toUsageItem(event);
    const existing = await getItem(this.#client, { TableName: this.#table, Key: toItem({ pk, sk }) });
    return existing ? compared(existing, event) : 'absent';
  }

  async *rows(hour: HourStart, shard: number, bounds: UsageBounds = {}): AsyncGenerator<readonly UsageRow[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      ...partitionQuery(hour, shard, bounds),
    });
    const parse = usageRowReader();
    for await (const page of pages) yield page.map(parse);
  }
}

function compared(existing: Item, event: UsageEvent): 'already' | 'conflict' {
  return isSameUsage(parseUsageRow(existing), event) ? 'already' : 'conflict';
}

/** Sorts right after the separator: every key of a licence lies between `licence#` and `licence$`. */
const AFTER_SEPARATOR = '$';

/** Around every key that anyone may have written, ours or not. */
const FIRST_KEY = '\u0001';
const LAST_KEY = '\u{10FFFF}';

/** One partition of an hour, or the part of it within bounds. */
export function partitionQuery(hour: HourStart, shard: number, { licenceKey, from, before }: UsageBounds) {
  const partition = hourShardKey(hour, shard);
  if (licenceKey === undefined && from === undefined && before === undefined) {
    return { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: toItem({ ':pk': partition }) };
  }
  const start = from ?? (licenceKey === undefined ? FIRST_KEY : `${licenceKey}${KEY_SEPARATOR}`);
  // No row is called just `before`, so that the inclusive bound of BETWEEN excludes its meter.
  const end = before ?? (licenceKey === undefined ? LAST_KEY : `${licenceKey}${AFTER_SEPARATOR}`);
  return {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :start AND :end',
    ExpressionAttributeValues: toItem({ ':pk': partition, ':start': start, ':end': end }),
  };
}

/** The item that stands for an event. Its attributes are the contract with sellers who write rows themselves. */
export function toUsageItem(event: UsageEvent) {
  return {
    pk: hourShardKey(event.hour, event.shard),
    sk: `${meterKey(event.licenceKey, event.dimension)}${KEY_SEPARATOR}${encodeKeyPart(event.eventId)}`,
    v: USAGE_ROW_LAYOUT,
    quantity: event.quantity,
    time: event.atMs,
    tags: event.tags && Object.keys(event.tags).length > 0 ? event.tags : undefined,
    expiresAt: Math.ceil(event.atMs / 1_000) + USAGE_ROW_LIFETIME_DAYS * DAY_SECONDS,
  };
}
