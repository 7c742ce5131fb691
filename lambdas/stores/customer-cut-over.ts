// Writes a cut-over onto both of a buyer's licences in one transaction, whose conditions decide.
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Licence } from '../domain/licence.ts';
import { customerItemKey, fromCustomerItem, licenceItemKey } from './customer-items.ts';
import { getItem, toItem, transact } from './dynamo.ts';
import { LAYOUT } from './layout.ts';

/** Whoever noted an end before found no other licence to note it on: that one would take over and never end. */
const RUNS_ON = 'attribute_not_exists(cutOverHour) AND attribute_not_exists(ending)';

/** See `CustomerStore.noteCutOver`. */
export async function noteCutOver(
  client: DynamoDBClient,
  table: string,
  legacy: Licence,
  licence: Licence,
): Promise<'noted' | 'moved'> {
  const customerKey = toItem(customerItemKey(legacy.customerId));
  const customer = await getItem(client, { TableName: table, Key: customerKey });
  if (!customer) return 'moved';
  const isHeld = fromCustomerItem(customer).licenceKeys.includes(licence.licenceKey);
  const written = await transact(client, [
    {
      Update: {
        TableName: table,
        Key: toItem(licenceItemKey(legacy.licenceKey)),
        UpdateExpression: 'SET cutOverHour = :hour, counterpartKey = :other',
        ConditionExpression: `customerId = :customer AND ${RUNS_ON}`,
        ExpressionAttributeValues: toItem({
          ':hour': legacy.cutOverHour,
          ':other': legacy.counterpartKey,
          ':customer': legacy.customerId,
        }),
      },
    },
    licenceWrite(table, licence),
    ...(isHeld ? [] : [holding(table, licence)]),
  ]);
  return written.kind === 'written' ? 'noted' : 'moved';
}

/** What is known of the licence stays: registrations and notices may have written it first. */
function licenceWrite(
  table: string,
  { cutOverHour, counterpartKey, customerId, ...known }: Licence,
): TransactWriteItem {
  const filled = { v: LAYOUT, ...known };
  const names = Object.keys(filled).filter((name) => filled[name as keyof typeof filled] !== undefined);
  return {
    Update: {
      TableName: table,
      Key: toItem(licenceItemKey(known.licenceKey)),
      UpdateExpression: [
        'SET cutOverHour = :cutOverHour, counterpartKey = :counterpartKey, customerId = :customer',
        ...names.map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
      ].join(', '),
      ConditionExpression: `(attribute_not_exists(customerId) OR customerId = :customer) AND ${RUNS_ON}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: toItem({
        ...Object.fromEntries(names.map((name) => [`:${name}`, filled[name as keyof typeof filled]])),
        ':cutOverHour': cutOverHour,
        ':counterpartKey': counterpartKey,
        ':customer': customerId,
      }),
    },
  };
}

function holding(table: string, { customerId, licenceKey }: Licence): TransactWriteItem {
  return {
    Update: {
      TableName: table,
      Key: toItem(customerItemKey(customerId)),
      UpdateExpression: 'SET licenceKeys = list_append(licenceKeys, :keys)',
      ConditionExpression: 'attribute_exists(pk) AND NOT contains(licenceKeys, :key)',
      ExpressionAttributeValues: toItem({ ':keys': [licenceKey], ':key': licenceKey }),
    },
  };
}
