import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MarketplaceMeteringClient } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type RegisterUsageOptions, registerUsage } from '../../client/register-usage.ts';
import { NOW, PRODUCT } from '../simulator/fixture.ts';
import { type Running, runIn } from './container-world.ts';

async function registering(running: Running) {
  const place = await runIn(running);
  const { publicKeys } = await place.world.control('GET', '/control/public-keys');
  const register = (overrides: Partial<RegisterUsageOptions> = {}) =>
    registerUsage({
      productCode: PRODUCT,
      publicKeyVersion: 1,
      publicKey: publicKeys[0].publicPem,
      client: place.client(),
      retryForMs: 0,
      ...overrides,
    });
  return { ...place, register };
}

describe('a container that registers its usage', () => {
  test.each(['ecs', 'eks', 'fargate'])('goes on under %s once AWS has signed that it may', async (platform) => {
    const { register } = await registering({ platform });

    expect(await register()).toEqual({ kind: 'registered' });
    expect(await register()).toEqual({ kind: 'registered' });
  });

  test('goes on under a key version that was rotated, and learns when', async () => {
    const { register, world } = await registering({ platform: 'ecs' });
    await world.control('POST', '/control/public-keys/rotate');

    expect(await register()).toEqual({ kind: 'registered', keyRotatedAt: Date.parse(NOW) });
  });

  test('goes on with the new key of a release after the rotation', async () => {
    const { register, world } = await registering({ platform: 'ecs' });
    const { publicKeys } = await world.control('POST', '/control/public-keys/rotate');

    expect(await register({ publicKeyVersion: 2, publicKey: publicKeys[1].publicPem })).toEqual({ kind: 'registered' });
  });

  test.each([
    ['CustomerNotEntitledException', { platform: 'ecs', isSubscribed: false }, {}, /Subscribe on AWS Marketplace/],
    ['PlatformNotSupportedException', { platform: 'ec2' }, {}, /Amazon ECS/],
    ['InvalidProductCodeException', { platform: 'ecs' }, { productCode: 'nobody-s' }, /seller/],
    ['InvalidPublicKeyVersionException', { platform: 'ecs' }, { publicKeyVersion: 7 }, /seller/],
  ] as const)('stops on %s and says to the buyer what to do', async (code, running, overrides, words) => {
    const { register } = await registering(running);

    const stop = await register(overrides);

    expect(stop).toMatchObject({ kind: 'stop', code, tellBuyer: expect.stringMatching(words) });
  });

  test('stops where the endpoint is that of another Region', async () => {
    const { register, client } = await registering({ platform: 'eks' });

    expect(await register({ client: client('i-1', 'eu-west-1') })).toMatchObject({
      kind: 'stop',
      code: 'InvalidRegionException',
    });
  });

  test.each([
    ['AccessDeniedException', 'accessDenied'],
    ['DisabledApiException', 'disabledApi'],
  ])('stops on %s', async (code, kind) => {
    const { register, fault } = await registering({ platform: 'ecs' });
    await fault({ kind });

    expect(await register()).toMatchObject({ kind: 'stop', code });
  });

  test('asks again through throttles and faults until AWS answers', async () => {
    const { register, world } = await registering({ platform: 'ecs' });
    const next = [{ kind: 'throttle' }, { kind: 'internalError' }];
    await world.control('PUT', '/control/faults', { next });

    expect(await register({ retryForMs: 30_000 })).toEqual({ kind: 'registered' });
  });

  test('is not stopped by an AWS that does not answer: it goes on unanswered, to ask later', async () => {
    const { register, fault } = await registering({ platform: 'ecs' });
    await fault({ kind: 'internalError', count: 5 });

    expect(await register()).toEqual({ kind: 'unanswered', code: 'InternalServiceErrorException' });
  });

  test.each([
    ['none', 'LS0tLS1CRUdJTi'],
    ['none of RSA', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  ])('throws where the public key is %s, before AWS is asked', async (_, publicKey) => {
    const { register, world } = await registering({ platform: 'ecs' });

    await expect(register({ publicKey })).rejects.toMatchObject({ code: 'PublicKeyMalformed' });
    expect((await world.control('GET', '/control/calls')).calls).toEqual([]);
  });
});

/** Somebody between the container and AWS, who answers in AWS's place. */
async function impostor(answer: (asked: { Nonce: string }) => string): Promise<MarketplaceMeteringClient> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ Signature: answer(JSON.parse(body)) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'x' };
  const client = new MarketplaceMeteringClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

const aws = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicKey = aws.publicKey.export({ type: 'spki', format: 'pem' }).toString();

function token(head: object, body: object, privateKey = aws.privateKey, saltLength = 32): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(head)}.${part(body)}`;
  const key = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

const PS256 = { alg: 'PS256', typ: 'JWT' };
const genuine = ({ Nonce }: { Nonce: string }) => ({ productCode: PRODUCT, publicKeyVersion: 1, nonce: Nonce, iat: 1 });

describe('an answer that AWS did not sign for this very call', () => {
  test.each<[string, string, (asked: { Nonce: string }) => string]>([
    ['by another key', 'SignatureInvalid', (asked) => token(PS256, genuine(asked), other.privateKey)],
    ['with the algorithm none', 'SignatureMalformed', (asked) => `${token({ alg: 'none' }, genuine(asked))}`],
    ['of another product', 'SignatureOfAnotherCall', (asked) => token(PS256, { ...genuine(asked), productCode: 'x' })],
    [
      'of another key version',
      'SignatureOfAnotherCall',
      (asked) => token(PS256, { ...genuine(asked), publicKeyVersion: 2 }),
    ],
    ['recorded from an earlier call', 'SignatureOfAnotherCall', () => token(PS256, genuine({ Nonce: 'earlier' }))],
    ['that is no token', 'SignatureMalformed', () => 'yes'],
    ['that is empty', 'SignatureMalformed', () => ''],
  ])('%s stops the container with %s', async (_, code, answer) => {
    const client = await impostor(answer);

    const said = await registerUsage({ productCode: PRODUCT, publicKeyVersion: 1, publicKey, client, retryForMs: 0 });

    expect(said).toMatchObject({ kind: 'stop', code, tellBuyer: expect.stringContaining('not signed by AWS') });
  });

  test('and the same impostor is believed once he has the key: the test can tell them apart', async () => {
    const client = await impostor((asked) => token(PS256, genuine(asked)));

    const said = await registerUsage({ productCode: PRODUCT, publicKeyVersion: 1, publicKey, client, retryForMs: 0 });

    expect(said).toEqual({ kind: 'registered' });
  });
});
