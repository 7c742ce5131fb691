// Closing what is due: what a fault at one place does to the others, and what is looked at again.
import { describe, expect, test } from 'vitest';
import { HOUR_MS } from '../../lambdas/domain/hour.ts';
import { SHARD_COUNT, shardOf } from '../../lambdas/domain/keys.ts';
import { parseUsageRow } from '../../lambdas/domain/usage-row.ts';
import { closeDueHours } from '../../lambdas/flow/close-due-hours.ts';
import type { LedgerStore } from '../../lambdas/flow/ports.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { aLicence, anHour, aPolicy, aProduct, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';

const OTHER = 'l-00000000000000000000000000000001';
const SETTLED = at('2026-09-21T11:10:00Z');
/** Of the hour of 10. */
const LAST_LOOK = at('2026-09-22T10:10:00Z');

/** Two licences in shards of their own, each with usage in the hour of 10. */
async function aWorld() {
  const stores = {
    usage: new MemoryUsageStore(),
    ledger: new MemoryLedgerStore() as LedgerStore,
    customers: new MemoryLicences(),
    work: new MemoryWorkStore(),
    rejects: new MemoryRejectStore(),
    entitlements: { entitlements: async () => undefined },
  };
  for (const licenceKey of [LICENCE_KEY, OTHER]) {
    stores.customers.add(aLicence({ licenceKey }));
    await stores.usage.put(aUsageEvent({ licenceKey }));
  }
  await stores.work.raiseWatermark(anHour('2026-09-21T09'));
  const world = {
    ...stores,
    nowMs: SETTLED,
    logged: [] as string[],
    clock: () => world.nowMs,
    limit: <T>(task: () => Promise<T>) => task(),
    log: { warn: () => {}, error: (code: string) => void world.logged.push(code) },
    products: new Map([['metrics-cloud', aProduct()]]),
    policy: aPolicy(),
  };
  return world;
}

type World = Awaited<ReturnType<typeof aWorld>>;

/** The ledger fails for one shard while `isBroken`: an item that can't be read, a partition that is throttled. */
function breakShard(world: World, shard: number, method: 'entries' | 'seal'): { isBroken: boolean } {
  const state = { isBroken: true };
  const { ledger } = world;
  const guard = (at: number) => {
    if (state.isBroken && at === shard) throw new Error('The partition could not be reached.');
  };
  world.ledger = Object.assign(Object.create(ledger) as LedgerStore, {
    ...(method === 'seal' && {
      seal: async (...args: Parameters<LedgerStore['seal']>) => {
        guard(args[0].shard);
        return ledger.seal(...args);
      },
    }),
    ...(method === 'entries' && {
      entries: async function* (...args: Parameters<LedgerStore['entries']>) {
        guard(args[1]);
        yield* ledger.entries(...args);
      },
    }),
    sealed: ledger.sealed.bind(ledger),
    ...(method === 'seal' ? { entries: ledger.entries.bind(ledger) } : { seal: ledger.seal.bind(ledger) }),
  });
  return state;
}

const accounted = async (world: World) => (await world.ledger.sealed(anHour(), LICENCE_KEY, 'requests'))?.accounted;

const isSealed = async (world: World, licenceKey: string) =>
  (await world.ledger.sealed(anHour(), licenceKey, 'requests')) !== undefined;

