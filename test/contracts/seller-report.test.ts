// AWS's usage reports to the seller, in the shapes in which they come.
import { describe, expect, test } from 'vitest';
import { SellerReport } from '../../lambdas/contracts/seller-report.ts';
import { LICENCE_ARN, LICENCE_KEY } from '../builders.ts';

function read(header: string, ...lines: readonly string[]): SellerReport {
  const report = new SellerReport(header.split(','));
  for (const [index, line] of lines.entries()) report.take(line.split(','), index + 2);
  return report;
}

const FEED = 'valid_from,insert_date,update_date,delete_date,usage_feed_id,usage_date,product_id,agreement_id';
const FEED_MORE = 'end_user_account_id,payer_account_id,region,dimension_key,usage_unit,usage_quantity';

describe('a seller report', () => {
  test('is read as the Daily Usage data feed, whose accounts are hashes', () => {
    const report = read(
      `${FEED},${FEED_MORE}`,
      '2026-09-22,2026-09-22,2026-09-22,,u-1,2026-09-21,prod-1,agmt-1,hash-1,hash-2,us-east-1,requests,Units,1200.00',
    );

    expect(report.usage()).toEqual([
      { agreementId: 'agmt-1', accountId: 'hash-1', dimension: 'requests', hour: '2026-09-21T00', quantity: 1_200 },
    ]);
    expect(report.unread).toEqual([]);
  });

  test('is read as the Marketplace Usage dataset, the last version of each row', () => {
    const header =
      'internal_usage_line_item_id,end_user_aws_account_id,product_code,dimension_key,usage_date,usage_units,row_type,row_modified_date';
    const report = read(
      header,
      'row-1,111122223333,metrics-cloud,requests,2026-09-21 00:00:00,300,UPDATE,2026-09-23T01:00:00Z',
      'row-1,111122223333,metrics-cloud,requests,2026-09-21 00:00:00,250,INSERT,2026-09-22T01:00:00Z',
      'row-2,111122223333,metrics-cloud,requests,2026-09-21 00:00:00,9,INSERT,2026-09-22T01:00:00Z',
      'row-2,111122223333,metrics-cloud,requests,2026-09-21 00:00:00,9,DELETE,2026-09-23T01:00:00Z',
    );

    expect(report.usage()).toEqual([
      {
        accountId: '111122223333',
        productCode: 'metrics-cloud',
        dimension: 'requests',
        hour: '2026-09-21T00',
        quantity: 300,
      },
    ]);
  });

  test('is read as the usage dashboard exports it, in its own order and writing', () => {
    const report = read(
      'Usage units,Dimension key,License ARN,Usage date,End user AWS account ID',
      `7,requests,${LICENCE_ARN},20260921,11122223333`,
      `8,requests,${LICENCE_KEY},2026-09-21,null`,
    );

    expect(report.usage()).toMatchObject([
      { licenceKey: LICENCE_KEY, accountId: '011122223333', quantity: 7 },
      { licenceKey: LICENCE_KEY, quantity: 8 },
    ]);
  });

  test.each([
    ['2026-09-21', '1234', '0.5', /amount '0.5'/],
    ['09/21/2026', '1234', '5', /date '09\/21\/2026'/],
    ['2026-02-30', '1234', '5', /date/],
    ['2026-09-21', '', '5', /no buyer/],
  ])('lists a row that it can’t read: %s %s %s', (date, account, amount, why) => {
    const report = read('usage_date,end_user_aws_account_id,dimension,quantity', `${date},${account},d,${amount}`);

    expect(report.usage()).toEqual([]);
    expect(report.unread).toEqual([expect.stringMatching(why)]);
  });

  test('lists a row that is cut off', () => {
    expect(read('usage_date,end_user_aws_account_id,dimension,quantity', '2026-09-21,1').unread).toHaveLength(1);
  });

  test.each([
    [
      'Transaction Reference ID,Customer Country,Amount Billed',
      /date, dimension, quantity, buyer.*Reports of revenue/s,
    ],
    ['usage_date,dimension_key,usage_quantity', /no column for: buyer/],
  ])('is refused where its columns tell no usage: %s', (header, message) => {
    expect(() => read(header)).toThrow(
      expect.objectContaining({ code: 'HeaderWrong', message: expect.stringMatching(message) }),
    );
  });
});
