// The events that wait to be told, and the marks of usage in trouble that has been told.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BrokenInvariant } from '../domain/failure.ts';
import { parseHour } from '../domain/hour.ts';
import { shardOf } from '../domain/keys.ts';
import type { RecordStatus } from '../domain/ledger.ts';
import { EVENT_TYPES, type ToldEvent, type TroubledUsage } from '../domain/usage-trouble.ts';
import type { OnMalformedEvent, Outbox, TroubleMark, TroubleOutbox } from '../flow/access-ports.ts';
import type { FoldedCustomer } from '../flow/notice-ports.ts';
import { customerItemKey } from './customer-items.ts';
import { deleteItem, getItems, type Item, queryAll, queryPages, toItem, transact } from './dynamo.ts';
import { oneOf, optionalMap, optionalText, present, readEach, text, whole } from './item-reader.ts';
import { LAYOUT } from './layout.ts';
import { fromStanding, OUTBOX_SHARDS, toOutboxItem } from './notice-items.ts';

export interface OutboxTables {
  readonly notices: string;
  readonly customers: string;
  readonly work: string;
}

/** A record in trouble is settled or expired within a day or two. */
const MARK_KEPT_SECONDS = 30 * 86_400;

export class DynamoOutboxStore implements Outbox, TroubleOutbox {
  readonly shards = OUTBOX_SHARDS;
  readonly #client: DynamoDBClient;
  readonly #tables: OutboxTables;

  constructor(client: DynamoDBClient, tables: OutboxTables) {
    this.#client = client;
    this.#tables = tables;
  }

  async *pending(shard: number, onMalformed: OnMalformedEvent): AsyncGenerator<readonly ToldEvent[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#tables.notices,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: toItem({ ':pk': outboxPartition(shard) }),
    });
    for await (const page of pages) yield fromOutboxItems(page, onMalformed);
  }

  async pendingOf(customerId: string, onMalformed: OnMalformedEvent): Promise<readonly ToldEvent[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#tables.notices,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :customer)',
      ExpressionAttributeValues: toItem({ ':pk': outboxPartition(shardOf(customerId)), ':customer': `${customerId}#` }),
    });
    return fromOutboxItems(items, onMalformed);
  }

  async markTold(event: ToldEvent): Promise<void> {
    const { pk, sk } = toOutboxItem(event, shardOf(event.customerId));
    await deleteItem(this.#client, { TableName: this.#tables.notices, Key: toItem({ pk, sk }) });
  }

  async untold<M extends TroubleMark>(marks: readonly M[]): Promise<readonly M[]> {
    const items = await getItems(this.#client, this.#tables.work, marks.map(markKey));
    const told = new Set(items.map((item) => `${text(item, 'pk')}#${text(item, 'sk')}`));
    return marks.filter((mark) => !told.has(`${markKey(mark).pk}#${markKey(mark).sk}`));
  }

  async tellTrouble(
    { customer: { sequence } }: FoldedCustomer,
    event: ToldEvent,
    mark: TroubleMark,
  ): Promise<'told' | 'already' | 'moved'> {
    const expiresAt = Math.ceil(event.at / 1_000) + MARK_KEPT_SECONDS;
    const written = await transact(this.#client, [
      {
        Put: {
          TableName: this.#tables.work,
          Item: toItem({ ...markKey(mark), v: LAYOUT, expiresAt }),
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      {
        Update: {
          TableName: this.#tables.customers,
          Key: toItem(customerItemKey(event.customerId)),
          UpdateExpression: 'SET #sequence = :sequence',
          // Every change of a standing is told, so that the standing is the one that was read, too.
          ConditionExpression: '#sequence = :read',
          ExpressionAttributeNames: { '#sequence': 'sequence' },
          ExpressionAttributeValues: toItem({ ':sequence': event.sequence, ':read': sequence }),
        },
      },
      {
        Put: {
          TableName: this.#tables.notices,
          Item: toItem(toOutboxItem(event, shardOf(event.customerId))),
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
    ]);
    if (written.kind === 'written') return 'told';
    return written.failed.includes(0) ? 'already' : 'moved';
  }
}

/** The partition of the events whose customers' shard it is. */
function outboxPartition(shard: number): string {
  return `outbox#${shard % OUTBOX_SHARDS}`;
}

function markKey({ partition, meter, name }: TroubleMark) {
  return { pk: `told#${partition}`, sk: `${meter}#${name}` };
}

function fromOutboxItems(items: readonly Item[], onMalformed: OnMalformedEvent): readonly ToldEvent[] {
  return readEach(items, fromOutboxItem, (item, fault) => onMalformed(text(item, 'sk'), fault));
}

function fromOutboxItem(item: Item): ToldEvent {
  const usage = optionalMap(item, 'usage');
  return {
    type: oneOf(item, 'type', EVENT_TYPES),
    customerId: text(item, 'customerId'),
    sequence: whole(item, 'sequence'),
    at: whole(item, 'at'),
    standing: fromStanding(optionalMap(item, 'standing') ?? {}),
    ...(usage ? { usage: fromUsage(usage) } : {}),
  };
}

const STATUSES: readonly RecordStatus[] = ['open', 'held', 'quarantined'];

function fromUsage(item: Item): TroubledUsage {
  const hour = parseHour(text(item, 'hour'));
  if (!hour) throw new BrokenInvariant('ItemMalformed', 'A stored event has no hour.', { facts: { member: 'hour' } });
  return {
    hour,
    licenceKey: text(item, 'licenceKey'),
    dimension: text(item, 'dimension'),
    quantity: whole(item, 'quantity'),
    status: oneOf(item, 'status', STATUSES),
    deadlineAt: whole(item, 'deadlineAt'),
    ...present({ reason: optionalText(item, 'reason') }),
  };
}
