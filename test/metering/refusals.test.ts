// What the gateway makes of AWS's answers over the wire: a refusal by its name and status, results by whom they name.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { MarketplaceMetering } from '../../lambdas/marketplace/metering.ts';
import { aSealedHour, LICENCE_ARN, LICENCE_KEY } from '../builders.ts';

/** A metering service that answers every call with this status and error. */
function refusing(status: number, code: string): Promise<MarketplaceMetering> {
  return answering(status, { __type: code, message: 'No.' });
}

async function answering(status: number, answer: object): Promise<MarketplaceMetering> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'req-1' });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return new MarketplaceMetering({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' },
  });
}

describe('a refusal', () => {
  test.each<[number, string, object]>([
    [400, 'BrandNewException', { kind: 'unlisted', code: 'BrandNewException' }],
    [413, 'RequestEntityTooLargeException', { kind: 'unlisted', code: 'RequestEntityTooLargeException' }],
    [400, 'InvalidTagException', { kind: 'invalid', code: 'InvalidTagException' }],
    [400, 'ThrottlingException', { kind: 'refused', code: 'ThrottlingException', isThrottled: true }],
    [400, 'AccessDeniedException', { kind: 'refused', code: 'AccessDeniedException', isThrottled: false }],
    [401, 'BrandNewCredentialsException', { kind: 'unknown', code: 'BrandNewCredentialsException' }],
    [403, 'BrandNewCredentialsException', { kind: 'unknown', code: 'BrandNewCredentialsException' }],
    [408, 'RequestTimeout', { kind: 'unknown', code: 'RequestTimeout' }],
    [429, 'BrandNewThrottle', { kind: 'unknown', code: 'BrandNewThrottle' }],
    [500, 'InternalServiceErrorException', { kind: 'unknown', code: 'InternalServiceErrorException' }],
    [503, 'BrandNewOutage', { kind: 'unknown', code: 'BrandNewOutage' }],
  ])('with status %i and the name %s is of its kind', async (status, code, expected) => {
    const metering = await refusing(status, code);
    const { productCode, identityStyle, meteringRegion } = aSealedHour();

    const answer = await metering.send({ productCode, identityStyle, meteringRegion, records: [aSealedHour()] });

    expect(answer).toEqual({ ...expected, requestId: 'req-1' });
  });
});

describe('an answer is found by the record that it names', () => {
  const { record } = aSealedHour();
  const named = { Timestamp: record.timestampSeconds, Dimension: record.dimension, Quantity: record.quantity };
  const { licenceArn: _arn, customerAwsAccountId: _account, ...unnamed } = record;
  const byIdentifier = { ...unnamed, customerIdentifier: 'ifAPi5AcF3' };

  test.each<[string, SealedHour['record'], object]>([
    ['a licence as we name it', record, { LicenseArn: record.licenceArn }],
    [
      'a licence in another shape of its ARN',
      record,
      { LicenseArn: `arn:aws:license-manager:us-east-1:1:${LICENCE_KEY}` },
    ],
    ['a licence with the identifier of its buyer', record, { LicenseArn: LICENCE_ARN, CustomerIdentifier: 'x' }],
    [
      'a customer with the licence that it holds',
      byIdentifier,
      { CustomerIdentifier: 'ifAPi5AcF3', LicenseArn: LICENCE_ARN },
    ],
  ])('%s', async (_name, sent, names) => {
    const result = { UsageRecord: { ...named, ...names }, MeteringRecordId: 'mr-1', Status: 'Success' };
    const metering = await answering(200, { Results: [result], UnprocessedRecords: [] });
    const { productCode, meteringRegion } = aSealedHour();
    const identityStyle = sent.licenceArn === undefined ? 'legacy' : 'licence';

    const answer = await metering.send({
      productCode,
      identityStyle,
      meteringRegion,
      records: [aSealedHour({ record: sent })],
    });

    expect(answer).toMatchObject({ answers: [{ kind: 'success', meteringRecordId: 'mr-1' }] });
  });

  test('and nobody else’s is taken for it', async () => {
    const other = { ...named, LicenseArn: LICENCE_ARN.replace('l-0', 'l-1') };
    const metering = await answering(200, { Results: [{ UsageRecord: other, Status: 'Success' }] });
    const { productCode, identityStyle, meteringRegion } = aSealedHour();

    const answer = await metering.send({ productCode, identityStyle, meteringRegion, records: [aSealedHour()] });

    expect(answer).toMatchObject({ answers: [{ kind: 'missing' }] });
  });
});