describe('closing what is due', () => {
  test.each(['entries', 'seal'] as const)(
    'closes every other place when one fails at %s, says so, and closes that one when it can',
    async (method) => {
      const world = await aWorld();
      const state = breakShard(world, shardOf(LICENCE_KEY), method);

      await expect(closeDueHours(world, () => true)).rejects.toMatchObject({ code: 'ClosingIncomplete' });
      const during = [await isSealed(world, LICENCE_KEY), await isSealed(world, OTHER)];
      state.isBroken = false;
      await closeDueHours(world, () => true);

      expect(during).toEqual([false, true]);
      expect(world.logged).toContain('CloseFailed');
      expect(await isSealed(world, LICENCE_KEY)).toBe(true);
    },
  );

  test('keeps the marker of a late event that could not be carried', async () => {
    const world = await aWorld();
    await closeDueHours(world, () => true);
    await world.usage.put(aUsageEvent({ eventId: 'late', quantity: 9 }));
    await world.work.markLate(anHour(), shardOf(LICENCE_KEY));
    const { ledger } = world;
    const carry = ledger.carry.bind(ledger);
    ledger.carry = () => Promise.reject(new Error('The transaction could not be written.'));

    await expect(closeDueHours(world, () => true)).rejects.toMatchObject({ code: 'ClosingIncomplete' });
    const kept = await world.work.lateMarkers();
    ledger.carry = carry;
    const { carried } = await closeDueHours(world, () => true);

    expect(kept).toHaveLength(1);
    expect(carried).toBe(1);
    expect(await world.work.lateMarkers()).toEqual([]);
  });

  test('raises the watermark past an hour only when its last look was made without a fault', async () => {
    const world = await aWorld();
    const state = breakShard(world, shardOf(LICENCE_KEY), 'entries');
    world.nowMs = SETTLED + 24 * HOUR_MS;
    await closeDueHours(world, () => true).catch(() => undefined);
    const during = await world.work.watermark();

    state.isBroken = false;
    await closeDueHours(world, () => true);

    expect(during).toBe('2026-09-21T09');
    expect(await world.work.watermark()).toBe('2026-09-21T12');
  });

  test('marks an hour as touched, too, whose look came to an end half-way', async () => {
    const world = await aWorld();
    world.products = new Map([['metrics-cloud', aProduct({ dimensions: ['gb_stored', 'requests'] })]]);
    world.usage = new MemoryUsageStore();
    for (const dimension of ['gb_stored', 'requests']) await world.usage.put(aUsageEvent({ dimension }));
    const rows = world.usage.rows.bind(world.usage);
    world.usage.rows = async function* (hour, shard, bounds) {
      yield* rows(hour, shard, bounds);
      if (hour === anHour() && shard === shardOf(LICENCE_KEY)) throw new Error('The next page could not be read.');
    };

    await expect(closeDueHours(world, () => true)).rejects.toMatchObject({ code: 'ClosingIncomplete' });

    expect(await world.ledger.sealed(anHour(), LICENCE_KEY, 'gb_stored')).toMatchObject({ accounted: 250 });
    expect((await world.work.touchedHours()).map(({ hour }) => hour)).toEqual([anHour()]);
  });

  test('finds the usage of days before its first run ever, as where a right was missing from the start', async () => {
    const world = await aWorld();
    world.work = new MemoryWorkStore();
    world.nowMs = SETTLED + 4 * 24 * HOUR_MS;

    const { sealed, carried } = await closeDueHours(world, () => true);

    // AWS takes nothing more of that hour: it is billed in the one that runs.
    expect({ sealed, carried }).toEqual({ sealed: 0, carried: 2 });
    expect(await accounted(world)).toBe(250);
  });

  test('goes on from where its first run ever began, however little time that one had', async () => {
    const world = await aWorld();
    world.work = new MemoryWorkStore();
    world.nowMs = SETTLED + 7 * 24 * HOUR_MS - 2 * HOUR_MS;
    await closeDueHours(world, () => false);
    world.nowMs += 3 * HOUR_MS;

    await closeDueHours(world, () => true);

    expect(await accounted(world)).toBe(250);
  });

  test('stops when time runs out with its progress kept, and goes on from there, oldest hour first', async () => {
    const world = await aWorld();
    let left = 1;

    await closeDueHours(world, () => left-- > 0);
    const done = await world.work.looks(anHour('2026-09-21T09'));
    const sealed = await isSealed(world, LICENCE_KEY);
    await closeDueHours(world, () => true);

    expect(done.map(({ hour }) => hour)).toEqual(['2026-09-21T09']);
    expect([sealed, await isSealed(world, LICENCE_KEY)]).toEqual([false, true]);
    expect(await world.work.looks(anHour())).toEqual([{ hour: '2026-09-21T10', looksDone: 1 }]);
  });

  test('goes on at the shards that a run without time left over, and looks at none of them twice', async () => {
    const world = await aWorld();
    await world.work.raiseWatermark(anHour());
    const looked: number[] = [];
    const entries = world.ledger.entries.bind(world.ledger);
    world.ledger.entries = (hour, shard, licenceKey) => {
      if (licenceKey === undefined) looked.push(shard);
      return entries(hour, shard, licenceKey);
    };

    let left = 21;
    await closeDueHours(world, () => left-- > 0);
    const inFirst = looked.length;
    await closeDueHours(world, () => true);

    expect(inFirst).toBe(20);
    expect(looked.toSorted((a, b) => a - b)).toEqual(Array.from({ length: SHARD_COUNT }, (_, shard) => shard));
    expect(await world.work.looks(anHour())).toMatchObject([{ looksDone: 1 }]);
  });

  test('looks first at the hours that nobody has looked at, however many others are to be looked at again', async () => {
    const world = await aWorld();
    await closeDueHours(world, () => true);
    world.nowMs = SETTLED + 2 * HOUR_MS;
    const order: string[] = [];
    const noteLooks = world.work.noteLooks.bind(world.work);
    world.work.noteLooks = async (progress) => {
      order.push(progress.hour);
      await noteLooks(progress);
    };

    await closeDueHours(world, () => true);

    expect(order).toEqual(['2026-09-21T11', '2026-09-21T12', '2026-09-21T09', '2026-09-21T10']);
  });

  test('tells by when a dimension that the settings do not list has to be listed; what is listed by then is billed', async () => {
    const world = await aWorld();
    world.products = new Map([['metrics-cloud', aProduct({ dimensions: ['gb_stored'] })]]);
    await closeDueHours(world, () => true);
    world.nowMs = LAST_LOOK - 1;
    await closeDueHours(world, () => true);
    const [reject] = world.rejects.kept.values();

    world.products = new Map([['metrics-cloud', aProduct()]]);
    world.nowMs = LAST_LOOK;
    await closeDueHours(world, () => true);

    expect(reject?.message).toContain('before 2026-09-22T10:10:00.000Z');
    expect(await accounted(world)).toBe(250);
  });

  test('looks again at usage of a dimension that was listed too late once a late marker asks for it, and not before', async () => {
    const world = await aWorld();
    world.products = new Map([['metrics-cloud', aProduct({ dimensions: ['gb_stored'] })]]);
    for (const nowMs of [SETTLED, SETTLED + 2 * HOUR_MS, LAST_LOOK]) {
      world.nowMs = nowMs;
      await closeDueHours(world, () => true);
    }
    world.products = new Map([['metrics-cloud', aProduct()]]);
    world.nowMs = LAST_LOOK + HOUR_MS;
    await closeDueHours(world, () => true);
    const unasked = await accounted(world);

    await world.work.markLate(anHour(), shardOf(LICENCE_KEY));
    await closeDueHours(world, () => true);

    expect(unasked).toBeUndefined();
    expect(await accounted(world)).toBe(250);
  });

  test('keeps a licence on the list of endings when a further step is noted as it is taken off, until it has looked again', async () => {
    const world = await aWorld();
    const { customers } = world;
    await customers.noteEnding(LICENCE_KEY, { noticeAt: SETTLED });
    const finish = customers.finishEnding.bind(customers);
    customers.finishEnding = async (...read) => {
      await customers.noteEnding(LICENCE_KEY, { noticeAt: SETTLED, deprovisionedAt: SETTLED + HOUR_MS });
      return finish(...read);
    };
    world.nowMs = SETTLED + 48 * HOUR_MS;

    await closeDueHours(world, () => true);
    const afterFirst = await customers.endingLicences();
    await closeDueHours(world, () => true);

    expect(afterFirst.map(({ licenceKey }) => licenceKey)).toEqual([LICENCE_KEY]);
    expect(await customers.endingLicences()).toEqual([]);
  });

  test('bills good rows beside thousands of bad ones, and keeps a thousand of those for the operator', async () => {
    const world = await aWorld();
    world.usage = Object.assign(Object.create(world.usage) as MemoryUsageStore, {
      rows: async function* (hour: string, shard: number) {
        if (hour !== anHour() || shard !== shardOf(LICENCE_KEY)) return;
        const item = toUsageItem(aUsageEvent());
        const bad = (index: number) => parseUsageRow({ ...item, sk: `${item.sk}-${index}`, quantity: 0.5 });
        yield [parseUsageRow(item), ...Array.from({ length: 3_000 }, (_, index) => bad(index))];
      },
    });

    const { rejected } = await closeDueHours(world, () => true);

    expect(rejected).toBe(3_000);
    expect(world.rejects.kept.size).toBe(1_000);
    expect(world.logged).toContain('RejectsCut');
    expect(await isSealed(world, LICENCE_KEY)).toBe(true);
  });
});
