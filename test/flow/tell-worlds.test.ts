// Customers whose events are told by several workers at once that die between any two steps, over a bus that refuses,
// repeats and reorders, to a consumer that drops what is older.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsOf } from '../../lambdas/domain/access-event.ts';
import { accessEventId } from '../../lambdas/domain/delivery.ts';
import { hasAccess, type Standing, UNKNOWN_STANDING } from '../../lambdas/domain/standing.ts';
import type { ToldEvent } from '../../lambdas/domain/usage-trouble.ts';
import type { WebhookPoster } from '../../lambdas/flow/access-ports.ts';
import { deliverWebhook } from '../../lambdas/flow/deliver-webhook.ts';
import { tellCustomers, tellProduct } from '../../lambdas/flow/tell-product.ts';
import { MemoryBus, MemoryDeliveries, MemoryOutbox, OutboxTables } from '../doubles/memory-access.ts';
import { type Random, randomOf, Turns } from '../doubles/turns.ts';

const STATES: readonly Standing['state'][] = ['awaitingLicence', 'scheduled', 'active', 'ending', 'ended'];
const always = () => true;

interface Known {
  sequence: number;
  standing: Standing;
}

/** A change of a customer, with its events in the outbox, as one transaction. */
function change(tables: OutboxTables, customers: Map<string, Known>, customerId: string, random: Random): ToldEvent[] {
  const before = customers.get(customerId) ?? { sequence: 0, standing: UNKNOWN_STANDING };
  const state = STATES[Math.floor(random() * STATES.length)] ?? 'active';
  const standing = { ...before.standing, state, ...(random() < 0.3 ? { registeredAt: 1 } : {}) };
  const events = eventsOf(before.standing, standing, { customerId, sequence: before.sequence, at: 0 });
  customers.set(customerId, { sequence: before.sequence + events.length, standing });
  tables.add(...events);
  return [...events];
}

/** What is on the bus, in any order and some of it again, as rules, queues and webhooks may bring it. */
function arrivals(taken: readonly ToldEvent[], random: Random): ToldEvent[] {
  const repeated = taken.filter(() => random() < 0.3);
  return [...taken, ...repeated]
    .map((event) => ({ event, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(byEvent);
}

const byEvent = ({ event }: { event: ToldEvent }) => event;

/** What docs/access-events.md asks of a consumer. */
function consume(events: readonly ToldEvent[]): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const { customerId, sequence, standing } of events) {
    if (sequence > (known.get(customerId)?.sequence ?? 0)) known.set(customerId, { sequence, standing });
  }
  return known;
}

async function live(seed: number, isOrderly: boolean) {
  const random = randomOf(seed);
  const turns = new Turns(random);
  const tables = new OutboxTables();
  const customers = new Map<string, Known>();
  const written: ToldEvent[] = [];
  const step = () => turns.step();
  const bus = new MemoryBus(() => random() < 0.8, step);
  const ports = { outbox: new MemoryOutbox(tables, step), bus, clock: () => 0, log: { error: () => {} } };
  const refusals: unknown[] = [];
  const quietly = (work: Promise<unknown>) => work.catch((error: unknown) => void refusals.push(error));
  for (let round = 0; round < 8; round++) {
    const changed = Array.from({ length: 3 }, () => `cus_${Math.floor(random() * 5)}`);
    for (const customerId of changed) written.push(...change(tables, customers, customerId, random));
    if (random() < 0.7) turns.start(() => quietly(tellCustomers(ports, changed, always)));
    if (random() < 0.7 && !isOrderly) turns.start(() => quietly(tellProduct(ports, always)));
    await turns.run({ die: isOrderly ? 0 : 0.05, timePasses: isOrderly ? 0 : 0.05 });
  }
  const last = new MemoryBus();
  await tellProduct({ ...ports, outbox: new MemoryOutbox(tables), bus: last }, always);
  expect(turns.thrown).toEqual([]);
  expect(refusals.every((each) => (each as { code?: string }).code === 'TellingIncomplete')).toBe(true);
  return { random, tables, customers, written, taken: [...bus.taken, ...last.taken] };
}

test('no event is lost, and a consumer that drops what is older ends with the last standing', async () => {
  let repeats = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const { random, tables, customers, written, taken } = await live(seed, false);

      expect(tables.waiting.size).toBe(0);
      expect(new Set(taken.map(accessEventId))).toEqual(new Set(written.map(accessEventId)));
      repeats += taken.length - written.length;
      const changed = new Map([...customers].filter(([, { sequence }]) => sequence > 0));
      expect(consume(arrivals(taken, random))).toEqual(changed);
      for (const [customerId, { standing }] of changed) checkTurns(customerId, taken, standing);
    }),
    { numRuns: 150 },
  );
  // The worlds are wild enough to show what crashes and rivals do.
  expect(repeats).toBeGreaterThan(50);
});

