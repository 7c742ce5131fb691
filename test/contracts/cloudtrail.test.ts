// AWS's log of calls in the shapes in which it is found.
import { describe, expect, test } from 'vitest';
import { parseCloudTrail } from '../../lambdas/contracts/cloudtrail.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { LICENCE_ARN, LICENCE_KEY } from '../builders.ts';

const USAGE = {
  dimension: 'requests',
  timestamp: 'Sep 21, 2026 2:00:00 PM',
  licenseArn: LICENCE_ARN,
  customerAWSAccountID: '111122223333',
  quantity: 1_200,
};

function anEvent(overrides: object = {}, usage: object = USAGE) {
  return {
    eventVersion: '1.05',
    eventTime: '2026-09-21T15:05:51Z',
    eventSource: 'metering-marketplace.amazonaws.com',
    eventName: 'BatchMeterUsage',
    awsRegion: 'us-east-1',
    requestParameters: { usageRecords: [usage] },
    responseElements: {
      results: [{ usageRecord: usage, meteringRecordId: 'm-1', status: 'Success' }],
      unprocessedRecords: [],
    },
    ...overrides,
  };
}

const READ = {
  licenceKey: LICENCE_KEY,
  accountId: '111122223333',
  dimension: 'requests',
  hour: '2026-09-21T14',
  quantity: 1_200,
  region: 'us-east-1',
  answer: 'metered',
  meteringRecordId: 'm-1',
  at: Date.parse('2026-09-21T15:05:51Z'),
};

describe('a CloudTrail file', () => {
  test.each<[string, string]>([
    ['a delivered file', JSON.stringify({ Records: [anEvent()] }, null, 2)],
    ['a list', JSON.stringify([anEvent()])],
    ['one event', JSON.stringify(anEvent())],
    ['an event a line', `${JSON.stringify(anEvent({ eventName: 'MeterUsage' }))}\n\n${JSON.stringify(anEvent())}\n`],
    ['a file a line', `${JSON.stringify({ Records: [anEvent()] })}\n${JSON.stringify({ Records: [] })}`],
    ['an answer of lookup-events', JSON.stringify({ Events: [{ CloudTrailEvent: JSON.stringify(anEvent()) }] })],
  ])('is read as %s', (_shape, text) => {
    expect(parseCloudTrail(text)).toEqual({ records: [READ], unread: [] });
  });

  test.each([
    'Sep 21, 2026 2:00:00 PM',
    'Sep 21, 2026, 2:00:00\u202fPM',
    'Sep 21, 2026 2:59:59 PM',
    '2026-09-21T14:00:00Z',
    '2026-09-21T16:30:00+02:00',
    1_789_999_200,
    1_789_999_200_000,
    '1789999200',
  ])('tells the hour from the time %s', (timestamp) => {
    const { records } = parseCloudTrail(JSON.stringify(anEvent({}, { ...USAGE, timestamp })));

    expect(records.map(({ hour }) => hour)).toEqual(['2026-09-21T14']);
  });

  test.each([
    ['Sep 21, 2026 12:10:00 AM', '2026-09-21T00'],
    ['Sep 21, 2026 12:10:00 PM', '2026-09-21T12'],
  ])('knows noon from midnight: %s', (timestamp, hour) => {
    expect(parseCloudTrail(JSON.stringify(anEvent({}, { ...USAGE, timestamp }))).records).toMatchObject([{ hour }]);
  });

  test('names a buyer by customer identifier through the product of the call, or the one that is given', () => {
    const usage = { dimension: 'requests', timestamp: USAGE.timestamp, quantity: 3, customerIdentifier: 'buyer-1' };
    const named = anEvent({ requestParameters: { productCode: 'metrics-cloud', usageRecords: [usage] } }, usage);
    const name = { style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: 'buyer-1' } as const;

    const expected = [{ licenceKey: licenceKeyOf(name), customerIdentifier: 'buyer-1' }];
    expect(parseCloudTrail(JSON.stringify(named)).records).toMatchObject(expected);
    const given = parseCloudTrail(JSON.stringify(anEvent({}, usage)), { productCode: 'metrics-cloud' });
    expect(given.records).toMatchObject(expected);
    expect(parseCloudTrail(JSON.stringify(anEvent({}, usage))).unread).toHaveLength(1);
  });

  test('names a buyer by account alone where AWS’s log shows no more', () => {
    const { licenseArn: _arn, ...usage } = USAGE;

    const { records } = parseCloudTrail(JSON.stringify(anEvent({}, usage)));

    expect(records).toMatchObject([{ accountId: '111122223333', answer: 'metered' }]);
    expect(records[0]).not.toHaveProperty('licenceKey');
  });

  test.each<[string, object]>([
    ['duplicate', { responseElements: { results: [{ usageRecord: USAGE, status: 'DuplicateRecord' }] } }],
    ['refused', { responseElements: { results: [{ usageRecord: USAGE, status: 'CustomerNotSubscribed' }] } }],
    ['unknown', { responseElements: { results: [{ usageRecord: USAGE, status: 'BrandNew' }] } }],
    ['refused', { responseElements: { results: [], unprocessedRecords: [USAGE] } }],
    ['unknown', { responseElements: { results: [], unprocessedRecords: [] } }],
    ['unknown', { responseElements: null }],
    ['refused', { responseElements: null, errorCode: 'TimestampOutOfBoundsException' }],
    ['refused', { responseElements: null, errorCode: 'ThrottlingException' }],
    ['unknown', { responseElements: null, errorCode: 'InternalServiceErrorException' }],
    ['unknown', { responseElements: null, errorCode: 'BrandNewException' }],
  ])('tells a record %s from %j', (answer, overrides) => {
    expect(parseCloudTrail(JSON.stringify(anEvent(overrides))).records).toMatchObject([{ answer, quantity: 1_200 }]);
  });

  test.each<[string, object]>([
    ['no time', { ...USAGE, timestamp: 'yesterday' }],
    ['a day that is none', { ...USAGE, timestamp: 'Xyz 41, 2026 2:00:00 PM' }],
    ['a part of a unit', { ...USAGE, quantity: 0.5 }],
    ['no dimension', { ...USAGE, dimension: undefined }],
    ['nobody', { dimension: 'requests', timestamp: USAGE.timestamp, quantity: 1 }],
  ])('lists what it can’t read: %s', (_what, usage) => {
    const { records, unread } = parseCloudTrail(JSON.stringify(anEvent({}, usage)));

    expect(records).toEqual([]);
    expect(unread).toHaveLength(1);
  });

  test('lists what is no event, and is refused where it is no JSON', () => {
    expect(parseCloudTrail('[{"eventName":"BatchMeterUsage"}, 7]').unread).toHaveLength(2);
    expect(() => parseCloudTrail('{"Records":[')).toThrow(expect.objectContaining({ code: 'FileMalformed' }));
  });
});
