// Redeemed hand-offs, in the work table: each spent once, and forgotten when no buyer can be registered under it.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { RedeemedHandOff } from '../domain/hand-off.ts';
import { SECOND_MS } from '../domain/hour.ts';
import type { HandOffStore } from '../flow/hand-off-ports.ts';
import { getItem, type Item, putItem, toItem } from './dynamo.ts';
import { text, whole } from './item-reader.ts';
import { LAYOUT } from './layout.ts';

export class DynamoHandOffStore implements HandOffStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async redeem(redeemed: RedeemedHandOff): Promise<'redeemed' | 'spent'> {
    const put = await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({
        ...keyOf(redeemed.handOffId),
        ...redeemed,
        v: LAYOUT,
        expiresAt: Math.ceil(redeemed.registersUntil / SECOND_MS),
      }),
      // Long after its own five minutes are over: one that has expired is never redeemed again.
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    const isOwn = put.kind === 'written' || put.existing?.['redemptionId'] === redeemed.redemptionId;
    return isOwn ? 'redeemed' : 'spent';
  }

  async redeemed(handOffId: string): Promise<RedeemedHandOff | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(keyOf(handOffId)) });
    if (!item) return undefined;
    return {
      handOffId: text(item, 'handOffId'),
      customerId: text(item, 'customerId'),
      redemptionId: text(item, 'redemptionId'),
      registersUntil: whole(item, 'registersUntil'),
    };
  }
}

/** A partition of its own each: they are looked up one by one. */
function keyOf(handOffId: string): Item {
  return { pk: `hand-off#${handOffId}`, sk: 'redeemed' };
}
