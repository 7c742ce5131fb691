// Usage that is reported by customer and again after a renewal brought the customer a further licence.
import { describe, expect, test } from 'vitest';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { Licence } from '../../lambdas/domain/licence.ts';
import { recordUsage } from '../../lambdas/flow/record-usage.ts';
import { aLicence, aPolicy, aProduct, at, LICENCE_KEY } from '../builders.ts';
import { MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const CUSTOMER_ID = 'cus_AAAAAAAAAAAAAAAAAAAAAAAA';
const RENEWED_KEY = 'l-00000000000000000000000000000002';
const RENEWED_AT = at('2026-09-21T10:00:00Z');
const USED_AT = at('2026-09-21T10:05:00Z');

/** A buyer whose licence is renewed at 10:00 by one of another ARN, of which we hear when a test says so. */
function aBuyer() {
  const customers = new MemoryLicences();
  const usage = new MemoryUsageStore();
  const reads: string[] = [];
  const world = {
    nowMs: at('2026-09-21T10:06:00Z'),
    reads,
    work: new MemoryWorkStore(),
    rows: () => [...usage.table.entries()].map(([, sortKey]) => sortKey.split('#')[0]),
    hold: (...licences: readonly Licence[]) => {
      for (const licence of licences) customers.add(licence);
      customers.table.customers.set(CUSTOMER_ID, {
        customerId: CUSTOMER_ID,
        productCode: 'metrics-cloud',
        licenceKeys: licences.map(({ licenceKey }) => licenceKey),
        createdAt: at('2025-09-21T10:00:00Z'),
        sequence: 0,
      });
    },
    report: async ({ quantity = 5, atMs = USED_AT } = {}) => {
      const ports = {
        customers,
        usage: {
          put: usage.put.bind(usage),
          standing: (event: Parameters<typeof usage.standing>[0]) => {
            reads.push(event.licenceKey);
            return usage.standing(event);
          },
        },
        work: world.work,
        rejects: new MemoryRejectStore(),
        clock: () => world.nowMs,
        limit: <T>(task: () => Promise<T>) => task(),
        products: new Map([['metrics-cloud', aProduct()]]),
        policy: aPolicy(),
      };
      const subject = { kind: 'customer', customerId: CUSTOMER_ID } as const;
      const event = { id: 'event-1', dimension: 'requests', quantity, atMs, subject };
      const [outcome] = await recordUsage(ports, [{ kind: 'event', event, received: '{}' }]);
      return outcome && ('code' in outcome ? outcome.code : outcome.outcome);
    },
  };
  return world;
}

const running = (overrides: Partial<Licence> = {}) => aLicence(overrides);
const renewed = (overrides: Partial<Licence> = {}) =>
  aLicence({
    licenceKey: RENEWED_KEY,
    firstSeenAt: at('2026-09-21T10:06:30Z'),
    periods: [{ agreementId: 'agmt-2', from: RENEWED_AT }],
    ...overrides,
  });

describe('an event that is reported by customer again after a renewal under another ARN was heard of', () => {
  test('stands under the licence that ran by what we knew at first, and is not recorded a second time', async () => {
    const buyer = aBuyer();
    buyer.hold(running());
    const first = await buyer.report();
    buyer.hold(running(), renewed());

    const again = await buyer.report();

    expect([first, again]).toEqual(['recorded', 'already']);
    expect(buyer.rows()).toEqual([LICENCE_KEY]);
  });

  test('is looked for also where the new licence was taken to have run before its start was told', async () => {
    const buyer = aBuyer();
    const firstSeenAt = RENEWED_AT - 120_000;
    buyer.hold(running(), renewed({ firstSeenAt, periods: [{}] }));
    const atMs = RENEWED_AT - 60_000;
    const first = await buyer.report({ atMs });
    buyer.hold(running(), renewed({ firstSeenAt }));

    const again = await buyer.report({ atMs });

    expect([first, again]).toEqual(['recorded', 'already']);
    expect(buyer.rows()).toEqual([RENEWED_KEY]);
  });

  test('asks for a look at the hour where it stands, in case its first report died before it did', async () => {
    const buyer = aBuyer();
    buyer.hold(running());
    await buyer.report();
    buyer.hold(running(), renewed());
    await buyer.report();
    expect(await buyer.work.lateMarkers()).toEqual([]);
    buyer.nowMs = at('2026-09-21T11:30:00Z');

    await buyer.report();

    const [marker] = await buyer.work.lateMarkers();
    expect(marker).toMatchObject({ hour: '2026-09-21T10', shard: shardOf(LICENCE_KEY) });
  });

  test('is a conflict where it says something else, and what stands is kept', async () => {
    const buyer = aBuyer();
    buyer.hold(running());
    await buyer.report();
    buyer.hold(running(), renewed());

    expect(await buyer.report({ quantity: 6 })).toBe('conflict');
    expect(buyer.rows()).toEqual([LICENCE_KEY]);
  });

  test('is told that it stands, not refused, where the one licence is now known to have started later', async () => {
    const buyer = aBuyer();
    buyer.hold(running());
    await buyer.report();
    buyer.hold(running({ periods: [{ from: USED_AT + 60_000 }] }));

    expect(await buyer.report()).toBe('already');
  });

  test('costs no read where the other licence ended more than a day before, or takes over at a known hour', async () => {
    const ended = aBuyer();
    const noticeAt = at('2026-09-20T09:00:00Z');
    ended.hold(running({ ending: { noticeAt, revokedAt: noticeAt } }), renewed());
    const cutOver = aBuyer();
    const hour = '2026-09-21T08' as Licence['cutOverHour'] & string;
    const legacy = { identityStyle: 'legacy', licenceKey: 'c-00000000000000000000000000000001' } as const;
    cutOver.hold(
      running({ ...legacy, cutOverHour: hour, counterpartKey: RENEWED_KEY }),
      renewed({ cutOverHour: hour, counterpartKey: legacy.licenceKey }),
    );

    expect([await ended.report(), await cutOver.report()]).toEqual(['recorded', 'recorded']);
    expect([ended.rows(), cutOver.rows()]).toEqual([[RENEWED_KEY], [RENEWED_KEY]]);
    expect([...ended.reads, ...cutOver.reads]).toEqual([]);
  });
});

describe('usage of a customer with a licence that took over from another', () => {
  const ENDED = { noticeAt: RENEWED_AT - 30_000, revokedAt: RENEWED_AT, deprovisionedAt: RENEWED_AT };

  test('goes to the one that runs, also where the one that ended was heard of last', async () => {
    const buyer = aBuyer();
    buyer.hold(renewed(), running({ ending: ENDED }));

    expect(await buyer.report()).toBe('recorded');
    expect(buyer.rows()).toEqual([RENEWED_KEY]);
  });

  test('goes to the one that ran by then, while the start of the new one is not told yet', async () => {
    const buyer = aBuyer();
    buyer.hold(running(), renewed({ periods: [{}] }));

    expect(await buyer.report({ atMs: RENEWED_AT - 60_000 })).toBe('recorded');
    expect(buyer.rows()).toEqual([LICENCE_KEY]);
  });

  test('goes to the one that covers its time, or is told why it can’t be billed, where none is known to run then', async () => {
    const buyer = aBuyer();
    buyer.hold(running({ ending: ENDED }), renewed({ periods: [{ from: USED_AT + 60_000 }] }));

    expect(await buyer.report()).toBe('licenceEnded');
    expect(buyer.rows()).toEqual([]);
  });
});
