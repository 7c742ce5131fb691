import { describe, expect, test } from 'vitest';
import { type BillLine, billOf, differencesOf } from '../../local/replay-result.ts';
import { readTraffic } from '../../local/traffic.ts';

const CSV = [
  'request,time,client,bytes',
  '1,2015-05-17T10:05:03Z,1,2048',
  '2,2015-05-17T10:59:59Z,1,0',
  '3,2015-05-17T11:00:00Z,1,1',
  '4,2015-05-17T10:05:43Z,2,1025',
].join('\n');

const truth = billOf(readTraffic(CSV), ({ client }) => `account-${client}`);

/** The bill as the simulator writes it: an hour as an instant. */
const bill = truth.map((line) => ({ ...line, hour: `${line.hour}:00:00.000Z` }));

function changed(index: number, change: Partial<BillLine>): BillLine[] {
  return bill.map((line, at) => (at === index ? { ...line, ...change } : line));
}

describe('the bill of a replay', () => {
  test('is the truth when each customer, dimension and hour has its sum', () => {
    expect(truth).toEqual([
      { awsAccountId: 'account-1', dimension: 'requests', hour: '2015-05-17T10', quantity: 2 },
      { awsAccountId: 'account-1', dimension: 'kib_sent', hour: '2015-05-17T10', quantity: 2 },
      { awsAccountId: 'account-1', dimension: 'requests', hour: '2015-05-17T11', quantity: 1 },
      { awsAccountId: 'account-1', dimension: 'kib_sent', hour: '2015-05-17T11', quantity: 1 },
      { awsAccountId: 'account-2', dimension: 'requests', hour: '2015-05-17T10', quantity: 1 },
      { awsAccountId: 'account-2', dimension: 'kib_sent', hour: '2015-05-17T10', quantity: 2 },
    ]);
    expect(differencesOf(truth, bill)).toEqual([]);
  });

  test('is not the truth when a unit went to another customer, dimension or hour, though the sums are the same', () => {
    const swaps: Partial<BillLine>[] = [
      { awsAccountId: 'account-2' },
      { dimension: 'kib_sent' },
      { hour: '2015-05-17T10:00:00.000Z' },
    ];
    for (const swap of swaps) expect(differencesOf(truth, changed(2, swap))).toHaveLength(2);
  });

  test('is not the truth when a line is missing, doubled, or of nobody’s usage', () => {
    const where = { awsAccountId: 'account-2', dimension: 'requests', hour: '2015-05-17T10' };
    const line = { ...where, quantity: 1 };

    expect(differencesOf(truth, bill.toSpliced(4, 1))).toEqual([{ ...where, used: 1, billed: 0 }]);
    expect(differencesOf(truth, [...bill, line])).toEqual([{ ...where, used: 1, billed: 2 }]);
    expect(differencesOf(truth, [...bill, { ...line, awsAccountId: 'account-3' }])).toEqual([
      { ...where, awsAccountId: 'account-3', used: 0, billed: 1 },
    ]);
  });
});
