import { BatchMeterUsageCommand, type UsageRecord } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { type Agreement, HOUR, PRODUCT, rawCall, recordOf, startTestWorld, type TestWorld } from './fixture.ts';

const TARGET = 'AWSMPMeteringService.BatchMeterUsage';

const send = (world: TestWorld, UsageRecords: UsageRecord[], ProductCode?: string) =>
  world.aws.send(new BatchMeterUsageCommand({ UsageRecords, ...(ProductCode !== undefined && { ProductCode }) }));

/** A contract on `requests`, pure unless the product says otherwise. */
async function subscribeToContract(world: TestWorld, product: object = {}): Promise<Agreement> {
  const contract = { title: 'Contract', pricing: 'contract', dimensions: [{ key: 'requests' }], ...product };
  await world.control('PUT', '/control/products/contract', contract);
  return world.subscribe({ productCode: 'contract' });
}

describe('BatchMeterUsage', () => {
  it('bills a record, answers it with an id, and shows it in the bill', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();

    const answer = await send(world, [recordOf(agreement)]);

    expect(answer.UnprocessedRecords).toEqual([]);
    expect(answer.Results).toEqual([
      { UsageRecord: recordOf(agreement), MeteringRecordId: expect.any(String), Status: 'Success' },
    ]);
    expect(await world.bill()).toEqual([
      {
        productCode: PRODUCT,
        licenceArn: agreement.licenceArn,
        awsAccountId: agreement.awsAccountId,
        dimension: 'requests',
        hour: HOUR,
        timestamp: HOUR,
        quantity: 5,
        meteringRecordId: answer.Results?.[0]?.MeteringRecordId,
        region: 'us-east-1',
      },
    ]);
  });

  it('takes 25 records and refuses 26 with a ValidationException, billing none', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const hours = (count: number) =>
      Array.from({ length: count }, (_, back) =>
        recordOf(agreement, { Timestamp: new Date(Date.parse(HOUR) - back * 60_000) }),
      );
    const many = hours(26).map((record, index) => ({
      ...record,
      Dimension: index % 2 === 0 ? 'requests' : 'kib_sent',
    }));

    await expect(send(world, many)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('Member must have length less than or equal to 25'),
    });
    expect(await world.bill()).toEqual([]);
    expect((await send(world, many.slice(0, 25))).Results).toHaveLength(25);
  });

  it('answers an empty list with empty lists', async () => {
    const world = await startTestWorld();

    expect(await send(world, [])).toMatchObject({ Results: [], UnprocessedRecords: [] });
  });

  it('takes a body one byte below 1 MB and refuses one of 1 MB', async () => {
    const world = await startTestWorld();
    const { awsAccountId, licenceArn } = await world.subscribe();
    const record = {
      Timestamp: 1_789_999_200,
      Dimension: 'requests',
      CustomerAWSAccountId: awsAccountId,
      LicenseArn: licenceArn,
    };
    const body = JSON.stringify({ UsageRecords: [record] });
    const filled = (bytes: number) => body + ' '.repeat(bytes - body.length);

    const tooLong = await rawCall(world, TARGET, filled(1_048_576));
    const fits = await rawCall(world, TARGET, filled(1_048_575));

    expect(tooLong.error).toBe('ValidationException');
    expect(fits.status).toBe(200);
  });

  it('takes quantities from 0 to 2147483647, 0 by default, and no others', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const { Quantity: _, ...withoutQuantity } = recordOf(agreement, { Dimension: 'kib_sent' });

    await send(world, [
      recordOf(agreement, { Quantity: 2_147_483_647 }),
      recordOf(agreement, { Quantity: 0, Dimension: 'gb_stored' }),
      withoutQuantity,
    ]);

    expect((await world.bill()).map((line) => line.quantity)).toEqual([0, 0, 2_147_483_647]);
    for (const Quantity of [-1, 2_147_483_648, 1.5]) {
      await expect(send(world, [recordOf(agreement, { Quantity })])).rejects.toMatchObject({
        name: 'ValidationException',
      });
    }
  });

  it('names every faulty member by its path in one ValidationException', async () => {
    const world = await startTestWorld();
    const records = [{ Timestamp: '2026-09-21', Dimension: '', Quantity: '5', CustomerAWSAccountId: '12a' }, null];

    const { status, text } = await rawCall(
      world,
      TARGET,
      JSON.stringify({ UsageRecords: records, ProductCode: 'a b' }),
    );

    expect(status).toBe(400);
    expect(text).toContain('6 validation errors detected');
    for (const path of ['productCode', 'usageRecords.2.member']) expect(text).toContain(`'${path}'`);
    for (const member of ['timestamp', 'dimension', 'quantity', 'customerAWSAccountId']) {
      expect(text).toContain(`'usageRecords.1.member.${member}'`);
    }
  });

  it.each([
    ['a product code of 256 characters', { ProductCode: 'x'.repeat(256), UsageRecords: [] }],
    ['no list of records', {}],
    ['a null list of records', { UsageRecords: null }],
    ['records that are no list', { UsageRecords: {} }],
  ])('refuses %s with a ValidationException', async (_, body) => {
    const world = await startTestWorld();

    expect(await rawCall(world, TARGET, JSON.stringify(body))).toMatchObject({
      status: 400,
      error: 'ValidationException',
    });
  });

  it.each([
    ['Dimension', 'x'.repeat(256)],
    ['CustomerAWSAccountId', '1'.repeat(256)],
    ['CustomerAWSAccountId', ''],
    ['CustomerIdentifier', 'x'.repeat(256)],
    ['UsageAllocations', []],
    ['UsageAllocations', Array.from({ length: 2501 }, () => ({ AllocatedUsageQuantity: 0 }))],
    ['UsageAllocations', [{}]],
    ['UsageAllocations', [{ AllocatedUsageQuantity: -1 }]],
    ['UsageAllocations', [{ AllocatedUsageQuantity: 5, Tags: [{ Key: 'team' }] }]],
    ['LicenseArn', 7],
  ])('refuses a faulty %s as the model does', async (member, value) => {
    const world = await startTestWorld();
    const { awsAccountId, licenceArn } = await world.subscribe();
    const record = {
      Timestamp: 1_789_999_200,
      Dimension: 'requests',
      CustomerAWSAccountId: awsAccountId,
      LicenseArn: licenceArn,
    };

    const answer = await rawCall(world, TARGET, JSON.stringify({ UsageRecords: [{ ...record, [member]: value }] }));

    expect(answer.error).toBe('ValidationException');
    expect(await world.bill()).toEqual([]);
  });

  it('refuses a dimension that is unknown, in other case, or not metered, and bills none of the call', async () => {
    const world = await startTestWorld();
    const dimensions = [{ key: 'requests' }, { key: 'seats', types: ['Entitled'] }];
    await world.control('PUT', `/control/products/${PRODUCT}`, { title: 'Metrics Cloud', dimensions });
    const agreement = await world.subscribe();

    for (const Dimension of ['unknown', 'Requests', 'seats']) {
      const records = [recordOf(agreement), recordOf(agreement, { Dimension })];
      await expect(send(world, records), Dimension).rejects.toMatchObject({ name: 'InvalidUsageDimensionException' });
    }
    expect(await world.bill()).toEqual([]);
  });

  it.each(['InvalidLicenseException', 'InvalidUsageDimensionException'] as const)(
    'refuses any metering of a pure contract product with %s, as the switch says',
    async (contractMetering) => {
      const world = await startTestWorld();
      await world.control('PUT', '/control/switches', { contractMetering });
      const agreement = await subscribeToContract(world);

      await expect(send(world, [recordOf(agreement)])).rejects.toMatchObject({ name: contractMetering });
      await expect(send(world, [recordOf(agreement, { Dimension: 'no' })])).rejects.toMatchObject({
        name: 'InvalidUsageDimensionException',
      });
      expect(await world.bill()).toEqual([]);
    },
  );

  it('answers CustomerNotSubscribed for a pure contract, for a legacy one always', async () => {
    const world = await startTestWorld();
    const legacy = await subscribeToContract(world, { identityStyle: 'legacy' });
    const CustomerIdentifier = legacy.customerIdentifier;
    const { CustomerAWSAccountId: _, LicenseArn: __, ...record } = recordOf(legacy);

    const UsageRecords = [{ ...record, CustomerIdentifier }];
    const old = await world.aws.send(new BatchMeterUsageCommand({ ProductCode: 'contract', UsageRecords }));
    await world.control('PUT', '/control/switches', { contractMetering: 'CustomerNotSubscribed' });
    const agreement = await subscribeToContract(world);
    const current = await send(world, [recordOf(agreement)]);

    expect([old, current].map(({ Results }) => Results?.[0]?.Status)).toEqual([
      'CustomerNotSubscribed',
      'CustomerNotSubscribed',
    ]);
    expect(await world.bill()).toEqual([]);
  });

  it('meters a contract with consumption as any other usage', async () => {
    const world = await startTestWorld();
    const agreement = await subscribeToContract(world, { pricing: 'contractWithConsumption' });

    const { Results } = await send(world, [recordOf(agreement)]);

    expect(Results?.[0]?.Status).toBe('Success');
  });

  it('lets the first quantity of an hour stand, whatever comes later in the same call or another', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const later = new Date(Date.parse(HOUR) + 3_599_000);

    const together = await send(world, [recordOf(agreement), recordOf(agreement, { Quantity: 6 })]);
    const after = await send(world, [recordOf(agreement, { Quantity: 7, Timestamp: later })]);

    expect(together.Results?.map((result) => result.Status)).toEqual(['Success', 'DuplicateRecord']);
    expect(after.Results).toEqual([
      { UsageRecord: recordOf(agreement, { Quantity: 7, Timestamp: later }), Status: 'DuplicateRecord' },
    ]);
    expect((await world.bill()).map((line) => line.quantity)).toEqual([5]);
  });

  it.each(['Success', 'DuplicateRecord'])(
    'bills an identical resend once and answers %s where so switched',
    async (position) => {
      const world = await startTestWorld();
      await world.control('PUT', '/control/switches', { identicalResend: position });
      const agreement = await world.subscribe();

      const first = await send(world, [recordOf(agreement)]);
      const second = await send(world, [recordOf(agreement)]);

      const id = position === 'Success' ? { MeteringRecordId: first.Results?.[0]?.MeteringRecordId } : {};
      expect(second.Results).toEqual([{ UsageRecord: recordOf(agreement), Status: position, ...id }]);
      expect(await world.bill()).toHaveLength(1);
    },
  );

  it('tells apart licences of one account, dimensions, hours and regions', async () => {
    const world = await startTestWorld();
    const one = await world.subscribe({ awsAccountId: '111122223333' });
    const other = await world.subscribe({ awsAccountId: '111122223333' });
    const earlier = new Date(Date.parse(HOUR) - 1);
    const different = new BatchMeterUsageCommand({ UsageRecords: [recordOf(one)] });

    const answer = await send(world, [
      recordOf(one),
      recordOf(other),
      recordOf(one, { Dimension: 'kib_sent' }),
      recordOf(one, { Timestamp: earlier }),
    ]);
    const elsewhere = await world.client('eu-west-1').send(different);

    expect(answer.Results?.map((result) => result.Status)).toEqual(['Success', 'Success', 'Success', 'Success']);
    expect(elsewhere.Results?.[0]?.Status).toBe('Success');
    expect((await world.bill()).filter((line) => line.region === 'eu-west-1')).toHaveLength(1);
  });

  it('carries fractions of a second and echoes the record without members that are null or unknown', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const record = {
      Timestamp: 1_789_999_200.5,
      Dimension: 'requests',
      CustomerAWSAccountId: agreement.awsAccountId,
      LicenseArn: agreement.licenceArn,
    };

    const unusual = { ...record, Quantity: null, Colour: 'blue' };
    const { text } = await rawCall(world, TARGET, JSON.stringify({ UsageRecords: [unusual] }));

    expect(JSON.parse(text).Results[0].UsageRecord).toEqual(record);
    expect((await world.bill())[0]?.timestamp).toBe('2026-09-21T14:00:00.500Z');
  });
});
