import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { BrokenInvariant } from '../../lambdas/domain/failure.ts';
import { meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import type { LiveRecord, OnMalformed } from '../../lambdas/flow/ports.ts';
import { readMeters } from '../../lambdas/flow/read-meters.ts';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { STATE_SHARDS, sealedKey } from '../../lambdas/stores/ledger-items.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoUsageStore } from '../../lambdas/stores/usage-store.ts';
import { anHour, aSealedHour, aTally, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { describeTermCounters } from '../contracts/counter-contract.ts';
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

  describe('terms of contracts', () => describeTermCounters(async () => (await stores()).ledger));

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

  test('tells of each malformed item and gives the others, in its list of live ones and in its records', async () => {
    const { client, tables } = await engine();
    const ledger = new DynamoLedgerStore(client, tables.ledger);
    const dimensions = ['a', 'b', 'c', 'd', 'e'];
    for (const dimension of dimensions) await ledger.seal(aSealedHour({ dimension }));
    const spoil = (dimension: string, member: string, value: unknown) =>
      client.send(
        new UpdateItemCommand({
          TableName: tables.ledger,
          Key: toItem(sealedKey(aSealedHour({ dimension }))),
          UpdateExpression: 'SET #member = :value',
          ExpressionAttributeNames: { '#member': member },
          ExpressionAttributeValues: toItem({ ':value': value }),
        }),
      );
    await spoil('b', 'stateSort', 'tomorrow');
    await spoil('d', 'attempts', ['mended by hand']);
    const told: string[] = [];
    const onMalformed: OnMalformed = ({ meter }, fault) => {
      told.push(`${meter} ${fault instanceof BrokenInvariant && fault.code}`);
    };

    const references: LiveRecord[] = [];
    for await (const page of ledger.open(shardOf(LICENCE_KEY) % STATE_SHARDS, onMalformed)) references.push(...page);
    const records = await ledger.records(references, onMalformed);

    expect(references.map(({ meter }) => meter)).toEqual(
      ['a', 'c', 'd', 'e'].map((each) => meterKey(LICENCE_KEY, each)),
    );
    expect(records.map(({ dimension }) => dimension).sort()).toEqual(['a', 'c', 'e']);
    expect(told).toEqual(['b', 'd'].map((each) => `${meterKey(LICENCE_KEY, each)} ItemMalformed`));
  });

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
