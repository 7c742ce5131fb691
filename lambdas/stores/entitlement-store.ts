// What AWS said of each licence's contract, in the customers table; and how far the refreshing has come.
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import {
  type Entitlement,
  type EntitlementValue,
  type EntitlementVersion,
  type LicenceEntitlements,
  refreshDueAt,
} from '../domain/entitlement.ts';
import { BrokenInvariant } from '../domain/failure.ts';
import { type HourStart, parseHour } from '../domain/hour.ts';
import { SHARD_COUNT, shardOf } from '../domain/keys.ts';
import type {
  EntitlementChange,
  EntitlementStore,
  KnownLicence,
  RefreshProgress,
  StandingCustomer,
  StandingReader,
} from '../flow/entitlement-ports.ts';
import { customerItemKey, fromCustomerItem, fromLicenceItem, licenceItemKey } from './customer-items.ts';
import { getItem, getItems, type Item, putItem, queryPages, toItem, transact } from './dynamo.ts';
import { mapList, oneOf, optionalMap, optionalText, optionalWhole, present, text, whole } from './item-reader.ts';
import { LAYOUT } from './layout.ts';

/**
 * Items to be written in the same transaction as a change: events that tell of it. Asked for anew each time that the
 * write is tried. Nothing is written where a condition of theirs fails.
 */
export type Beside = (change: EntitlementChange) => Promise<readonly TransactWriteItem[]>;

/** A customer holds one licence after the other: more than that are not read at once. */
const LICENCES_AT_ONCE = 50;

export class DynamoEntitlementStore implements EntitlementStore, StandingReader {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #beside: Beside | undefined;

  constructor(client: DynamoDBClient, table: string, beside?: Beside) {
    this.#client = client;
    this.#table = table;
    this.#beside = beside;
  }

  async entitlements(licenceKey: string): Promise<LicenceEntitlements | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(entitlementItemKey(licenceKey)) });
    return item && fromEntitlementItem(item);
  }

  async write(change: EntitlementChange): Promise<'written' | 'moved'> {
    const { before, after } = change;
    const put = { TableName: this.#table, Item: toItem(toEntitlementItem(after)), ...unchangedSince(before) };
    const beside = before?.versions === after.versions ? [] : ((await this.#beside?.(change)) ?? []);
    const { kind } =
      beside.length === 0 ? await putItem(this.#client, put) : await transact(this.#client, [{ Put: put }, ...beside]);
    return kind === 'written' ? 'written' : 'moved';
  }

  async dueTimes(shard: number): Promise<ReadonlyMap<string, number>> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :shard',
      ProjectionExpression: 'sk, dueAt',
      ExpressionAttributeValues: toItem({ ':shard': entitlementPartition(shard) }),
    });
    const dueTimes = new Map<string, number>();
    for await (const page of pages) {
      for (const item of page) {
        // One that is broken is due: its own refresh names what is wrong with it, and costs no other licence its own.
        if (typeof item['dueAt'] === 'number') dueTimes.set(text(item, 'sk'), item['dueAt']);
      }
    }
    return dueTimes;
  }

  async customer(customerId: string): Promise<StandingCustomer | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(customerItemKey(customerId)) });
    return item && { ...fromCustomerItem(item), ...present({ joinedInto: optionalText(item, 'joinedInto') }) };
  }

  async licences(licenceKeys: readonly string[]): Promise<readonly KnownLicence[]> {
    const newest = licenceKeys.slice(-LICENCES_AT_ONCE);
    const keys = newest.flatMap((key) => [{ ...licenceItemKey(key) }, { ...entitlementItemKey(key) }]);
    const items = await getItems(this.#client, this.#table, keys);
    const itemAt = ({ pk, sk }: ItemKey) => items.find((item) => item['pk'] === pk && item['sk'] === sk);
    return newest.flatMap((key) => {
      const [licence, known] = [itemAt(licenceItemKey(key)), itemAt(entitlementItemKey(key))];
      if (!licence) return [];
      return [{ licence: fromLicenceItem(licence), ...(known ? { known: fromEntitlementItem(known) } : {}) }];
    });
  }
}

interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

function entitlementPartition(shard: number): string {
  return `entitlements#${String(shard).padStart(2, '0')}`;
}

function entitlementItemKey(licenceKey: string): ItemKey {
  return { pk: entitlementPartition(shardOf(licenceKey)), sk: licenceKey };
}

function toEntitlementItem(known: LicenceEntitlements): Item {
  return { ...entitlementItemKey(known.licenceKey), v: LAYOUT, ...known, dueAt: refreshDueAt(known) };
}

function unchangedSince(before: LicenceEntitlements | undefined) {
  if (!before) return { ConditionExpression: 'attribute_not_exists(pk)' };
  return {
    ConditionExpression: 'checkedAt = :checkedAt AND versions = :versions',
    ExpressionAttributeValues: toItem({ ':checkedAt': before.checkedAt, ':versions': before.versions }),
  };
}

function fromEntitlementItem(item: Item): LicenceEntitlements {
  return {
    licenceKey: text(item, 'licenceKey'),
    versions: mapList(item, 'versions').map(fromVersion),
    checkedAt: whole(item, 'checkedAt'),
  };
}

function fromVersion(version: Item): EntitlementVersion {
  return {
    from: hour(version, 'from'),
    termStart: hour(version, 'termStart'),
    entitlements: mapList(version, 'entitlements').map(fromEntitlement),
  };
}

function fromEntitlement(entitlement: Item): Entitlement {
  return {
    dimension: text(entitlement, 'dimension'),
    value: fromValue(optionalMap(entitlement, 'value') ?? {}),
    ...present({ expiresAt: optionalWhole(entitlement, 'expiresAt') }),
  };
}

const KINDS: readonly EntitlementValue['kind'][] = ['integer', 'double', 'boolean', 'string'];

function fromValue(item: Item): EntitlementValue {
  const kind = oneOf(item, 'kind', KINDS);
  const { value } = item;
  if ((kind === 'integer' || kind === 'double') && typeof value === 'number') return { kind, value };
  if (kind === 'boolean' && typeof value === 'boolean') return { kind, value };
  if (kind === 'string' && typeof value === 'string') return { kind, value };
  throw malformed('value');
}

function hour(item: Item, name: string): HourStart {
  const read = parseHour(text(item, name));
  if (!read) throw malformed(name);
  return read;
}

function malformed(member: string): BrokenInvariant {
  return new BrokenInvariant('ItemMalformed', `A stored item's member ${member} is of another type.`, {
    facts: { member },
  });
}

const PROGRESS: Item = { pk: 'refresh', sk: 'entitlements' };

/** In the work table. Lost, the next run begins with the first shard. */
export class DynamoRefreshProgress implements RefreshProgress {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async nextShard(): Promise<number> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(PROGRESS) });
    return ((item && optionalWhole(item, 'shard')) ?? 0) % SHARD_COUNT;
  }

  async noteNextShard(shard: number): Promise<void> {
    await putItem(this.#client, { TableName: this.#table, Item: toItem({ ...PROGRESS, v: LAYOUT, shard }) });
  }
}
