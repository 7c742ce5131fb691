// After a roll back: what newer code has written is refused by name, and nothing is made of it.
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { Misconfigured } from '../../lambdas/domain/failure.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { TableKind } from '../../lambdas/stores/tables.ts';
import { anEvent, type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour, aUsageEvent } from '../builders.ts';
import { useEngine } from '../stores/engine-tables.ts';
import { frozenItems, put, TABLE_KINDS } from './frozen-items.ts';
import { keyOf, kindsOf } from './item-kinds.ts';
import { readItem } from './read-items.ts';
import type { StoredItem } from './worlds-of-items.ts';

const services = useServices();
const engine = useEngine();

const NEWER = { N: '2' };
const OURS = { N: '1' };

/** Read by their keys alone, which are of no layout. */
const BY_KEY: ReadonlySet<string> = new Set([
  'late marker',
  'ending licence',
  'lease',
  'archived file',
  'told trouble',
  'successor',
  'thread of a customer',
  'thread of a licence',
  'thread of an account',
]);

/** One of each kind: a list of several would be refused by any of them. */
function oneOfEachKind(): [string, TableKind, StoredItem][] {
  const items = TABLE_KINDS.flatMap((table) => frozenItems('v1')[table].map((item) => ({ table, item })));
  const byKind = Map.groupBy(items, ({ table, item }) => kindsOf(table, keyOf(item)).join());
  return [...byKind].flatMap(([kind, [first]]) => (first ? [[kind, first.table, first.item]] : []));
}

describe('an item of a newer layout', () => {
  test.each(oneOfEachKind().filter(([kind]) => !BY_KEY.has(kind) && kind !== 'usage event'))(
    'is refused by name: %s',
    async (kind, table, item) => {
      const { client, tables } = await engine();
      // A pulse is read whole, or not at all.
      const counts = frozenItems('v1').summaries.find((each) => keyOf(each).sk === 'counts');
      if (counts && kind === 'hour out of balance') await put(client, tables[table], counts);
      await put(client, tables[table], { ...item, v: NEWER });

      const reading = readItem(client, tables, table, keyOf(item));

      await expect(reading).rejects.toThrow(Misconfigured);
      await expect(reading).rejects.toThrow(
        'A stored item has layout 2; this version knows layouts up to 1. Deploy the version that wrote it, or a later one.',
      );
    },
  );
});

async function rewritten(
  world: BackendWorld,
  table: TableKind,
  isIt: (item: StoredItem) => boolean,
  layout = NEWER,
): Promise<void> {
  const { client, tables } = world;
  const { Items = [] } = await client.send(new ScanCommand({ TableName: tables[table] }));
  const found = Items.filter(isIt);
  expect(found.length).toBeGreaterThan(0);
  for (const item of found) {
    await client.send(new PutItemCommand({ TableName: tables[table], Item: { ...item, v: layout } }));
  }
}

const AT = '2026-09-21T10:05:00.000Z';

/** A licence that sorts behind another one in its shard. */
function besides(licenceKey: string): string {
  for (let n = 0; ; n++) {
    const key = `l-f${n.toString(16).padStart(31, '0')}`;
    if (shardOf(key) === shardOf(licenceKey)) return key;
  }
}

/** A licence of newer code, of the same buyer. */
async function copied({ client, tables }: BackendWorld, licenceKey: string, newKey: string): Promise<void> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: tables.customers }));
  const item = Items.find(({ sk }) => sk?.S === licenceKey);
  const named = { sk: { S: newKey }, licenceKey: { S: newKey }, v: NEWER };
  await client.send(new PutItemCommand({ TableName: tables.customers, Item: { ...item, ...named } }));
}

