// What every store promises to two who come at once, and to one who reads page by page while another writes. Tried
// against the real engine and against the memory ports alike.
import { expect, test } from 'vitest';
import { type AuditEntry, newActionId } from '../../lambdas/domain/amendment.ts';
import { meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import type { LedgerEntry } from '../../lambdas/domain/ledger.ts';
import type { LedgerStore, UsageStore, WorkStore } from '../../lambdas/flow/ports.ts';
import { readMeters } from '../../lambdas/flow/read-meters.ts';
import { aCarry, anHour, aSealedHour, aTally, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';

const SHARD = shardOf(LICENCE_KEY);
const NOW = at('2026-09-21T11:20:00Z');

function anAudit(distinct: string): AuditEntry {
  const actionId = newActionId(NOW, distinct);
  return { actionId, at: NOW, who: 'operator', why: 'a test', action: 'credit', facts: {} };
}

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

const entriesOf = (ledger: LedgerStore, hour = '2026-09-21T12'): Promise<LedgerEntry[]> =>
  all(ledger.entries(anHour(hour), SHARD));

export function describeUsageAtOnce(make: () => Promise<UsageStore>): void {
  test('records one of several events of one identity that come at once, whole, and answers for each', async () => {
    const usage = await make();
    const quantities = [250, 250, 251, 252];

    const outcomes = await Promise.all(quantities.map((quantity) => usage.put(aUsageEvent({ quantity }))));

    const rows = await all(usage.rows(anHour(), SHARD));
    const [stands] = rows;
    const expected = quantities.map((quantity) => (quantity === stands?.quantity ? 'already' : 'conflict'));
    expect(rows).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'recorded')).toHaveLength(1);
    expect(outcomes.map((outcome, index) => (outcome === 'recorded' ? expected[index] : outcome))).toEqual(expected);
  });

  test('gives each row of a meter once, in order, however many pages it takes', async () => {
    const usage = await make();
    const ids = Array.from({ length: 14 }, (_, index) => `e-${String(index).padStart(2, '0')}`);
    for (const dimension of ['a', 'b']) {
      await Promise.all(ids.map((eventId) => usage.put(aUsageEvent({ dimension, eventId }))));
    }

    const rows = await all(usage.rows(anHour(), SHARD));

    const keys = ['a', 'b'].flatMap((dimension) => ids.map((id) => `${meterKey(LICENCE_KEY, dimension)}#${id}`));
    expect(rows.map(({ sortKey }) => sortKey)).toEqual(keys);
  });

  test('gives every row that stood before a reading began, whatever is written while it goes on', async () => {
    const usage = await make();
    const before = ['b', 'd', 'f', 'h', 'j', 'l', 'n'];
    for (const eventId of before) await usage.put(aUsageEvent({ eventId }));

    const seen: string[] = [];
    for await (const page of usage.rows(anHour(), SHARD)) {
      seen.push(...page.map(({ sortKey }) => sortKey.slice(-1)));
      for (const eventId of ['a', 'c', 'e', 'm', 'z']) await usage.put(aUsageEvent({ eventId }));
    }

    expect(seen).toEqual([...seen].sort());
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => before.includes(id))).toEqual(before);
  });
}

