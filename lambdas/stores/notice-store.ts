// AWS's notices, whose each agreement is, and the standing that follows, in the notices and the customers table.
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { listingOf } from '../domain/customer-listing.ts';
import { shardOf } from '../domain/keys.ts';
import type { Notice } from '../domain/notice.ts';
import type { WaitsFor } from '../domain/placement.ts';
import type { Product } from '../domain/product.ts';
import type {
  DueCustomer,
  FoldedCustomer,
  FoldedStanding,
  NoticeStore,
  Thread,
  WaitingThread,
} from '../flow/notice-ports.ts';
import type { ResolvedBuyer } from '../flow/ports.ts';
import { fromFoldedItem } from './customer-directory.ts';
import { AWAITING_LICENCE, accountPartition, customerItemKey } from './customer-items.ts';
import { deleteItem, getItem, type Item, putItem, queryAll, toItem, transact } from './dynamo.ts';
import { text, whole } from './item-reader.ts';
import { LAYOUT } from './layout.ts';
import { attachLicence, moveLicence } from './licence-holding.ts';
import {
  accountPointerPartition,
  customerPartition,
  customerThreadKey,
  DUE_PARTITION,
  dueItemKey,
  dueSort,
  fromNoticeItem,
  licencePointerPartition,
  NOTICE_SORT,
  ownerItemKey,
  SUCCESSOR_SORT,
  toNoticeItems,
  toOutboxItem,
  WAITING_PARTITION,
  waitingItemKey,
} from './notice-items.ts';

export interface NoticeTables {
  readonly notices: string;
  readonly customers: string;
}

export class DynamoNoticeStore implements NoticeStore {
  readonly #client: DynamoDBClient;
  readonly #tables: NoticeTables;

  constructor(client: DynamoDBClient, tables: NoticeTables) {
    this.#client = client;
    this.#tables = tables;
  }

  async keep(notice: Notice, received: string): Promise<'recorded' | 'already'> {
    const [kept, ...pointers] = toNoticeItems(notice, received);
    const written = await transact(this.#client, [
      this.#put(kept, 'attribute_not_exists(pk)'),
      ...pointers.map((item) => this.#put(item)),
    ]);
    return written.kind === 'written' ? 'recorded' : 'already';
  }

  async thread(thread: string): Promise<Thread> {
    const items = await this.#partition(this.#tables.notices, thread);
    const of = (prefix: string) => items.filter((item) => text(item, 'sk').startsWith(prefix));
    const [owner] = of(ownerItemKey(thread).sk);
    return {
      notices: of(NOTICE_SORT).map(fromNoticeItem),
      successors: of(SUCCESSOR_SORT).map((item) => text(item, 'thread')),
      ...(owner ? { customerId: text(owner, 'customerId') } : {}),
    };
  }

  threadsOfCustomer(customerId: string): Promise<readonly string[]> {
    return this.#sorts(customerPartition(customerId));
  }

  threadsOfLicence(licenceKey: string): Promise<readonly string[]> {
    return this.#sorts(licencePointerPartition(licenceKey));
  }

  threadsOfAccount(customerAwsAccountId: string, productCode: string): Promise<readonly string[]> {
    return this.#sorts(accountPointerPartition(customerAwsAccountId, productCode));
  }

  async customersOfAccount(customerAwsAccountId: string, productCode: string) {
    const items = await this.#partition(this.#tables.customers, accountPartition(customerAwsAccountId, productCode));
    const awaiting = items.find((item) => item['sk'] === AWAITING_LICENCE);
    return {
      customerIds: items.filter((item) => item !== awaiting).map((item) => text(item, 'customerId')),
      ...(awaiting ? { awaiting: text(awaiting, 'customerId') } : {}),
    };
  }

