import { MeterUsageCommand, type MeterUsageCommandInput } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { HOUR, PRODUCT, rawCall, startTestWorld, type TestWorld } from './fixture.ts';

const ACCOUNT = '111122223333';

/** A world whose buyer runs the product on the given platform, with the credentials of AKIDBUYER. */
async function worldOn(platform: string, region = 'us-east-1'): Promise<TestWorld> {
  const world = await startTestWorld();
  await world.subscribe({ awsAccountId: ACCOUNT });
  const compute = { platform, region, awsAccountId: ACCOUNT, instanceId: 'i-1' };
  await world.control('PUT', '/control/compute/AKIDBUYER', compute);
  return world;
}

const meter = (
  world: TestWorld,
  overrides: Partial<MeterUsageCommandInput> = {},
  region = 'us-east-1',
  key = 'AKIDBUYER',
) =>
  world.client(region, key).send(
    new MeterUsageCommand({
      ProductCode: PRODUCT,
      Timestamp: new Date(HOUR),
      UsageDimension: 'requests',
      UsageQuantity: 5,
      ...overrides,
    }),
  );

describe('MeterUsage', () => {
  it('rounds the stamp down to the hour and answers an identical repeat with the same id', async () => {
    const world = await worldOn('ec2');

    const first = await meter(world, { Timestamp: new Date('2026-09-21T13:10:00Z') });
    const second = await meter(world, { Timestamp: new Date('2026-09-21T13:50:00Z') });

    expect(second.MeteringRecordId).toBe(first.MeteringRecordId);
    expect(await world.bill()).toMatchObject([{ hour: HOUR, timestamp: HOUR, quantity: 5, awsAccountId: ACCOUNT }]);
  });

  it('refuses another quantity of one instance, dimension and hour with DuplicateRequestException', async () => {
    const world = await worldOn('ecs');
    await meter(world);

    await expect(meter(world, { UsageQuantity: 6 })).rejects.toMatchObject({ name: 'DuplicateRequestException' });
    expect(await world.bill()).toHaveLength(1);
  });

  it('bills other instances, dimensions and hours apart', async () => {
    const world = await worldOn('eks');
    const other = { platform: 'eks', region: 'us-east-1', awsAccountId: ACCOUNT, instanceId: 'i-2' };
    await world.control('PUT', '/control/compute/AKIDOTHER', other);

    await meter(world);
    await meter(world, { UsageQuantity: 6 }, 'us-east-1', 'AKIDOTHER');
    await meter(world, { UsageDimension: 'kib_sent' });
    await meter(world, { Timestamp: new Date('2026-09-21T12:00:00Z') });

    expect(await world.bill()).toHaveLength(4);
  });

  it('refuses a ClientToken that comes back with other parameters with IdempotencyConflictException', async () => {
    const world = await worldOn('ec2');
    const first = await meter(world, { ClientToken: 'token' });

    expect((await meter(world, { ClientToken: 'token' })).MeteringRecordId).toBe(first.MeteringRecordId);
    await expect(meter(world, { ClientToken: 'token', UsageDimension: 'kib_sent' })).rejects.toMatchObject({
      name: 'IdempotencyConflictException',
      $metadata: { httpStatusCode: 409 },
    });
  });

  it('adds up AgentCore usage of one stamp, unrounded, as long as the ClientToken is new', async () => {
    const world = await worldOn('agentcore');
    const Timestamp = new Date('2026-09-21T13:10:00Z');

    await meter(world, { Timestamp, ClientToken: 'one' });
    await meter(world, { Timestamp, ClientToken: 'two' });
    await meter(world, { Timestamp, ClientToken: 'two' });

    expect((await world.bill()).map((line) => line.timestamp)).toEqual([
      Timestamp.toISOString(),
      Timestamp.toISOString(),
    ]);
  });

  it('wants a ClientToken, no allocations and us-east-1 of AgentCore', async () => {
    const world = await worldOn('agentcore');
    const elsewhere = { platform: 'agentcore', region: 'eu-west-1', awsAccountId: ACCOUNT, instanceId: 'i-9' };
    await world.control('PUT', '/control/compute/AKIDEU', elsewhere);
    const split = [{ AllocatedUsageQuantity: 5 }];

    await expect(meter(world, { UsageAllocations: split })).rejects.toMatchObject({
      name: 'InvalidUsageAllocationsException',
    });
    await expect(meter(world, {}, 'eu-west-1', 'AKIDEU')).rejects.toMatchObject({
      name: 'InvalidEndpointRegionException',
    });
    // The SDK makes up a token where none is given, so only a raw call can lack one.
    const body = { ProductCode: PRODUCT, Timestamp: Date.parse(HOUR) / 1000, UsageDimension: 'requests' };
    const compute = { platform: 'agentcore', region: 'us-east-1', awsAccountId: ACCOUNT, instanceId: 'i-3' };
    await world.control('PUT', '/control/compute/AKIDRAW', compute);
    const raw = await rawCall(world, 'AWSMPMeteringService.MeterUsage', JSON.stringify(body));
    expect(raw.text).toContain('ClientToken is mandatory');
  });

  it('answers a dry run with DryRunOperation, or UnauthorizedException without the permission, and bills nothing', async () => {
    const world = await worldOn('ec2');

    await expect(meter(world, { DryRun: true })).rejects.toMatchObject({ name: 'DryRunOperation' });
    await world.control('PUT', '/control/faults', { next: [{ kind: 'accessDenied' }] });
    await expect(meter(world, { DryRun: true })).rejects.toMatchObject({ name: 'UnauthorizedException' });
    expect(await world.bill()).toEqual([]);
  });

  it.each([
    ['2026-09-21T08:30:00.000Z', undefined],
    ['2026-09-21T08:29:59.999Z', 'TimestampOutOfBoundsException'],
    ['2026-09-21T14:35:00.000Z', undefined],
    ['2026-09-21T14:35:00.001Z', 'TimestampOutOfBoundsException'],
  ])('takes usage up to six hours old and not ahead: %s', async (stamp, expected) => {
    const world = await worldOn('agentcore');

    const name = await meter(world, { Timestamp: new Date(stamp) }).then(
      () => undefined,
      (error: Error) => error.name,
    );

    expect(name).toBe(expected);
  });

  it.each([
    ['InvalidProductCodeException', { ProductCode: 'unknown' }],
    ['InvalidUsageDimensionException', { UsageDimension: 'unknown' }],
    ['InvalidTagException', { UsageAllocations: [{ AllocatedUsageQuantity: 5, Tags: [{ Key: '?', Value: '1' }] }] }],
    ['InvalidUsageAllocationsException', { UsageAllocations: [{ AllocatedUsageQuantity: 4 }] }],
    ['ValidationException', { ClientToken: 'x'.repeat(65) }],
    ['ValidationException', { UsageQuantity: -1 }],
  ])('refuses with %s', async (name, overrides) => {
    const world = await worldOn('ec2');

    await expect(meter(world, overrides)).rejects.toMatchObject({ name });
    expect(await world.bill()).toEqual([]);
  });

  it('refuses an endpoint of another region than the instance', async () => {
    const world = await worldOn('ec2', 'eu-west-1');

    await expect(meter(world)).rejects.toMatchObject({ name: 'InvalidEndpointRegionException' });
    expect((await meter(world, {}, 'eu-west-1')).MeteringRecordId).toBeDefined();
  });

  it('refuses a buyer without agreement, an unknown caller, and a platform that has no metering', async () => {
    const world = await worldOn('lambda');
    const stranger = { platform: 'ec2', region: 'us-east-1', awsAccountId: '999999999999', instanceId: 'i-1' };
    await world.control('PUT', '/control/compute/AKIDSTRANGER', stranger);

    for (const key of ['AKIDBUYER', 'AKIDSTRANGER', 'AKIDUNKNOWN']) {
      await expect(meter(world, {}, 'us-east-1', key)).rejects.toMatchObject({ name: 'CustomerNotEntitledException' });
    }
  });

  it('refuses a DryRun that is no boolean', async () => {
    const world = await worldOn('ec2');
    const body = JSON.stringify({ ProductCode: PRODUCT, Timestamp: 1, UsageDimension: 'requests', DryRun: 'yes' });

    expect((await rawCall(world, 'AWSMPMeteringService.MeterUsage', body)).error).toBe('ValidationException');
  });
});
