// What every work store promises, tried against the real engine and against the memory ports alike.
import { expect, test } from 'vitest';
import type { WorkStore } from '../../lambdas/flow/ports.ts';
import { anHour, at, LICENCE_KEY } from '../builders.ts';

const NOW = at('2026-09-21T11:20:00Z');

export function describeWorkStore(make: () => Promise<WorkStore>): void {
  test('clears a late marker only as it was read, so that usage marked meanwhile keeps its look', async () => {
    const work = await make();
    await work.markLate(anHour(), 5);
    const [read] = await work.lateMarkers();
    if (!read) throw new Error('The marker is missing.');
    await work.markLate(anHour(), 5);

    await work.clearLate(read, NOW);
    const [stays] = await work.lateMarkers();
    if (stays) await work.clearLate(stays, NOW);

    expect(stays).toMatchObject({ hour: '2026-09-21T10', shard: 5 });
    expect(await work.lateMarkers()).toEqual([]);
  });

  test('keeps a marker that was left after another look cleared the one before, however old the look', async () => {
    const work = await make();
    await work.markLate(anHour(), 5);
    const [slow] = await work.lateMarkers();
    const [quick] = await work.lateMarkers();
    if (!slow || !quick) throw new Error('The marker is missing.');
    await work.clearLate(quick, NOW);
    await work.sweepLate(NOW);
    await work.markLate(anHour(), 5);

    await work.clearLate(slow, NOW);

    expect(await work.lateMarkers()).toMatchObject([{ hour: '2026-09-21T10', shard: 5 }]);
  });

  test('sweeps markers that were cleared long ago, and no other', async () => {
    const work = await make();
    for (const shard of [5, 6]) await work.markLate(anHour(), shard);
    const [cleared] = await work.lateMarkers();
    if (cleared) await work.clearLate(cleared, NOW);

    await work.sweepLate(NOW + 1);
    await work.markLate(anHour(), 5);

    expect(await work.lateMarkers()).toMatchObject([{ shard: 5, version: 1 }, { shard: 6 }]);
  });

  test('remembers the shards that a look has done, until the look is done', async () => {
    const work = await make();
    await work.noteShards(anHour(), { looks: 1, shards: [0, 7, 63] });
    const during = await work.looks(anHour());
    await work.noteLooks({ hour: anHour(), looksDone: 1 });

    expect(during).toEqual([{ hour: '2026-09-21T10', looksDone: 0, partial: { looks: 1, shards: [0, 7, 63] } }]);
    expect(await work.looks(anHour())).toMatchObject([{ looksDone: 1 }]);
  });

  test('lists the markers of several hours and shards', async () => {
    const work = await make();
    for (const shard of [5, 63])
      for (const hour of ['2026-09-21T10', '2026-09-21T11']) await work.markLate(anHour(hour), shard);

    const markers = await work.lateMarkers();

    expect(markers.map(({ hour, shard }) => `${hour}#${shard}`).sort()).toEqual([
      '2026-09-21T10#5',
      '2026-09-21T10#63',
      '2026-09-21T11#5',
      '2026-09-21T11#63',
    ]);
  });

  test('marks the waiting hours of a licence late when it is released, once, and those of no other', async () => {
    const work = await make();
    await work.awaitLicence(LICENCE_KEY, anHour(), 5);
    await work.awaitLicence(LICENCE_KEY, anHour(), 5);
    await work.awaitLicence(LICENCE_KEY, anHour('2026-09-21T11'), 5);
    await work.awaitLicence(`${LICENCE_KEY}0`, anHour('2026-09-21T12'), 7);

    expect(await work.releaseAwaiting(LICENCE_KEY)).toBe(2);
    expect(await work.releaseAwaiting(LICENCE_KEY)).toBe(0);
    expect((await work.lateMarkers()).map(({ hour }) => hour)).toEqual(['2026-09-21T10', '2026-09-21T11']);
  });

  test('raises the watermark and never lowers it', async () => {
    const work = await make();

    expect(await work.watermark()).toBeUndefined();
    await work.raiseWatermark(anHour('2026-12-31T23'));
    await work.raiseWatermark(anHour('2026-09-21T10'));
    expect(await work.watermark()).toBe('2026-12-31T23');
    await work.raiseWatermark(anHour('2027-01-01T00'));
    expect(await work.watermark()).toBe('2027-01-01T00');
  });

  test('keeps the furthest progress of an hour’s looks, whoever notes it last', async () => {
    const work = await make();
    await work.noteLooks({ hour: anHour(), looksDone: 2 });
    await work.noteLooks({ hour: anHour(), looksDone: 1 });
    await work.noteLooks({ hour: anHour('2026-09-21T11'), looksDone: 1 });

    expect(await work.looks(anHour())).toEqual([
      { hour: '2026-09-21T10', looksDone: 2 },
      { hour: '2026-09-21T11', looksDone: 1 },
    ]);
    expect(await work.looks(anHour('2026-09-21T11'))).toHaveLength(1);
  });

  test('keeps the mark of an hour that was marked again since it was read, however often it was cleared before', async () => {
    const work = await make();
    await work.markTouched([anHour(), anHour('2026-09-21T11'), anHour()]);
    const [slow] = await work.touchedHours();
    const [quick, other] = await work.touchedHours();
    if (!slow || !quick || !other) throw new Error('A mark is missing.');
    await work.clearTouched(quick);
    await work.clearTouched(other);
    expect(await work.touchedHours()).toEqual([]);
    await work.markTouched([anHour()]);

    await work.clearTouched(slow);

    expect(await work.touchedHours()).toMatchObject([{ hour: '2026-09-21T10' }]);
  });

  test('moves the progress of the fixed summaries on and never back, each look by itself', async () => {
    const work = await make();
    expect(await work.summarizedBefore(0)).toBeUndefined();
    await work.noteSummarized(0, anHour('2026-09-21T12'));
    await work.noteSummarized(0, anHour('2026-09-21T10'));

    expect(await work.summarizedBefore(0)).toBe('2026-09-21T12');
    expect(await work.summarizedBefore(1)).toBeUndefined();
  });

  test('gives a lease to one holder until it runs out or is dropped', async () => {
    const work = await make();
    const take = (holder: string, nowMs: number) => work.takeLease('send-metering', holder, nowMs, nowMs + 120_000);

    expect(await take('first', NOW)).toBe(true);
    expect(await take('second', NOW + 119_999)).toBe(false);
    expect(await take('first', NOW + 60_000)).toBe(true);
    expect(await take('second', NOW + 179_999)).toBe(false);
    expect(await take('second', NOW + 180_000)).toBe(true);
    await work.dropLease('send-metering', 'first');
    expect(await take('first', NOW + 180_001)).toBe(false);
    await work.dropLease('send-metering', 'second');
    expect(await take('first', NOW + 180_002)).toBe(true);
  });

  test('holds a group from its first fault on until it is released', async () => {
    const work = await make();
    const key = 'dimension metrics-cloud requests';
    await work.holdGroup({ key, code: 'InvalidUsageDimensionException', since: NOW });
    await work.holdGroup({ key, code: 'InvalidUsageDimensionException', since: NOW + 1 });

    expect((await work.heldGroups()).get(key)).toEqual({ key, code: 'InvalidUsageDimensionException', since: NOW });
    expect(await work.releaseGroup(key)).toBe(true);
    expect(await work.releaseGroup(key)).toBe(false);
    expect((await work.heldGroups()).size).toBe(0);
  });
}