export function describeLedgerAtOnce(make: () => Promise<LedgerStore>, makeUsage: () => Promise<UsageStore>): void {
  test('seals an hour for one of two closers that come at once, and keeps what that one sealed', async () => {
    const ledger = await make();
    const seals = [aSealedHour(), aSealedHour({}, aTally([{ quantity: 99_999 }]))];

    const outcomes = await Promise.all(seals.map((sealed) => ledger.seal(sealed)));

    expect([...outcomes].sort()).toEqual(['exists', 'sealed']);
    expect(await entriesOf(ledger, '2026-09-21T10')).toEqual([seals[outcomes.indexOf('sealed')]]);
  });

  test('carries for one of two closers that come at once, into its hour and no other', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    const hours = ['2026-09-21T12', '2026-09-21T13'];
    const carryInto = (hour: string) =>
      ledger.carry(aSealedHour(), aCarry({ hour: anHour(hour), originAccounted: 12_500 }), 'any');

    const outcomes = await Promise.all(hours.map(carryInto));

    const entries = await Promise.all(hours.map((hour) => entriesOf(ledger, hour)));
    expect([...outcomes].sort()).toEqual(['carried', 'moved']);
    expect(entries.map(({ length }) => length)).toEqual(outcomes.map((outcome) => Number(outcome === 'carried')));
    expect(await entriesOf(ledger, '2026-09-21T10')).toMatchObject([{ accounted: 13_200, carriedOut: 700 }]);
  });

  test('seals as carried for one of two that come at once: its carries stand, and none of the other', async () => {
    const ledger = await make();
    const empty = aSealedHour({ status: 'carried' });
    const carriesOf = (hour: string) =>
      ['', '[["team","core"]]'].map((tagSet) => aCarry({ hour: anHour(hour), tagSet }));
    const hours = ['2026-09-21T12', '2026-09-21T13'];

    const outcomes = await Promise.all(hours.map((hour) => ledger.sealCarried(empty, carriesOf(hour))));

    const entries = await Promise.all(hours.map((hour) => entriesOf(ledger, hour)));
    expect([...outcomes].sort()).toEqual(['exists', 'sealed']);
    expect(entries.map(({ length }) => length)).toEqual(outcomes.map((outcome) => (outcome === 'sealed' ? 2 : 0)));
  });

  test('never carries into an hour that is sealed at the same time, where only an unsealed one may take it', async () => {
    for (let round = 0; round < 4; round++) {
      const ledger = await make();
      await ledger.seal(aSealedHour());
      const carry = aCarry({ originAccounted: 12_500 });
      const target = aSealedHour({ hour: carry.hour });
      const writes = [() => ledger.carry(aSealedHour(), carry, 'unsealed'), () => ledger.seal(target)];

      const outcomes = await Promise.all((round % 2 === 0 ? writes : writes.reverse()).map((write) => write()));

      const accounted = (await ledger.sealed(anHour(), LICENCE_KEY, 'requests'))?.accounted;
      const isCarried = outcomes.includes('carried');
      expect(outcomes).toContain('sealed');
      expect(accounted).toBe(isCarried ? 13_200 : 12_500);
      expect(await entriesOf(ledger)).toHaveLength(isCarried ? 2 : 1);
    }
  });

  test('notes the attempts of two senders that come at once, and writes the result of one of them', async () => {
    const ledger = await make();
    await ledger.seal(aSealedHour());
    const intents = ['a-1', 'a-2'].map((id) => ledger.intend(aSealedHour(), { id, at: NOW }));
    expect(await Promise.all(intents)).toEqual([true, true]);
    const read = await ledger.sealed(anHour(), LICENCE_KEY, 'requests');
    if (!read) throw new Error('The hour is not sealed.');

    const results = (['honoured', 'presumed'] as const).map((status) => ledger.settle(read, { status, at: NOW }));
    const outcomes = await Promise.all(results);

    const after = await ledger.sealed(anHour(), LICENCE_KEY, 'requests');
    expect(Object.keys(after?.attempts ?? {}).sort()).toEqual(['a-1', 'a-2']);
    expect([...outcomes].sort()).toEqual([false, true]);
    expect(after?.status).toBe(outcomes[0] ? 'honoured' : 'presumed');
  });

  test('writes off a credit for one of two seals that come at once, and seals nothing for the other', async () => {
    const ledger = await make();
    await ledger.grantCredit({ licenceKey: LICENCE_KEY, dimension: 'requests' }, 500, anAudit('grant'));
    const credit = (await ledger.credits(SHARD)).get(meterKey(LICENCE_KEY, 'requests'));
    const hours = ['2026-09-21T10', '2026-09-21T11'];
    const sealedAt = (hour: string) => aSealedHour({ hour: anHour(hour), creditedQuantity: 300 });

    const outcomes = await Promise.all(hours.map((hour) => ledger.seal(sealedAt(hour), credit)));

    expect([...outcomes].sort()).toEqual(['creditMoved', 'sealed']);
    const entries = await Promise.all(hours.map((hour) => entriesOf(ledger, hour)));
    expect(entries.map(({ length }) => length)).toEqual(outcomes.map((outcome) => Number(outcome === 'sealed')));
    expect((await ledger.credits(SHARD)).get(meterKey(LICENCE_KEY, 'requests'))).toMatchObject({ applied: 300 });
  });

  test('grants a credit once for an action that comes twice at once', async () => {
    const ledger = await make();
    const grant = () => ledger.grantCredit({ licenceKey: LICENCE_KEY, dimension: 'requests' }, 500, anAudit('once'));

    const outcomes = await Promise.all([grant(), grant()]);

    expect([...outcomes].sort()).toEqual(['already', 'granted']);
    expect((await ledger.credits(SHARD)).get(meterKey(LICENCE_KEY, 'requests'))).toMatchObject({ granted: 500 });
  });

  test('reads a meter whole whose carries and rows take several pages', async () => {
    const [ledger, usage] = [await make(), await makeUsage()];
    await ledger.seal(aSealedHour());
    for (let origin = 0; origin < 8; origin++) {
      const originHour = anHour(`2026-09-21T0${origin}`);
      const carry = aCarry({ hour: anHour(), originHour, quantity: 10 + origin });
      await ledger.sealCarried(aSealedHour({ hour: originHour, status: 'carried' }), [carry]);
    }
    await ledger.seal(aSealedHour({ dimension: 'zz' }));
    for (let index = 0; index < 11; index++) await usage.put(aUsageEvent({ eventId: `e-${index}`, quantity: 100 }));

    const readings = [];
    for await (const reading of readMeters({ ledger, usage }, { hour: anHour(), shard: SHARD })) readings.push(reading);

    expect(readings.map(({ dimension, tally }) => [dimension, tally.seen.count, tally.seen.carriedIn])).toEqual([
      ['requests', 11, 108],
      ['zz', 0, 0],
    ]);
  });
}

export function describeWorkAtOnce(make: () => Promise<WorkStore>): void {
  test('counts each of several marks that come at once, so that a clear of the one before leaves the marker', async () => {
    const work = await make();
    await work.markLate(anHour(), 5);
    const [read] = await work.lateMarkers();
    if (!read) throw new Error('The marker is missing.');

    await Promise.all([work.markLate(anHour(), 5), work.clearLate(read, NOW), work.markLate(anHour(), 5)]);

    expect(await work.lateMarkers()).toEqual([{ ...read, version: read.version + 2 }]);
  });

  test('gives a free lease to one of two that ask at once', async () => {
    const work = await make();
    const take = (holder: string) => work.takeLease('send-metering', holder, NOW, NOW + 120_000);

    const taken = await Promise.all(['first', 'second'].map(take));

    expect([...taken].sort()).toEqual([false, true]);
  });

  test('ends at the furthest of several watermarks that are raised at once', async () => {
    const work = await make();
    const hours = ['2026-09-21T10', '2026-09-21T12', '2026-09-21T11'];

    await Promise.all(hours.map((hour) => work.raiseWatermark(anHour(hour))));

    expect(await work.watermark()).toBe('2026-09-21T12');
  });
}
