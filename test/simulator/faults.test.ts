import {
  BatchMeterUsageCommand,
  MeterUsageCommand,
  RegisterUsageCommand,
  ResolveCustomerCommand,
} from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { createThrottle } from '../../simulator/faults.ts';
import { PRODUCT, recordOf, startTestWorld, type TestWorld } from './fixture.ts';

const arm = (world: TestWorld, faults: object) => world.control('PUT', '/control/faults', faults);

/** Sends two records of a fresh agreement: answers results and unprocessed, or the error. */
// biome-ignore lint/suspicious/noExplicitAny: answers are asserted on, member by member
async function meterTwo(world: TestWorld): Promise<any> {
  const agreement = await world.subscribe();
  const UsageRecords = [recordOf(agreement), recordOf(agreement, { Dimension: 'kib_sent' })];
  return world.aws.send(new BatchMeterUsageCommand({ UsageRecords })).catch((error: Error) => error);
}

describe('Armed faults', () => {
  it.each([
    ['throttle', 'ThrottlingException', 400],
    ['internalError', 'InternalServiceErrorException', 500],
    ['accessDenied', 'AccessDeniedException', 400],
    ['expiredCredentials', 'ExpiredTokenException', 400],
    ['disabledApi', 'DisabledApiException', 400],
  ])('answers %s as the SDK parses it, bills nothing, and is spent afterwards', async (kind, name, status) => {
    const world = await startTestWorld();
    await arm(world, { next: [{ kind }] });

    expect(await meterTwo(world)).toMatchObject({ name, $metadata: { httpStatusCode: status } });
    expect(await world.bill()).toEqual([]);
    expect((await meterTwo(world)).Results).toHaveLength(2);
    expect(await world.control('GET', '/control/faults')).toEqual({ disabledRegions: [], next: [] });
  });

  it.each(['ThrottlingException', 'InternalServiceErrorException'])(
    'provokes %s of all four operations',
    async (name) => {
      const world = await startTestWorld();
      const kind = name === 'ThrottlingException' ? 'throttle' : 'internalError';
      await arm(world, { next: [{ kind, count: 4 }] });
      const Timestamp = new Date();

      await expect(world.aws.send(new ResolveCustomerCommand({ RegistrationToken: 'x' }))).rejects.toMatchObject({
        name,
      });
      await expect(world.aws.send(new BatchMeterUsageCommand({ UsageRecords: [] }))).rejects.toMatchObject({ name });
      await expect(
        world.aws.send(new MeterUsageCommand({ ProductCode: PRODUCT, Timestamp, UsageDimension: 'requests' })),
      ).rejects.toMatchObject({ name });
      await expect(
        world.aws.send(new RegisterUsageCommand({ ProductCode: PRODUCT, PublicKeyVersion: 1 })),
      ).rejects.toMatchObject({ name });
    },
  );

  it('answers DisabledApiException in a disabled region and serves the others', async () => {
    const world = await startTestWorld();
    await arm(world, { disabledRegions: ['eu-west-1'] });
    const empty = () => new BatchMeterUsageCommand({ UsageRecords: [] });
    const register = new RegisterUsageCommand({ ProductCode: PRODUCT, PublicKeyVersion: 1 });
    const resolve = new ResolveCustomerCommand({ RegistrationToken: 'x' });
    const meter = new MeterUsageCommand({ ProductCode: PRODUCT, Timestamp: new Date(), UsageDimension: 'requests' });
    const elsewhere = world.client('eu-west-1');

    await expect(elsewhere.send(empty())).rejects.toMatchObject({ name: 'DisabledApiException' });
    await expect(elsewhere.send(register)).rejects.toMatchObject({ name: 'DisabledApiException' });
    await expect(elsewhere.send(resolve)).rejects.toMatchObject({ name: 'DisabledApiException' });
    await expect(elsewhere.send(meter)).rejects.toMatchObject({ name: 'InvalidEndpointRegionException' });
    expect((await world.aws.send(empty())).Results).toEqual([]);
  });

  it('waits for the operation that a fault names, and for one that it can happen to', async () => {
    const world = await startTestWorld();
    await arm(world, { next: [{ kind: 'throttle', operation: 'ResolveCustomer' }, { kind: 'missingLicenseArn' }] });

    expect((await meterTwo(world)).Results).toHaveLength(2);
    expect((await world.control('GET', '/control/faults')).next).toHaveLength(2);
  });

  it('hands back what it did not process, unbilled', async () => {
    const world = await startTestWorld();
    await arm(world, { next: [{ kind: 'partialUnprocessed', keep: 1 }] });

    const answer = await meterTwo(world);

    expect(answer.Results).toMatchObject([{ Status: 'Success', UsageRecord: { Dimension: 'requests' } }]);
    expect(answer.UnprocessedRecords).toMatchObject([{ Dimension: 'kib_sent' }]);
    expect(await world.bill()).toHaveLength(1);
  });

  it.each([
    [false, 1],
    [true, 2],
  ])('leaves records out of the answer, billed or not as asked: %s', async (apply, billed) => {
    const world = await startTestWorld();
    await arm(world, { next: [{ kind: 'missingResults', keep: 1, apply }] });

    const answer = await meterTwo(world);

    expect(answer).toMatchObject({ Results: [{ Status: 'Success' }], UnprocessedRecords: [] });
    expect(await world.bill()).toHaveLength(billed);
  });

  it('answers a status that no SDK knows, unbilled', async () => {
    const world = await startTestWorld();
    await arm(world, { next: [{ kind: 'unknownStatus', status: 'UnderReview' }] });

    expect((await meterTwo(world)).Results).toMatchObject([{ Status: 'UnderReview' }, { Status: 'UnderReview' }]);
    expect(await world.bill()).toEqual([]);
  });

  it('answers a 500 to records that it billed, where asked to', async () => {
    const world = await startTestWorld();
    await arm(world, { next: [{ kind: 'internalError', apply: true }] });

    expect(await meterTwo(world)).toMatchObject({ name: 'InternalServiceErrorException' });
    expect(await world.bill()).toHaveLength(2);
  });

  it.each([
    ['acceptThenTimeout', 2],
    ['refuseThenTimeout', 0],
    ['dropConnection', 0],
  ])('never answers under %s, and bills %i records', async (kind, billed) => {
    const world = await startTestWorld();
    await arm(world, { next: [{ kind, delayMs: 5 }] });

    const error = await meterTwo(world);

    expect(error).toBeInstanceOf(Error);
    expect(error.$metadata?.httpStatusCode).toBeUndefined();
    expect(await world.bill()).toHaveLength(billed);
    expect((await world.control('GET', '/control/calls')).calls).toMatchObject([{ httpStatus: 0, fault: kind }]);
  });

  it('answers slowly, and does not outlive the simulator', async () => {
    const world = await startTestWorld();
    await arm(world, {
      next: [
        { kind: 'slow', delayMs: 5 },
        { kind: 'slow', delayMs: 600_000 },
      ],
    });

    expect((await meterTwo(world)).Results).toHaveLength(2);
    const never = meterTwo(world);
    await expect.poll(async () => (await world.control('GET', '/control/calls/count')).count).toBe(2);
    await world.close();
    expect(await never).toBeInstanceOf(Error);
  });

  it('leaves the licence out of one ResolveCustomer answer', async () => {
    const world = await startTestWorld();
    const { agreementId } = await world.subscribe();
    const { token } = await world.control('POST', `/control/agreements/${agreementId}/tokens`);
    await arm(world, { next: [{ kind: 'missingLicenseArn' }] });
    const resolve = () => world.aws.send(new ResolveCustomerCommand({ RegistrationToken: token }));

    expect((await resolve()).LicenseArn).toBeUndefined();
    expect((await resolve()).LicenseArn).toBeDefined();
  });

  it('answers every n-th call with an internal error until it is disarmed', async () => {
    const world = await startTestWorld();
    await arm(world, { internalErrorEvery: 2 });
    const call = () =>
      world.aws.send(new BatchMeterUsageCommand({ UsageRecords: [] })).then(
        () => 'answered',
        (error: Error) => error.name,
      );

    expect([await call(), await call(), await call(), await call()]).toEqual([
      'answered',
      'InternalServiceErrorException',
      'answered',
      'InternalServiceErrorException',
    ]);
    await world.control('DELETE', '/control/faults');
    expect([await call(), await call()]).toEqual(['answered', 'answered']);
  });

  it('admits so many calls in any second and refuses the rest without counting them', () => {
    const throttle = createThrottle();
    const admitted = (at: number) => throttle.admits('us-east-1 BatchMeterUsage', 2, at);

    expect([admitted(0), admitted(400), admitted(500), admitted(999)]).toEqual([true, true, false, false]);
    expect([admitted(1000), admitted(1001), admitted(1400)]).toEqual([true, false, true]);
    expect(throttle.admits('eu-west-1 BatchMeterUsage', 2, 1400)).toBe(true);
  });

  it('throttles the wire at the rate that is armed', async () => {
    const world = await startTestWorld();
    await arm(world, { throttlePerSecond: 1 });

    const answers = await Promise.all(Array.from({ length: 5 }, () => meterTwo(world)));

    expect(answers.filter((answer) => answer.name === 'ThrottlingException').length).toBeGreaterThan(0);
    expect(answers.some((answer) => answer.Results?.length === 2)).toBe(true);
  });

  it.each([
    [{ throttle: 1 }],
    [{ throttlePerSecond: 0 }],
    [{ internalErrorEvery: 1.5 }],
    [{ disabledRegions: 'eu-west-1' }],
    [{ next: {} }],
    [{ next: [7] }],
    [{ next: [{ kind: 'earthquake' }] }],
    [{ next: [{ kind: 'slow', delay: 5 }] }],
    [{ next: [{ kind: 'slow', delayMs: -1 }] }],
    [{ next: [{ kind: 'throttle', count: 0 }] }],
    [{ next: [{ kind: 'throttle', operation: 7 }] }],
    [{ next: [{ kind: 'partialUnprocessed', keep: 26 }] }],
    [{ next: [{ kind: 'unknownStatus', status: 7 }] }],
    [{ next: [{ kind: 'internalError', apply: 'yes' }] }],
  ])('refuses to arm %j and keeps what was armed', async (faults) => {
    const world = await startTestWorld();
    await arm(world, { throttlePerSecond: 10 });

    expect(await arm(world, faults)).toMatchObject({ error: { code: 'InvalidInput', message: expect.any(String) } });
    expect(await world.control('GET', '/control/faults')).toMatchObject({ throttlePerSecond: 10, next: [] });
  });
});
