// Customers and their licences, in the customers table.
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Customer } from '../domain/customer.ts';
import { BrokenInvariant, Unavailable } from '../domain/failure.ts';
import {
  type EndNotice,
  type Licence,
  type LicenceEnding,
  type LicenceStart,
  withEnding,
  withStart,
} from '../domain/licence.ts';
import type { Product } from '../domain/product.ts';
import type { CustomerStore, OnUnreadableLicence, RegistrationHints, ResolvedBuyer } from '../flow/ports.ts';
import { noteCutOver } from './customer-cut-over.ts';
import {
  customerItemKey,
  ENDING_PARTITION,
  endingItemKey,
  fromCustomerItem,
  fromLicenceItem,
  licenceItemKey,
  licencePartition,
} from './customer-items.ts';
import { type Upserted, upsertCustomer } from './customer-upsert.ts';
import { getItem, getItems, type Item, queryAll, queryPages, toItem, transact, updateItem } from './dynamo.ts';
import { readEach, text } from './item-reader.ts';
import { LAYOUT } from './layout.ts';

const NOTE_ROUNDS = 5;

export class DynamoCustomerStore implements CustomerStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async customer(customerId: string): Promise<Customer | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(customerItemKey(customerId)) });
    return item && fromCustomerItem(item);
  }

  async licence(licenceKey: string): Promise<Licence | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(licenceItemKey(licenceKey)) });
    return item && fromLicenceItem(item);
  }

  async *licencesOfShard(shard: number, onUnreadable?: OnUnreadableLicence): AsyncGenerator<readonly Licence[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      // Consistent: a licence's end that was noted a moment ago decides whether its hour may close.
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :shard',
      ExpressionAttributeValues: toItem({ ':shard': licencePartition(shard) }),
    });
    for await (const page of pages) yield fromLicenceItems(page, onUnreadable);
  }

  upsert(buyer: ResolvedBuyer, product: Product, nowMs: number, hints: RegistrationHints = {}): Promise<Upserted> {
    return upsertCustomer({ client: this.#client, table: this.#table, buyer, product, nowMs, hints });
  }

  async markRegistered(customerId: string, atMs: number): Promise<void> {
    const exists = await updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem(customerItemKey(customerId)),
      UpdateExpression: 'SET registeredAt = if_not_exists(registeredAt, :at)',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: toItem({ ':at': atMs }),
    });
    if (exists) return;
    throw new BrokenInvariant('CustomerMissing', 'A customer that does not exist was to be marked as registered.', {
      facts: { customerId },
    });
  }

  noteStart(licenceKey: string, start: LicenceStart): Promise<Licence | undefined> {
    return this.#note(licenceKey, (licence) => withStart(licence, start));
  }

  noteEnding(licenceKey: string, ending: EndNotice): Promise<Licence | undefined> {
    return this.#note(licenceKey, (licence) => withEnding(licence, ending));
  }

  async #note(licenceKey: string, change: (licence: Licence) => Licence): Promise<Licence | undefined> {
    for (let round = 0; round < NOTE_ROUNDS; round++) {
      const before = await this.licence(licenceKey);
      if (!before) return undefined;
      const after = change(before);
      if (isSameStanding(before, after) || (await this.#writeStanding(before, after))) return after;
    }
    throw new Unavailable('LicenceContended', `A licence's standing kept changing, ${NOTE_ROUNDS} times.`, {
      facts: { licenceKey },
    });
  }

  /** False where the standing has changed since it was read. */
  async #writeStanding(before: Licence, after: Licence): Promise<boolean> {
    const { licenceKey, customerId } = after;
    const members = ['periods', 'ending', 'endNotices'] as const;
    const set = members.filter((member) => after[member] !== undefined).map((member) => `${member} = :${member}`);
    const gone = members.filter((member) => after[member] === undefined);
    const unchanged = members.map((member) =>
      before[member] === undefined ? `attribute_not_exists(${member})` : `${member} = :was_${member}`,
    );
    const writes: TransactWriteItem[] = [
      {
        Update: {
          TableName: this.#table,
          Key: toItem(licenceItemKey(licenceKey)),
          UpdateExpression: `SET ${set.join(', ')}${gone.length === 0 ? '' : ` REMOVE ${gone.join(', ')}`}`,
          ConditionExpression: ['attribute_exists(pk)', ...unchanged].join(' AND '),
          ExpressionAttributeValues: toItem({
            ...Object.fromEntries(members.map((member) => [`:${member}`, after[member]])),
            ...Object.fromEntries(members.map((member) => [`:was_${member}`, before[member]])),
          }),
        },
      },
    ];
    const key = endingItemKey(licenceKey);
    if (!after.ending && before.ending) writes.push({ Delete: { TableName: this.#table, Key: toItem(key) } });
    // Only a new end: a repeat puts no licence back on the list that it was taken off.
    if (after.ending && !isSameEnding(before.ending, after.ending)) {
      writes.push({ Put: { TableName: this.#table, Item: toItem({ ...key, v: LAYOUT, customerId }) } });
    }
    const written = await transact(this.#client, writes);
    return written.kind === 'written';
  }

  async endingLicences(onUnreadable?: OnUnreadableLicence): Promise<readonly Licence[]> {
    const listed = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :ending',
      ExpressionAttributeValues: toItem({ ':ending': ENDING_PARTITION }),
    });
    const keys = listed.map((item) => ({ ...licenceItemKey(text(item, 'sk')) }));
    return fromLicenceItems(await getItems(this.#client, this.#table, keys), onUnreadable);
  }

  async finishEnding(licenceKey: string, ending: LicenceEnding): Promise<boolean> {
    const written = await transact(this.#client, [
      {
        ConditionCheck: {
          TableName: this.#table,
          Key: toItem(licenceItemKey(licenceKey)),
          ConditionExpression: 'ending = :read',
          ExpressionAttributeValues: toItem({ ':read': ending }),
        },
      },
      { Delete: { TableName: this.#table, Key: toItem(endingItemKey(licenceKey)) } },
    ]);
    return written.kind === 'written';
  }

  noteCutOver(legacy: Licence, licence: Licence): Promise<'noted' | 'moved'> {
    return noteCutOver(this.#client, this.#table, legacy, licence);
  }
}

function fromLicenceItems(items: readonly Item[], onUnreadable?: OnUnreadableLicence): readonly Licence[] {
  if (!onUnreadable) return items.map(fromLicenceItem);
  return readEach(items, fromLicenceItem, (item, fault) => onUnreadable(text(item, 'sk'), fault));
}

/** Nothing new: nothing is to be written. Both sides write their members in one order. */
function isSameStanding(one: Licence, other: Licence): boolean {
  const [left, right] = [one, other].map(({ periods, endNotices }) => JSON.stringify([periods, endNotices]));
  return left === right && isSameEnding(one.ending, other.ending);
}

function isSameEnding(one: LicenceEnding | undefined, other: LicenceEnding | undefined): boolean {
  return (
    one?.noticeAt === other?.noticeAt &&
    one?.revokedAt === other?.revokedAt &&
    one?.deprovisionedAt === other?.deprovisionedAt
  );
}
