import { ResolveCustomerCommand } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { LEGACY_PRODUCT, PRODUCT, rawCall, startTestWorld, type TestWorld } from './fixture.ts';

async function tokenFor(world: TestWorld, wanted = {}, body = {}): Promise<string> {
  const { agreementId } = await world.subscribe(wanted);
  return (await world.control('POST', `/control/agreements/${agreementId}/tokens`, body)).token;
}

const resolve = (world: TestWorld, RegistrationToken: string) =>
  world.aws.send(new ResolveCustomerCommand({ RegistrationToken }));

describe('ResolveCustomer', () => {
  it('answers account, licence and product of a new product, and no CustomerIdentifier', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const { token } = await world.control('POST', `/control/agreements/${agreement.agreementId}/tokens`);

    const answer = await resolve(world, token);

    expect(answer).toMatchObject({
      CustomerAWSAccountId: agreement.awsAccountId,
      LicenseArn: agreement.licenceArn,
      ProductCode: PRODUCT,
    });
    expect(answer.CustomerIdentifier).toBeUndefined();
    expect(agreement.licenceArn).toMatch(/^arn:aws:license-manager::294406891311:license:l-[0-9a-f]{32}$/);
  });

  it('answers the CustomerIdentifier of a legacy product', async () => {
    const world = await startTestWorld();
    const token = await tokenFor(world, { productCode: LEGACY_PRODUCT, customerIdentifier: 'X01EXAMPLEX' });

    const answer = await resolve(world, token);

    expect(answer.CustomerIdentifier).toBe('X01EXAMPLEX');
  });

  it('answers the same again while the token lives, and refuses it from the instant it ends', async () => {
    const world = await startTestWorld();
    const token = await tokenFor(world, {}, { lifetimeSeconds: 60 });

    const first = await resolve(world, token);
    await world.control('POST', '/control/clock/advance', { ms: 59_999 });
    const second = await resolve(world, token);
    await world.control('POST', '/control/clock/advance', { ms: 1 });

    expect(second.LicenseArn).toBe(first.LicenseArn);
    await expect(resolve(world, token)).rejects.toMatchObject({
      name: 'ExpiredTokenException',
      $fault: 'client',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('lets a token live four hours unless told otherwise', async () => {
    const world = await startTestWorld();
    const { agreementId } = await world.subscribe();

    const { expiresAt } = await world.control('POST', `/control/agreements/${agreementId}/tokens`);

    expect(expiresAt).toBe('2026-09-21T18:30:00.000Z');
  });

  it('refuses a second use where tokens are single-use', async () => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { tokenSingleUse: true });
    const token = await tokenFor(world);

    await resolve(world, token);

    await expect(resolve(world, token)).rejects.toMatchObject({ name: 'ExpiredTokenException' });
  });

  it('refuses a token that was not minted here, was changed, or is from another world', async () => {
    const world = await startTestWorld();
    const token = await tokenFor(world);
    const changed = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`;

    for (const wrong of ['nonsense', changed, `${token} `, token.replaceAll('+', ' '), 'A'.repeat(100)]) {
      await expect(resolve(world, wrong), wrong).rejects.toMatchObject({ name: 'InvalidTokenException' });
    }
    await world.control('POST', '/control/reset');
    await expect(resolve(world, token)).rejects.toMatchObject({ name: 'InvalidTokenException' });
  });

  it('mints tokens of the alphabet that form decoders get wrong', async () => {
    const world = await startTestWorld();
    const { agreementId } = await world.subscribe();

    for (let count = 0; count < 20; count += 1) {
      const { token } = await world.control('POST', `/control/agreements/${agreementId}/tokens`);
      expect(token).toMatch(/^[A-Za-z0-9+/]+=+$/);
      expect(token).toContain('+');
      expect(token).toContain('/');
      expect(token.length).toBeLessThanOrEqual(512);
    }
  });

  it('refuses an empty or absent token as a faulty member', async () => {
    const world = await startTestWorld();

    await expect(resolve(world, '')).rejects.toMatchObject({ name: 'ValidationException' });
    const absent = await rawCall(world, 'AWSMPMeteringService.ResolveCustomer', '{}');
    expect(absent.status).toBe(400);
    expect(absent.text).toContain(
      "Value null at 'registrationToken' failed to satisfy constraint: Member must not be null",
    );
  });
});
