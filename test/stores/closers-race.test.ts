// Closers side by side on one term's counter and one credit, on the real engine.
import { expect, test } from 'vitest';
import { withAnswer } from '../../lambdas/domain/entitlement.ts';
import { addHours, hourOf, hourStartMs } from '../../lambdas/domain/hour.ts';
import { closeHour } from '../../lambdas/flow/close-hour.ts';
import { verifyBooks } from '../../lambdas/flow/verify-books.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoUsageStore } from '../../lambdas/stores/usage-store.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { MemoryRejectStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';
import { useEngine } from './engine-tables.ts';

const FIRST = anHour('2026-09-21T02');
const HOURS = Array.from({ length: 6 }, (_, index) => addHours(FIRST, index));
const NOW = at('2026-09-21T09:20:00Z');
const METER = { licenceKey: LICENCE_KEY, dimension: 'requests' };

const engine = useEngine();

test('three closers of six hours at once include what the contract says, write a credit off once, and carry once', async () => {
  const { client, tables } = await engine();
  const customers = new MemoryLicences();
  customers.add(aLicence({ pricingModel: 'contractWithConsumption' }));
  const entitlement = { dimension: 'requests', value: { kind: 'integer', value: 100 } } as const;
  const known = withAnswer(undefined, LICENCE_KEY, [entitlement], hourStartMs(FIRST));
  const ports = {
    usage: new DynamoUsageStore(client, tables.usage),
    ledger: new DynamoLedgerStore(client, tables.ledger),
    customers,
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    entitlements: { entitlements: async () => ({ ...known, checkedAt: NOW }) },
    clock: () => NOW,
    limit: <T>(task: () => Promise<T>) => task(),
    log: {
      warn: () => {},
      error: (code: string, facts?: object) => expect.unreachable(`${code} ${JSON.stringify(facts)}`),
    },
    products: new Map([['metrics-cloud', aProduct({ pricingModel: 'contractWithConsumption' })]]),
    policy: aPolicy(),
  };
  const actionId = `${new Date(NOW).toISOString()}.1`;
  const audit = { actionId, at: NOW, who: 'kim', why: 'too much', action: 'credit', facts: {} } as const;
  await ports.ledger.grantCredit(METER, 45, audit);
  const use = async (quantity: number, offsetMs: number) => {
    for (const hour of HOURS) {
      const atMs = hourStartMs(hour) + offsetMs;
      const tags = { team: `${offsetMs % 3}` };
      await ports.usage.put(aUsageEvent({ eventId: `event-${offsetMs}`, hour, atMs, quantity, tags }));
    }
  };
  const looks = () =>
    Promise.all([1, 2, 3].flatMap(() => HOURS.map((hour) => closeHour(ports, { hour, shard: aUsageEvent().shard }))));

  await use(30, 1);
  await looks();
  await use(20, 2);
  await use(10, 3);
  await looks();

  const sums = { used: 0, withheld: 0, open: 0, credited: 0, carriedOut: 0, carriedIn: 0 };
  for await (const books of verifyBooks(ports, FIRST, addHours(hourOf(NOW), 1), LICENCE_KEY)) {
    expect(books.difference).toBe(0);
    sums.used += books.recorded;
    sums.withheld += books.byStatus.withheld;
    sums.open += books.byStatus.open;
    sums.credited += books.credited;
    sums.carriedOut += books.carriedOut;
    sums.carriedIn += books.carriedIn;
  }
  // 180 in time, of which 100 are included and 45 credited; 180 late, all of them beyond.
  expect(sums).toEqual({ used: 360, withheld: 100, open: 35, credited: 45, carriedOut: 180, carriedIn: 180 });
  expect(await ports.ledger.counters(LICENCE_KEY)).toMatchObject([{ used: 360, overage: 260 }]);
  expect(await ports.ledger.credits(aUsageEvent().shard)).toEqual(new Map());
}, 60_000);
