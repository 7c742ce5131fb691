import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { LateMarkers } from '../../client/late-markers.ts';
import { UsageUnconfirmed } from '../../client/usage-recorder.ts';
import { hourOf } from '../../lambdas/domain/hour.ts';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { aRecorder, throttled } from './recorder-world.ts';

const services = useServices();

const LATE = '2026-09-21T10:04:00Z';

/** A buyer whose hour of ten o'clock was closed with three units in it. */
async function aClosedHour() {
  const world = await startBackendWorld(services());
  const acme = await world.subscribe();
  await world.report([anEvent(acme, LATE, { quantity: 3 })]);
  await world.tick('2026-09-21T11:11:00Z');
  await world.clock.set(Date.parse('2026-09-21T11:30:00Z'));
  return { world, acme, endpoint: services().database.endpoint };
}

describe('usage that comes after its hour was closed', () => {
  test('leaves one marker for all events of a licence’s hour, after them', async () => {
    const { world, acme, endpoint } = await aClosedHour();
    const { recorder, commands } = aRecorder(world, endpoint);

    await recorder.record(Array.from({ length: 30 }, () => anEvent(acme, LATE)));

    expect(commands).toEqual([...Array.from({ length: 30 }, () => 'PutItemCommand'), 'UpdateItemCommand']);
  });

  test('is carried and billed at the next look', async () => {
    const { world, acme, endpoint } = await aClosedHour();
    const { recorder } = aRecorder(world, endpoint);

    await recorder.record(anEvent(acme, LATE, { quantity: 40 }));
    await world.tick('2026-09-21T11:31:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    expect((await world.bill()).map(({ hour, quantity }) => [hour, quantity])).toEqual([
      ['2026-09-21T10:00:00.000Z', 3],
      ['2026-09-21T11:00:00.000Z', 40],
    ]);
  });

  test('is not known to be safe before its marker stands, and the same object leaves it again', async () => {
    const { world, acme, endpoint } = await aClosedHour();
    let isDown = true;
    const { recorder } = aRecorder(world, endpoint, {
      retryForMs: 0,
      around: async (command, send) => {
        if (isDown && command === 'UpdateItemCommand') throw throttled();
        return send();
      },
    });
    const events = [anEvent(acme, LATE), anEvent(acme, '2026-09-21T11:20:00Z')];

    const fault = await recorder.record(events).catch((error: unknown) => error);
    isDown = false;
    const again = fault instanceof UsageUnconfirmed ? await recorder.record(fault.unconfirmed) : [];

    expect(fault).toMatchObject({ unconfirmed: [events[0]], outcomes: [undefined, { outcome: 'recorded' }] });
    expect(again).toMatchObject([{ outcome: 'already' }]);
    expect(await world.work.lateMarkers()).toMatchObject([{ hour: '2026-09-21T10' }]);
  });

  test('gets its marker though it was on time when a slow write began', async () => {
    const { world, acme, endpoint } = await aClosedHour();
    await world.clock.set(Date.parse('2026-09-21T12:05:00Z'));
    const { recorder } = aRecorder(world, endpoint, {
      around: async (command, send) => {
        if (command === 'PutItemCommand') await world.clock.set(Date.parse('2026-09-21T12:12:00Z'));
        return send();
      },
    });

    const outcome = await recorder.record(anEvent(acme, '2026-09-21T11:59:00Z'));

    expect(outcome).toMatchObject({ outcome: 'recorded' });
    expect(await world.work.lateMarkers()).toMatchObject([{ hour: '2026-09-21T11' }]);
  });
});

describe('late markers of one process', () => {
  test('share a write among those who wait, and never one that began before they asked', async () => {
    const written: number[] = [];
    const begun: number[] = [];
    const markers = new LateMarkers(async (_, shard) => {
      begun.push(shard);
      await delay(5);
      written.push(shard);
    });
    const hour = hourOf(Date.parse(LATE));

    const first = markers.leave(hour, 1);
    const rest = Promise.all([markers.leave(hour, 1), markers.leave(hour, 1), markers.leave(hour, 2)]);
    await first;
    const soonDone = written.filter((shard) => shard === 1).length;
    await rest;
    await markers.leave(hour, 1);

    expect(soonDone).toBe(1);
    expect(begun.filter((shard) => shard === 1)).toHaveLength(3);
    expect(begun.filter((shard) => shard === 2)).toHaveLength(1);
  });

  test('are tried anew for those who asked during a write that failed', async () => {
    let calls = 0;
    const markers = new LateMarkers(async () => {
      calls += 1;
      if (calls === 1) throw new Error('once');
    });
    const hour = hourOf(Date.parse(LATE));

    const ended = await Promise.allSettled([markers.leave(hour, 1), markers.leave(hour, 1), markers.leave(hour, 1)]);

    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(calls).toBe(2);
  });
});
