// Gives a licence to a customer who is known already, and moves one between customers, in the customers table.
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { licenceKeyOf } from '../domain/licence.ts';
import { accountPartition, customerItemKey, licenceItemKey } from './customer-items.ts';
import { licenceWrite, type UpsertRequest } from './customer-upsert.ts';
import { getItem, toItem, transact } from './dynamo.ts';
import { optionalText, text, textList } from './item-reader.ts';

/** See `NoticeStore.attachLicence`. */
export async function attachLicence(request: Omit<UpsertRequest, 'hints'>, customerId: string): Promise<boolean> {
  const licenceKey = licenceKeyOf({ style: 'licence', licenceArn: request.buyer.licenceArn ?? '' });
  const written = await transact(request.client, [
    licenceWrite(request, licenceKey, customerId),
    append(request.table, customerId, licenceKey),
  ]);
  return written.kind === 'written';
}

interface LicenceMove {
  readonly table: string;
  readonly licenceKey: string;
  readonly from: string;
  readonly to: string;
}

/** See `NoticeStore.moveLicence`. `besides` is written with it. */
export async function moveLicence(
  client: DynamoDBClient,
  { table, licenceKey, from, to }: LicenceMove,
  besides: TransactWriteItem,
): Promise<boolean> {
  const read = (customerId: string) => getItem(client, { TableName: table, Key: toItem(customerItemKey(customerId)) });
  const [left, next] = await Promise.all([read(from), read(to)]);
  if (!left || !next) return false;
  const held = textList(left, 'licenceKeys');
  const others = held.filter((key) => key !== licenceKey);
  const isJoined = others.length === 0;
  const writes: TransactWriteItem[] = [
    {
      Update: {
        TableName: table,
        Key: toItem(licenceItemKey(licenceKey)),
        UpdateExpression: 'SET customerId = :to',
        ConditionExpression: 'customerId = :from',
        ExpressionAttributeValues: toItem({ ':from': from, ':to': to }),
      },
    },
    {
      Update: {
        TableName: table,
        Key: toItem(customerItemKey(from)),
        // A joined one keeps its list: usage that still names it finds the licence.
        UpdateExpression: isJoined ? 'SET joinedInto = :new' : 'SET licenceKeys = :new',
        ConditionExpression: 'licenceKeys = :was',
        ExpressionAttributeValues: toItem({ ':was': held, ':new': isJoined ? to : others }),
      },
    },
    besides,
  ];
  if (!textList(next, 'licenceKeys').includes(licenceKey)) writes.push(append(table, to, licenceKey));
  const account = optionalText(left, 'customerAwsAccountId');
  if (isJoined && account !== undefined) {
    // It is no customer of the account any more, of whom there may be one only.
    const key = { pk: accountPartition(account, text(left, 'productCode')), sk: from };
    writes.push({ Delete: { TableName: table, Key: toItem(key) } });
  }
  const written = await transact(client, writes);
  return written.kind === 'written';
}

function append(table: string, customerId: string, licenceKey: string): TransactWriteItem {
  return {
    Update: {
      TableName: table,
      Key: toItem(customerItemKey(customerId)),
      UpdateExpression: 'SET licenceKeys = list_append(licenceKeys, :key)',
      ConditionExpression: 'attribute_exists(pk) AND NOT contains(licenceKeys, :one)',
      ExpressionAttributeValues: toItem({ ':key': [licenceKey], ':one': licenceKey }),
    },
  };
}
