import { describe, expect, test } from 'vitest';
import {
  accessEndsAt,
  deadlineOf,
  lastHourOf,
  lastHourSealsAt,
  lastHourSealsByAt,
  mayClose,
  monthCutOffMs,
} from '../../lambdas/domain/deadline.ts';
import { mergeEnding } from '../../lambdas/domain/licence.ts';
import { anHour, aPolicy, at } from '../builders.ts';

const policy = aPolicy();
const notice = at('2026-09-21T10:50:00Z');

describe('the deadline of a record', () => {
  test.each([
    ['is 24 hours after the start of its hour', '2026-09-21T10', '2026-09-22T10:00:00Z'],
    ['is the month’s cut-off for the last hour of a month', '2026-09-30T23', '2026-10-01T06:00:00Z'],
    ['is the month’s cut-off where that comes first', '2026-09-30T07', '2026-10-01T06:00:00Z'],
    ['is 24 hours where the month’s cut-off comes at the same time', '2026-09-30T06', '2026-10-01T06:00:00Z'],
    ['is 24 hours where the month’s cut-off comes later', '2026-09-30T05', '2026-10-01T05:00:00Z'],
    ['is the cut-off of January for the last hour of a year', '2026-12-31T23', '2027-01-01T06:00:00Z'],
    ['is 24 hours on the first of a month', '2026-10-01T00', '2026-10-02T00:00:00Z'],
    ['is the cut-off after a leap day', '2028-02-29T20', '2028-03-01T06:00:00Z'],
    ['is 24 hours, not a day of the wall clock, where clocks change', '2026-10-24T20', '2026-10-25T20:00:00Z'],
  ])('%s', (_claim, hour, deadline) => {
    expect(deadlineOf(anHour(hour), undefined, policy)).toBe(at(deadline));
  });

  test('is an hour after AWS deprovisioned the licence', () => {
    const ending = { noticeAt: notice, deprovisionedAt: at('2026-09-21T10:50:31Z') };

    expect(deadlineOf(anHour(), ending, policy)).toBe(at('2026-09-21T11:50:31Z'));
    expect(deadlineOf(anHour(), { noticeAt: notice }, policy)).toBe(at('2026-09-22T10:00:00Z'));
  });

  test('of December’s usage is taken until 06:00 UTC on New Year’s Day', () => {
    expect(monthCutOffMs(at('2026-12-01T00:00:00Z'), policy)).toBe(at('2027-01-01T06:00:00Z'));
    expect(monthCutOffMs(at('2026-12-31T23:59:59.999Z'), policy)).toBe(at('2027-01-01T06:00:00Z'));
    expect(monthCutOffMs(at('2027-01-01T00:00:00Z'), policy)).toBe(at('2027-02-01T06:00:00Z'));
  });
});

describe('the end of a licence', () => {
  test('counts as revoked 40 minutes after its notice while no revocation has come', () => {
    expect(accessEndsAt({ noticeAt: notice }, policy)).toBe(at('2026-09-21T11:30:00Z'));
    expect(lastHourOf({ noticeAt: notice }, policy)).toBe('2026-09-21T11');
    expect(lastHourSealsAt({ noticeAt: notice }, policy)).toBe(at('2026-09-21T11:30:00Z'));
  });

  test('comes with the revocation, and its last hour is sealed once usage has drained for 10 minutes', () => {
    const ending = { noticeAt: notice, revokedAt: at('2026-09-21T10:50:31Z') };

    expect(accessEndsAt(ending, policy)).toBe(at('2026-09-21T10:50:31Z'));
    expect(lastHourOf(ending, policy)).toBe('2026-09-21T10');
    expect(lastHourSealsAt(ending, policy)).toBe(at('2026-09-21T11:00:31Z'));
  });

  test('comes with the deprovisioning where nobody spoke of a revocation, since AWS takes no later stamp', () => {
    const ending = { noticeAt: notice, deprovisionedAt: at('2026-09-21T10:50:31Z') };

    expect(lastHourOf(ending, policy)).toBe('2026-09-21T10');
    expect(lastHourSealsAt(ending, policy)).toBe(at('2026-09-21T11:00:31Z'));
  });

  test('seals its last hour at the latest half an hour before the final window closes', () => {
    const ending = { noticeAt: notice, revokedAt: notice, deprovisionedAt: at('2026-09-21T10:50:31Z') };

    expect(lastHourSealsByAt(ending, policy)).toBe(at('2026-09-21T11:20:31Z'));
  });

  test('is the same in whatever order its notices come, and however often', () => {
    const notices = [
      { noticeAt: notice },
      { noticeAt: notice + 31_000, deprovisionedAt: notice + 31_000 },
      { noticeAt: notice + 60_000, revokedAt: notice + 20_000 },
      { noticeAt: notice + 90_000, deprovisionedAt: notice + 90_000, revokedAt: notice + 90_000 },
    ];
    const merge = (list: typeof notices) => list.slice(1).reduce(mergeEnding, list[0] ?? { noticeAt: 0 });

    const forwards = merge([...notices, ...notices]);

    expect(merge(notices.toReversed())).toEqual(forwards);
    expect(forwards).toEqual({ noticeAt: notice, deprovisionedAt: notice + 31_000, revokedAt: notice + 20_000 });
  });
});

describe('closing an hour', () => {
  test('waits until the hour is over and has settled for 10 minutes, to the millisecond', () => {
    const due = at('2026-09-21T11:10:00Z');

    expect(mayClose(anHour(), undefined, due - 1, policy, true)).toBe(false);
    expect(mayClose(anHour(), undefined, due, policy, false)).toBe(true);
  });

  test('does not wait to settle for a past hour of an ending licence', () => {
    const ending = { noticeAt: notice };

    expect(mayClose(anHour('2026-09-21T10'), ending, at('2026-09-21T10:59:59.999Z'), policy, true)).toBe(false);
    expect(mayClose(anHour('2026-09-21T10'), ending, at('2026-09-21T11:00:00Z'), policy, false)).toBe(true);
  });

  test('of the last hour waits for the drain, then for the earlier hours, then for neither', () => {
    const ending = { noticeAt: notice, revokedAt: notice, deprovisionedAt: notice };
    const isClosed = (instant: string, earlierSettled: boolean) =>
      mayClose(anHour(), ending, at(instant), policy, earlierSettled);

    expect(isClosed('2026-09-21T10:59:59.999Z', true)).toBe(false);
    expect(isClosed('2026-09-21T11:00:00Z', true)).toBe(true);
    expect(isClosed('2026-09-21T11:19:59.999Z', false)).toBe(false);
    expect(isClosed('2026-09-21T11:20:00Z', false)).toBe(true);
  });
});
