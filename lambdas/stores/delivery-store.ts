// The log of webhook deliveries: one item an event and endpoint, for thirty days.
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { accessEventId, DELIVERY_STATUSES, type Delivery, type DeliveryName } from '../domain/delivery.ts';
import type { DeliveryStore } from '../flow/access-ports.ts';
import type { OnMalformed } from '../flow/ports.ts';
import type { LatestDeliveries, UndeliveredEvent, UndeliveredList } from '../flow/read-ports.ts';
import { fromItem, getItem, getItems, type Item, putItem, queryAll, queryPages, toItem, updateItem } from './dynamo.ts';
import { mapList, oneOf, optionalWhole, present, text, whole } from './item-reader.ts';
import { LAYOUT } from './layout.ts';
import { BY_STATE } from './tables.ts';

const KEPT_SECONDS = 30 * 86_400;

export class DynamoDeliveryStore implements DeliveryStore, LatestDeliveries, UndeliveredList {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async begin(delivery: Delivery): Promise<Delivery> {
    const put = await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem(toDeliveryItem(delivery)),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    return put.kind === 'refused' && put.existing ? fromDeliveryItem(put.existing) : delivery;
  }

  async noteTry(read: Delivery, after: Delivery): Promise<boolean> {
    const { status, tries, attempts, nextTryAt } = after;
    const place = statePlace(after);
    const sets = { ':status': status, ':tries': tries, ':attempts': attempts, ':pending': 'pending' };
    const isDelivered = status === 'delivered';
    return updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem(deliveryKey(read)),
      UpdateExpression: [
        'SET #status = :status, tries = :tries, attempts = :attempts',
        nextTryAt === undefined ? '' : ', nextTryAt = :next',
        place ? ', stateKey = :stateKey, stateSort = :stateSort' : '',
        nextTryAt === undefined ? ' REMOVE nextTryAt' : '',
        place ? '' : ', stateKey, stateSort',
      ].join(''),
      ConditionExpression: `#status = :pending${isDelivered ? '' : ' AND tries = :read AND since = :since'}`,
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: toItem({
        ...sets,
        ...(isDelivered ? {} : { ':read': read.tries, ':since': read.since }),
        ...(nextTryAt === undefined ? {} : { ':next': nextTryAt }),
        ...(place ? { ':stateKey': place.stateKey, ':stateSort': place.stateSort } : {}),
      }),
    });
  }

  async delivery(name: DeliveryName): Promise<Delivery | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(deliveryKey(name)) });
    return item && fromDeliveryItem(item);
  }

  async reopen(delivery: Delivery): Promise<void> {
    await putItem(this.#client, { TableName: this.#table, Item: toItem(toDeliveryItem(delivery)) });
  }

  async ofCustomer(customerId: string): Promise<readonly Delivery[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: toItem({ ':pk': customerId }),
    });
    return items.map(fromDeliveryItem);
  }

  async latestOf(customerId: string, limit: number): Promise<readonly Delivery[]> {
    const { Items: items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: toItem({ ':pk': customerId }),
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    return items.map(fromItem).map(fromDeliveryItem);
  }

  async listed(limit: number): Promise<readonly UndeliveredEvent[]> {
    const { Items: items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: BY_STATE,
        KeyConditionExpression: 'stateKey = :state',
        ExpressionAttributeValues: toItem({ ':state': UNDELIVERED }),
        Limit: limit,
      }),
    );
    return items.map(fromItem).map((item) => ({
      endpoint: endpointOf(item),
      status: oneOf(item, 'status', ENDED_BADLY),
      customerId: text(item, 'pk'),
      sequence: Number(text(item, 'sk').split('#')[0]),
      since: Date.parse(text(item, 'stateSort').slice(0, 24)),
    }));
  }

  async *undelivered(
    endpoint: string,
    status: 'pending' | 'givenUp' | 'stopped',
    onMalformed: OnMalformed,
  ): AsyncGenerator<readonly Delivery[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      IndexName: BY_STATE,
      KeyConditionExpression: 'stateKey = :state',
      ExpressionAttributeValues: toItem({ ':state': stateKey(endpoint, status) }),
    });
    for await (const page of pages) {
      const keys = page
        .filter((item) => endpointOf(item) === endpoint)
        .map((item) => ({ pk: text(item, 'pk'), sk: text(item, 'sk') }));
      const items = await getItems(this.#client, this.#table, keys);
      const found = items.flatMap((item) => {
        try {
          return [fromDeliveryItem(item)];
        } catch (fault) {
          onMalformed({ partition: text(item, 'pk'), meter: text(item, 'sk') }, fault);
          return [];
        }
      });
      // The index lags a little, and a batch comes in no order.
      yield found.filter((delivery) => delivery.status === status).sort((one, other) => one.since - other.since);
    }
  }
}

/** A customer's deliveries in the order of its events. */
function deliveryKey({ endpoint, customerId, sequence }: DeliveryName) {
  return { pk: customerId, sk: `${String(sequence).padStart(10, '0')}#${endpoint}` };
}

/** Where people look for what has not arrived; nowhere once it has. */
function statePlace(delivery: Delivery): { stateKey: string; stateSort: string } | undefined {
  const { endpoint, status, since } = delivery;
  if (status === 'delivered') return undefined;
  const stateSort = `${new Date(since).toISOString()}#${accessEventId(delivery)}`;
  return { stateKey: stateKey(endpoint, status), stateSort };
}

/** What nobody will try again is one list, few enough to be looked at together; what is on its way, one an endpoint. */
function stateKey(endpoint: string, status: Delivery['status']): string {
  return status === 'pending' ? `pending#${endpoint}` : UNDELIVERED;
}

const UNDELIVERED = 'undelivered';
const ENDED_BADLY = ['givenUp', 'stopped'] as const;

function endpointOf(item: Item): string {
  const key = text(item, 'sk');
  return key.slice(key.indexOf('#') + 1);
}

function toDeliveryItem(delivery: Delivery): Item {
  const expiresAt = Math.ceil(delivery.since / 1_000) + KEPT_SECONDS;
  return { ...deliveryKey(delivery), v: LAYOUT, ...delivery, ...statePlace(delivery), expiresAt };
}

function fromDeliveryItem(item: Item): Delivery {
  return {
    endpoint: text(item, 'endpoint'),
    customerId: text(item, 'customerId'),
    sequence: whole(item, 'sequence'),
    type: text(item, 'type'),
    body: text(item, 'body'),
    status: oneOf(item, 'status', DELIVERY_STATUSES),
    since: whole(item, 'since'),
    tries: whole(item, 'tries'),
    attempts: mapList(item, 'attempts').map((each) => ({ at: whole(each, 'at'), outcome: text(each, 'outcome') })),
    ...present({ nextTryAt: optionalWhole(item, 'nextTryAt') }),
  };
}
