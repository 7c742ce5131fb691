import { BatchMeterUsageCommand } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { recordOf, startTestWorld } from './fixture.ts';

/** What AWS says at `now` of a record stamped `stamp`: its status, or the name of the exception. */
async function verdict(now: string, stamp: string, switches = {}): Promise<string | undefined> {
  const world = await startTestWorld({ clock: { mode: 'set', at: now } });
  await world.control('PUT', '/control/switches', switches);
  const agreement = await world.subscribe();
  const UsageRecords = [recordOf(agreement, { Timestamp: new Date(stamp) })];
  const answer = world.aws.send(new BatchMeterUsageCommand({ UsageRecords }));
  return answer.then(
    ({ Results }) => Results?.[0]?.Status,
    (error: Error) => error.name,
  );
}

describe('The window of BatchMeterUsage', () => {
  it.each([
    ['23:59:59.999 old', '2026-09-21T14:30:00Z', '2026-09-20T14:30:00.001Z', 'Success'],
    ['exactly 24 hours old', '2026-09-21T14:30:00Z', '2026-09-20T14:30:00.000Z', 'TimestampOutOfBoundsException'],
    ['five minutes ahead', '2026-09-21T14:30:00Z', '2026-09-21T14:35:00.000Z', 'Success'],
    [
      'more than five minutes ahead',
      '2026-09-21T14:30:00Z',
      '2026-09-21T14:35:00.001Z',
      'TimestampOutOfBoundsException',
    ],
    ['of last month, before 06:00 of the first', '2026-10-01T05:59:59.999Z', '2026-09-30T23:00:00Z', 'Success'],
    [
      'of last month, at 06:00 of the first',
      '2026-10-01T06:00:00.000Z',
      '2026-09-30T23:00:00Z',
      'TimestampOutOfBoundsException',
    ],
    [
      'of last month to the millisecond, at 06:00',
      '2026-10-01T06:00:00Z',
      '2026-09-30T23:59:59.999Z',
      'TimestampOutOfBoundsException',
    ],
    ['of this month, after 06:00 of the first', '2026-10-01T06:00:00.000Z', '2026-10-01T00:00:00Z', 'Success'],
    ['of last year, before 06:00 of New Year', '2027-01-01T05:59:59.999Z', '2026-12-31T23:00:00Z', 'Success'],
    [
      'of last year, at 06:00 of New Year',
      '2027-01-01T06:00:00.000Z',
      '2026-12-31T23:00:00Z',
      'TimestampOutOfBoundsException',
    ],
  ])('judges a record %s', async (_, now, stamp, expected) => {
    expect(await verdict(now, stamp)).toBe(expected);
  });

  it.each([
    ['2026-09-20T14:00:00.000Z', 'Success'],
    ['2026-09-20T13:59:59.999Z', 'TimestampOutOfBoundsException'],
  ])('counts the 24 hours from the running hour where so switched: %s', async (stamp, expected) => {
    expect(await verdict('2026-09-21T14:30:00Z', stamp, { windowEdge: 'floorHour' })).toBe(expected);
  });

  it.each([
    [0, '2026-09-21T14:30:00.001Z', 'TimestampOutOfBoundsException'],
    [0, '2026-09-21T14:30:00.000Z', 'Success'],
    [3600, '2026-09-21T15:30:00.000Z', 'Success'],
  ])('lets a stamp be %i seconds ahead where so switched', async (futureToleranceSeconds, stamp, expected) => {
    expect(await verdict('2026-09-21T14:30:00Z', stamp, { futureToleranceSeconds })).toBe(expected);
  });

  it('blames a record that is older than window and licence on its age', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe({ startAt: '2026-09-21T14:00:00Z' });
    const UsageRecords = [recordOf(agreement, { Timestamp: new Date('2026-09-20T13:00:00Z') })];

    await expect(world.aws.send(new BatchMeterUsageCommand({ UsageRecords }))).rejects.toMatchObject({
      name: 'TimestampOutOfBoundsException',
    });
  });

  it('refuses the whole call for one stamp out of bounds', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const UsageRecords = [recordOf(agreement), recordOf(agreement, { Timestamp: new Date('2026-09-20T14:30:00Z') })];

    await expect(world.aws.send(new BatchMeterUsageCommand({ UsageRecords }))).rejects.toMatchObject({
      name: 'TimestampOutOfBoundsException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(await world.bill()).toEqual([]);
  });
});
