// Finds or makes the customer that a resolved buyer is. Each step is one transaction whose conditions decide, so
// that any number of requests at once end with one customer.
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { type Customer, newCustomerId } from '../domain/customer.ts';
import { BrokenInvariant, Unavailable } from '../domain/failure.ts';
import { type Licence, licenceKeyOf, licenceNameOf } from '../domain/licence.ts';
import type { Product } from '../domain/product.ts';
import type { RegistrationHints, ResolvedBuyer } from '../flow/ports.ts';
import {
  AWAITING_LICENCE,
  accountPartition,
  customerItemKey,
  fromCustomerItem,
  licenceItemKey,
  toCustomerItem,
} from './customer-items.ts';
import { getItem, type Item, queryAll, toItem, transact } from './dynamo.ts';
import { optionalText, present, text } from './item-reader.ts';
import { LAYOUT } from './layout.ts';

/** A refused transaction means that somebody else was faster; looking again then finds what they wrote. */
const ROUNDS = 5;

export interface Upserted {
  readonly kind: 'created' | 'known';
  readonly customer: Customer;
}

export interface UpsertRequest {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly buyer: ResolvedBuyer;
  readonly product: Product;
  readonly nowMs: number;
  readonly hints: RegistrationHints;
}

/** See `CustomerStore.upsert`. */
export async function upsertCustomer(request: UpsertRequest): Promise<Upserted> {
  const name = licenceNameOf(request.product, request.buyer);
  const account = request.buyer.customerAwsAccountId;
  for (let round = 0; round < ROUNDS; round++) {
    let upserted: Upserted | undefined;
    if (name) upserted = await byLicence(request, licenceKeyOf(name));
    else if (account) upserted = await byAccount(request, account);
    else throw new Unavailable('BuyerUnnamed', 'AWS resolved a token to nobody: no licence, account or customer.');
    if (upserted) return upserted;
  }
  throw new Unavailable('CustomerContended', `A customer kept changing while it was upserted, ${ROUNDS} times.`);
}

async function byLicence(request: UpsertRequest, licenceKey: string): Promise<Upserted | undefined> {
  const { client, table, buyer } = request;
  const licence = await getItem(client, { TableName: table, Key: toItem(licenceItemKey(licenceKey)) });
  const holder = licence && optionalText(licence, 'customerId');
  if (licence && holder) {
    await fillMissing(request, licence, holder);
    return known(request, holder);
  }
  const waiting = await waitingCustomer(request, buyer.customerAwsAccountId);
  if (!waiting) return create(request, licenceKey);
  const attached = await transact(client, attachment(request, licenceKey, waiting));
  return attached.kind === 'written' ? known(request, waiting) : undefined;
}

/**
 * While AWS names no licence, the account's only customer of this product is taken to be the buyer, so that
 * coming back with no licence named makes no second customer. Where there are several, a new one waits.
 */
async function byAccount(request: UpsertRequest, account: string): Promise<Upserted | undefined> {
  const { client, table, product } = request;
  const waiting = await waitingCustomer(request, account);
  if (waiting) return known(request, waiting);
  const customers = await queryAll(client, {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :account',
    ExpressionAttributeValues: toItem({ ':account': accountPartition(account, product.productCode) }),
  });
  const [only, ...others] = customers.filter((item) => item['sk'] !== AWAITING_LICENCE);
  if (only && others.length === 0) return known(request, text(only, 'customerId'));
  return create(request, undefined);
}

async function create(request: UpsertRequest, licenceKey: string | undefined): Promise<Upserted | undefined> {
  const { table, buyer, product, nowMs, hints } = request;
  const customer: Customer = {
    customerId: newCustomerId(),
    productCode: product.productCode,
    licenceKeys: licenceKey === undefined ? [] : [licenceKey],
    createdAt: nowMs,
    sequence: 0,
    ...present({ customerAwsAccountId: buyer.customerAwsAccountId, freeTrialHint: hints.freeTrial }),
  };
  const { customerId } = customer;
  const writes: TransactWriteItem[] = [putNew(table, toCustomerItem(customer))];
  if (licenceKey !== undefined) writes.push(licenceWrite(request, licenceKey, customerId));
  const account = buyer.customerAwsAccountId;
  if (account) {
    const pk = accountPartition(account, product.productCode);
    const awaiting = { pk, sk: AWAITING_LICENCE };
    writes.push(putNew(table, { pk, sk: customerId, v: LAYOUT, customerId }));
    // With a licence, nobody of this account may have begun to wait for one since we looked: it would be theirs.
    writes.push(
      licenceKey === undefined
        ? putNew(table, { ...awaiting, v: LAYOUT, customerId })
        : {
            ConditionCheck: {
              TableName: table,
              Key: toItem(awaiting),
              ConditionExpression: 'attribute_not_exists(pk)',
            },
          },
    );
  }
  const written = await transact(request.client, writes);
  return written.kind === 'written' ? { kind: 'created', customer } : undefined;
}

