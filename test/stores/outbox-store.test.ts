// The outbox in the real engine: what a standing's transaction wrote is read in order, and trouble is told once.
import { describe, expect, test } from 'vitest';
import { eventsOf } from '../../lambdas/domain/access-event.ts';
import { foldStanding, UNKNOWN_STANDING } from '../../lambdas/domain/standing.ts';
import { type ToldEvent, troubledUsage } from '../../lambdas/domain/usage-trouble.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { putItem, toItem } from '../../lambdas/stores/dynamo.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { DynamoOutboxStore } from '../../lambdas/stores/outbox-store.ts';
import { aProduct, aSealedHour, LICENCE_ARN } from '../builders.ts';
import { ACCOUNT, BOUGHT_AT, MINUTE, PURCHASE, RENEWAL } from '../purchase.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();
const never = () => expect.unreachable('Every event can be read.');

async function aWorld() {
  const { client, tables } = await engine();
  const outbox = new DynamoOutboxStore(client, tables);
  const notices = new DynamoNoticeStore(client, tables);
  const customers = new DynamoCustomerStore(client, tables.customers);
  const newCustomer = async (licenceArn = LICENCE_ARN) => {
    const buyer = { productCode: 'metrics-cloud', customerAwsAccountId: ACCOUNT, licenceArn };
    return (await customers.upsert(buyer, aProduct(), BOUGHT_AT)).customer.customerId;
  };
  const read = async (customerId: string) => {
    const folded = await notices.folded(customerId);
    return folded ?? expect.unreachable('There is no such customer.');
  };
  /** Folds what is given and tells the change, as applying notices does. */
  const settle = async (customerId: string, given = RENEWAL, registeredAt?: number) => {
    const folded = await read(customerId);
    const facts = registeredAt === undefined ? {} : { registeredAt };
    const { standing } = foldStanding(given, facts, BOUGHT_AT + 600 * MINUTE);
    const { sequence } = folded.customer;
    const events = eventsOf(folded.standing, standing, { customerId, sequence, at: BOUGHT_AT });
    expect(await notices.tell(folded, { standing, events })).toBe(true);
    return events;
  };
  const pending = async (onMalformed: (key: string, fault: unknown) => void = never) => {
    const events: ToldEvent[] = [];
    for (let shard = 0; shard < outbox.shards; shard++) {
      for await (const page of outbox.pending(shard, onMalformed)) events.push(...page);
    }
    return events;
  };
  return { client, tables, outbox, newCustomer, read, settle, pending };
}

const usage = troubledUsage(aSealedHour({ status: 'held', reason: 'CustomerNotSubscribed' }));
const MARK = { partition: '2026-09-21T10#05', meter: 'l-1#requests', name: 'usageHeld' };

describe('the outbox', () => {
  test("gives a customer's events as they were told, in order, until they are marked", async () => {
    const { outbox, newCustomer, settle, pending } = await aWorld();
    const customerId = await newCustomer();
    const told = [
      ...(await settle(customerId, PURCHASE.slice(0, 1))),
      ...(await settle(customerId, RENEWAL, BOUGHT_AT)),
    ];
    expect(told.length).toBeGreaterThan(2);

    expect(await pending()).toEqual(told);
    expect(await outbox.pendingOf(customerId, never)).toEqual(told);
    for (const event of told.slice(0, 2)) await outbox.markTold(event);
    expect(await pending()).toEqual(told.slice(2));
    for (const event of told) await outbox.markTold(event);
    expect(await pending()).toEqual([]);
    expect(await outbox.pendingOf(customerId, never)).toEqual([]);
  });

  test("orders the tenth event after the ninth, and keeps customers' events apart", async () => {
    const { outbox, newCustomer, settle } = await aWorld();
    const customerId = await newCustomer();
    await settle(await newCustomer(LICENCE_ARN.replace('0123', '9999')));
    for (let change = 0; change < 12; change++) {
      await settle(customerId, change % 2 === 0 ? PURCHASE.slice(0, 2) : PURCHASE.slice(0, 3));
    }

    const sequences = (await outbox.pendingOf(customerId, never)).map(({ sequence }) => sequence);

    expect(sequences).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });

  test('passes over an item that is no event, and names it', async () => {
    const { client, tables, newCustomer, settle, pending } = await aWorld();
    const told = await settle(await newCustomer());
    const foreign = { pk: 'outbox#3', sk: 'cus_x#0000000001', type: 'accessPaused' };
    await putItem(client, { TableName: tables.notices, Item: toItem(foreign) });
    const malformed: string[] = [];

    expect(await pending((key) => void malformed.push(key))).toEqual(told);
    expect(malformed).toEqual(['cus_x#0000000001']);
  });
});

describe('usage in trouble', () => {
  test('is told once per mark, with the next sequence of its customer', async () => {
    const { outbox, newCustomer, settle, read, pending } = await aWorld();
    const customerId = await newCustomer();
    const before = (await settle(customerId)).length;
    const folded = await read(customerId);
    const { standing } = folded;
    const event = { type: 'usageHeld' as const, customerId, sequence: before + 1, at: BOUGHT_AT, standing, usage };

    expect(await outbox.untold([MARK])).toEqual([MARK]);
    expect(await outbox.tellTrouble(folded, event, MARK)).toBe('told');
    expect(await outbox.tellTrouble(await read(customerId), { ...event, sequence: before + 2 }, MARK)).toBe('already');

    expect((await pending()).slice(before)).toEqual([event]);
    expect((await read(customerId)).customer.sequence).toBe(before + 1);
    expect(await outbox.untold([MARK, { ...MARK, name: 'usageAboutToExpire.2' }])).toMatchObject([
      { name: 'usageAboutToExpire.2' },
    ]);
  });

  test('is not told with a standing that has changed since it was read, and marks nothing then', async () => {
    const { outbox, newCustomer, settle, read, pending } = await aWorld();
    const customerId = await newCustomer();
    const folded = await read(customerId);
    expect(folded.standing).toEqual(UNKNOWN_STANDING);
    const told = await settle(customerId);
    const { standing } = folded;
    const event = { type: 'usageHeld' as const, customerId, sequence: 1, at: BOUGHT_AT, standing, usage };

    expect(await outbox.tellTrouble(folded, event, MARK)).toBe('moved');

    expect(await pending()).toEqual(told);
    expect(await outbox.untold([MARK])).toEqual([MARK]);
  });

  test('makes a fold that was read before it fold again, so that no sequence is given twice', async () => {
    const { client, tables, outbox, newCustomer, read } = await aWorld();
    const customerId = await newCustomer();
    const folded = await read(customerId);
    const { standing } = folded;
    const event = { type: 'usageHeld' as const, customerId, sequence: 1, at: BOUGHT_AT, standing, usage };
    await outbox.tellTrouble(folded, event, MARK);

    const notices = new DynamoNoticeStore(client, tables);
    expect(await notices.tell(folded, { standing, events: [] })).toBe(false);
  });
});