test('a customer is told in order, each event once, while one worker tells it and none dies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const { customers, written, taken } = await live(seed, true);

      expect(taken).toHaveLength(written.length);
      for (const [customerId, { sequence }] of customers) {
        const told = taken.filter((event) => event.customerId === customerId).map((event) => event.sequence);
        expect(told).toEqual(Array.from({ length: sequence }, (_, index) => index + 1));
      }
    }),
    { numRuns: 100 },
  );
});

test('the same holds behind a webhook that fails, and whose answers and workers get lost', async () => {
  let extraPosts = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const { random, customers, written, taken } = await live(seed, false);
      const { received, statuses } = await overWebhooks(arrivals(taken, random), seed);

      expect(new Set(received.map(accessEventId))).toEqual(new Set(written.map(accessEventId)));
      expect(statuses).toEqual(written.map(() => 'delivered'));
      extraPosts += received.length - written.length;
      expect(consume(received)).toEqual(new Map([...customers].filter(([, { sequence }]) => sequence > 0)));
    }),
    { numRuns: 50 },
  );
  expect(extraPosts).toBeGreaterThan(50);
});

/** A queue that brings each message until its worker is done with it, and a receiver that takes some of what it is sent. */
async function overWebhooks(queue: readonly ToldEvent[], seed: number) {
  const random = randomOf(seed + 1);
  const turns = new Turns(random);
  const step = () => turns.step();
  const deliveries = new MemoryDeliveries(step);
  const received: ToldEvent[] = [];
  const events = new Map(queue.map((event) => [accessEventId(event), event]));
  let nowMs = 0;
  const post: WebhookPoster = async ({ headers }) => {
    await step();
    const chance = random();
    if (chance < 0.3) return { kind: 'answered', status: 503 };
    const event = events.get(headers['webhook-id'] ?? '');
    if (event) received.push(event);
    await step();
    // Received, and the answer lost.
    return chance < 0.5 ? { kind: 'failed', reason: 'timeout' } : { kind: 'answered', status: 200 };
  };
  const ports = {
    deliveries,
    endpoints: new Map([['crm', { name: 'crm', url: 'https://hooks.example.com/', secretArn: 'arn' }]]),
    keys: async () => [Buffer.alloc(32, 7)],
    post,
    clock: () => nowMs,
    chance: random,
    log: { error: () => expect.unreachable('Nothing is given up in an hour.') },
  };
  const messages = new Set(queue.map((event) => ({ event })));
  for (; messages.size > 0; nowMs += 10 * 60_000) {
    for (const message of messages) {
      const { customerId, sequence, type } = message.event;
      turns.start(async () => {
        const delivered = await deliverWebhook(ports, { endpoint: 'crm', customerId, sequence, type, body: '{}' });
        if (delivered.kind === 'settled') messages.delete(message);
      });
    }
    await turns.run({ die: 0.03, timePasses: 0.01 });
  }
  expect(turns.thrown).toEqual([]);
  return { received, statuses: [...deliveries.kept.values()].map(({ status }) => status) };
}

/** Grants and revokes alternate by sequence, and the last of them agrees with the standing. */
function checkTurns(customerId: string, taken: readonly ToldEvent[], standing: Standing): void {
  const own = new Map(taken.filter((event) => event.customerId === customerId).map((event) => [event.sequence, event]));
  const types = [...own.values()]
    .sort((one, other) => one.sequence - other.sequence)
    .map(({ type }) => type)
    .filter((type) => type === 'accessGranted' || type === 'accessRevoked');
  expect(types).toEqual(types.map((_, index) => (index % 2 === 0 ? 'accessGranted' : 'accessRevoked')));
  expect(types.at(-1) === 'accessGranted').toBe(hasAccess(standing));
}
