// Prices, in the work table: they decide nothing that is billed, and one query brings them all.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BrokenInvariant } from '../domain/failure.ts';
import { encodeKeyPart, KEY_SEPARATOR } from '../domain/keys.ts';
import { moneyText, parsePrice } from '../domain/money.ts';
import type { Price, PriceStore } from '../flow/price-ports.ts';
import { type Item, putItem, queryAll, toItem } from './dynamo.ts';
import { text, whole } from './item-reader.ts';

const PRICES = 'prices';

export class DynamoPriceStore implements PriceStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async prices(): Promise<readonly Price[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :prices',
      ExpressionAttributeValues: toItem({ ':prices': PRICES }),
      ConsistentRead: true,
    });
    return items.map(fromPriceItem);
  }

  async setPrice({ productCode, dimension, amount, version, actionId }: Price): Promise<boolean> {
    const sk = [productCode, dimension].map(encodeKeyPart).join(KEY_SEPARATOR);
    const { kind } = await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({ pk: PRICES, sk, productCode, dimension, amount: moneyText(amount), version, actionId }),
      // The repeat of an earlier act takes nothing from a later one, though a clock that stands gives both one instant.
      ConditionExpression:
        'attribute_not_exists(pk) OR #version < :version OR (#version = :version AND actionId <= :act)',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: toItem({ ':version': version, ':act': actionId }),
    });
    return kind === 'written';
  }
}

function fromPriceItem(item: Item): Price {
  const amount = parsePrice(text(item, 'amount'));
  if (amount === undefined) {
    throw new BrokenInvariant('ItemMalformed', 'A stored price is no amount of money.', {
      facts: { member: 'amount' },
    });
  }
  const [productCode, dimension, actionId] = [
    text(item, 'productCode'),
    text(item, 'dimension'),
    text(item, 'actionId'),
  ];
  return { productCode, dimension, amount, version: whole(item, 'version'), actionId };
}
