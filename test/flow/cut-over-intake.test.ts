// Usage of a buyer who is cut over from customer identifier to licence, where neither licence covers its instant.
import { describe, expect, test } from 'vitest';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { recordUsage } from '../../lambdas/flow/record-usage.ts';
import { aLicence, anHour, aPolicy, aProduct, at, LICENCE_KEY } from '../builders.ts';
import { MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const NOW = at('2026-09-21T13:00:00Z');
const LEGACY_KEY = licenceKeyOf({ style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: 'ifAPi5AcF3' });
const CUSTOMER_ID = 'cus_AAAAAAAAAAAAAAAAAAAAAAAA';

function aCutOverBuyer() {
  const customers = new MemoryLicences();
  const { licenceArn: _arn, ...legacy } = aLicence({
    licenceKey: LEGACY_KEY,
    identityStyle: 'legacy',
    customerIdentifier: 'ifAPi5AcF3',
    periods: [
      { from: at('2026-09-01T08:30:00Z'), to: at('2026-09-21T08:00:00Z') },
      { from: at('2026-09-21T10:00:00Z') },
    ],
    cutOverHour: anHour('2026-09-21T12'),
    counterpartKey: LICENCE_KEY,
  });
  customers.add(legacy);
  customers.add(aLicence({ cutOverHour: anHour('2026-09-21T12'), counterpartKey: LEGACY_KEY }));
  customers.table.customers.set(CUSTOMER_ID, {
    customerId: CUSTOMER_ID,
    productCode: 'metrics-cloud',
    licenceKeys: [LEGACY_KEY, LICENCE_KEY],
    createdAt: NOW,
    sequence: 0,
  });
  return customers;
}

async function report(atMs: number) {
  const usage = new MemoryUsageStore();
  const ports = {
    customers: aCutOverBuyer(),
    usage,
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    clock: () => NOW,
    limit: <T>(task: () => Promise<T>) => task(),
    products: new Map([['metrics-cloud', aProduct({ identityStyle: 'legacy' })]]),
    policy: aPolicy(),
  };
  const subject = { kind: 'customer', customerId: CUSTOMER_ID } as const;
  const event = { id: 'event-1', dimension: 'requests', quantity: 5, atMs, subject };
  const [outcome] = await recordUsage(ports, [{ kind: 'event', event, received: '{}' }]);
  const rows = [...usage.table.entries()].map(([, sortKey]) => sortKey.split('#')[0]);
  return { outcome, rows };
}

describe('a buyer who is cut over at 12:00, reported by customer', () => {
  test.each([
    ['an hour before the cut-over', '2026-09-21T11:59:59Z', LEGACY_KEY],
    ['the cut-over hour', '2026-09-21T12:00:00Z', LICENCE_KEY],
  ])('has usage of %s put on its side', async (_name, time, licenceKey) => {
    expect(await report(at(time))).toMatchObject({ outcome: { outcome: 'recorded' }, rows: [licenceKey] });
  });

  test('is told at once that usage between two agreements by customer identifier is not billed', async () => {
    const { outcome, rows } = await report(at('2026-09-21T09:00:00Z'));
    expect(outcome).toMatchObject({ outcome: 'refused', code: 'licenceEnded' });
    expect(rows).toEqual([]);
  });
});
