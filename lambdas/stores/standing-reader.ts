// One customer as the last fold left it, for whoever needs nothing of its notices.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { FoldedCustomer, NoticeStore } from '../flow/notice-ports.ts';
import { fromFoldedItem } from './customer-directory.ts';
import { customerItemKey } from './customer-items.ts';
import { getItem, toItem } from './dynamo.ts';

export class DynamoStandingReader implements Pick<NoticeStore, 'folded'> {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async folded(customerId: string): Promise<FoldedCustomer | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(customerItemKey(customerId)) });
    return item && fromFoldedItem(item);
  }
}
