// Sending what is open: what a record, a call or a stored item that fails does to the others, and when a run stops.
import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import type { MeteringBatch } from '../../lambdas/domain/metering-batch.ts';
import type { BatchAnswer, Settlement } from '../../lambdas/domain/metering-result.ts';
import type { LedgerStore, LiveRecord, OnMalformed } from '../../lambdas/flow/ports.ts';
import { sendMetering } from '../../lambdas/flow/send-metering.ts';
import { STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import { anHour, aSealedHour, at, LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore } from '../doubles/memory-ports.ts';
import { MemoryWorkStore } from '../doubles/memory-work.ts';

const OTHER = 'l-00000000000000000000000000000001';
const NOW = at('2026-09-21T11:20:00Z');

/** Fails at what a test names: `intend d00`, `settle d03`, `records`, `open 5`; calls items of a dimension malformed. */
class FaultyLedger extends MemoryLedgerStore {
  readonly broken = new Set<string>();
  readonly malformed = new Set<string>();
  readonly #fail = (place: string) => {
    if (this.broken.has(place)) throw new Error('The item could not be written.');
  };

  override async *open(shard: number, onMalformed?: OnMalformed): AsyncGenerator<readonly LiveRecord[]> {
    this.#fail(`open ${shard}`);
    for await (const page of super.open(shard)) {
      const isBad = ({ meter }: LiveRecord) => this.malformed.has(`open ${dimensionOf(meter)}`);
      for (const reference of page.filter(isBad)) onMalformed?.(reference, new Error('Not an item of ours.'));
      yield page.filter((reference) => !isBad(reference));
    }
  }

  override async records(references: readonly LiveRecord[], onMalformed?: OnMalformed): Promise<readonly SealedHour[]> {
    for (const { meter } of references) this.#fail(`records ${dimensionOf(meter)}`);
    const isBad = ({ meter }: LiveRecord) => this.malformed.has(`records ${dimensionOf(meter)}`);
    for (const reference of references.filter(isBad)) onMalformed?.(reference, new Error('Not an item of ours.'));
    return super.records(references.filter((reference) => !isBad(reference)));
  }

  override async intend(sealed: SealedHour, attempt: { id: string; at: number }): Promise<boolean> {
    this.#fail(`intend ${sealed.dimension}`);
    return super.intend(sealed, attempt);
  }

  override async settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    this.#fail(`settle ${sealed.dimension}`);
    return super.settle(sealed, settlement);
  }
}

const dimensionOf = (meter: string) => meter.slice(meter.indexOf('#') + 1);
const name = (index: number) => `d${String(index).padStart(2, '0')}`;

function success(batch: MeteringBatch): BatchAnswer {
  return { kind: 'answered', answers: batch.records.map(() => ({ kind: 'success' })) };
}

/** Sealed records d00, d01, … of one licence, in the order of their deadlines, and an AWS that takes all of them. */
async function aWorld(count: number, overrides: (index: number) => Partial<SealedHour> = () => ({})) {
  const ledger = new FaultyLedger();
  for (let index = 0; index < count; index++) {
    const record = aSealedHour({ dimension: name(index), ...overrides(index) });
    await ledger.seal({ ...record, deadlineAt: overrides(index).deadlineAt ?? record.deadlineAt + index });
  }
  let ids = 0;
  const world = {
    ledger,
    work: new MemoryWorkStore(),
    nowMs: NOW,
    sent: [] as string[][],
    logged: [] as { code: string; facts?: object }[],
    answer: (batch: MeteringBatch): BatchAnswer | Promise<BatchAnswer> => success(batch),
    metering: {
      send: async (batch: MeteringBatch) => {
        world.sent.push(batch.records.map(({ dimension }) => dimension));
        return world.answer(batch);
      },
    },
    pace: { take: async () => {}, depart: async () => {}, throttled: () => {} },
    clock: () => world.nowMs,
    newId: () => (++ids).toString(16).padStart(8, '0'),
    limitCalls: <T>(task: () => Promise<T>) => task(),
    limitWrites: <T>(task: () => Promise<T>) => task(),
    log: {
      warn: (code: string, facts?: object) => void world.logged.push({ code, ...(facts && { facts }) }),
      error: (code: string, facts?: object) => void world.logged.push({ code, ...(facts && { facts }) }),
    },
    lingerMs: 0,
    stateShards: STATE_SHARDS,
  };
  return world;
}

