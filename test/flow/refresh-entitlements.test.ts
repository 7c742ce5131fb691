import pLimit from 'p-limit';
import { describe, expect, test } from 'vitest';
import { type Entitlement, withAnswer } from '../../lambdas/domain/entitlement.ts';
import { Misconfigured, Unavailable } from '../../lambdas/domain/failure.ts';
import { HOUR_MS, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { Licence } from '../../lambdas/domain/licence.ts';
import type { EntitlementAnswer } from '../../lambdas/flow/entitlement-ports.ts';
import type { OnUnreadableLicence } from '../../lambdas/flow/ports.ts';
import {
  refreshAllEntitlements,
  refreshCustomer,
  refreshEntitlements,
} from '../../lambdas/flow/refresh-entitlements.ts';
import { aLicence, anHour, aProduct, at, LICENCE_KEY } from '../builders.ts';
import { MemoryEntitlementStore, MemoryRefreshProgress } from '../doubles/memory-entitlements.ts';
import { MemoryWorkStore } from '../doubles/memory-work.ts';

const NOW = at('2026-09-21T10:05:00Z');
const PRODUCT = 'backup';

function seats(value: number): Entitlement {
  return { dimension: 'seats', value: { kind: 'integer', value }, expiresAt: NOW + 9_000 * HOUR_MS };
}

function answered(...entitlements: readonly Entitlement[]): EntitlementAnswer {
  return { kind: 'answered', entitlements, foreign: 0 };
}

function keyOf(index: number): string {
  return `l-${index.toString(16).padStart(32, '0')}`;
}

function contractOf(licenceKey: string, overrides: Partial<Licence> = {}): Licence {
  return aLicence({ licenceKey, productCode: PRODUCT, pricingModel: 'contract', ...overrides });
}

type Answer = EntitlementAnswer | Error;

/** A world of licences; AWS says 50 seats of each unless a test says otherwise. */
function aWorld(licences: readonly Licence[] = [contractOf(LICENCE_KEY)], productPricing?: 'subscription') {
  const answers = new Map<string, Answer>();
  const logged: { code: string; facts: object }[] = [];
  const world = {
    nowMs: NOW,
    asked: [] as string[],
    answers,
    logged,
    /** Runs while AWS thinks. */
    meanwhile: async (): Promise<void> => {},
    entitlements: new MemoryEntitlementStore(),
    work: new MemoryWorkStore(),
    progress: new MemoryRefreshProgress(),
    products: new Map(
      productPricing ? [[PRODUCT, aProduct({ productCode: PRODUCT, pricingModel: productPricing })]] : [],
    ),
    clock: () => world.nowMs,
    limit: pLimit(4),
    log: { error: (code: string, facts: object = {}) => void logged.push({ code, facts }) },
    customers: {
      licence: async (licenceKey: string) => licences.find((each) => each.licenceKey === licenceKey),
      customer: async (customerId: string) => ({
        customerId,
        productCode: PRODUCT,
        licenceKeys: licences.map(({ licenceKey }) => licenceKey),
        createdAt: NOW,
        sequence: 0,
      }),
      async *licencesOfShard(shard: number) {
        for (const licence of licences) if (shardOf(licence.licenceKey) === shard) yield [licence];
      },
    },
    marketplace: {
      ask: async ({ licenceKey }: { licenceKey: string }): Promise<EntitlementAnswer> => {
        world.asked.push(licenceKey);
        await world.meanwhile();
        const answer = answers.get(licenceKey) ?? answered(seats(50));
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
  };
  return world;
}

const always = () => true;
const silence = () => new Unavailable('MarketplaceUnavailable', 'No answer.');

describe('refreshing a customer', () => {
  const keys = [1, 2, 3, 4].map(keyOf);

  test('asks for its contracts that are not long over, and one that fails keeps no other from it', async () => {
    const longAgo = NOW - 48 * HOUR_MS;
    const ended = { noticeAt: longAgo, revokedAt: longAgo, deprovisionedAt: longAgo };
    const [silent = '', refused = '', over = '', good = ''] = keys;
    const world = aWorld(keys.map((key) => contractOf(key, key === over ? { ending: ended } : {})));
    world.answers.set(silent, silence());
    world.answers.set(refused, { kind: 'refused', awsCode: 'InvalidParameterException' });

    expect(await refreshCustomer(world, 'cus_1', () => true)).toBe(3);

    expect(world.asked).toEqual([silent, refused, good]);
    expect([...world.entitlements.table.keys()]).toEqual([good]);
    expect(world.logged).toMatchObject([
      { code: 'EntitlementsNotRefreshed', facts: { licenceKey: silent, failureCode: 'MarketplaceUnavailable' } },
      { code: 'EntitlementsNotRefreshed', facts: { licenceKey: refused, awsCode: 'InvalidParameterException' } },
    ]);
  });

  test('asks for no further licence when its time is over: the rest is left to the schedule', async () => {
    const world = aWorld(keys.map((key) => contractOf(key)));

    expect(await refreshCustomer(world, 'cus_1', () => world.asked.length < 2)).toBe(2);
    expect(world.asked).toEqual(keys.slice(0, 2));
  });

  test('of a subscription asks for nothing', async () => {
    const world = aWorld([contractOf(LICENCE_KEY)], 'subscription');

    expect(await refreshCustomer(world, 'cus_1', () => true)).toBe(0);
    expect(world.asked).toEqual([]);
  });
});

describe('refreshing one licence', () => {
  test('writes down what AWS says, tells what changed, and then only when it was checked', async () => {
    const world = aWorld();

    const first = await refreshEntitlements(world, LICENCE_KEY);
    world.nowMs += 2 * HOUR_MS;
    const again = await refreshEntitlements(world, LICENCE_KEY);
    world.answers.set(LICENCE_KEY, answered(seats(80)));
    const changed = await refreshEntitlements(world, LICENCE_KEY);

    expect(first).toMatchObject({ kind: 'changed', before: undefined });
    expect(again).toEqual({ kind: 'unchanged' });
    expect(changed).toMatchObject({ kind: 'changed', before: { checkedAt: world.nowMs } });
    expect(world.entitlements.table.get(LICENCE_KEY)).toMatchObject({
      checkedAt: world.nowMs,
      versions: [{ entitlements: [seats(50)] }, { entitlements: [seats(80)] }],
    });
  });

  test('has the hours looked at again that waited for its answer, and none where AWS gave none', async () => {
    const world = aWorld();
    await world.work.awaitLicence(LICENCE_KEY, anHour(), shardOf(LICENCE_KEY));
    world.answers.set(LICENCE_KEY, silence());
    await expect(refreshEntitlements(world, LICENCE_KEY)).rejects.toBeInstanceOf(Unavailable);
    expect(await world.work.lateMarkers()).toEqual([]);

    world.answers.delete(LICENCE_KEY);
    await refreshEntitlements(world, LICENCE_KEY);

    expect(await world.work.lateMarkers()).toMatchObject([{ hour: anHour(), shard: shardOf(LICENCE_KEY) }]);
  });

  test('writes an end down as an empty answer, and keeps what was before', async () => {
    const world = aWorld();
    await refreshEntitlements(world, LICENCE_KEY);
    world.nowMs += HOUR_MS;
    world.answers.set(LICENCE_KEY, answered());

    expect(await refreshEntitlements(world, LICENCE_KEY)).toMatchObject({ kind: 'changed' });
    expect(world.entitlements.table.get(LICENCE_KEY)?.versions).toMatchObject([
      { entitlements: [seats(50)] },
      { entitlements: [] },
    ]);
  });

  test('keeps the last answer where AWS gives none, and where it refuses the question', async () => {
    const world = aWorld();
    await refreshEntitlements(world, LICENCE_KEY);
    const known = world.entitlements.table.get(LICENCE_KEY);
    world.nowMs += HOUR_MS;

    world.answers.set(LICENCE_KEY, silence());
    await expect(refreshEntitlements(world, LICENCE_KEY)).rejects.toBeInstanceOf(Unavailable);
    world.answers.set(LICENCE_KEY, { kind: 'refused', awsCode: 'InvalidParameterException' });
    expect(await refreshEntitlements(world, LICENCE_KEY)).toMatchObject({ kind: 'refused' });

    expect(world.entitlements.table.get(LICENCE_KEY)).toEqual(known);
  });

  test('takes an answer into account that another run wrote meanwhile', async () => {
    const world = aWorld();
    const other = withAnswer(undefined, LICENCE_KEY, [seats(70)], NOW - HOUR_MS);
    world.meanwhile = async () => void world.entitlements.table.set(LICENCE_KEY, other);

    expect(await refreshEntitlements(world, LICENCE_KEY)).toMatchObject({ kind: 'changed', before: other });
    expect(world.entitlements.table.get(LICENCE_KEY)?.versions).toHaveLength(2);
  });

  test('drops an answer that was overtaken by one which was asked for later', async () => {
    const world = aWorld();
    const newer = withAnswer(undefined, LICENCE_KEY, [], NOW + MINUTE_MS);
    world.meanwhile = async () => void world.entitlements.table.set(LICENCE_KEY, newer);

    expect(await refreshEntitlements(world, LICENCE_KEY)).toEqual({ kind: 'unchanged' });
    expect(world.entitlements.table.get(LICENCE_KEY)).toBe(newer);
  });

  test('asks again where the hour turned while AWS thought, and so never changes an hour that is over', async () => {
    const world = aWorld();
    world.nowMs = at('2026-09-21T10:59:59Z');
    world.meanwhile = async () => {
      world.nowMs = at('2026-09-21T11:00:02Z');
    };

    await refreshEntitlements(world, LICENCE_KEY);

    expect(world.asked).toHaveLength(2);
    expect(world.entitlements.table.get(LICENCE_KEY)?.versions).toMatchObject([{ from: '2026-09-21T11' }]);
  });

  test('gives up where other answers keep coming in between, and says so', async () => {
    const world = aWorld();
    world.entitlements.write = async () => 'moved';

    await expect(refreshEntitlements(world, LICENCE_KEY)).rejects.toMatchObject({ code: 'EntitlementsContended' });
  });

  test('asks nothing for a product without contracts, by the settings, nor for a licence that nobody knows', async () => {
    const world = aWorld([contractOf(LICENCE_KEY)], 'subscription');

    expect(await refreshEntitlements(world, LICENCE_KEY)).toEqual({ kind: 'noContract' });
    expect(await refreshEntitlements(world, keyOf(99))).toEqual({ kind: 'unknownLicence' });
    expect(world.asked).toEqual([]);
  });
});

describe('a scheduled run', () => {
  const keys = Array.from({ length: 40 }, (_, index) => keyOf(index));

  test('asks for each contract of every shard, once an hour', async () => {
    const world = aWorld([...keys.map((key) => contractOf(key)), aLicence({ licenceKey: keyOf(77) })]);

    const first = await refreshAllEntitlements(world, always);
    world.nowMs += HOUR_MS - 1;
    const early = await refreshAllEntitlements(world, always);
    world.nowMs += 1;
    const next = await refreshAllEntitlements(world, always);

    expect([...world.asked.slice(0, 40)].sort()).toEqual([...keys].sort());
    expect(first).toEqual({ asked: 40, changed: 40, unnamed: 0, failed: 0, isUnfinished: false });
    expect(early.asked).toBe(0);
    expect(next).toMatchObject({ asked: 40, changed: 0 });
  });

  test('asks at once where an expiry has come, so that a renewal is known before its first hour is closed', async () => {
    const world = aWorld([contractOf(LICENCE_KEY)]);
    const expiresAt = NOW + 10 * MINUTE_MS;
    world.answers.set(LICENCE_KEY, answered({ ...seats(50), expiresAt }));
    await refreshAllEntitlements(world, always);

    world.nowMs = expiresAt;
    const [due, again] = [await refreshAllEntitlements(world, always), await refreshAllEntitlements(world, always)];

    expect([due.asked, again.asked]).toEqual([1, 0]);
  });

  test('asks no more for a licence that ended more than a day ago', async () => {
    const ended = (hoursAgo: number) => {
      const noticeAt = NOW - hoursAgo * HOUR_MS;
      return contractOf(keyOf(hoursAgo), { ending: { noticeAt, revokedAt: noticeAt } });
    };
    const world = aWorld([ended(23), ended(25)]);

    await refreshAllEntitlements(world, always);

    expect(world.asked).toEqual([keyOf(23)]);
  });

  test('leaves the others alone where one fails, names it, and is loud at the end', async () => {
    const world = aWorld(keys.map((key) => contractOf(key)));
    world.answers.set(keyOf(3), silence());
    world.answers.set(keyOf(4), { kind: 'refused', awsCode: 'InvalidParameterException' });
    world.answers.set(keyOf(5), { kind: 'unnamed' });

    const run = refreshAllEntitlements(world, always);

    await expect(run).rejects.toMatchObject({
      code: 'RefreshIncomplete',
      facts: { asked: 38, changed: 37, unnamed: 1, failed: 2, isUnfinished: false },
    });
    expect(world.entitlements.table.size).toBe(37);
    expect(world.logged).toEqual([
      expect.objectContaining({ facts: expect.objectContaining({ licenceKey: keyOf(3), fault: 'Unavailable' }) }),
      expect.objectContaining({ facts: expect.objectContaining({ licenceKey: keyOf(4) }) }),
    ]);
  });

  test('goes on with the next shard where one cannot be read', async () => {
    const world = aWorld(keys.map((key) => contractOf(key)));
    const { dueTimes } = world.entitlements;
    const broken = shardOf(keyOf(0));
    world.entitlements.dueTimes = async (shard) => {
      if (shard === broken) throw silence();
      return dueTimes.call(world.entitlements, shard);
    };

    await expect(refreshAllEntitlements(world, always)).rejects.toMatchObject({ code: 'RefreshIncomplete' });

    expect([...world.asked].sort()).toEqual(keys.filter((key) => shardOf(key) !== broken).sort());
  });

  test('names each licence that can’t be read, and asks for those beside it, however many these are', async () => {
    const world = aWorld(keys.map((key) => contractOf(key)));
    const broken = shardOf(keyOf(0));
    const readAll = world.customers.licencesOfShard;
    world.customers.licencesOfShard = async function* (shard: number, onUnreadable?: OnUnreadableLicence) {
      const newer = Array.from({ length: 7 }, (_, index) => keyOf(100 + index));
      for (const key of shard === broken ? newer : []) {
        const fault = new Misconfigured('ItemNewer', 'Newer.');
        if (!onUnreadable) throw fault;
        onUnreadable(key, fault);
      }
      yield* readAll(shard);
    };

    await expect(refreshAllEntitlements(world, always)).rejects.toMatchObject({ facts: { asked: 40, failed: 7 } });

    expect(world.logged[0]).toMatchObject({ facts: { licenceKey: keyOf(100), failureCode: 'ItemNewer' } });
  });

  test('leaves AWS alone once it refuses one question after the other', async () => {
    const world = aWorld(keys.map((key) => contractOf(key)));
    for (const key of keys) world.answers.set(key, new Misconfigured('GetEntitlementsRefused', 'No.'));

    await expect(refreshAllEntitlements(world, always)).rejects.toMatchObject({ facts: { isUnfinished: true } });

    expect(world.asked.length).toBeLessThan(10);
  });

  test('goes on where the last one stopped for want of time, until every licence was asked for', async () => {
    const world = aWorld(keys.map((key) => contractOf(key)));
    /** Time for three licences. */
    const aShortRun = () => {
      const stopAt = world.asked.length + 3;
      return refreshAllEntitlements(world, () => world.asked.length < stopAt);
    };

    const starts: number[] = [];
    for (let run = 0; run < 14; run++) {
      starts.push(await world.progress.nextShard());
      await aShortRun();
    }

    expect([...world.asked].sort()).toEqual([...keys].sort());
    expect(starts.slice(0, 10)).toEqual([...starts.slice(0, 10)].sort((a, b) => a - b));
    expect(new Set(starts).size).toBeGreaterThan(5);
  });
});
