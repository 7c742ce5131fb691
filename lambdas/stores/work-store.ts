// The work table: what the schedules are at. Nothing in it is billed from; lost, it would be looked up anew.
import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BrokenInvariant } from '../domain/failure.ts';
import { type HourStart, parseHour } from '../domain/hour.ts';
import { KEY_SEPARATOR, SHARD_COUNT } from '../domain/keys.ts';
import { isQuantity } from '../domain/quantity.ts';
import type { HeldGroup, LateMarker, LookProgress, PartialLook, TouchedHour, WorkStore } from '../flow/ports.ts';
import { deleteItem, getItem, type Item, putItem, queryAll, toItem, updateItem } from './dynamo.ts';
import { optionalWhole, text, whole } from './item-reader.ts';

const LATE = 'late';
const WAITING = 'waiting';
const LOOKS = 'looks';
const GROUPS = 'groups';
const TOUCHED = 'touched';
const WATERMARK: Item = { pk: 'watermark', sk: 'looks' };

/** Looks are dropped by DynamoDB once nothing reads them any more. What waits for a licence stays until it comes. */
const LOOKS_KEPT_SECONDS = 40 * 86_400;

export class DynamoWorkStore implements WorkStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async markLate(hour: HourStart, shard: number): Promise<void> {
    await updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: LATE, sk: lateKey(hour, shard) }),
      UpdateExpression: 'ADD #version :one SET #hour = :hour, #shard = :shard',
      ExpressionAttributeNames: { '#version': 'version', '#hour': 'hour', '#shard': 'shard' },
      ExpressionAttributeValues: toItem({ ':one': 1, ':hour': hour, ':shard': shard }),
    });
  }

  async lateMarkers(): Promise<readonly LateMarker[]> {
    const items = await this.#partition(LATE);
    return items.flatMap((item) => {
      const marker = fromMarkerItem(item);
      return marker && item['clearedVersion'] !== marker.version ? [marker] : [];
    });
  }

  async clearLate({ hour, shard, version }: LateMarker, nowMs: number): Promise<void> {
    await updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: LATE, sk: lateKey(hour, shard) }),
      UpdateExpression: 'SET clearedVersion = :version, clearedAt = :now',
      ConditionExpression: '#version = :version',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: toItem({ ':version': version, ':now': nowMs }),
    });
  }

  async sweepLate(clearedBeforeMs: number): Promise<void> {
    for (const item of await this.#partition(LATE)) {
      const marker = fromMarkerItem(item);
      const isCleared = marker && item['clearedVersion'] === marker.version;
      if (marker && !(isCleared && Number(item['clearedAt']) < clearedBeforeMs)) continue;
      // Written again meanwhile: it is a marker again, and stays.
      await deleteItem(this.#client, {
        TableName: this.#table,
        Key: toItem({ pk: LATE, sk: text(item, 'sk') }),
        ...(marker === undefined
          ? {}
          : {
              ConditionExpression: '#version = :version',
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: toItem({ ':version': marker.version }),
            }),
      });
    }
  }

  async awaitLicence(licenceKey: string, hour: HourStart, shard: number): Promise<void> {
    await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({ pk: WAITING, sk: `${licenceKey}${KEY_SEPARATOR}${hour}`, licenceKey, hour, shard }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
  }

  async releaseAwaiting(licenceKey: string): Promise<number> {
    const waiting = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :waiting AND begins_with(sk, :licence)',
      ExpressionAttributeValues: toItem({ ':waiting': WAITING, ':licence': `${licenceKey}${KEY_SEPARATOR}` }),
    });
    for (const item of waiting) {
      // Marked before it is taken off the list: a crash in between costs one look too many, never one too few.
      await this.markLate(hourIn(item), whole(item, 'shard'));
      await deleteItem(this.#client, { TableName: this.#table, Key: toItem({ pk: WAITING, sk: text(item, 'sk') }) });
    }
    return waiting.length;
  }

  async markTouched(hours: Iterable<HourStart>): Promise<void> {
    await Promise.all(
      [...new Set(hours)].map((hour) =>
        // A stamp of its own, not a count: a mark that is made anew must not be taken for the one that was read.
        putItem(this.#client, {
          TableName: this.#table,
          Item: toItem({ pk: TOUCHED, sk: hour, hour, stamp: randomUUID() }),
        }),
      ),
    );
  }

  async touchedHours(): Promise<readonly TouchedHour[]> {
    return (await this.#partition(TOUCHED)).map((item) => ({ hour: hourIn(item), stamp: text(item, 'stamp') }));
  }

  async clearTouched({ hour, stamp }: TouchedHour): Promise<void> {
    await deleteItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: TOUCHED, sk: hour }),
      ConditionExpression: 'stamp = :stamp',
      ExpressionAttributeValues: toItem({ ':stamp': stamp }),
    });
  }

  async summarizedBefore(look: number): Promise<HourStart | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(summarizedKey(look)) });
    return item && hourIn(item);
  }

  async noteSummarized(look: number, before: HourStart): Promise<void> {
    await updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem(summarizedKey(look)),
      UpdateExpression: 'SET #hour = :hour',
      ConditionExpression: 'attribute_not_exists(pk) OR #hour < :hour',
      ExpressionAttributeNames: { '#hour': 'hour' },
      ExpressionAttributeValues: toItem({ ':hour': before }),
    });
  }

  async watermark(): Promise<HourStart | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(WATERMARK) });
    return item && hourIn(item);
  }

  async raiseWatermark(hour: HourStart): Promise<void> {
    await updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem(WATERMARK),
      UpdateExpression: 'SET #hour = :hour',
      ConditionExpression: 'attribute_not_exists(pk) OR #hour < :hour',
      ExpressionAttributeNames: { '#hour': 'hour' },
      ExpressionAttributeValues: toItem({ ':hour': hour }),
    });
  }

  async looks(from: HourStart): Promise<readonly LookProgress[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :looks AND sk >= :from',
      ExpressionAttributeValues: toItem({ ':looks': LOOKS, ':from': from }),
    });
    return items.map((item) => ({ hour: hourIn(item), looksDone: whole(item, 'looksDone'), ...partialIn(item) }));
  }

  async noteLooks({ hour, looksDone }: LookProgress): Promise<void> {
    await updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: LOOKS, sk: hour }),
      UpdateExpression: 'SET #hour = :hour, looksDone = :done, expiresAt = :expires',
      ConditionExpression: 'attribute_not_exists(pk) OR looksDone < :done',
      ExpressionAttributeNames: { '#hour': 'hour' },
      ExpressionAttributeValues: toItem({
        ':hour': hour,
        ':done': looksDone,
        ':expires': Date.parse(`${hour}:00:00Z`) / 1_000 + LOOKS_KEPT_SECONDS,
      }),
    });
  }

  async noteShards(hour: HourStart, { looks, shards }: PartialLook): Promise<void> {
    await updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: LOOKS, sk: hour }),
      UpdateExpression:
        'SET #hour = :hour, looksDone = if_not_exists(looksDone, :none), partialLooks = :looks, partialShards = :shards, expiresAt = :expires',
      ExpressionAttributeNames: { '#hour': 'hour' },
      ExpressionAttributeValues: toItem({
        ':hour': hour,
        ':none': 0,
        ':looks': looks,
        ':shards': shards,
        ':expires': Date.parse(`${hour}:00:00Z`) / 1_000 + LOOKS_KEPT_SECONDS,
      }),
    });
  }

  async takeLease(name: string, holder: string, nowMs: number, untilMs: number): Promise<boolean> {
    return updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: 'lease', sk: name }),
      UpdateExpression: 'SET holder = :holder, untilAt = :until',
      ConditionExpression: 'attribute_not_exists(pk) OR untilAt <= :now OR holder = :holder',
      ExpressionAttributeValues: toItem({ ':holder': holder, ':until': untilMs, ':now': nowMs }),
    });
  }

  async dropLease(name: string, holder: string): Promise<void> {
    await deleteItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: 'lease', sk: name }),
      ConditionExpression: 'holder = :holder',
      ExpressionAttributeValues: toItem({ ':holder': holder }),
    });
  }

  async heldGroups(): Promise<ReadonlyMap<string, HeldGroup>> {
    const items = await this.#partition(GROUPS);
    const groups = items.map((item) => ({
      key: text(item, 'sk'),
      code: text(item, 'code'),
      since: whole(item, 'since'),
    }));
    return new Map(groups.map((group) => [group.key, group]));
  }

  async holdGroup({ key, code, since }: HeldGroup): Promise<void> {
    await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({ pk: GROUPS, sk: key, code, since }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
  }

  async releaseGroup(key: string): Promise<boolean> {
    return deleteItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ pk: GROUPS, sk: key }),
      ConditionExpression: 'attribute_exists(pk)',
    });
  }

  #partition(name: string): Promise<Item[]> {
    return queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: toItem({ ':pk': name }),
    });
  }
}

