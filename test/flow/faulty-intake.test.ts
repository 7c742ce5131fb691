// A report of usage of which one event meets a fault: what that does to the others.
import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { Misconfigured, Unavailable } from '../../lambdas/domain/failure.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { recordUsage } from '../../lambdas/flow/record-usage.ts';
import { aLicence, anHour, aPolicy, aProduct, at, LICENCE_ARN, LICENCE_KEY } from '../builders.ts';
import { MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const OTHER_ARN = LICENCE_ARN.replace('l-0', 'l-1');

/** A report of ten events, the third of which names a licence whose look-up fails; its hour is over. */
async function reported(fault: Error) {
  const customers = new MemoryLicences();
  customers.add(aLicence());
  const looked: string[] = [];
  const usage = new MemoryUsageStore();
  const work = new MemoryWorkStore();
  const ports = {
    customers: {
      customer: customers.customer.bind(customers),
      licence: async (licenceKey: string) => {
        looked.push(licenceKey);
        if (licenceKey !== LICENCE_KEY) throw fault;
        return customers.licence(licenceKey);
      },
    },
    usage,
    work,
    rejects: new MemoryRejectStore(),
    clock: () => at('2026-09-21T12:00:00Z'),
    limit: pLimit(1),
    products: new Map([['metrics-cloud', aProduct()]]),
    policy: aPolicy(),
  };
  const entries = Array.from({ length: 10 }, (_, index) => {
    const name = { style: 'licence', licenceArn: index === 2 ? OTHER_ARN : LICENCE_ARN } as const;
    const subject = { kind: 'licence', name } as const;
    const event = {
      id: `event-${index}`,
      dimension: 'requests',
      quantity: 5,
      atMs: at('2026-09-21T10:05:00Z'),
      subject,
    };
    return { kind: 'event', event, received: '{}' } as const;
  });
  await expect(recordUsage(ports, entries)).rejects.toBe(fault);
  return { rows: [...usage.table.entries()].length, markers: await work.lateMarkers() };
}

test('one buyer whose item can’t be read fails the report, and keeps no other event of it from being recorded and closed', async () => {
  const { rows, markers } = await reported(new Misconfigured('ItemNewer', 'Newer.'));

  expect(rows).toBe(9);
  expect(markers).toMatchObject([{ hour: anHour(), shard: shardOf(LICENCE_KEY) }]);
});

test('a database that is down fails the report without being asked for each event; what stands by then is closed', async () => {
  const { rows, markers } = await reported(new Unavailable('DatabaseBusy', 'Down.'));

  expect(rows).toBe(2);
  expect(markers).toMatchObject([{ hour: anHour(), shard: shardOf(LICENCE_KEY) }]);
});