type World = Awaited<ReturnType<typeof aWorld>>;

async function standing(world: World, index: number): Promise<SealedHour> {
  const found = await (world.ledger as LedgerStore).sealed(anHour(), LICENCE_KEY, name(index));
  if (!found) throw new Error(`Nothing is sealed for ${name(index)}.`);
  return found;
}

async function statuses(world: World, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, async (_, index) => (await standing(world, index)).status));
}

const honoured = (count: number) => Array<string>(count).fill('honoured');
const INCOMPLETE = { code: 'SendingIncomplete', retryable: true };

test('a line of what the run came to that can’t be written is named like any step, after everything was sent', async () => {
  const world = await aWorld(1);
  const sendings = { note: () => Promise.reject(new Error('down')) };

  await expect(sendMetering({ ...world, sendings }, () => true)).rejects.toMatchObject(INCOMPLETE);

  expect(await statuses(world, 1)).toEqual(honoured(1));
  expect(world.logged).toContainEqual({ code: 'SendFailed', facts: expect.objectContaining({ step: 'note' }) });
});

const invalidFor = (culprit: string) => (batch: MeteringBatch) =>
  batch.records.some(({ dimension }) => dimension === culprit)
    ? ({ kind: 'invalid', code: 'InvalidTagException' } as const)
    : success(batch);

describe('a record that can not be written or read', () => {
  test('is left out of the call when its intent fails, and every other record is sent and honoured', async () => {
    const world = await aWorld(60);
    world.ledger.broken.add('intend d00');

    await expect(sendMetering(world, () => true)).rejects.toMatchObject(INCOMPLETE);

    expect(world.sent.flat()).not.toContain('d00');
    expect(await statuses(world, 60)).toEqual(['open', ...honoured(59)]);
    const facts = expect.objectContaining({ step: 'intend', licenceKey: LICENCE_KEY, dimension: 'd00' });
    expect(world.logged).toEqual([{ code: 'SendFailed', facts }]);
  });

  test('keeps its attempt when its result fails, and is not sent again before the next run', async () => {
    const world = await aWorld(60);
    world.ledger.broken.add('settle d00');

    await expect(sendMetering(world, () => true)).rejects.toMatchObject({ facts: { failed: 1, honoured: 59 } });
    const during = await standing(world, 0);
    world.ledger.broken.clear();
    await sendMetering(world, () => true);

    expect(during).toMatchObject({ status: 'open', attempts: { '00000002': { at: NOW } } });
    expect(world.sent.flat().filter((dimension) => dimension === 'd00')).toHaveLength(2);
    expect(await statuses(world, 60)).toEqual(honoured(60));
  });

  test('has its hour summarised anew also where its result was written and the answer to that was lost', async () => {
    const world = await aWorld(1);
    const settle = world.ledger.settle.bind(world.ledger);
    // The SDK writes it again, and finds its condition failed.
    world.ledger.settle = async (sealed, settlement) => {
      await settle(sealed, settlement);
      return settle(sealed, settlement);
    };

    await sendMetering(world, () => true);

    expect(await statuses(world, 1)).toEqual(['honoured']);
    expect(await world.work.touchedHours()).toMatchObject([{ hour: anHour() }]);
  });

  test('does not stop what stands behind it when it can not be expired', async () => {
    const world = await aWorld(60, (index) => (index === 0 ? { deadlineAt: NOW - 1 } : {}));
    world.ledger.broken.add('settle d00');

    await expect(sendMetering(world, () => true)).rejects.toMatchObject(INCOMPLETE);

    expect(await statuses(world, 60)).toEqual(['open', ...honoured(59)]);
  });

  test.each(['open', 'records'])('is named and left out when %s finds it malformed', async (place) => {
    const world = await aWorld(60);
    world.ledger.malformed.add(`${place} d00`);

    await expect(sendMetering(world, () => true)).rejects.toMatchObject({ facts: { failed: 1 } });

    expect(await statuses(world, 60)).toEqual(['open', ...honoured(59)]);
    const facts = expect.objectContaining({ step: 'parse', meter: `${LICENCE_KEY}#d00` });
    expect(world.logged).toEqual([{ code: 'SendFailed', facts }]);
  });

  test('leaves those that are read apart from it to be sent', async () => {
    const world = await aWorld(60);
    world.ledger.broken.add('records d00');

    await expect(sendMetering(world, () => true)).rejects.toMatchObject(INCOMPLETE);

    expect((await statuses(world, 60)).slice(50)).toEqual(honoured(10));
  });

  test('leaves the other shards of the index to be sent', async () => {
    const world = await aWorld(1);
    const shard = (await standing(world, 0)).shard;
    world.ledger.broken.add(`open ${(shard + 1) % STATE_SHARDS}`);

    await expect(sendMetering(world, () => true)).rejects.toMatchObject(INCOMPLETE);

    expect(await statuses(world, 1)).toEqual(['honoured']);
  });
});

