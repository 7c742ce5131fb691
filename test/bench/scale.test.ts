// What a month costs on paper, against the page and against the database's own counts.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hourUnits, monthOf, SIZES, scaleTables } from '../../bench/scale.ts';
import { countedHour } from '../../bench/scale-counts.ts';

describe('costs and scale', () => {
  test('stand in docs/cost.md as they are computed', () => {
    const page = readFileSync(new URL('../../docs/cost.md', import.meta.url), 'utf8');
    const [, tables] = /<!-- scale -->\n([\s\S]*?)<!-- \/scale -->/.exec(page) ?? [];

    expect(tables).toBe(scaleTables());
  });

  test.each([
    { customers: 20, eventsAMeter: 5, eventsAReport: 100 },
    { customers: 150, eventsAMeter: 12, eventsAReport: 500 },
  ])('go by units as the database counts them: $customers customers', { timeout: 120_000 }, async (size) => {
    const { events, records, intake, looks, sending } = await countedHour(size);
    const reports = Math.ceil(events / size.eventsAReport);

    const told = hourUnits({ customers: size.customers, events, records, reports });

    const counted = {
      writes: intake.writes + looks.writes + sending.writes,
      reads: intake.reads + looks.reads + sending.reads,
    };
    // Writes to the unit, but for the sender's lease; reads within a tenth, since pages round up.
    expect(Math.abs(told.writes - counted.writes)).toBeLessThanOrEqual(2);
    expect(told.reads / counted.reads).toBeGreaterThan(0.9);
    expect(told.reads / counted.reads).toBeLessThan(1.1);
  });

  test('reach a billion events a month within what AWS allows at first', () => {
    const [largest] = SIZES.slice(-1);
    if (!largest) throw new Error('There is no size.');

    expect(largest.eventsAMonth).toBe(1_000_000_000);
    const shares = monthOf(largest).limits.map(({ share }) => share);
    expect(Math.max(...shares)).toBeLessThan(1);
    expect(shares).toEqual(shares.toSorted((one, other) => other - one));
  });
});
