// Entitlements that changed though no notice told of it: told in the transaction that writes them.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { entitlementsFound } from '../domain/access-event.ts';
import { shardOf } from '../domain/keys.ts';
import type { EntitlementChange } from '../flow/entitlement-ports.ts';
import { customerItemKey } from './customer-items.ts';
import { toItem } from './dynamo.ts';
import type { Beside } from './entitlement-store.ts';
import { toOutboxItem } from './notice-items.ts';
import type { NoticeTables } from './notice-store.ts';
import { DynamoStandingReader } from './standing-reader.ts';

/**
 * Once per answer that changed something. Where the customer's standing moves between this and the write, neither is
 * written: the answer is compared, and told, anew.
 */
export function entitlementNews(client: DynamoDBClient, { customers, notices }: NoticeTables): Beside {
  const reader = new DynamoStandingReader(client, customers);
  return async (change) => {
    const read = isNews(change) ? await reader.folded(change.licence.customerId) : undefined;
    if (!read) return [];
    const { customerId, sequence } = read.customer;
    const foundAt = change.after.checkedAt;
    const event = entitlementsFound(read.standing, { customerId, sequence }, foundAt);
    const unmoved = {
      TableName: customers,
      Key: toItem(customerItemKey(customerId)),
      // Every change of a standing is told, so that the standing is the one that was read, too.
      ConditionExpression: '#sequence = :read',
    };
    if (!event) {
      // Nothing to tell as long as there is no access: a grant in this very moment may have been read by already.
      return [
        {
          ConditionCheck: {
            ...unmoved,
            ExpressionAttributeNames: { '#sequence': 'sequence' },
            ExpressionAttributeValues: toItem({ ':read': sequence }),
          },
        },
      ];
    }
    return [
      {
        Update: {
          ...unmoved,
          UpdateExpression: 'SET #sequence = :sequence, #standing = :standing, entitlementsFoundAt = :foundAt',
          ExpressionAttributeNames: { '#sequence': 'sequence', '#standing': 'standing' },
          ExpressionAttributeValues: toItem({
            ':sequence': event.sequence,
            ':standing': event.standing,
            ':foundAt': foundAt,
            ':read': sequence,
          }),
        },
      },
      {
        Put: {
          TableName: notices,
          Item: toItem(toOutboxItem(event, shardOf(customerId))),
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
    ];
  };
}

/** A first answer that is empty tells no more than none. */
function isNews({ before, after }: EntitlementChange): boolean {
  return before !== undefined || after.versions.some(({ entitlements }) => entitlements.length > 0);
}