describe('after a roll back', { timeout: 60_000 }, () => {
  test('a licence that newer code wrote has nothing closed, loudly; the others are billed, and it is once the code is back', async () => {
    const world = await startBackendWorld(services());
    const [acme, beta] = [await world.subscribe(), await world.subscribe()];
    await world.report([anEvent(acme, AT, { quantity: 5 }), anEvent(beta, AT, { quantity: 7 })]);
    await rewritten(world, 'customers', (item) => item['sk']?.S === acme.licenceKey);

    await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
    await world.backend.closeHours().catch(() => {});
    await world.backend.sendMetering();
    const during = await world.bill();
    const said = world.logged.filter(({ level }) => level === 'error');
    await rewritten(world, 'customers', (item) => item['sk']?.S === acme.licenceKey, OURS);
    await world.tick('2026-09-21T13:11:00Z');
    await world.tick('2026-09-21T13:12:00Z');

    expect(during.map(({ licenceArn, quantity }) => [licenceArn, quantity])).toEqual([[beta.licenceArn, 7]]);
    expect(JSON.stringify(said)).toContain('ItemNewer');
    expect((await world.bill()).map(({ quantity }) => quantity).sort()).toEqual([5, 7]);
  });

  test('a licence that newer code wrote keeps no neighbour in its shard from being billed, and is billed once the code is back', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'oneDimension' } });
    const acme = await world.subscribe();
    const neighbourKey = besides(acme.licenceKey);
    await copied(world, acme.licenceKey, neighbourKey);
    for (const [licenceKey, quantity] of [
      [acme.licenceKey, 5],
      [neighbourKey, 7],
    ] as const) {
      await world.usage.put(aUsageEvent({ licenceKey, hour: anHour(), atMs: Date.parse(AT), quantity }));
    }

    await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
    await world.backend.closeHours().catch(() => {});
    await world.backend.sendMetering();
    const during = await world.bill();
    const looks = await world.work.looks(anHour());
    await rewritten(world, 'customers', (item) => item['sk']?.S === neighbourKey, OURS);
    await world.clock.set(Date.parse('2026-09-21T11:12:00Z'));
    await world.backend.closeHours();

    expect(during.map(({ licenceArn, quantity }) => [licenceArn, quantity])).toEqual([[acme.licenceArn, 5]]);
    expect(looks).toMatchObject([{ hour: '2026-09-21T10', looksDone: 0 }]);
    expect(await world.ledger.sealed(anHour(), neighbourKey, 'requests')).toMatchObject({ accounted: 7 });
  });

  test('an ending licence that newer code wrote keeps no other from having its last hour closed in time', async () => {
    const world = await startBackendWorld(services());
    const [acme, beta] = [await world.subscribe(), await world.subscribe()];
    await world.report([anEvent(acme, AT, { quantity: 5 }), anEvent(beta, AT, { quantity: 7 })]);
    await world.clock.set(Date.parse('2026-09-21T10:20:00Z'));
    const ending = { noticeAt: world.clock.now(), revokedAt: world.clock.now(), deprovisionedAt: world.clock.now() };
    for (const { licenceKey } of [acme, beta]) await world.customers.noteEnding(licenceKey, ending);
    await rewritten(world, 'customers', (item) => item['sk']?.S === acme.licenceKey && item['pk']?.S !== 'ending');

    await world.clock.set(Date.parse('2026-09-21T10:50:00Z'));
    await expect(world.backend.closeHours()).rejects.toMatchObject({ code: 'ClosingIncomplete' });

    const said = world.logged.filter(({ code }) => code === 'CloseFailed').map(({ facts }) => facts);
    expect(said).toContainEqual(expect.objectContaining({ licenceKey: acme.licenceKey, failureCode: 'ItemNewer' }));
    expect(await world.ledger.sealed(anHour(), beta.licenceKey, 'requests')).toMatchObject({ accounted: 7 });
    await rewritten(world, 'customers', (item) => item['sk']?.S === acme.licenceKey, OURS);
    await world.backend.closeHours();
    expect(await world.ledger.sealed(anHour(), acme.licenceKey, 'requests')).toMatchObject({ accounted: 5 });
  });

  test('a sealed hour that newer code wrote is not sent, and is as it was', async () => {
    const world = await startBackendWorld(services());
    const [acme, beta] = [await world.subscribe(), await world.subscribe()];
    await world.report([anEvent(acme, AT, { quantity: 5 }), anEvent(beta, AT, { quantity: 7 })]);
    await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
    await world.backend.closeHours();
    const isIt = (item: StoredItem) => item['licenceKey']?.S === acme.licenceKey;
    await rewritten(world, 'ledger', isIt);

    await world.backend.sendMetering().catch(() => {});

    expect((await world.bill()).map(({ licenceArn, quantity }) => [licenceArn, quantity])).toEqual([
      [beta.licenceArn, 7],
    ]);
    await rewritten(
      world,
      'ledger',
      (item) =>
        isIt(item) && item['status']?.S === 'open' && Object.keys(item['attempts']?.M ?? { none: 1 }).length === 0,
    );
  });

  test('a usage row that newer code wrote is among the rejects, its dimension waits, and all of it is billed once the code is back', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const other = anEvent(acme, AT, { quantity: 3, dimension: 'gb_stored' });
    await world.report([anEvent(acme, AT, { quantity: 5 }), anEvent(acme, AT, { quantity: 7 }), other]);
    await rewritten(world, 'usage', (item) => item['quantity']?.N === '5');

    await world.tick('2026-09-21T11:11:00Z');
    const during = await world.bill();

    expect(during.map(({ dimension, quantity }) => [dimension, quantity])).toEqual([['gb_stored', 3]]);
    const { Items = [] } = await world.client.send(new ScanCommand({ TableName: world.tables.rejects }));
    expect(Items.map(({ code }) => code?.S)).toEqual(['layoutNewer']);
    await rewritten(world, 'usage', (item) => item['quantity']?.N === '5', OURS);
    await world.tick('2026-09-21T13:11:00Z');
    await world.tick('2026-09-21T14:11:00Z');
    expect((await world.bill()).map(({ quantity }) => quantity).sort()).toEqual([12, 3]);
  });
});
