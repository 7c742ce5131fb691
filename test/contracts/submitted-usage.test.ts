// Rows of the metering table of AWS's serverless sample.
import { describe, expect, test } from 'vitest';
import { parseMeteringTable } from '../../lambdas/contracts/submitted-usage.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { LICENCE_ARN, LICENCE_KEY } from '../builders.ts';

const SECONDS = Date.parse('2026-09-21T10:05:00Z') / 1_000;
const BUYER = licenceKeyOf({ style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: 'buyer-1' });

function aRow(overrides: object = {}) {
  const usage = [{ dimension: 'requests', value: 12 }];
  return { customerIdentifier: 'buyer-1', create_timestamp: SECONDS, dimension_usage: usage, ...overrides };
}

function read(...rows: object[]) {
  return parseMeteringTable(JSON.stringify(rows), 'metrics-cloud');
}

const TYPED = {
  customerIdentifier: { S: 'buyer-1' },
  create_timestamp: { N: String(SECONDS) },
  dimension_usage: { L: [{ M: { dimension: { S: 'requests' }, value: { N: '12' } } }] },
  metering_failed: { BOOL: false },
};

describe('a metering table', () => {
  test.each<[string, string]>([
    ['plain rows', JSON.stringify([aRow()])],
    ['a scan', JSON.stringify({ Items: [TYPED], Count: 1 })],
    ['an export', `${JSON.stringify({ Item: TYPED })}\n`],
  ])('is read from %s', (_shape, text) => {
    expect(parseMeteringTable(text, 'metrics-cloud')).toEqual({
      usage: [
        {
          customerIdentifier: 'buyer-1',
          licenceKey: BUYER,
          dimension: 'requests',
          quantity: 12,
          hour: '2026-09-21T10',
          state: 'submitted',
        },
      ],
      unread: [],
    });
  });

  const answered = (Status: string) =>
    JSON.stringify({ Results: [{ Status, UsageRecord: { Dimension: 'requests' } }] });

  test.each<[string, object]>([
    ['pending', { metering_pending: 'true' }],
    ['failed', { metering_failed: true }],
    ['failed', { metering_failed: false, metering_response: answered('CustomerNotSubscribed') }],
    ['submitted', { metering_failed: false, metering_response: answered('Success') }],
    ['submitted', { metering_response: 'no JSON' }],
  ])('tells usage that is %s from %j', (state, overrides) => {
    expect(read(aRow(overrides)).usage).toMatchObject([{ state }]);
  });

  test.each([1, 1e3, 1e6, 1e9])('tells the hour from seconds times %d', (factor) => {
    expect(read(aRow({ create_timestamp: SECONDS * factor })).usage).toMatchObject([{ hour: '2026-09-21T10' }]);
  });

  test('knows the licence where the row names its ARN', () => {
    expect(read(aRow({ customerIdentifier: LICENCE_ARN })).usage).toMatchObject([{ licenceKey: LICENCE_KEY }]);
  });

  test.each<[object]>([
    [{ customerIdentifier: '' }],
    [{ dimension_usage: undefined }],
    [{ dimension_usage: [{ dimension: 'requests', value: 0.5 }] }],
    [{ create_timestamp: 'soon' }],
  ])('lists a row that can’t be read, and reads those beside it: %j', (wrong) => {
    const { usage, unread } = read(aRow(wrong), aRow());

    expect(usage).toHaveLength(1);
    expect(unread).toHaveLength(1);
  });
});
