// What two pipelines say of the same hours, side by side.
import { describe, expect, test } from 'vitest';
import { billableHere, type ComparedAmount, compareAmounts } from '../../../lambdas/domain/operations/compare.ts';
import {
  AUDIT_COLUMNS,
  auditRow,
  csvHeader,
  csvLine,
  LEDGER_COLUMNS,
  ledgerRow,
} from '../../../lambdas/domain/operations/export-rows.ts';
import { aCarry, anHour, aSealedHour, at } from '../../builders.ts';

const amount = (customer: string, quantity: number, hour = '2026-09-21T10'): ComparedAmount => ({
  customer,
  dimension: 'requests',
  hour: anHour(hour),
  quantity,
});

describe('comparing', () => {
  test('names what is only here, only there or different, and adds up the amounts of one hour', () => {
    const here = [amount('a', 5), amount('b', 7), amount('c', 2), amount('z', 0)];
    const there = [amount('a', 2), amount('a', 3), amount('b', 6), amount('d', 9)];

    const { differences, totals } = compareAmounts(here, there);

    expect(differences).toMatchObject([
      { kind: 'different', customer: 'b', here: 7, there: 6 },
      { kind: 'onlyHere', customer: 'c', here: 2, there: 0 },
      { kind: 'onlyThere', customer: 'd', here: 0, there: 9 },
    ]);
    expect(totals).toEqual({ same: 1, different: 1, onlyHere: 1, onlyThere: 1, unitsHere: 14, unitsThere: 20 });
  });

  test.each([
    ['what is rehearsed, as if it were billed', aSealedHour({ status: 'withheld', rehearsal: 'shadow' }), 12_500],
    [
      'what came late to a rehearsed hour',
      aSealedHour({ status: 'withheld', rehearsal: 'shadow', heldLate: 40 }),
      12_540,
    ],
    ['what was settled to be fewer', aSealedHour({ status: 'presumed', settledQuantity: 9_000 }), 9_000],
    ['nothing of what an operator withheld', aSealedHour({ status: 'withheld', reason: 'operator' }), 0],
    ['nothing of what went on', aSealedHour({ status: 'carried' }), 0],
  ])('counts %s', (_what, sealed, expected) => {
    expect(billableHere(sealed)).toBe(expected);
  });
});

describe('an exported row', () => {
  test('has every column, whatever the entry is', () => {
    for (const entry of [aSealedHour(), aCarry({ actionId: 'x' })]) {
      expect(Object.keys(ledgerRow(entry)).sort()).toEqual([...LEDGER_COLUMNS].sort());
    }
    expect(csvHeader(LEDGER_COLUMNS).split(',')).toHaveLength(LEDGER_COLUMNS.length);
  });

  test('counts nothing as standing in a record that went on', () => {
    expect(ledgerRow(aSealedHour({ status: 'carried', settledQuantity: 0 }))).toMatchObject({
      standingQuantity: 0,
      recordQuantity: 12_500,
    });
  });

  test('is one line that a spreadsheet does not run', () => {
    const row = { a: '=HYPERLINK("x")', b: 'two\nlines', c: 7, d: '-1' };

    expect(csvLine(['a', 'b', 'c', 'd'], row)).toBe('"\'=HYPERLINK(""x"")","two\nlines",7,\'-1');
  });

  test('tells an act in flat cells', () => {
    const facts = { units: 500, from: 'open' };
    const entry = {
      actionId: 'x',
      at: at('2026-09-21T11:20:00Z'),
      who: 'kim',
      why: 'test',
      action: 'withhold',
      facts,
    } as const;

    expect(csvLine(AUDIT_COLUMNS, auditRow(entry))).toBe(
      'x,2026-09-21T11:20:00.000Z,kim,test,withhold,,,,units=500 from=open',
    );
  });
});
