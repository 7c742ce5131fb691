// Personal data of buyers, in the buyers table: one item a customer, to be erased without touching anything else.
import { type DynamoDBClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { BuyerStore } from '../flow/ports.ts';
import type { BuyerDirectory } from '../flow/read-ports.ts';
import { deleteItem, fromItem, getItem, getItems, type Item, putItem, toItem } from './dynamo.ts';
import { optionalMap, text, whole } from './item-reader.ts';
import { LAYOUT } from './layout.ts';
import { BY_COMPANY, BY_EMAIL } from './tables.ts';

/** Buyers come one by one: all of their companies stand in one partition, in order. */
const COMPANY_PARTITION = 'company';

/** DynamoDB allows 1,024 bytes a sort key, and four a character. */
const COMPANY_SORTED_BY = 200;

export class DynamoBuyerStore implements BuyerStore, BuyerDirectory {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async put(details: BuyerDetails): Promise<'recorded' | 'already'> {
    const put = await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({
        ...details,
        v: LAYOUT,
        emailKey: details.email.toLowerCase(),
        ...companyPlace(details.fields['company'] ?? ''),
      }),
      ConditionExpression: 'attribute_not_exists(customerId)',
      // What stands there is personal data and nobody needs it here.
      ReturnValuesOnConditionCheckFailure: 'NONE',
    });
    return put.kind === 'written' ? 'recorded' : 'already';
  }

  async details(customerId: string): Promise<BuyerDetails | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem({ customerId }) });
    return item && fromBuyerItem(item);
  }

  async detailsOf(customerIds: readonly string[]): Promise<ReadonlyMap<string, BuyerDetails>> {
    const keys = [...new Set(customerIds)].map((customerId) => ({ customerId }));
    const details = (await getItems(this.#client, this.#table, keys)).map(fromBuyerItem);
    return new Map(details.map((each) => [each.customerId, each]));
  }

  async erase(customerId: string): Promise<boolean> {
    return deleteItem(this.#client, {
      TableName: this.#table,
      Key: toItem({ customerId }),
      ConditionExpression: 'attribute_exists(customerId)',
    });
  }

  byEmail(email: string, limit: number): Promise<readonly string[]> {
    return this.#listed({
      IndexName: BY_EMAIL,
      KeyConditionExpression: 'emailKey = :email',
      ExpressionAttributeValues: toItem({ ':email': email.toLowerCase() }),
      Limit: limit,
    });
  }

  async byCompany(prefix: string, limit: number): Promise<readonly string[]> {
    const { companyKey, companySort } = companyPlace(prefix);
    if (companySort === undefined) return [];
    return this.#listed({
      IndexName: BY_COMPANY,
      KeyConditionExpression: 'companyKey = :all AND begins_with(companySort, :prefix)',
      ExpressionAttributeValues: toItem({ ':all': companyKey, ':prefix': companySort }),
      Limit: limit,
    });
  }

  async #listed(query: Omit<QueryCommandInput, 'TableName'>): Promise<readonly string[]> {
    const { Items: items = [] } = await this.#client.send(new QueryCommand({ TableName: this.#table, ...query }));
    return items.map((item) => text(fromItem(item), 'customerId'));
  }
}

/** Where a company stands in order, as people write its name: in any case, and with any spaces. */
function companyPlace(company: string): { companyKey?: string; companySort?: string } {
  const folded = company.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  return folded === ''
    ? {}
    : { companyKey: COMPANY_PARTITION, companySort: folded.slice(0, COMPANY_SORTED_BY).toWellFormed() };
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
