// CloudTrail's event history over the wire, in pages.
import { describe, expect, onTestFinished, test } from 'vitest';
import { lookUpCalls } from '../../operator/cloudtrail-events.ts';
import { LICENCE_ARN, LICENCE_KEY } from '../builders.ts';
import { named, startAwsServices } from '../doubles/aws-services.ts';

const FROM = Date.parse('2026-09-21T00:00:00Z');

function anEvent(quantity: number) {
  const usageRecord = {
    dimension: 'requests',
    timestamp: 'Sep 21, 2026 2:00:00 PM',
    licenseArn: LICENCE_ARN,
    quantity,
  };
  const CloudTrailEvent = JSON.stringify({
    eventTime: '2026-09-21T15:05:51Z',
    eventName: 'BatchMeterUsage',
    awsRegion: 'us-east-1',
    requestParameters: { usageRecords: [usageRecord] },
    responseElements: { results: [{ usageRecord, status: 'Success' }], unprocessedRecords: [] },
  });
  return { EventId: `e-${quantity}`, EventName: 'BatchMeterUsage', CloudTrailEvent };
}

async function looked(lookupEvents: (input: Readonly<Record<string, unknown>>) => object | Error) {
  const services = await startAwsServices({ LookupEvents: lookupEvents });
  onTestFinished(services.close);
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'test' };
  const pauses: number[] = [];
  const pause = async (ms: number) => void pauses.push(ms);
  const records = [];
  const aws = { region: 'us-east-1', endpoint: services.url, credentials };
  for await (const page of lookUpCalls(aws, { fromMs: FROM, toMs: FROM + 86_400_000, pause }))
    records.push(...page.records);
  return { records, pauses };
}

describe('looking calls up in CloudTrail', () => {
  test('reads every page, and waits between them as long as AWS asks for', async () => {
    const asked: Readonly<Record<string, unknown>>[] = [];

    const { records, pauses } = await looked((input) => {
      asked.push(input);
      return asked.length < 3
        ? { Events: [anEvent(asked.length)], NextToken: `page-${asked.length}` }
        : { Events: [anEvent(3)] };
    });

    expect(records.map(({ quantity, licenceKey }) => [quantity, licenceKey])).toEqual(
      [1, 2, 3].map((each) => [each, LICENCE_KEY]),
    );
    expect(pauses).toEqual([500, 500]);
    expect(asked.map((input) => input['NextToken'])).toEqual([undefined, 'page-1', 'page-2']);
    expect(asked[0]).toMatchObject({
      LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'BatchMeterUsage' }],
      StartTime: FROM / 1_000,
    });
  });

  test('says so where AWS does not let it', async () => {
    await expect(looked(() => named('AccessDeniedException'))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});