test('a record that the index shows in two lists, since it is just moving, is sent once', async () => {
  const world = await aWorld(2);
  const { open } = world.ledger;
  world.ledger.refused = async function* () {
    for (let shard = 0; shard < STATE_SHARDS; shard++) yield* open.call(world.ledger, shard);
  };

  await sendMetering(world, () => true);

  expect(await statuses(world, 2)).toEqual(honoured(2));
  expect(world.sent.flat()).toEqual([name(0), name(1)]);
});

describe('a call that throws', () => {
  test('is told at the end of the run, when the answers of the calls beside it have been written', async () => {
    const world = await aWorld(4, (index) => ({ productCode: index < 2 ? 'metrics-cloud' : 'other' }));
    world.answer = async (batch) => {
      if (batch.productCode === 'metrics-cloud') throw new Error('Never promised.');
      for (let turn = 0; turn < 5; turn++) await settled();
      return success(batch);
    };

    await expect(sendMetering(world, () => true)).rejects.toMatchObject({ facts: { failed: 1 } });

    expect(await statuses(world, 4)).toEqual(['open', 'open', 'honoured', 'honoured']);
    expect(Object.keys((await standing(world, 0)).attempts)).toHaveLength(1);
    expect(await world.work.takeLease('send-metering', 'next', NOW, NOW + 1)).toBe(true);
  });
});

