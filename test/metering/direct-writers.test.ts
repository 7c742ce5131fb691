// Sellers who write usage rows themselves: a bad row spoils nothing, and a row that changes wakes somebody.
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { hourShardKey, shardOf } from '../../lambdas/domain/keys.ts';
import { fromItem, toItem } from '../../lambdas/stores/dynamo.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { anEvent, type BackendWorld, type Subscription, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour, at, aUsageEvent } from '../builders.ts';

const services = useServices();

async function write(world: BackendWorld, of: Pick<Subscription, 'licenceKey'>, overrides: object = {}): Promise<void> {
  const event = aUsageEvent({ licenceKey: of.licenceKey, shard: shardOf(of.licenceKey), eventId: 'direct' });
  const Item = toItem({ ...toUsageItem(event), ...overrides });
  await world.client.send(new PutItemCommand({ TableName: world.tables.usage, Item }));
}

async function rejects(world: BackendWorld) {
  const { Items = [] } = await world.client.send(new ScanCommand({ TableName: world.tables.rejects }));
  return Items.map(fromItem);
}

const broken = (world: BackendWorld) => world.logged.filter(({ code }) => code === 'LedgerBroken');

describe('a row that a seller wrote', () => {
  test('is billed like one that came through the door, tags and all', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await write(world, acme, { tags: { team: 'core' } });

    await world.tick('2026-09-21T11:11:00Z');

    expect(await world.bill()).toMatchObject([
      { quantity: 250, allocations: [{ AllocatedUsageQuantity: 250, Tags: [{ Key: 'team', Value: 'core' }] }] },
    ]);
  });

  test('of an hour that is sealed is found at the next fixed look, two hours later', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 3 })]);
    await world.tick('2026-09-21T11:11:00Z');
    await write(world, acme);

    await world.tick('2026-09-21T13:00:00Z');
    await world.tick('2026-09-21T14:11:00Z');

    expect((await world.bill()).map(({ hour, quantity }) => [hour.slice(11, 13), quantity])).toEqual([
      ['10', 3],
      ['13', 250],
    ]);
  });

  test('that can not be billed is kept once in the rejects with what is wrong, and its neighbours are billed', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'oneDimension' } });
    const acme = await world.subscribe();
    const { licenceKey } = acme;
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 3 })]);
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 4, dimension: 'gb_stored' })]);
    await world.tick('2026-09-21T11:11:00Z');
    const wrongShard = hourShardKey(anHour(), (shardOf(licenceKey) + 1) % 64);
    const sk = (event: string) => `${licenceKey}#requests#${event}`;
    const bad: [string, object][] = [
      // The first three sort between the rows of good meters, or of their licence.
      ['keyMalformed', { sk: `${licenceKey}#requests #e1` }],
      ['keyMalformed', { sk: `${licenceKey}!#requests#e1` }],
      ['keyMalformed', { sk: `${licenceKey}#requests` }],
      ['keyMalformed', { sk: sk('a#b') }],
      ['keyMalformed', { sk: sk('a#c') }],
      ['keyMalformed', { sk: sk('~2026-09-21T09.untagged.0') }],
      ['quantityNotWhole', { sk: sk('fraction'), quantity: 0.5 }],
      ['quantityNotWhole', { sk: sk('text'), quantity: '5' }],
      ['timeOutsideHour', { sk: sk('seconds'), time: at('2026-09-21T10:05:00Z') / 1_000 }],
      ['shardWrong', { sk: sk('shard'), pk: wrongShard }],
      ['tagsInvalid', { sk: sk('tags'), tags: ['team'] }],
    ];
    for (const [, overrides] of bad) await write(world, acme, overrides);
    await world.report([anEvent(acme, '2026-09-21T10:06:00Z', { quantity: 50 })]);

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T13:00:00Z');

    const billed = (await world.bill()).filter(({ quantity }) => quantity > 0);
    expect(billed.map(({ quantity }) => quantity).sort((a, b) => a - b)).toEqual([3, 4, 50]);
    const codes = (await rejects(world)).map(({ code }) => code);
    expect(codes.sort()).toEqual(bad.map(([code]) => code).sort());
    expect(broken(world)).toEqual([]);
    const books = await world.books('2026-09-21T10', '2026-09-21T13');
    expect(books.filter(({ difference }) => difference !== 0)).toEqual([]);
  });

  test('over a row that was sealed wakes somebody, and nothing is touched', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await write(world, acme);
    await world.tick('2026-09-21T11:11:00Z');
    const sealed = await world.ledger.sealed(anHour(), acme.licenceKey, 'requests');

    await write(world, acme, { quantity: 200 });
    await world.tick('2026-09-21T13:00:00Z');

    expect(broken(world)).toMatchObject([
      { level: 'error', facts: { problem: 'usedBelowAccounted', used: 200, accounted: 250 } },
    ]);
    expect(await world.ledger.sealed(anHour(), acme.licenceKey, 'requests')).toEqual(sealed);
    expect((await world.books('2026-09-21T10', '2026-09-21T11'))[0]?.difference).toBe(-50);
  });

  test('over a row that was sealed, with more in it, wakes somebody, too', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await write(world, acme);
    await world.tick('2026-09-21T11:11:00Z');

    await write(world, acme, { quantity: 300 });
    await world.tick('2026-09-21T13:00:00Z');

    expect(broken(world)).toMatchObject([{ facts: { problem: 'rowsOverwritten', used: 300, accounted: 250 } }]);
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([250]);
  });

  test('with an amount past all exact numbers stops its own meter only', async () => {
    const world = await startBackendWorld(services());
    const [acme, other] = [await world.subscribe(), await world.subscribe()];
    await write(world, acme, { quantity: Number.MAX_SAFE_INTEGER });
    await world.report([
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 3 }),
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 4, dimension: 'gb_stored' }),
      anEvent(other, '2026-09-21T10:05:00Z', { quantity: 5 }),
    ]);

    await world.tick('2026-09-21T11:11:00Z');

    expect((await world.bill()).map(({ quantity }) => quantity).sort()).toEqual([4, 5]);
    expect(broken(world)).toMatchObject([{ facts: { problem: 'quantityOverflow' } }]);
  });
});
