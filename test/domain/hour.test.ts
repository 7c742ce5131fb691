import { describe, expect, test } from 'vitest';
import {
  addHours,
  hourEndMs,
  hourOf,
  hourStartMs,
  hoursBetween,
  laterHour,
  parseHour,
} from '../../lambdas/domain/hour.ts';
import { isQuantity } from '../../lambdas/domain/quantity.ts';
import { anHour, at } from '../builders.ts';

describe('hours', () => {
  test.each([
    ['2026-09-21T10:00:00.000Z', '2026-09-21T10'],
    ['2026-09-21T10:59:59.999Z', '2026-09-21T10'],
    ['2026-12-31T23:59:59.999Z', '2026-12-31T23'],
    ['2027-01-01T00:00:00.000Z', '2027-01-01T00'],
    ['2028-02-29T12:30:00.000Z', '2028-02-29T12'],
    // Clocks change in Berlin at 01:00 UTC: a UTC hour is an hour all the same.
    ['2026-10-25T01:30:00.000Z', '2026-10-25T01'],
  ])('puts the instant %s into the hour %s', (instant, hour) => {
    expect(hourOf(at(instant))).toBe(hour);
  });

  test('ends exactly where the next hour begins', () => {
    const hour = anHour('2026-12-31T23');

    expect(hourEndMs(hour)).toBe(hourStartMs(addHours(hour, 1)));
    expect(addHours(hour, 1)).toBe('2027-01-01T00');
    expect(addHours(hour, -24)).toBe('2026-12-30T23');
  });

  test.each([
    '2026-09-21',
    '2026-09-21T1',
    '2026-09-21T24',
    '2026-02-30T10',
    '2026-13-01T10',
    '2026-09-21T10:00',
    ' 2026-09-21T10',
    '',
  ])('does not read %j as an hour', (text) => {
    expect(parseHour(text)).toBeUndefined();
  });

  test('lists the hours from the first up to, not including, the end, over a day with a clock change', () => {
    const hours = hoursBetween(anHour('2026-10-24T23'), anHour('2026-10-26T00'));

    expect(hours).toHaveLength(25);
    expect(hours.at(0)).toBe('2026-10-24T23');
    expect(hours.at(-1)).toBe('2026-10-25T23');
    expect(hoursBetween(anHour(), anHour())).toEqual([]);
  });

  test('takes the later of two hours in either order', () => {
    const [early, late] = [anHour('2026-12-31T23'), anHour('2027-01-01T00')];

    expect(laterHour(early, late)).toBe(late);
    expect(laterHour(late, early)).toBe(late);
  });
});

describe('quantities', () => {
  test.each([0, 1, 2_147_483_648, Number.MAX_SAFE_INTEGER])('takes %d', (value) => {
    expect(isQuantity(value)).toBe(true);
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '3', 3n, null, undefined, [3]])(
    'takes %s for no quantity',
    (value) => {
      expect(isQuantity(value)).toBe(false);
    },
  );
});
