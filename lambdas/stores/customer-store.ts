// Customers and their licences, in the customers table.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import type { Customer } from '../domain/customer.ts';
import { BrokenInvariant, Unavailable } from '../domain/failure.ts';
import { type Licence, type LicenceEnding, mergeEnding } from '../domain/licence.ts';
import type { Product } from '../domain/product.ts';
import type { CustomerStore, RegistrationHints, ResolvedBuyer } from '../flow/ports.ts';
import {
  customerItemKey,
  ENDING_PARTITION,
  endingItemKey,
  fromCustomerItem,
  fromLicenceItem,
  LAYOUT,
  licenceItemKey,
  licencePartition,
} from './customer-items.ts';
import { type Upserted, upsertCustomer } from './customer-upsert.ts';
import { getItem, getItems, queryAll, queryPages, toItem, transact, updateItem } from './dynamo.ts';
import { text } from './item-reader.ts';

const ENDING_ROUNDS = 5;

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

  async *licencesOfShard(shard: number): AsyncGenerator<readonly Licence[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      // Consistent: a licence's end that was noted a moment ago decides whether its hour may close.
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :shard',
      ExpressionAttributeValues: toItem({ ':shard': licencePartition(shard) }),
    });
    for await (const page of pages) yield page.map(fromLicenceItem);
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

  async noteEnding(licenceKey: string, ending: LicenceEnding): Promise<Licence | undefined> {
    for (let round = 0; round < ENDING_ROUNDS; round++) {
      const licence = await this.licence(licenceKey);
      if (!licence) return undefined;
      const merged = mergeEnding(licence.ending, ending);
      // Nothing new: nothing is written, so that a repeat puts no licence back on the list it was taken off.
      if (licence.ending && isSameEnding(licence.ending, merged)) return licence;
      if (await this.#writeEnding(licence, merged)) return { ...licence, ending: merged };
    }
    throw new Unavailable('LicenceContended', `A licence's end kept changing, ${ENDING_ROUNDS} times.`, {
      facts: { licenceKey },
    });
  }

  /** False where the end has changed since it was read. */
  async #writeEnding(licence: Licence, ending: LicenceEnding): Promise<boolean> {
    const { licenceKey, customerId } = licence;
    const before = licence.ending;
    const written = await transact(this.#client, [
      {
        Update: {
          TableName: this.#table,
          Key: toItem(licenceItemKey(licenceKey)),
          UpdateExpression: 'SET ending = :ending',
          ConditionExpression: before ? 'ending = :before' : 'attribute_exists(pk) AND attribute_not_exists(ending)',
          ExpressionAttributeValues: toItem({ ':ending': ending, ':before': before }),
        },
      },
      { Put: { TableName: this.#table, Item: toItem({ ...endingItemKey(licenceKey), v: LAYOUT, customerId }) } },
    ]);
    return written.kind === 'written';
  }

  async endingLicences(): Promise<readonly Licence[]> {
    const listed = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :ending',
      ExpressionAttributeValues: toItem({ ':ending': ENDING_PARTITION }),
    });
    const keys = listed.map((item) => ({ ...licenceItemKey(text(item, 'sk')) }));
    const licences = await getItems(this.#client, this.#table, keys);
    return licences.map(fromLicenceItem);
  }

  async finishEnding(licenceKey: string): Promise<void> {
    const key = toItem(endingItemKey(licenceKey));
    await this.#client.send(new DeleteItemCommand({ TableName: this.#table, Key: key }));
  }
}

function isSameEnding(one: LicenceEnding, other: LicenceEnding): boolean {
  return (
    one.noticeAt === other.noticeAt &&
    one.revokedAt === other.revokedAt &&
    one.deprovisionedAt === other.deprovisionedAt
  );
}
