// The log of deliveries in the real engine.
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { afterTry, type Delivery, reopened } from '../../lambdas/domain/delivery.ts';
import { DynamoDeliveryStore } from '../../lambdas/stores/delivery-store.ts';
import { getItem, putItem, toItem } from '../../lambdas/stores/dynamo.ts';
import { BY_STATE } from '../../lambdas/stores/tables.ts';
import { at } from '../builders.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();
const SINCE = at('2026-09-21T10:05:00Z');
const never = () => expect.unreachable('Every delivery can be read.');

const aDelivery = (overrides: Partial<Delivery> = {}): Delivery => ({
  endpoint: 'crm',
  customerId: 'cus_a',
  sequence: 3,
  type: 'accessGranted',
  body: '{"sequence":3}',
  status: 'pending',
  since: SINCE,
  tries: 0,
  attempts: [],
  ...overrides,
});

const failed = (delivery: Delivery) => afterTry(delivery, { kind: 'answered', status: 500 }, SINCE + 1_000, 0.5);
const arrived = (delivery: Delivery) => afterTry(delivery, { kind: 'answered', status: 204 }, SINCE + 2_000, 0.5);
const gone = (delivery: Delivery) => afterTry(delivery, { kind: 'answered', status: 410 }, SINCE + 2_000, 0.5);

async function aStore() {
  const { client, tables } = await engine();
  const store = new DynamoDeliveryStore(client, tables.deliveries);
  const undelivered = async (status: 'pending' | 'givenUp' | 'stopped', onMalformed: () => void = never) => {
    const found: Delivery[] = [];
    for await (const page of store.undelivered('crm', status, onMalformed)) found.push(...page);
    return found;
  };
  return { client, table: tables.deliveries, store, undelivered };
}

describe('the log of deliveries', () => {
  test('begins a delivery once and gives what stands after that', async () => {
    const { store } = await aStore();
    const begun = await store.begin(aDelivery());
    expect(begun).toEqual(aDelivery());
    expect(await store.noteTry(begun, failed(begun))).toBe(true);

    expect(await store.begin(aDelivery({ since: SINCE + 60_000 }))).toEqual(failed(begun));
    expect(await store.delivery(aDelivery())).toEqual(failed(begun));
    expect(await store.delivery(aDelivery({ endpoint: 'billing' }))).toBeUndefined();
  });

  test('notes a failed try only as the next after the one that was read', async () => {
    const { store } = await aStore();
    const begun = await store.begin(aDelivery());
    await store.noteTry(begun, failed(begun));

    expect(await store.noteTry(begun, failed(begun))).toBe(false);
    expect(await store.noteTry(begun, gone(begun))).toBe(false);
    expect(await store.delivery(begun)).toMatchObject({ tries: 1, status: 'pending' });
  });

  test('notes an arrival whatever was noted meanwhile, and nothing over an arrival', async () => {
    const { store } = await aStore();
    const begun = await store.begin(aDelivery());
    await store.noteTry(begun, failed(begun));

    expect(await store.noteTry(begun, arrived(begun))).toBe(true);
    expect(await store.noteTry(failed(begun), failed(failed(begun)))).toBe(false);
    const kept = await store.delivery(begun);
    expect(kept).toMatchObject({ status: 'delivered' });
    expect(kept).not.toHaveProperty('nextTryAt');
  });

  test('lists what has not arrived by endpoint and state, oldest first, and what has arrived no more', async () => {
    const { client, table, store, undelivered } = await aStore();
    const [first, second, third] = [1, 2, 3].map((sequence) => aDelivery({ sequence, since: SINCE - sequence }));
    if (!first || !second || !third) expect.unreachable('Three were made.');
    for (const each of [first, second, third]) await store.begin(each);
    await store.begin(aDelivery({ endpoint: 'billing' }));

    expect(await undelivered('pending')).toEqual([third, second, first]);
    await store.noteTry(first, arrived(first));
    await store.noteTry(second, gone(second));
    expect(await undelivered('pending')).toEqual([third]);
    expect(await undelivered('stopped')).toEqual([gone(second)]);
    expect(await undelivered('givenUp')).toEqual([]);
    // Out of the index altogether, or every list would grow by all that ever arrived.
    const { Count } = await client.send(new ScanCommand({ TableName: table, IndexName: BY_STATE }));
    expect(Count).toBe(3);
  });

  test('opens a delivery again, after which no try of before counts', async () => {
    const { store, undelivered } = await aStore();
    const begun = await store.begin(aDelivery());
    await store.noteTry(begun, gone(begun));
    const again = reopened(gone(begun), SINCE + 60_000);

    await store.reopen(again);

    expect(await undelivered('pending')).toEqual([again]);
    expect(await undelivered('stopped')).toEqual([]);
    expect(await store.noteTry(begun, failed(begun))).toBe(false);
    expect(await store.noteTry(again, arrived(again))).toBe(true);
  });

  test("gives a customer's deliveries in the order of its events", async () => {
    const { store } = await aStore();
    for (const sequence of [10, 2, 9]) await store.begin(aDelivery({ sequence }));
    await store.begin(aDelivery({ customerId: 'cus_b' }));

    expect((await store.ofCustomer('cus_a')).map(({ sequence }) => sequence)).toEqual([2, 9, 10]);
  });

  test('is kept for thirty days from the first try', async () => {
    const { client, table, store } = await aStore();
    await store.begin(aDelivery());

    const item = await getItem(client, { TableName: table, Key: toItem({ pk: 'cus_a', sk: '0000000003#crm' }) });

    expect(item?.['expiresAt']).toBe(at('2026-10-21T10:05:00Z') / 1_000);
  });

  test('names an item that is no delivery, and lists the others', async () => {
    const { client, table, store, undelivered } = await aStore();
    await store.begin(aDelivery());
    const foreign = { pk: 'cus_a', sk: '0000000004#crm', stateKey: 'pending#crm', stateSort: '2026', status: 'lost' };
    await putItem(client, { TableName: table, Item: toItem(foreign) });
    let malformed = 0;

    expect(await undelivered('pending', () => (malformed += 1))).toEqual([aDelivery()]);
    expect(malformed).toBe(1);
  });
});
