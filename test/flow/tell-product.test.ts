// Telling the product: what the bus takes is told once, what it does not take waits, and no order is turned round.
import { describe, expect, test } from 'vitest';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { UNKNOWN_STANDING } from '../../lambdas/domain/standing.ts';
import type { ToldEvent } from '../../lambdas/domain/usage-trouble.ts';
import { tellCustomers, tellProduct } from '../../lambdas/flow/tell-product.ts';
import { MemoryBus, MemoryOutbox, OutboxTables } from '../doubles/memory-access.ts';

const anEvent = (customerId: string, sequence: number): ToldEvent => ({
  type: 'accessChanged',
  customerId,
  sequence,
  at: 0,
  standing: UNKNOWN_STANDING,
});

function aWorld(events: readonly ToldEvent[], isTaken?: (event: ToldEvent) => boolean) {
  const tables = new OutboxTables();
  tables.add(...events);
  const bus = new MemoryBus(isTaken);
  const errors: unknown[] = [];
  const log = { error: (code: string, facts?: object) => void errors.push({ code, ...facts }) };
  return { tables, bus, errors, ports: { outbox: new MemoryOutbox(tables), bus, clock: () => 0, log } };
}

const told = (bus: MemoryBus) => bus.taken.map(({ customerId, sequence }) => `${customerId}_${sequence}`);
const always = () => true;

describe('telling the product', () => {
  test('tells everything that waits, each customer in order, and leaves nothing behind', async () => {
    const customers = Array.from({ length: 30 }, (_, index) => `cus_${index}`);
    const { tables, bus, ports } = aWorld(customers.flatMap((id) => [1, 2, 3].map((each) => anEvent(id, each))));

    expect(await tellProduct(ports, always)).toEqual({ told: 90, refused: 0, malformed: 0 });

    expect(tables.waiting.size).toBe(0);
    for (const id of customers) {
      expect(told(bus).filter((each) => each.startsWith(`${id}_`))).toEqual([`${id}_1`, `${id}_2`, `${id}_3`]);
    }
  });

  test('puts no more than ten events in a call, and never two of one customer', async () => {
    const events = Array.from({ length: 40 }, (_, index) => anEvent(`cus_${index % 20}`, 1 + Math.floor(index / 20)));
    const { bus, ports } = aWorld(events);

    await tellProduct(ports, always);

    for (const call of bus.calls) {
      expect(call.length).toBeLessThanOrEqual(10);
      expect(new Set(call.map(({ customerId }) => customerId)).size).toBe(call.length);
    }
  });

  test('takes out only what the bus took; a customer waits behind the event that was refused', async () => {
    const events = ['cus_a', 'cus_b'].flatMap((id) => [1, 2, 3, 4].map((each) => anEvent(id, each)));
    const { tables, bus, errors, ports } = aWorld(
      events,
      (event) => event.customerId !== 'cus_a' || event.sequence < 2,
    );

    await expect(tellProduct(ports, always)).rejects.toMatchObject({ code: 'TellingIncomplete', retryable: true });

    expect(told(bus).sort()).toEqual(['cus_a_1', 'cus_b_1', 'cus_b_2', 'cus_b_3', 'cus_b_4']);
    expect([...tables.waiting.keys()]).toEqual(['cus_a_2', 'cus_a_3', 'cus_a_4']);
    expect(errors).toEqual([
      {
        code: 'EventRefused',
        customerId: 'cus_a',
        sequence: 2,
        type: 'accessChanged',
        refused: 'ThrottlingException',
      },
    ]);
  });

  test('leaves a bus alone that takes nothing, and tells everything once it does again', async () => {
    const customers = Array.from({ length: 100 }, (_, index) => anEvent(`cus_${index}`, 1));
    let isDown = true;
    const { tables, bus, ports } = aWorld(customers, () => !isDown);

    await expect(tellProduct(ports, always)).rejects.toMatchObject({ code: 'TellingIncomplete' });
    expect(bus.calls.length).toBe(3);
    expect(tables.waiting.size).toBe(100);

    isDown = false;
    expect(await tellProduct(ports, always)).toMatchObject({ told: 100 });
  });

  test('tells what stands behind any number of events that the bus refuses for good', async () => {
    const inShard = Array.from({ length: 400 }, (_, index) => `cus_${index}`).filter((id) => shardOf(id) % 4 === 0);
    const [last = '', ...stuck] = inShard.sort().reverse();
    expect(stuck.length).toBeGreaterThan(40);
    const { bus, ports } = aWorld(
      inShard.map((id) => anEvent(id, 1)),
      ({ customerId }) => customerId === last,
    );
    bus.isOwnFault = true;

    await expect(tellProduct(ports, always)).rejects.toMatchObject({ code: 'TellingIncomplete' });

    expect(told(bus)).toEqual([`${last}_1`]);
  });

  test('stops when its time is over and leaves the rest to the next run', async () => {
    const { tables, ports } = aWorld([1, 2, 3, 4, 5].map((each) => anEvent('cus_a', each)));
    let looks = 0;

    const { told: first } = await tellProduct(ports, () => ++looks < 5);

    expect(first).toBeGreaterThan(0);
    expect(tables.waiting.size).toBe(5 - first);
    expect(await tellProduct(ports, always)).toMatchObject({ told: 5 - first });
  });

  test('begins with another shard each minute, so that no shard waits behind a full one for ever', async () => {
    const customers = Array.from({ length: 40 }, (_, index) => anEvent(`cus_${index}`, 1));
    const firsts = [0, 1, 2, 3].map(async (minute) => {
      const { bus, ports } = aWorld(customers);
      await tellProduct({ ...ports, clock: () => minute * 60_000 }, always);
      return shardOf(bus.taken[0]?.customerId ?? '') % ports.outbox.shards;
    });

    expect(await Promise.all(firsts)).toEqual([0, 1, 2, 3]);
  });

  test('passes over an event that can not be read, names it, and is loud about it', async () => {
    const { tables, bus, errors, ports } = aWorld([anEvent('cus_a', 1), anEvent('cus_a', 2), anEvent('cus_b', 1)]);
    tables.malformed.add('cus_a_1');

    await expect(tellProduct(ports, always)).rejects.toMatchObject({ facts: { told: 2, malformed: 1 } });

    expect(told(bus).sort()).toEqual(['cus_a_2', 'cus_b_1']);
    expect(errors).toEqual([{ code: 'EventMalformed', event: 'cus_a_1' }]);
    expect([...tables.waiting.keys()]).toEqual(['cus_a_1']);
  });

  test('tells some customers at once and leaves the others to the schedule', async () => {
    const { tables, bus, ports } = aWorld([anEvent('cus_a', 1), anEvent('cus_a', 2), anEvent('cus_b', 1)]);

    expect(await tellCustomers(ports, ['cus_a', 'cus_a', 'cus_unknown'], always)).toMatchObject({ told: 2 });

    expect(told(bus)).toEqual(['cus_a_1', 'cus_a_2']);
    expect([...tables.waiting.keys()]).toEqual(['cus_b_1']);
  });
});
