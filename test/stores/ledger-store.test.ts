import { describe, expect, test } from 'vitest';
import { meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import { readMeters } from '../../lambdas/flow/read-meters.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoUsageStore } from '../../lambdas/stores/usage-store.ts';
import { anHour, aSealedHour, aTally, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { describeLedgerStore } from '../contracts/ledger-contract.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

async function stores() {
  const { client, tables } = await engine();
  return { ledger: new DynamoLedgerStore(client, tables.ledger), usage: new DynamoUsageStore(client, tables.usage) };
}

describe('the ledger table', () => {
  describeLedgerStore(
    async () => (await stores()).ledger,
    async () => (await stores()).usage,
  );

  test('merges more than 1 MB of either side meter by meter, each once and whole', async () => {
    const { ledger, usage } = await stores();
    const tags = Object.fromEntries('abcde'.split('').map((key) => [key, 'x'.repeat(256)]));
    const rows = Array.from({ length: 80 }, (_, index) => ({ quantity: 1, tags: { t: `${index}${'y'.repeat(250)}` } }));
    const big = aSealedHour({}, aTally(rows));
    const dimensions = Array.from({ length: 90 }, (_, index) => `d${String(index).padStart(2, '0')}`);
    for (const [index, dimension] of dimensions.entries()) {
      if (index % 3 !== 0) await ledger.seal({ ...big, dimension });
      if (index % 3 === 1) continue;
      const events = Array.from({ length: 20 }, (_, event) => aUsageEvent({ dimension, eventId: `${event}`, tags }));
      await Promise.all(events.map((event) => usage.put(event)));
    }
    let pages = 0;
    for await (const _page of ledger.entries(anHour(), shardOf(LICENCE_KEY))) pages += 1;

    const seen = [];
    for await (const { dimension, sealed, tally } of readMeters(
      { ledger, usage },
      { hour: anHour(), shard: shardOf(LICENCE_KEY) },
    )) {
      seen.push([dimension, sealed !== undefined, tally.seen.count]);
    }

    expect(pages).toBeGreaterThan(1);
    expect(seen).toEqual(dimensions.map((dimension, index) => [dimension, index % 3 !== 0, index % 3 === 1 ? 0 : 20]));
  }, 60_000);

  test('reads one licence out of a partition that holds others before and after it', async () => {
    const { ledger } = await stores();
    const keys = ['l-0', `${LICENCE_KEY.slice(0, -1)}e`, LICENCE_KEY, `${LICENCE_KEY}0`, 'l-f'];
    for (const licenceKey of keys) await ledger.seal({ ...aSealedHour(), licenceKey });

    const found = [];
    for await (const page of ledger.entries(anHour(), shardOf(LICENCE_KEY), LICENCE_KEY)) found.push(...page);

    expect(found.map((entry) => meterKey(entry.licenceKey, entry.dimension))).toEqual([
      meterKey(LICENCE_KEY, 'requests'),
    ]);
  });
});