  async link(thread: string, customerId: string, owner: string | undefined): Promise<boolean> {
    const left = owner === undefined ? [] : [this.#delete(customerThreadKey(owner, thread)), this.#putDue(owner, 0)];
    const written = await transact(this.#client, [
      this.#put(
        { ...ownerItemKey(thread), v: LAYOUT, customerId },
        owner === undefined ? 'attribute_not_exists(pk)' : 'customerId = :owner',
        owner === undefined ? {} : { ':owner': owner },
      ),
      this.#put({ ...customerThreadKey(customerId, thread), v: LAYOUT }),
      this.#delete(waitingItemKey(thread)),
      ...left,
    ]);
    return written.kind === 'written';
  }

  async noteWaiting(thread: string, waitsFor: WaitsFor, nowMs: number): Promise<void> {
    if (waitsFor === 'product') {
      await transact(this.#client, [this.#delete(waitingItemKey(thread))]);
      return;
    }
    const { notices: table } = this.#tables;
    // Not where it has become somebody's since it was read.
    await transact(this.#client, [
      {
        ConditionCheck: {
          TableName: table,
          Key: toItem(ownerItemKey(thread)),
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      {
        Update: {
          TableName: table,
          Key: toItem(waitingItemKey(thread)),
          UpdateExpression: 'SET v = :v, waitsFor = :for, since = if_not_exists(since, :now)',
          ExpressionAttributeValues: toItem({ ':v': LAYOUT, ':for': waitsFor, ':now': nowMs }),
        },
      },
    ]);
  }

  async waiting(): Promise<readonly WaitingThread[]> {
    const items = await this.#partition(this.#tables.notices, WAITING_PARTITION);
    return items.map((item) => ({
      thread: text(item, 'sk'),
      waitsFor: text(item, 'waitsFor'),
      since: whole(item, 'since'),
    }));
  }

  attachLicence(customerId: string, buyer: ResolvedBuyer, product: Product, nowMs: number): Promise<boolean> {
    const request = { client: this.#client, table: this.#tables.customers, buyer, product, nowMs };
    return attachLicence(request, customerId);
  }

  moveLicence(licenceKey: string, from: string, to: string): Promise<boolean> {
    const move = { table: this.#tables.customers, licenceKey, from, to };
    return moveLicence(this.#client, move, this.#putDue(from, 0));
  }

  async folded(customerId: string): Promise<FoldedCustomer | undefined> {
    const item = await this.#customer(customerId);
    return item && fromFoldedItem(item);
  }

  async tell({ customer, folds }: FoldedCustomer, { standing, events, changesAt }: FoldedStanding): Promise<boolean> {
    const { customerId, sequence } = customer;
    const shard = shardOf(customerId);
    const written = await transact(this.#client, [
      {
        Update: {
          TableName: this.#tables.customers,
          Key: toItem(customerItemKey(customerId)),
          UpdateExpression: 'SET folds = :folds, #sequence = :sequence, standing = :standing, listingKey = :listing',
          ConditionExpression: `#sequence = :read AND ${folds === 0 ? 'attribute_not_exists(folds)' : 'folds = :was'}`,
          ExpressionAttributeNames: { '#sequence': 'sequence' },
          ExpressionAttributeValues: toItem({
            ':folds': folds + 1,
            ':sequence': sequence + events.length,
            ':standing': standing,
            ':listing': listingOf(standing),
            ':read': sequence,
            ...(folds === 0 ? {} : { ':was': folds }),
          }),
        },
      },
      ...events.map((event) => this.#put(toOutboxItem(event, shard), 'attribute_not_exists(pk)')),
      ...(changesAt === undefined ? [] : [this.#putDue(customerId, changesAt)]),
    ]);
    return written.kind === 'written';
  }

  async noteDue({ customerId, changesAt }: DueCustomer): Promise<void> {
    const Item = toItem(dueItem(customerId, changesAt));
    await putItem(this.#client, { TableName: this.#tables.notices, Item });
  }

  async due(byMs: number): Promise<readonly DueCustomer[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#tables.notices,
      ConsistentRead: true,
      // The byte after the separator's: every customer of the very instant, too.
      KeyConditionExpression: 'pk = :due AND sk < :end',
      ExpressionAttributeValues: toItem({ ':due': DUE_PARTITION, ':end': `${dueSort(byMs)}$` }),
    });
    return items.map((item) => ({ customerId: text(item, 'customerId'), changesAt: whole(item, 'changesAt') }));
  }

  async finishDue({ customerId, changesAt }: DueCustomer): Promise<void> {
    const Key = toItem(dueItemKey(customerId, changesAt));
    await deleteItem(this.#client, { TableName: this.#tables.notices, Key });
  }

  #customer(customerId: string): Promise<Item | undefined> {
    return getItem(this.#client, { TableName: this.#tables.customers, Key: toItem(customerItemKey(customerId)) });
  }

  #put(item: Item, condition?: string, values: Item = {}): TransactWriteItem {
    return {
      Put: {
        TableName: this.#tables.notices,
        Item: toItem(item),
        ...(condition === undefined ? {} : { ConditionExpression: condition }),
        ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: toItem(values) }),
      },
    };
  }

  #putDue(customerId: string, changesAt: number): TransactWriteItem {
    return this.#put(dueItem(customerId, changesAt));
  }

  #delete(key: Item): TransactWriteItem {
    return { Delete: { TableName: this.#tables.notices, Key: toItem(key) } };
  }

  async #sorts(partition: string): Promise<readonly string[]> {
    return (await this.#partition(this.#tables.notices, partition)).map((item) => text(item, 'sk'));
  }

  /** Consistently: what was kept a moment ago decides. */
  #partition(table: string, partition: string): Promise<Item[]> {
    return queryAll(this.#client, {
      TableName: table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: toItem({ ':pk': partition }),
    });
  }
}

function dueItem(customerId: string, changesAt: number): Item {
  return { ...dueItemKey(customerId, changesAt), v: LAYOUT, customerId, changesAt };
}
