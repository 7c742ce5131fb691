// What AWS's log of calls says that it metered.
import { describe, expect, test } from 'vitest';
import { reportedByTrail, spanStart } from '../../../lambdas/domain/operations/reported-usage.ts';
import type { TrailRecord } from '../../../lambdas/domain/operations/submitted-usage.ts';
import { anHour, at, LICENCE_KEY } from '../../builders.ts';

function aCall(overrides: Partial<TrailRecord> = {}): TrailRecord {
  return {
    licenceKey: LICENCE_KEY,
    dimension: 'requests',
    hour: anHour(),
    quantity: 300,
    region: 'us-east-1',
    answer: 'metered',
    meteringRecordId: 'm-1',
    at: at('2026-09-21T11:10:00Z'),
    ...overrides,
  };
}

describe('AWS’s log of calls', () => {
  test('tells an hour once, however often the same record was sent and taken', () => {
    const again = aCall({ at: at('2026-09-21T11:12:00Z'), meteringRecordId: 'm-2' });
    const refused = aCall({ answer: 'refused', at: at('2026-09-21T11:05:00Z') });

    expect(reportedByTrail([refused, again, aCall()])).toEqual([
      { licenceKey: LICENCE_KEY, dimension: 'requests', hour: anHour(), quantity: 300 },
    ]);
  });

  test('counts what AWS took first where it said Success to two quantities, and says so', () => {
    const later = aCall({ at: at('2026-09-21T12:10:00Z'), quantity: 450 });

    expect(reportedByTrail([later, aCall()])).toMatchObject([{ quantity: 300, remark: 'severalQuantities' }]);
  });

  test('adds up what was metered in several regions, since AWS bills each', () => {
    const elsewhere = aCall({ region: 'eu-west-1' });

    expect(reportedByTrail([aCall(), elsewhere])).toMatchObject([{ quantity: 600, remark: 'severalRegions' }]);
  });

  test('tells two licences of an account apart where the log names the account alone', () => {
    const { licenceKey: _, ...byAccount } = aCall({ accountId: '111122223333' });
    const other = { ...byAccount, quantity: 45, meteringRecordId: 'm-2' };

    const reported = reportedByTrail([byAccount, other, byAccount]);

    expect(reported).toMatchObject([{ accountId: '111122223333', quantity: 345 }]);
    expect(reported[0]).not.toHaveProperty('remark');
  });

  test.each([
    ['duplicate', 'amountUntold'],
    ['unknown', 'outcomeUntold'],
  ] as const)('keeps a place of which it shows only: %s', (answer, remark) => {
    expect(reportedByTrail([aCall({ answer })])).toMatchObject([{ quantity: 0, remark }]);
  });

  test('leaves out what AWS refused for certain', () => {
    expect(reportedByTrail([aCall({ answer: 'refused' })])).toEqual([]);
  });

  test('puts an hour into its day', () => {
    expect(spanStart(anHour('2026-09-21T10'), 'day')).toBe('2026-09-21T00');
    expect(spanStart(anHour('2026-09-21T10'), 'hour')).toBe('2026-09-21T10');
  });
});
