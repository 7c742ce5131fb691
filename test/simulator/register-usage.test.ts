import { constants, verify } from 'node:crypto';
import { RegisterUsageCommand, type RegisterUsageCommandInput } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { NOW, PRODUCT, startTestWorld, type TestWorld } from './fixture.ts';

const ACCOUNT = '111122223333';

async function worldOn(platform: string): Promise<TestWorld> {
  const world = await startTestWorld();
  const compute = { platform, region: 'us-east-1', awsAccountId: ACCOUNT, instanceId: 'task-1' };
  await world.control('PUT', '/control/compute/AKIDBUYER', compute);
  return world;
}

const register = (world: TestWorld, overrides: Partial<RegisterUsageCommandInput> = {}, region = 'us-east-1') =>
  world
    .client(region, 'AKIDBUYER')
    .send(new RegisterUsageCommand({ ProductCode: PRODUCT, PublicKeyVersion: 1, ...overrides }));

/** Header and payload of a JWT whose signature the given public key confirms. */
function opened(jwt: string, publicPem: string): unknown[] {
  const [head = '', payload = '', signature = ''] = jwt.split('.');
  const key = { key: publicPem, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  expect(verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
  return [head, payload].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
}

describe('RegisterUsage', () => {
  it('answers a PS256 token over product, key version, nonce and time that the public key confirms', async () => {
    const world = await worldOn('ecs');
    await world.subscribe({ awsAccountId: ACCOUNT });
    const { publicKeys } = await world.control('GET', '/control/public-keys');

    const answer = await register(world, { Nonce: 'n-1' });

    expect(answer.PublicKeyRotationTimestamp).toBeUndefined();
    expect(opened(answer.Signature ?? '', publicKeys[0].publicPem)).toEqual([
      { alg: 'PS256', typ: 'JWT' },
      { productCode: PRODUCT, publicKeyVersion: 1, nonce: 'n-1', iat: Date.parse(NOW) / 1000 },
    ]);
  });

  it('tells when an expired key version was rotated, and signs with the new version when asked for it', async () => {
    const world = await worldOn('eks');
    await world.subscribe({ awsAccountId: ACCOUNT });
    const { publicKeys } = await world.control('POST', '/control/public-keys/rotate');

    const old = await register(world);
    const current = await register(world, { PublicKeyVersion: 2 });

    expect(old.PublicKeyRotationTimestamp).toEqual(new Date(NOW));
    expect(opened(old.Signature ?? '', publicKeys[0].publicPem)[1]).toMatchObject({
      publicKeyRotationTimestamp: Date.parse(NOW) / 1000,
    });
    expect(current.PublicKeyRotationTimestamp).toBeUndefined();
    expect(opened(current.Signature ?? '', publicKeys[1].publicPem)[1]).toMatchObject({ publicKeyVersion: 2 });
  });

  it('goes on answering a registered task after the buyer has unsubscribed, and refuses a new one', async () => {
    const world = await worldOn('fargate');
    const { agreementId } = await world.subscribe({ awsAccountId: ACCOUNT });
    await register(world);
    await world.control('POST', `/control/agreements/${agreementId}/cancel`, { revokeAfterMs: 0 });

    expect((await register(world)).Signature).toBeDefined();
    const other = { platform: 'ecs', region: 'us-east-1', awsAccountId: ACCOUNT, instanceId: 'task-2' };
    await world.control('PUT', '/control/compute/AKIDBUYER', other);
    await expect(register(world)).rejects.toMatchObject({ name: 'CustomerNotEntitledException' });
  });

  it.each([
    ['InvalidProductCodeException', { ProductCode: 'unknown' }, 'us-east-1'],
    ['InvalidPublicKeyVersionException', { PublicKeyVersion: 9 }, 'us-east-1'],
    ['InvalidRegionException', {}, 'eu-west-1'],
    ['ValidationException', { PublicKeyVersion: 0 }, 'us-east-1'],
    ['ValidationException', { Nonce: 'x'.repeat(256) }, 'us-east-1'],
  ])('refuses with %s', async (name, overrides, region) => {
    const world = await worldOn('ecs');
    await world.subscribe({ awsAccountId: ACCOUNT });

    await expect(register(world, overrides, region)).rejects.toMatchObject({ name });
  });

  it('refuses a platform that has no tasks or pods, and an unknown caller', async () => {
    const world = await worldOn('ec2');
    await world.subscribe({ awsAccountId: ACCOUNT });
    const unknown = world.client('us-east-1', 'AKIDUNKNOWN');

    await expect(register(world)).rejects.toMatchObject({ name: 'PlatformNotSupportedException' });
    await expect(
      unknown.send(new RegisterUsageCommand({ ProductCode: PRODUCT, PublicKeyVersion: 1 })),
    ).rejects.toMatchObject({
      name: 'PlatformNotSupportedException',
    });
  });
});
