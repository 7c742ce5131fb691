// What every ledger and usage store promises, tried against the real engine and against the memory ports alike.
import { expect, test } from 'vitest';
import { type AuditEntry, newActionId } from '../../lambdas/domain/amendment.ts';
import { hourShardKey, meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { UNTAGGED } from '../../lambdas/domain/tag-set.ts';
import type { LedgerStore, LiveRecord, UsageStore } from '../../lambdas/flow/ports.ts';
import { readMeters } from '../../lambdas/flow/read-meters.ts';
import { STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import { aCarry, anHour, aSealedHour, aTally, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';

const SHARD = shardOf(LICENCE_KEY);
const NOW = at('2026-09-21T11:20:00Z');

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

function noneMalformed(_key: object, fault: unknown): never {
  throw fault;
}

async function live(ledger: LedgerStore): Promise<LiveRecord[]> {
  return [
    ...(await all(ledger.open(SHARD % STATE_SHARDS, noneMalformed))),
    ...(await all(ledger.refused(noneMalformed))),
  ];
}

async function standing(ledger: LedgerStore, sealed: SealedHour = aSealedHour()): Promise<SealedHour> {
  const found = await ledger.sealed(sealed.hour, sealed.licenceKey, sealed.dimension);
  if (!found) throw new Error('The hour is not sealed.');
  return found;
}

export function describeUsageStore(make: () => Promise<UsageStore>): void {
  test('records an event once, and says "already" to the same and "conflict" to another content', async () => {
    const usage = await make();
    const event = aUsageEvent({ tags: { team: 'core', env: 'live' } });

    expect(await usage.put(event)).toBe('recorded');
    expect(await usage.put({ ...event, tags: { env: 'live', team: 'core' } })).toBe('already');
    expect(await usage.put({ ...event, quantity: 251 })).toBe('conflict');
    expect(await usage.put({ ...event, atMs: event.atMs + 1 })).toBe('conflict');
    expect(await usage.put({ ...event, tags: { team: 'edge' } })).toBe('conflict');
    expect(await all(usage.rows(event.hour, event.shard))).toMatchObject([{ quantity: 250 }]);
  });

  test('takes one id for another event in another hour, licence or dimension', async () => {
    const usage = await make();
    const licenceKey = 'l-ffffffffffffffffffffffffffffffff';

    expect(await usage.put(aUsageEvent())).toBe('recorded');
    expect(await usage.put(aUsageEvent({ dimension: 'gb_stored' }))).toBe('recorded');
    expect(await usage.put(aUsageEvent({ licenceKey }))).toBe('recorded');
    const later = { hour: anHour('2026-09-21T11'), atMs: at('2026-09-21T11:05:00Z') };
    expect(await usage.put(aUsageEvent(later))).toBe('recorded');
  });

  test('takes no tags and an empty list of tags for the same', async () => {
    const usage = await make();

    expect(await usage.put(aUsageEvent())).toBe('recorded');
    expect(await usage.put(aUsageEvent({ tags: {} }))).toBe('already');
  });

  test('gives the rows within bounds in order of their meters, the first bound in and the last out', async () => {
    const usage = await make();
    for (const dimension of ['a', 'ab', 'b', 'c']) {
      for (const eventId of ['1', '2']) await usage.put(aUsageEvent({ dimension, eventId }));
    }
    const meter = (dimension: string) => meterKey(LICENCE_KEY, dimension);

    const rows = await all(usage.rows(anHour(), SHARD, { from: meter('ab'), before: meter('c') }));
    const before = await all(usage.rows(anHour(), SHARD, { before: meter('ab') }));
    const from = await all(usage.rows(anHour(), SHARD, { licenceKey: LICENCE_KEY, from: meter('b') }));

    expect(rows.map((row) => row.meter)).toEqual(['ab', 'ab', 'b', 'b'].map(meter));
    expect(before.map((row) => row.meter)).toEqual(['a', 'a'].map(meter));
    expect(from.map((row) => row.meter)).toEqual(['b', 'b', 'c', 'c'].map(meter));
  });
}

export function describeLedgerStore(make: () => Promise<LedgerStore>, makeUsage: () => Promise<UsageStore>): void {
  test('keeps what rehearsals, corrections and entitlements write on a sealed hour', async () => {
    const ledger = await make();
    const sealed = aSealedHour({
      rehearsal: 'shadow',
      withheldQuantity: 40,
      creditedQuantity: 7,
      settledQuantity: 5,
      tagOverflowQuantity: 3,
      entitlement: {
        basis: 'perTerm',
        entitledQuantity: 1_000,
        usedBefore: 960,
        termStart: anHour('2026-09-01T00'),
        ownAccounted: 50,
        ownOverage: 10,
      },
    });
    await ledger.seal(sealed);

    expect(await ledger.sealed(sealed.hour, sealed.licenceKey, sealed.dimension)).toEqual(sealed);
  });

  test('seals an hour once, and keeps the sealed quantity when another closer comes with more', async () => {
    const ledger = await make();

    expect(await ledger.seal(aSealedHour())).toBe('sealed');
    expect(await ledger.seal(aSealedHour({}, aTally([{ quantity: 99_999 }])))).toBe('exists');
    expect(await standing(ledger)).toEqual(aSealedHour());
  });

  test('seals an hour as carried with all of its carries, or with none of them', async () => {
    const ledger = await make();
    const empty = aSealedHour({ status: 'carried' });
    const carries = [aCarry(), aCarry({ tagSet: '[["team","core"]]' })];

    expect(await ledger.sealCarried(empty, carries)).toBe('sealed');
    expect(await ledger.sealCarried(empty, [aCarry({ originAccounted: 5 })])).toBe('exists');

    const into = await all(ledger.entries(anHour('2026-09-21T12'), SHARD));
    expect(into).toHaveLength(2);
    expect(into).toEqual(expect.arrayContaining(carries));
  });

  test('seals nothing where one of the carries stands already', async () => {
    const ledger = await make();
    await ledger.sealCarried(aSealedHour({ status: 'carried' }), [aCarry()]);
    const other = aSealedHour({ status: 'carried', hour: anHour('2026-09-21T09') });

    expect(await ledger.sealCarried(other, [aCarry()])).toBe('exists');
    expect(await ledger.sealed(other.hour, other.licenceKey, other.dimension)).toBeUndefined();
  });

  test('carries once for an amount accounted for, and raises it', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    const carry = aCarry({ originAccounted: 12_500 });

    expect(await ledger.carry(aSealedHour(), carry, 'any')).toBe('carried');
    expect(await ledger.carry(aSealedHour(), carry, 'any')).toBe('moved');
    // The other closer is an hour later: its carry would have another key.
    expect(await ledger.carry(aSealedHour(), { ...carry, hour: anHour('2026-09-21T13') }, 'any')).toBe('moved');
    expect(await standing(ledger)).toMatchObject({
      accounted: 13_200,
      accountedByTagSet: { untagged: 13_200 },
      carriedOut: 700,
    });
    expect(await all(ledger.entries(anHour('2026-09-21T13'), SHARD))).toEqual([]);
  });

  test('carries a tag set that was never accounted for, once', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    const carry = aCarry({ tagSet: '[["team","core"]]' });

    expect(await ledger.carry(aSealedHour(), carry, 'any')).toBe('carried');
    expect(await ledger.carry(aSealedHour(), { ...carry, hour: anHour('2026-09-21T13') }, 'any')).toBe('moved');
    expect((await standing(ledger)).accounted).toBe(13_200);
  });

  test('carries nothing out of an hour that is not sealed', async () => {
    const ledger = await make();

    expect(await ledger.carry(aSealedHour({ accountedByTagSet: {} }), aCarry(), 'any')).toBe('moved');
    expect(await all(ledger.entries(anHour('2026-09-21T12'), SHARD))).toEqual([]);
  });

  test('carries into a sealed hour only where that is allowed', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    await ledger.seal(aSealedHour({ hour: anHour('2026-09-21T12') }));
    const carry = aCarry({ originAccounted: 12_500 });

    expect(await ledger.carry(aSealedHour(), carry, 'unsealed')).toBe('targetSealed');
    expect((await standing(ledger)).accounted).toBe(12_500);
    expect(await ledger.carry(aSealedHour(), carry, 'any')).toBe('carried');
  });

  test('holds late usage once, names each reason once, and shows it to an operator', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    const late = { tagSet: '', quantity: 45, reason: 'policy' };

    expect(await ledger.holdLate(aSealedHour(), late)).toBe('held');
    expect(await ledger.holdLate(aSealedHour(), late)).toBe('moved');
    expect(await ledger.holdLate(await standing(ledger), late)).toBe('held');
    expect(await standing(ledger)).toMatchObject({ accounted: 12_590, heldLate: 90, heldReasons: ['policy'] });
  });

  test('holds nothing on a record that was settled meanwhile, so that it can not fall off the list', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    await ledger.settle(aSealedHour(), { status: 'honoured', at: NOW });

    const late = { tagSet: '', quantity: 45, reason: 'policy' };

    expect(await ledger.holdLate(aSealedHour(), late)).toBe('moved');
    expect(await ledger.holdLate(await standing(ledger), late)).toBe('held');
  });

  test('lists what is not settled by its deadline, and brings a deadline forward but never back', async () => {
    const ledger = await make();
    const other = aSealedHour({ dimension: 'gb_stored', deadlineAt: aSealedHour().deadlineAt + 1 });
    const sooner = aSealedHour().deadlineAt - 3_600_000;
    await ledger.seal(aSealedHour());
    await ledger.seal(other);

    expect(await ledger.hasten(other, sooner)).toBe(true);
    expect(await ledger.hasten({ ...other, deadlineAt: sooner }, sooner + 60_000)).toBe(false);

    const references = await live(ledger);
    expect(references.map(({ meter, deadlineAt }) => [meter, deadlineAt])).toEqual([
      [meterKey(LICENCE_KEY, 'gb_stored'), sooner],
      [meterKey(LICENCE_KEY, 'requests'), aSealedHour().deadlineAt],
    ]);
    expect(references[0]?.partition).toBe(hourShardKey(anHour(), SHARD));
    expect((await ledger.records(references, noneMalformed)).map(({ dimension }) => dimension).sort()).toEqual([
      'gb_stored',
      'requests',
    ]);
  });

  test('lists what is settled and needs a person, latest deadline first, and nothing else', async () => {
    const ledger = await make();
    const expired = aSealedHour({ dimension: 'a', deadlineAt: aSealedHour().deadlineAt + 2 });
    const late = aSealedHour({ dimension: 'c', deadlineAt: aSealedHour().deadlineAt + 1 });
    for (const record of [aSealedHour(), expired, aSealedHour({ dimension: 'b' }), late]) await ledger.seal(record);
    await ledger.settle(expired, { status: 'expired', at: NOW });
    await ledger.settle(aSealedHour({ dimension: 'b' }), { status: 'honoured', at: NOW });
    await ledger.settle(late, { status: 'honoured', at: NOW });
    await ledger.holdLate({ ...late, status: 'honoured' }, { tagSet: UNTAGGED, quantity: 3, reason: 'policy' });

    const references = await all(ledger.attention(noneMalformed));

    expect(references.map(({ meter, status }) => [meter, status])).toEqual([
      [meterKey(LICENCE_KEY, 'a'), 'expired'],
      [meterKey(LICENCE_KEY, 'c'), 'honoured'],
    ]);
    expect((await ledger.records(references, noneMalformed)).map(({ heldLate }) => heldLate).sort()).toEqual([0, 3]);
    const since = async (deadlineAt: number) =>
      (await all(ledger.attention(noneMalformed, deadlineAt))).map(({ meter }) => meter);
    const [later, sooner] = references;
    expect(await since(sooner?.deadlineAt ?? 0)).toEqual([later?.meter, sooner?.meter]);
    expect(await since((sooner?.deadlineAt ?? 0) + 1)).toEqual([later?.meter]);
    expect(await since((later?.deadlineAt ?? 0) + 1)).toEqual([]);
  });

  test('hastens a record out of its waiting for another try', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    await ledger.settle(aSealedHour(), { status: 'open', at: NOW, nextAttemptAt: NOW + 900_000 });

    await ledger.hasten(await standing(ledger), NOW + 3_600_000);

    expect(await standing(ledger)).not.toHaveProperty('nextAttemptAt');
    expect(await live(ledger)).toMatchObject([{ deadlineAt: NOW + 3_600_000 }]);
  });

  test('notes an attempt on what is open or held, and on nothing else', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());

    expect(await ledger.intend(aSealedHour(), { id: 'a-1', at: NOW })).toBe(true);
    await ledger.settle(await standing(ledger), { status: 'held', at: NOW });
    expect(await ledger.intend(aSealedHour(), { id: 'a-2', at: NOW })).toBe(true);
    await ledger.settle(await standing(ledger), { status: 'quarantined', at: NOW });
    expect(await ledger.intend(aSealedHour(), { id: 'a-3', at: NOW })).toBe(false);
    expect(Object.keys((await standing(ledger)).attempts).sort()).toEqual(['a-1', 'a-2']);
  });

  test('writes no result where a further attempt, a hold, a new deadline or another result came between', async () => {
    const honoured = { status: 'honoured', at: NOW } as const;
    const between: ((ledger: LedgerStore) => Promise<unknown>)[] = [
      (ledger) => ledger.intend(aSealedHour(), { id: 'a-1', at: NOW }),
      (ledger) => ledger.holdLate(aSealedHour(), { tagSet: '', quantity: 45, reason: 'policy' }),
      (ledger) => ledger.hasten(aSealedHour(), NOW),
      (ledger) => ledger.settle(aSealedHour(), { status: 'held', at: NOW }),
    ];
    for (const meanwhile of between) {
      const ledger = await make();
      await ledger.seal(aSealedHour());
      await meanwhile(ledger);

      expect(await ledger.settle(aSealedHour(), honoured)).toBe(false);
      expect(await ledger.settle(await standing(ledger), honoured)).toBe(true);
    }
  });

  test('takes a refused attempt off the record, keeps the latest eight refusals, and counts all of them', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    await ledger.intend(aSealedHour(), { id: 'a-1', at: NOW });
    const counts: (number | undefined)[] = [];
    for (let round = 1; round <= 9; round++) {
      counts.push((await standing(ledger)).refusalCount);
      await ledger.settle(await standing(ledger), {
        status: 'open',
        at: NOW,
        refusedAttemptId: 'a-1',
        refusal: { at: NOW + round, code: 'ThrottlingException', requestId: `req-${round}` },
      });
    }

    const { attempts, refusals, refusalCount } = await standing(ledger);

    // Until then all of them stand there.
    expect(counts).toEqual(Array(9).fill(undefined));
    expect(refusalCount).toBe(9);
    await ledger.settle(await standing(ledger), { status: 'open', at: NOW });
    expect((await standing(ledger)).refusalCount).toBe(9);
    expect(attempts).toEqual({});
    expect(refusals.map(({ requestId }) => requestId)).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((each) => `req-${each}`));
  });

  test('takes a settled record off the list of live ones, and one that is tried again stays on it', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    await ledger.settle(aSealedHour(), { status: 'open', at: NOW, reason: 'X', nextAttemptAt: NOW + 60_000 });
    expect(await live(ledger)).toMatchObject([{ status: 'open', nextAttemptAt: NOW + 60_000 }]);

    await ledger.settle(await standing(ledger), { status: 'honoured', at: NOW, meteringRecordId: 'm-1' });

    expect(await live(ledger)).toEqual([]);
    const settled = await standing(ledger);
    expect(settled).toMatchObject({ status: 'honoured', meteringRecordId: 'm-1', settledAt: NOW });
    expect(settled).not.toHaveProperty('reason');
    expect(settled).not.toHaveProperty('nextAttemptAt');
  });

  test('gives every meter with its usage, its seal and its carries, whichever of them it has', async () => {
    const [ledger, usage] = [await make(), await makeUsage()];
    const dimensions = Array.from({ length: 12 }, (_, index) => `d${String(index).padStart(2, '0')}`);
    for (const [index, dimension] of dimensions.entries()) {
      if (index % 2 === 0) await usage.put(aUsageEvent({ dimension, quantity: 10 + index }));
      if (index % 3 === 0) await ledger.seal(aSealedHour({ dimension }));
      if (index % 5 === 0) {
        const hour = anHour();
        const carry = aCarry({ dimension, hour, originHour: anHour('2026-09-21T08') });
        await ledger.sealCarried(aSealedHour({ dimension, hour: anHour('2026-09-21T08') }), [carry]);
      }
    }

    const readings = [];
    for await (const reading of readMeters({ ledger, usage }, { hour: anHour(), shard: SHARD })) readings.push(reading);

    const seen = readings.map(({ dimension, sealed, tally }) => [dimension, sealed !== undefined, tally.used]);
    expect(seen).toEqual(
      dimensions.flatMap((dimension, index) => {
        const used = (index % 2 === 0 ? 10 + index : 0) + (index % 5 === 0 ? 700 : 0);
        return used > 0 || index % 3 === 0 ? [[dimension, index % 3 === 0, used]] : [];
      }),
    );
  });

  test('amends a record with its carries and its audit line, once per action, or writes none of it', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour({ status: 'expired', reason: 'neverSent' }));
    const before = await standing(ledger);
    const carry = aCarry({ quantity: 12_500, originAccounted: 12_500, actionId: anAudit().actionId });
    const after: SealedHour = { ...before, status: 'carried', carriedOut: 12_500, settledQuantity: 0 };
    const amendment = { after, carries: [carry], onlyInto: 'any', audit: anAudit() } as const;

    expect(await ledger.amend(before, amendment)).toBe('amended');
    expect(await ledger.amend(before, amendment)).toBe('already');
    expect(await ledger.amend(before, { ...amendment, audit: anAudit('b') })).toBe('moved');

    expect(await standing(ledger)).toEqual(after);
    expect(await all(ledger.entries(anHour('2026-09-21T12'), SHARD))).toEqual([carry]);
    expect(await all(ledger.audit('2026-09'))).toEqual([anAudit()]);
  });

  test('amends nothing where an attempt, a carry, a hold, a deadline or a result came between', async () => {
    const refusal = { at: NOW, code: 'ThrottlingException' };
    const between: ((ledger: LedgerStore) => Promise<unknown>)[] = [
      // Shown to AWS and refused for certain: no attempt stands, but the record may not be made smaller any more.
      async (ledger) => {
        await ledger.intend(aSealedHour(), { id: 'a-1', at: NOW });
        await ledger.settle(await standing(ledger), { status: 'open', at: NOW, refusedAttemptId: 'a-1', refusal });
      },
      (ledger) => ledger.intend(aSealedHour(), { id: 'a-1', at: NOW }),
      (ledger) => ledger.carry(aSealedHour(), aCarry({ originAccounted: 12_500 }), 'any'),
      (ledger) => ledger.holdLate(aSealedHour(), { tagSet: '', quantity: 45, reason: 'policy' }),
      (ledger) => ledger.hasten(aSealedHour(), NOW),
      (ledger) => ledger.settle(aSealedHour(), { status: 'held', at: NOW }),
    ];
    for (const meanwhile of between) {
      const ledger = await make();
      await ledger.seal(aSealedHour());
      await meanwhile(ledger);
      const changed = await standing(ledger);
      const after: SealedHour = { ...aSealedHour(), status: 'withheld', reason: 'operator' };

      expect(await ledger.amend(aSealedHour(), { after, carries: [], onlyInto: 'any', audit: anAudit() })).toBe(
        'moved',
      );
      expect(await standing(ledger)).toEqual(changed);
      expect(await ledger.action(anAudit().actionId)).toBeUndefined();
    }
  });

  test('amends nothing where its carries may only go into an hour that is not sealed, and it is', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour({ status: 'expired' }));
    await ledger.seal(aSealedHour({ hour: anHour('2026-09-21T12') }));
    const before = await standing(ledger);
    const after: SealedHour = { ...before, status: 'carried', carriedOut: 12_500, settledQuantity: 0 };
    const carries = [aCarry({ quantity: 12_500, actionId: anAudit().actionId })];

    expect(await ledger.amend(before, { after, carries, onlyInto: 'unsealed', audit: anAudit() })).toBe('targetSealed');
    expect(await standing(ledger)).toEqual(before);
    expect(await ledger.action(anAudit().actionId)).toBeUndefined();
  });

  test('takes off what an amendment leaves out, and lists the record by what it now is', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    await ledger.settle(aSealedHour(), { status: 'open', at: NOW, reason: 'Unprocessed', nextAttemptAt: NOW + 60_000 });
    const before = await standing(ledger);
    const { nextAttemptAt: _next, reason: _reason, ...rest } = before;
    const amend = (from: SealedHour, after: SealedHour, distinct: string) =>
      ledger.amend(from, { after, carries: [], onlyInto: 'any', audit: anAudit(distinct) });

    await amend(before, rest, 'a');
    const due = await live(ledger);
    await amend(rest, { ...rest, status: 'withheld', reason: 'operator', settledAt: NOW }, 'b');

    expect(due).toMatchObject([{ status: 'open' }]);
    expect(due[0]).not.toHaveProperty('nextAttemptAt');
    expect(await live(ledger)).toEqual([]);
    expect(await standing(ledger)).toEqual({ ...rest, status: 'withheld', reason: 'operator', settledAt: NOW });
  });

  test('notes no attempt of a sender who read the record before a part of it was withheld', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    const read = await standing(ledger);
    const after = { ...read, record: { ...read.record, quantity: 12_000 }, withheldQuantity: 500 };
    await ledger.amend(read, { after, carries: [], onlyInto: 'any', audit: anAudit() });

    expect(await ledger.intend(read, { id: 'a-1', at: NOW })).toBe(false);
    expect(await ledger.intend(await standing(ledger), { id: 'a-2', at: NOW })).toBe(true);
    expect(Object.keys((await standing(ledger)).attempts)).toEqual(['a-2']);
  });

  test('grants credits once per action, and lists what is not used up', async () => {
    const ledger = await make();
    const meter = { licenceKey: LICENCE_KEY, dimension: 'requests' };

    expect(await ledger.grantCredit(meter, 700, anAudit('a'))).toBe('granted');
    expect(await ledger.grantCredit(meter, 700, anAudit('a'))).toBe('already');
    expect(await ledger.grantCredit(meter, 300, anAudit('b'))).toBe('granted');

    const credits = await ledger.credits(SHARD);
    expect([...credits]).toEqual([[meterKey(LICENCE_KEY, 'requests'), { ...meter, granted: 1_000, applied: 0 }]]);
    expect((await ledger.credits((SHARD + 1) % 64)).size).toBe(0);
  });

  test('writes a credit off with the seal that takes it, once, and neither where it was used meanwhile', async () => {
    const ledger = await make();
    const meter = { licenceKey: LICENCE_KEY, dimension: 'requests' };
    await ledger.grantCredit(meter, 700, anAudit());
    const credit = { ...meter, granted: 700, applied: 0 };
    const sealed = aSealedHour({ creditedQuantity: 500 });
    const next = aSealedHour({ creditedQuantity: 700, hour: anHour('2026-09-21T11') });

    expect(await ledger.seal(sealed, credit)).toBe('sealed');
    expect(await ledger.seal(sealed, credit)).toBe('exists');
    expect(await ledger.seal(next, credit)).toBe('creditMoved');
    expect(await ledger.sealed(next.hour, LICENCE_KEY, 'requests')).toBeUndefined();
    expect([...(await ledger.credits(SHARD)).values()]).toEqual([{ ...credit, applied: 500 }]);
    expect(await ledger.seal({ ...next, creditedQuantity: 200 }, { ...credit, applied: 500 })).toBe('sealed');
    expect((await ledger.credits(SHARD)).size).toBe(0);
  });

  test('keeps audit lines by month and day in order of their acts, each once', async () => {
    const ledger = await make();
    const early = anAudit('z', at('2026-09-21T11:00:00Z'));
    const later = anAudit('a', at('2026-09-21T11:00:01Z'));
    const october = anAudit('a', at('2026-10-01T00:00:00Z'));
    for (const line of [october, later, early]) expect(await ledger.noteAction(line)).toBe('noted');

    expect(await ledger.noteAction({ ...early, why: 'another reason' })).toBe('already');
    expect(await all(ledger.audit('2026-09'))).toEqual([early, later]);
    expect(await all(ledger.audit('2026-10'))).toEqual([october]);
    expect(await all(ledger.audit('2026-09-21'))).toEqual([early, later]);
    expect(await all(ledger.audit('2026-09-20'))).toEqual([]);
    expect(await ledger.action(early.actionId)).toEqual(early);
    expect(await ledger.action(`${early.actionId}x`)).toBeUndefined();
  });

  test('tells the latest acts on a licence, or on a customer where an act names no licence, newest first', async () => {
    const ledger = await make();
    const { licenceKey: _licence, ...unnamed } = anAudit('c');
    const others = [
      { ...anAudit('b'), licenceKey: 'l-0000000000000000000000000000000b' },
      { ...unnamed, facts: { customerId: 'cus_1' } },
      { ...unnamed, actionId: newActionId(NOW, 'd') },
    ];
    const acts = [anAudit('a', NOW - 2), anAudit('a', NOW + 40 * 86_400_000), anAudit('a', NOW - 1)] as const;
    for (const audit of [...acts, ...others]) await ledger.noteAction(audit);

    expect(await ledger.auditOf(LICENCE_KEY, 2)).toEqual([acts[1], acts[2]]);
    expect(await ledger.auditOf('cus_1', 5)).toEqual([others[1]]);
  });
}

function anAudit(distinct = 'a', atMs = NOW): AuditEntry {
  return {
    actionId: newActionId(atMs, distinct),
    at: atMs,
    who: 'kim@example.com',
    why: 'the fault was mended',
    action: 'withhold',
    licenceKey: LICENCE_KEY,
    dimension: 'requests',
    hour: anHour(),
    facts: { units: 500, from: 'open' },
  };
}