function summarizedKey(look: number): Item {
  return { pk: 'summarized', sk: String(look) };
}

function lateKey(hour: HourStart, shard: number): string {
  return `${hour}${KEY_SEPARATOR}${String(shard).padStart(2, '0')}`;
}

/** Sellers who write usage themselves leave markers, too: what can't be read must not stop the others. */
function fromMarkerItem(item: Item): LateMarker | undefined {
  const [hourText = '', shardText = ''] = text(item, 'sk').split(KEY_SEPARATOR);
  const hour = parseHour(hourText);
  const shard = Number(shardText);
  const version = item['version'];
  if (!hour || !/^\d\d$/.test(shardText) || shard >= SHARD_COUNT || !isQuantity(version)) return undefined;
  return { hour, shard, version };
}

function partialIn(item: Item): { partial?: PartialLook } {
  const looks = optionalWhole(item, 'partialLooks');
  const shards = item['partialShards'];
  if (looks === undefined || !Array.isArray(shards)) return {};
  return { partial: { looks, shards: shards.filter(isQuantity) } };
}

function hourIn(item: Item): HourStart {
  const hour = parseHour(text(item, 'hour'));
  if (!hour)
    throw new BrokenInvariant('ItemMalformed', 'A stored work item has no hour.', { facts: { member: 'hour' } });
  return hour;
}
