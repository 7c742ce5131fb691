// What the gateway makes of a refusal by its name and status, over the wire.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MarketplaceMetering } from '../../lambdas/marketplace/metering.ts';
import { aSealedHour } from '../builders.ts';

/** A metering service that answers every call with this status and error. */
async function refusing(status: number, code: string): Promise<MarketplaceMetering> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'req-1' });
    response.end(JSON.stringify({ __type: code, message: 'No.' }));
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
