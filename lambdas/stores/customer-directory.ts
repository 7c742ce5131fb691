// Ways to customers for people who look for one: lists by age, and by every name that is not personal.
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { CustomerListing } from '../domain/customer-listing.ts';
import { agreementThread } from '../domain/notice.ts';
import { UNKNOWN_STANDING } from '../domain/standing.ts';
import type { FoldedCustomer } from '../flow/notice-ports.ts';
import type { CustomerDirectory, ListCursor, Page } from '../flow/read-ports.ts';
import {
  AGE_PARTITION,
  accountPartition,
  customerItemKey,
  fromCustomerItem,
  licenceItemKey,
} from './customer-items.ts';
import { fromItem, getItem, getItems, type Item, queryAll, toItem } from './dynamo.ts';
import { optionalMap, optionalText, optionalWhole, present, text } from './item-reader.ts';
import { fromStanding, ownerItemKey } from './notice-items.ts';
import type { NoticeTables } from './notice-store.ts';
import { BY_AGE, BY_LISTING } from './tables.ts';

export class DynamoCustomerDirectory implements CustomerDirectory {
  readonly #client: DynamoDBClient;
  readonly #tables: NoticeTables;

  constructor(client: DynamoDBClient, tables: NoticeTables) {
    this.#client = client;
    this.#tables = tables;
  }

  async list(listing: CustomerListing | 'all', limit: number, cursor?: ListCursor): Promise<Page<string>> {
    const [name, value] = listing === 'all' ? ['ageKey', AGE_PARTITION] : ['listingKey', listing];
    const { Items: listed = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#tables.customers,
        IndexName: listing === 'all' ? BY_AGE : BY_LISTING,
        KeyConditionExpression: `${name} = :value${cursor === undefined ? '' : ' AND ageSort < :cursor'}`,
        ExpressionAttributeValues: toItem({ ':value': value, ...(cursor === undefined ? {} : { ':cursor': cursor }) }),
        ScanIndexForward: false,
        // One more than is given tells whether the list goes on.
        Limit: limit + 1,
      }),
    );
    const items = listed.slice(0, limit).map(fromItem);
    const last = listed.length > limit ? items.at(-1) : undefined;
    return {
      items: items.map((item) => text(item, 'pk').slice(CUSTOMER_PREFIX.length)),
      ...(last === undefined ? {} : { cursor: text(last, 'ageSort') }),
    };
  }

  async customers(customerIds: readonly string[]): Promise<readonly FoldedCustomer[]> {
    const keys = [...new Set(customerIds)].map(customerItemKey).map((key): Item => ({ ...key }));
    const customers = (await getItems(this.#client, this.#tables.customers, keys)).map(fromFoldedItem);
    const byId = new Map(customers.map((folded) => [folded.customer.customerId, folded]));
    return customerIds.flatMap((customerId) => byId.get(customerId) ?? []);
  }

  async ofAccount(customerAwsAccountId: string, productCodes: readonly string[]): Promise<readonly string[]> {
    const lists = await Promise.all(
      productCodes.map((productCode) =>
        queryAll(this.#client, {
          TableName: this.#tables.customers,
          KeyConditionExpression: 'pk = :account',
          ExpressionAttributeValues: toItem({ ':account': accountPartition(customerAwsAccountId, productCode) }),
        }),
      ),
    );
    return [...new Set(lists.flat().map((item) => text(item, 'customerId')))];
  }

  async ofLicences(licenceKeys: readonly string[]): Promise<readonly string[]> {
    const keys = licenceKeys.map(licenceItemKey).map((key): Item => ({ ...key }));
    const items = await getItems(this.#client, this.#tables.customers, keys);
    return [...new Set(items.flatMap((item) => optionalText(item, 'customerId') ?? []))];
  }

  async ofAgreement(agreementId: string): Promise<string | undefined> {
    const key = ownerItemKey(agreementThread(agreementId));
    const item = await getItem(this.#client, { TableName: this.#tables.notices, Key: toItem(key) });
    return item && text(item, 'customerId');
  }
}

const CUSTOMER_PREFIX = customerItemKey('').pk;

/** A customer as the last fold left it. */
export function fromFoldedItem(item: Item): FoldedCustomer {
  const standing = optionalMap(item, 'standing');
  return {
    customer: fromCustomerItem(item),
    folds: optionalWhole(item, 'folds') ?? 0,
    standing: standing ? fromStanding(standing) : UNKNOWN_STANDING,
    ...present({
      joinedInto: optionalText(item, 'joinedInto'),
      entitlementsFoundAt: optionalWhole(item, 'entitlementsFoundAt'),
    }),
  };
}