describe('a run', () => {
  test('makes no call that its time ran out for while it waited for the pace', async () => {
    const world = await aWorld(3);
    let isOver = false;
    world.pace.take = async () => {
      isOver = true;
    };

    await sendMetering(world, () => !isOver);

    expect(world.sent).toEqual([]);
    expect((await standing(world, 0)).attempts).toEqual({});
  });

  test('leaves a region alone after three faults in a row, and sends the others what is theirs', async () => {
    // More of the region that is down than a round takes, all of them before what the other takes.
    const world = await aWorld(2_120, (index) => ({ meteringRegion: index < 2_100 ? 'us-east-1' : 'eu-west-1' }));
    world.limitCalls = oneByOne();
    world.answer = (batch) =>
      batch.meteringRegion === 'us-east-1'
        ? { kind: 'unknown', code: 'InternalServiceErrorException' }
        : success(batch);

    await sendMetering(world, () => true);

    expect(world.sent).toHaveLength(4);
    expect(world.ledger.sealedHours().filter(({ status }) => status === 'honoured')).toHaveLength(20);
  });

  test('leaves a product alone after three faults in a row, and sends what is of the other products of its region', async () => {
    const world = await aWorld(2_120, (index) => ({ productCode: index < 2_100 ? 'not-ours' : 'metrics-cloud' }));
    world.limitCalls = oneByOne();
    world.answer = (batch) =>
      batch.productCode === 'not-ours'
        ? { kind: 'refused', code: 'AccessDeniedException', isThrottled: false }
        : success(batch);

    await sendMetering(world, () => true);

    expect(world.sent).toHaveLength(4);
    expect(world.ledger.sealedHours().filter(({ status }) => status === 'honoured')).toHaveLength(20);
  });

  test('leaves a region alone once three products there got no answer in a row, however many more it has', async () => {
    const world = await aWorld(220, (index) =>
      index < 200 ? { productCode: `product-${index}` } : { meteringRegion: 'eu-west-1' },
    );
    world.limitCalls = oneByOne();
    world.answer = (batch) =>
      batch.meteringRegion === 'us-east-1' ? { kind: 'unknown', code: 'TimeoutError' } : success(batch);

    await sendMetering(world, () => true);

    expect(world.sent).toHaveLength(4);
    expect(world.ledger.sealedHours().filter(({ status }) => status === 'honoured')).toHaveLength(20);
  });

  test('sends what is of the other products of a region where one alone gets no answer, or many are denied', async () => {
    const world = await aWorld(2_120, (index) => ({
      productCode: index < 2_000 ? 'no-answer' : index < 2_100 ? `denied-${index}` : 'metrics-cloud',
    }));
    world.limitCalls = oneByOne();
    world.answer = ({ productCode, ...batch }) => {
      if (productCode === 'no-answer') return { kind: 'unknown', code: 'InternalServiceErrorException' };
      if (productCode !== 'metrics-cloud')
        return { kind: 'refused', code: 'AccessDeniedException', isThrottled: false };
      return success({ productCode, ...batch });
    };

    await sendMetering(world, () => true);

    expect(world.sent).toHaveLength(3 + 100 + 1);
    expect(world.ledger.sealedHours().filter(({ status }) => status === 'honoured')).toHaveLength(20);
  });

  test('leaves out a record whose deadline passed while it waited for the pace', async () => {
    const world = await aWorld(3, (index) => ({ deadlineAt: NOW + 30_000 + index * 30_000 }));
    world.pace.take = async () => {
      world.nowMs = NOW + 30_000;
    };

    await sendMetering(world, () => true);

    expect(world.sent).toEqual([['d01', 'd02']]);
    expect(await statuses(world, 3)).toEqual(['expired', 'honoured', 'honoured']);
  });

  test('stops in the middle of a halving when its time runs out, and the next run finds the record at fault', async () => {
    const world = await aWorld(8);
    world.answer = invalidFor('d07');

    await sendMetering(world, () => world.sent.length < 2);
    const during = [world.sent.length, await statuses(world, 8), (await standing(world, 7)).attempts];
    await sendMetering(world, () => true);

    expect(during).toEqual([2, [...honoured(4), 'open', 'open', 'open', 'open'], {}]);
    expect(await statuses(world, 8)).toEqual([...honoured(7), 'quarantined']);
  });

  test('leaves out of a half the records whose deadline passed since the whole was refused', async () => {
    const world = await aWorld(4, (index) => ({ deadlineAt: NOW + 20_000 + index * 60_000 }));
    world.answer = (batch) => {
      if (batch.records.length === 4) world.nowMs += 20_000;
      return invalidFor('d03')(batch);
    };

    await sendMetering(world, () => true);

    expect(world.sent[1]).toEqual(['d01']);
    expect(await statuses(world, 4)).toEqual(['expired', 'honoured', 'honoured', 'quarantined']);
  });

  test('holds a licence only when a second hour of it is refused: one may lie outside of its activation period', async () => {
    const hours = ['2026-09-21T08', '2026-09-21T09', '2026-09-21T10'].map(anHour);
    const world = await aWorld(3, (index) => ({ hour: hours[index] ?? anHour() }));
    world.limitCalls = oneByOne();
    let isLicenceBad = false;
    world.answer = (batch) =>
      isLicenceBad || batch.records.some(({ hour }) => hour === hours[0])
        ? { kind: 'invalid', code: 'InvalidLicenseException' }
        : success(batch);

    await sendMetering(world, () => true);
    const afterOne = await world.work.heldGroups();
    isLicenceBad = true;
    await world.ledger.seal(aSealedHour({ hour: anHour('2026-09-21T11'), deadlineAt: NOW + 3_600_000 }));
    await sendMetering(world, () => true);

    expect([...afterOne.keys()]).toEqual([`suspect licence ${LICENCE_KEY} 2026-09-21T08`]);
    expect([...(await world.work.heldGroups()).keys()]).toContain(`licence ${LICENCE_KEY}`);
  });

  test('quarantines the record at fault, and not one that it held and so had left out of the call', async () => {
    const world = await aWorld(3, (index) => ({
      productCode: index === 0 ? 'first' : 'second',
      ...(index < 2 && { licenceKey: OTHER, shard: shardOf(OTHER) }),
    }));
    // Another hour of the licence was refused before: this one is the second, at which the licence is held.
    const suspicion = { key: `suspect licence ${OTHER} 2026-09-21T08`, code: 'InvalidLicenseException', since: NOW };
    await world.work.holdGroup(suspicion);
    world.limitCalls = oneByOne();
    world.answer = (batch) =>
      batch.productCode === 'first'
        ? { kind: 'invalid', code: 'InvalidLicenseException' }
        : { kind: 'invalid', code: 'InvalidTagException' };

    await sendMetering(world, () => true);

    const sealed = world.ledger.sealedHours().sort((a, b) => a.deadlineAt - b.deadlineAt);
    expect(sealed.map(({ status }) => status)).toEqual(['quarantined', 'open', 'quarantined']);
  });

  test('keeps some 20 MB of records at a time, and sends all of them in the end', async () => {
    const long = 'x'.repeat(300_000);
    const world = await aWorld(150, () => ({ heldReasons: [long] }));
    const read: number[] = [];
    const records = world.ledger.records.bind(world.ledger);
    world.ledger.records = async (references, onMalformed) => {
      const found = await records(references, onMalformed);
      if (world.sent.length === 0) read.push(found.length);
      return found;
    };

    await sendMetering(world, () => true);

    expect(read.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(20_000_000 / 300_000 + 50);
    expect(world.sent.flat()).toHaveLength(150);
  });
});

describe('rounds of a run', () => {
  /** More than are in hand at a time: the run needs several rounds. */
  const MANY = 3_000;
  const name = (index: number) => `m${String(index).padStart(4, '0')}`;
  const many = async (overrides: (index: number) => Partial<SealedHour> = () => ({})) => {
    const world = await aWorld(0);
    for (let index = 0; index < MANY; index++) {
      const record = aSealedHour({ dimension: name(index), ...overrides(index) });
      await world.ledger.seal({ ...record, deadlineAt: overrides(index).deadlineAt ?? record.deadlineAt + index });
    }
    return world;
  };
  const statusCounts = (world: World) => Object.groupBy(world.ledger.sealedHours(), ({ status }) => status);

  /** Holds the first call back until all others have been answered. */
  function firstCallIsSlow(world: World, calls: number, onLast: () => void = () => {}) {
    let release = () => {};
    const others = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.answer = async (batch) => {
      if (world.sent.length === calls) {
        onLast();
        release();
      }
      if (batch.records[0]?.dimension === name(0)) await others;
      return success(batch);
    };
  }

  test('follow each other without waiting for a call that is slow', async () => {
    const world = await many();
    firstCallIsSlow(world, MANY / 25);

    await sendMetering(world, () => true);

    expect(world.sent).toHaveLength(MANY / 25);
    expect(statusCounts(world).honoured).toHaveLength(MANY);
  });

  test('leave alone what is in a call under way, also when its deadline passes meanwhile', async () => {
    const world = await many((index) => (index < 25 ? { deadlineAt: NOW + 600_000 + index } : {}));
    const settled: string[] = [];
    const settle = world.ledger.settle.bind(world.ledger);
    world.ledger.settle = async (sealed, settlement) => {
      if (sealed.dimension === name(0)) settled.push(settlement.status);
      return settle(sealed, settlement);
    };
    firstCallIsSlow(world, MANY / 25);
    const open = world.ledger.open.bind(world.ledger);
    world.ledger.open = (shard, onMalformed) => {
      // The looks after the first come when the record's deadline is over and its answer is still awaited.
      if (world.sent.length > 0) world.nowMs = NOW + 1_200_000;
      return open(shard, onMalformed);
    };

    await sendMetering(world, () => true);

    expect(settled).toEqual(['honoured']);
    expect(new Set(world.sent.flat()).size).toBe(world.sent.flat().length);
  });

  test('fill their calls up: what is left over at the end of one leads the next', async () => {
    const products = ['first', 'second', 'third'];
    const world = await many((index) => ({ productCode: products[index % 3] ?? '' }));

    await sendMetering(world, () => true);

    expect(world.sent).toHaveLength(3 * (MANY / 3 / 25));
    expect(statusCounts(world).honoured).toHaveLength(MANY);
  });

  test('let a call that is not full wait once for company in vain, and not at all near its deadline', async () => {
    const rare = (index: number) => index === 0 || index === 1_500;
    const soon = NOW + 60_000;
    const world = await many((index) => ({
      productCode: rare(index) ? `rare-${index}` : 'common',
      ...(index === 0 ? { deadlineAt: soon } : {}),
    }));
    const sentAfter = () => world.sent.findIndex((call) => call[0] === name(1_500));

    await sendMetering(world, () => true);

    expect(world.sent[0]).toEqual([name(0)]);
    expect(sentAfter()).toBeGreaterThan(0);
    expect(sentAfter()).toBeLessThan(world.sent.length - 1);
  });

  test('keep a group held that the run has held, also where a look does not show it yet', async () => {
    const world = await many();
    world.limitCalls = oneByOne();
    world.work.heldGroups = async () => new Map();
    world.answer = () => ({ kind: 'invalid', code: 'InvalidProductCodeException' });

    await sendMetering(world, () => true);

    expect(world.sent).toHaveLength(1);
    expect(statusCounts(world).open).toHaveLength(MANY);
  });

  test('send again in the same run what AWS throttled, wherever in the run it was', async () => {
    const world = await many();
    const throttled = [1, 40, 79, 80, 81, 119, 120, 125];
    world.answer = (batch) =>
      throttled.includes(world.sent.length)
        ? { kind: 'refused', code: 'ThrottlingException', isThrottled: true }
        : success(batch);

    await sendMetering(world, () => true);

    expect(statusCounts(world).honoured).toHaveLength(MANY);
    expect(world.sent.length).toBeLessThanOrEqual(MANY / 25 + throttled.length + 2);
  });

  test('end where none of their calls is made, instead of being read again and again', async () => {
    const world = await many();
    let rounds = 0;
    world.ledger.intend = async () => false;
    const heldGroups = world.work.heldGroups.bind(world.work);
    world.work.heldGroups = () => {
      rounds += 1;
      return heldGroups();
    };

    await sendMetering(world, () => true);

    expect(world.sent).toEqual([]);
    expect(rounds).toBeLessThanOrEqual(2);
  });
});

/** Runs tasks after each other, in the order in which they came. */
function oneByOne() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(task: () => Promise<T>): Promise<T> => {
    const next = last.then(task);
    last = next;
    return next;
  };
}