/** Gives a licence to the customer that waited for one: all of it, once. */
function attachment(request: UpsertRequest, licenceKey: string, customerId: string): TransactWriteItem[] {
  const { table, buyer, product } = request;
  const pk = accountPartition(buyer.customerAwsAccountId ?? '', product.productCode);
  return [
    licenceWrite(request, licenceKey, customerId),
    {
      Update: {
        TableName: table,
        Key: toItem(customerItemKey(customerId)),
        UpdateExpression: 'SET licenceKeys = list_append(licenceKeys, :key)',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: toItem({ ':key': [licenceKey] }),
      },
    },
    {
      Delete: {
        TableName: table,
        Key: toItem({ pk, sk: AWAITING_LICENCE }),
        ConditionExpression: 'customerId = :customer',
        ExpressionAttributeValues: toItem({ ':customer': customerId }),
      },
    },
  ];
}

/** Makes the licence the customer's, if it is nobody's. An update, so that what notices wrote before stays. */
export function licenceWrite(
  request: Omit<UpsertRequest, 'hints'>,
  licenceKey: string,
  customerId: string,
): TransactWriteItem {
  const { buyer, product, nowMs, table } = request;
  const members: Omit<Licence, 'customerId' | 'customerIdentifier'> = {
    licenceKey,
    identityStyle: product.identityStyle,
    productCode: product.productCode,
    pricingModel: product.pricingModel,
    meteringRegion: product.meteringRegion,
    firstSeenAt: nowMs,
    periods: [{}],
    ...present({ licenceArn: buyer.licenceArn, customerAwsAccountId: buyer.customerAwsAccountId }),
  };
  // Where licences are the identity, a customer identifier that AWS also sends is never kept: it must not meter.
  const legacy = product.identityStyle === 'legacy' ? present({ customerIdentifier: buyer.customerIdentifier }) : {};
  const filled = fillExpression({ v: LAYOUT, ...members, ...legacy });
  return {
    Update: {
      TableName: table,
      Key: toItem(licenceItemKey(licenceKey)),
      UpdateExpression: `${filled.expression}, customerId = :customer`,
      ConditionExpression: 'attribute_not_exists(customerId)',
      ExpressionAttributeNames: filled.names,
      ExpressionAttributeValues: toItem({ ...filled.values, ':customer': customerId }),
    },
  };
}

/** Adds to a known licence what AWS has only told now. Nothing is written where nothing is missing. */
async function fillMissing(request: UpsertRequest, licence: Item, customerId: string): Promise<void> {
  const { client, table, buyer, product } = request;
  const told = present({ licenceArn: buyer.licenceArn, customerAwsAccountId: buyer.customerAwsAccountId });
  const missing = Object.fromEntries(Object.entries(told).filter(([name]) => licence[name] === undefined));
  if (Object.keys(missing).length === 0) return;
  const writes = [fill(table, licenceItemKey(text(licence, 'licenceKey')), missing)];
  const account = missing['customerAwsAccountId'];
  if (account) {
    const pk = accountPartition(account, product.productCode);
    writes.push(fill(table, customerItemKey(customerId), { customerAwsAccountId: account }));
    writes.push({ Put: { TableName: table, Item: toItem({ pk, sk: customerId, v: LAYOUT, customerId }) } });
  }
  await transact(client, writes);
}

function fill(table: string, key: object, members: Item): TransactWriteItem {
  const { expression, names, values } = fillExpression(members);
  return {
    Update: {
      TableName: table,
      Key: toItem(key),
      UpdateExpression: expression,
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: toItem(values),
    },
  };
}

function fillExpression(members: Item): { expression: string; names: Record<string, string>; values: Item } {
  const names = Object.keys(members);
  return {
    expression: `SET ${names.map((name) => `#${name} = if_not_exists(#${name}, :${name})`).join(', ')}`,
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    values: Object.fromEntries(Object.entries(members).map(([name, value]) => [`:${name}`, value])),
  };
}

function putNew(table: string, item: Item): TransactWriteItem {
  return { Put: { TableName: table, Item: toItem(item), ConditionExpression: 'attribute_not_exists(pk)' } };
}

async function waitingCustomer(request: UpsertRequest, account: string | undefined): Promise<string | undefined> {
  if (!account) return undefined;
  const { client, table, product } = request;
  const key = { pk: accountPartition(account, product.productCode), sk: AWAITING_LICENCE };
  const item = await getItem(client, { TableName: table, Key: toItem(key) });
  return item && text(item, 'customerId');
}

async function known(request: UpsertRequest, customerId: string): Promise<Upserted> {
  const { client, table } = request;
  const item = await getItem(client, { TableName: table, Key: toItem(customerItemKey(customerId)) });
  if (!item) {
    throw new BrokenInvariant('CustomerMissing', 'A licence or account names a customer that does not exist.', {
      facts: { customerId },
    });
  }
  return { kind: 'known', customer: fromCustomerItem(item) };
}
