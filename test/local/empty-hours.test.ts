// Hours that the clock was moved over: empty ones are passed, and whatever stands in one of them is found.
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { addHours, type HourStart, hoursBetween } from '../../lambdas/domain/hour.ts';
import { passEmptyHours } from '../../local/empty-hours.ts';
import { anEvent, type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour, aPolicy, at, aUsageEvent } from '../builders.ts';

const services = useServices();

const START = '2026-09-21T10';
/** Four days on: at 10:05, the hour of 10 the day before has one look ahead of it. */
const LATER = at('2026-09-25T10:05:00Z');
const LAST_PAST_ITS_LOOKS = anHour('2026-09-24T09');

async function looksDone(world: BackendWorld): Promise<ReadonlyMap<HourStart, number>> {
  return new Map((await world.work.looks(anHour(START))).map((each) => [each.hour, each.looksDone]));
}

async function passUntil(world: BackendWorld, atMs: number): Promise<number> {
  await world.clock.set(atMs);
  return passEmptyHours(world, aPolicy());
}

test('Moving the clock over days passes the empty hours that are past their last look, and those only', async () => {
  const world = await startBackendWorld(services());
  const acme = await world.subscribe();
  await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 3 })]);
  const written = aUsageEvent({
    licenceKey: acme.licenceKey,
    hour: anHour('2026-09-23T04'),
    atMs: at('2026-09-23T04:30:00Z'),
    quantity: 40,
  });
  await world.usage.put(written);

  await passUntil(world, LATER);
  const noted = await looksDone(world);
  await world.backend.closeHours();

  const between = hoursBetween(anHour('2026-09-21T11'), addHours(LAST_PAST_ITS_LOOKS, 1));
  expect([...noted.keys()].sort()).toEqual(between.filter((hour) => hour !== written.hour));
  expect(new Set(noted.values())).toEqual(new Set([3]));
  expect(await world.work.watermark()).toBe(addHours(LAST_PAST_ITS_LOOKS, 1));
  // What stood in the hours between is found, though too late for its own hour.
  for (const [hour, carriedOut] of [
    [anHour(START), 3],
    [written.hour, 40],
  ] as const) {
    expect(await world.ledger.sealed(hour, acme.licenceKey, 'requests')).toMatchObject({ carriedOut });
  }
});

test('Usage that is reported for an hour after it was passed is found by its late marker', async () => {
  const world = await startBackendWorld(services());
  const acme = await world.subscribe();
  await passUntil(world, LATER);
  const hour = LAST_PAST_ITS_LOOKS;
  const { licenceKey } = acme;
  const late = aUsageEvent({ licenceKey, hour, atMs: at('2026-09-24T09:30:00Z'), quantity: 7 });
  await world.usage.put(late);
  await world.work.markLate(hour, late.shard);

  await world.backend.closeHours();

  expect(await world.ledger.sealed(hour, acme.licenceKey, 'requests')).toMatchObject({
    accounted: 7,
    status: 'carried',
  });
});

test('A step of less than two days is left to the ordinary looks', async () => {
  const world = await startBackendWorld(services());

  expect(await passUntil(world, at('2026-09-22T23:05:00Z'))).toBe(0);
  expect([...(await looksDone(world)).keys()]).toEqual([]);
});

test('Of a new world, whose hours were never closed, the empty week before it is passed at once', async () => {
  const world = await startBackendWorld(services());
  const Key = { pk: { S: 'watermark' }, sk: { S: 'looks' } };
  await world.client.send(new DeleteItemCommand({ TableName: world.tables.work, Key }));

  const passed = await passEmptyHours(world, aPolicy());
  await world.backend.closeHours();

  expect(passed).toBe(7 * 24 - 24);
  expect(await world.work.watermark()).toBe(anHour('2026-09-20T10'));
});