describe('a refusal that AWS had not named when this was written', () => {
  const unlistedFor = (culprit: string) => (batch: MeteringBatch) =>
    batch.records.some(({ dimension }) => dimension === culprit)
      ? ({ kind: 'unlisted', code: 'BrandNewException' } as const)
      : success(batch);

  test('costs only the record at fault: it stays open with its attempts, and nothing is held for it', async () => {
    const world = await aWorld(25);
    world.answer = unlistedFor('d03');

    await sendMetering(world, () => true);

    expect(await statuses(world, 25)).toEqual([...honoured(3), 'open', ...honoured(21)]);
    const { attempts, reason, nextAttemptAt = 0 } = await standing(world, 3);
    expect(Object.keys(attempts).length).toBeGreaterThan(0);
    expect(reason).toBe('BrandNewException');
    expect(nextAttemptAt).toBeGreaterThan(NOW);
    expect([...(await world.work.heldGroups()).keys()]).toEqual([]);
  });

  test('of everything makes few calls, and leaves AWS alone until the next run', async () => {
    const world = await aWorld(75);
    world.answer = () => ({ kind: 'unlisted', code: 'AccountSuspendedException' });

    await sendMetering(world, () => true);

    expect(world.sent.length).toBeLessThanOrEqual(20);
    expect(new Set(await statuses(world, 75))).toEqual(new Set(['open']));
  });
});
