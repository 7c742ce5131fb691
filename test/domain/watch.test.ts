import { describe, expect, test } from 'vitest';
import type { RecordStatus } from '../../lambdas/domain/ledger.ts';
import { deadlineKindOf, isOverdue, isStuck, isSuspect, timesLeft, unitsIn } from '../../lambdas/domain/watch.ts';
import { anHour, aPolicy, aSealedHour, at } from '../builders.ts';

const POLICY = aPolicy();
const HOUR_MS = 3_600_000;

/** A record of 10:00 on the 21st, which AWS takes until 10:00 on the 22nd. */
const DEADLINE = at('2026-09-22T10:00:00Z');
const anEntry = (overrides: object = {}) => ({
  hour: anHour(),
  status: 'open' as RecordStatus,
  deadlineAt: DEADLINE,
  ...overrides,
});

describe('the rule that ends a record', () => {
  test('is the window of a day, but at the month’s end the month, and after an end of the licence that', () => {
    const monthEnd = anHour('2026-09-30T23');

    expect(deadlineKindOf(anHour(), DEADLINE, POLICY)).toBe('window');
    expect(deadlineKindOf(monthEnd, at('2026-10-01T06:00:00Z'), POLICY)).toBe('monthEnd');
    expect(deadlineKindOf(anHour(), at('2026-09-21T12:30:00Z'), POLICY)).toBe('ending');
    expect(deadlineKindOf(monthEnd, at('2026-10-01T00:40:00Z'), POLICY)).toBe('ending');
  });

  test('is the month’s from the hour on whose day would reach beyond its cut-off', () => {
    expect(deadlineKindOf(anHour('2026-09-30T06'), at('2026-10-01T06:00:00Z'), POLICY)).toBe('window');
    expect(deadlineKindOf(anHour('2026-09-30T07'), at('2026-10-01T06:00:00Z'), POLICY)).toBe('monthEnd');
  });
});

describe('a record is read before it counts', () => {
  test.each([
    ['held', anEntry({ status: 'held' }), '2026-09-21T11:11:00Z', true],
    ['quarantined', anEntry({ status: 'quarantined' }), '2026-09-21T11:11:00Z', true],
    ['open, of an hour that was closed just now', anEntry(), '2026-09-21T11:24:00Z', false],
    ['open, of an hour that should be long sent', anEntry(), '2026-09-21T11:25:00Z', true],
    ['open, of a licence that ends', anEntry({ deadlineAt: at('2026-09-21T12:00:00Z') }), '2026-09-21T11:01:00Z', true],
  ])('where it is %s: %#', (_, record, now, expected) => {
    expect(isSuspect(record, at(now), POLICY)).toBe(expected);
  });
});

describe('a record that was read is stuck', () => {
  const sealedAt = at('2026-09-21T11:10:00Z');
  const ending = at('2026-09-21T12:00:00Z');

  test.each([
    ['open, and the sender has had its time', {}, '2026-09-21T11:25:00Z', true],
    ['open, and the sender is at it', {}, '2026-09-21T11:24:59Z', false],
    ['open, late in its day, and sealed just now', { sealedAt: DEADLINE - HOUR_MS }, '2026-09-22T09:10:00Z', false],
    ['open, of a licence that ends, after three minutes', { deadlineAt: ending }, '2026-09-21T11:13:00Z', true],
    ['open, of a licence that ends, before them', { deadlineAt: ending }, '2026-09-21T11:12:59Z', false],
    ['held, at once', { status: 'held' }, '2026-09-21T11:10:01Z', true],
  ] as const)('where it is %s', (_, overrides, now, expected) => {
    expect(isStuck(aSealedHour({ sealedAt, ...overrides }), at(now), POLICY)).toBe(expected);
  });
});

describe('the time left', () => {
  test('is all that AWS gives where nothing waits', () => {
    expect(timesLeft([], at('2026-09-21T11:00:00Z'), POLICY)).toEqual({
      window: 24 * HOUR_MS,
      monthEnd: 24 * HOUR_MS,
      ending: HOUR_MS,
    });
  });

  test('is the least of each kind, and none of another kind’s', () => {
    const waiting = [
      anEntry(),
      anEntry({ hour: anHour('2026-09-21T12'), deadlineAt: at('2026-09-22T12:00:00Z') }),
      anEntry({ deadlineAt: at('2026-09-21T22:20:00Z') }),
    ];

    expect(timesLeft(waiting, at('2026-09-21T22:00:00Z'), POLICY)).toEqual({
      window: 12 * HOUR_MS,
      monthEnd: 24 * HOUR_MS,
      ending: 20 * 60_000,
    });
  });

  test('of what the sender has not expired yet is none, and never less', () => {
    expect(timesLeft([anEntry()], DEADLINE + 60_000, POLICY).window).toBe(0);
  });
});

test('an hour is overdue fifteen minutes after it was to be closed', () => {
  expect(isOverdue(anHour(), at('2026-09-21T11:24:59Z'), POLICY)).toBe(false);
  expect(isOverdue(anHour(), at('2026-09-21T11:25:00Z'), POLICY)).toBe(true);
  expect(isOverdue(anHour(), at('2026-09-21T11:25:00Z'), aPolicy({ settleDelayMs: HOUR_MS }))).toBe(false);
});

test.each([
  ['open', 12_500, 0],
  ['held', 12_500, 0],
  ['quarantined', 12_500, 0],
  ['disputed', 12_500, 0],
  ['uncertain', 12_500, 0],
  ['expired', 0, 12_500],
  ['honoured', 0, 0],
  ['presumed', 0, 0],
  ['withheld', 0, 0],
  ['carried', 0, 0],
] as const)('units of a record that is %s: %i at stake, %i lost', (status, atStake, lost) => {
  expect(unitsIn(aSealedHour({ status }))).toEqual({ atStake, lost });
  expect(unitsIn(aSealedHour({ status, heldLate: 40 }))).toEqual({ atStake: atStake + 40, lost });
});
