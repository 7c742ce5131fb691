// Personal data of buyers, in the buyers table: one item a customer, to be erased without touching anything else.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { BuyerStore } from '../flow/ports.ts';
import { getItem, type Item, putItem, toItem } from './dynamo.ts';
import { optionalMap, text, whole } from './item-reader.ts';

const LAYOUT = 1;

export class DynamoBuyerStore implements BuyerStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async details(customerId: string): Promise<BuyerDetails | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem({ customerId }) });
    return item && fromBuyerItem(item);
  }

  async put(details: BuyerDetails): Promise<'recorded' | 'already'> {
    const put = await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({ ...details, v: LAYOUT, emailKey: details.email.toLowerCase() }),
      ConditionExpression: 'attribute_not_exists(customerId)',
      // What stands there is personal data and nobody needs it here.
      ReturnValuesOnConditionCheckFailure: 'NONE',
    });
    return put.kind === 'written' ? 'recorded' : 'already';
  }
}

function fromBuyerItem(item: Item): BuyerDetails {
  const fields = optionalMap(item, 'fields') ?? {};
  return {
    customerId: text(item, 'customerId'),
    email: text(item, 'email'),
    fields: Object.fromEntries(Object.keys(fields).map((name) => [name, text(fields, name)])),
    submittedAt: whole(item, 'submittedAt'),
  };
}
