import { BatchMeterUsageCommand, type UsageRecord } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import {
  type Agreement,
  HOUR,
  LEGACY_PRODUCT,
  NOW,
  PRODUCT,
  recordOf,
  startTestWorld,
  type TestWorld,
} from './fixture.ts';

/** The status of each record, or the name of the exception that refused the call. */
const outcome = (world: TestWorld, UsageRecords: UsageRecord[], ProductCode?: string): Promise<unknown> =>
  world.aws.send(new BatchMeterUsageCommand({ UsageRecords, ...(ProductCode !== undefined && { ProductCode }) })).then(
    ({ Results }) => Results?.map((result) => result.Status),
    (error: Error) => error.name,
  );

const legacyRecord = (overrides: Partial<UsageRecord>): UsageRecord => ({
  Timestamp: new Date(HOUR),
  Dimension: 'requests',
  Quantity: 5,
  ...overrides,
});

const advance = (world: TestWorld, ms: number) => world.control('POST', '/control/clock/advance', { ms });
const cancel = (world: TestWorld, { agreementId }: Agreement, body = {}) =>
  world.control('POST', `/control/agreements/${agreementId}/cancel`, body);
const at = (iso: string) => new Date(iso);

describe('Metering by licence', () => {
  it('refuses a licence that is malformed, unknown, or of another account', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const stranger = `${agreement.licenceArn.slice(0, -1)}${agreement.licenceArn.endsWith('0') ? '1' : '0'}`;

    for (const wrong of [
      { LicenseArn: 'aws:license-manager:us-east-1:123456789012:l-1' },
      { LicenseArn: stranger },
      { CustomerAWSAccountId: '000000000000' },
    ]) {
      expect(await outcome(world, [recordOf(agreement), recordOf(agreement, wrong)])).toBe('InvalidLicenseException');
    }
    expect(await world.bill()).toEqual([]);
  });

  it('refuses licences of two products in one call', async () => {
    const world = await startTestWorld();
    const one = await world.subscribe();
    const other = await world.subscribe({ productCode: LEGACY_PRODUCT });

    expect(await outcome(world, [recordOf(one), recordOf(other)])).toBe('InvalidLicenseException');
  });

  it('refuses ProductCode beside a licence, unless switched to take it', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const other = await world.subscribe({ productCode: LEGACY_PRODUCT });

    expect(await outcome(world, [recordOf(agreement)], PRODUCT)).toBe('InvalidProductCodeException');
    await world.control('PUT', '/control/switches', { productCodeWithLicence: 'accept' });
    expect(await outcome(world, [recordOf(other)], PRODUCT)).toBe('InvalidLicenseException');
    expect(await outcome(world, [recordOf(agreement)], PRODUCT)).toEqual(['Success']);
  });

  it('refuses a record that names its customer twice, not at all, or in the legacy way', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const { CustomerAWSAccountId: _, ...nobody } = recordOf(agreement);

    for (const record of [
      nobody,
      { ...nobody, CustomerIdentifier: 'X' },
      recordOf(agreement, { CustomerIdentifier: 'X' }),
    ]) {
      expect(await outcome(world, [record])).toBe('InvalidCustomerIdentifierException');
    }
  });

  it('refuses a record that has neither licence nor product', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const { LicenseArn: _, ...bare } = recordOf(agreement);

    expect(await outcome(world, [bare])).toBe('InvalidProductCodeException');
    expect(await outcome(world, [recordOf(agreement), bare])).toBe('InvalidLicenseException');
    expect(await outcome(world, [bare], PRODUCT)).toBe('InvalidLicenseException');
    expect(await outcome(world, [{ ...legacyRecord({}), CustomerIdentifier: 'X' }], PRODUCT)).toBe(
      'InvalidCustomerIdentifierException',
    );
  });

  it('answers CustomerNotSubscribed until the licence is provisioned', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe({ startAt: HOUR, provisionAt: '2026-09-21T14:31:00Z' });

    expect(await outcome(world, [recordOf(agreement)])).toEqual(['CustomerNotSubscribed']);
    await advance(world, 60_000);
    expect(await outcome(world, [recordOf(agreement)])).toEqual(['Success']);
  });

  it.each([
    ['InvalidLicenseException', 'InvalidLicenseException'],
    ['CustomerNotSubscribed', ['CustomerNotSubscribed']],
    ['accept', ['Success']],
  ])('answers a stamp before the licence starts with %s where so switched', async (position, expected) => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { beforeLicenceStart: position });
    const agreement = await world.subscribe({ startAt: '2026-09-21T13:20:00Z' });

    expect(await outcome(world, [recordOf(agreement, { Timestamp: at('2026-09-21T13:19:59Z') })])).toEqual(expected);
    expect(
      await outcome(world, [recordOf(agreement, { Timestamp: at('2026-09-21T13:20:00Z'), Dimension: 'kib_sent' })]),
    ).toEqual(['Success']);
  });

  it('counts the start from the provisioning where so switched', async () => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { licenceStart: 'provisioned' });
    const agreement = await world.subscribe({ startAt: HOUR, provisionAt: '2026-09-21T13:01:00Z' });

    expect(await outcome(world, [recordOf(agreement)])).toBe('InvalidLicenseException');
    expect(await outcome(world, [recordOf(agreement, { Timestamp: at('2026-09-21T13:01:00Z') })])).toEqual(['Success']);
  });

  it.each([
    ['InvalidLicenseException', 'InvalidLicenseException'],
    ['CustomerNotSubscribed', ['CustomerNotSubscribed']],
    ['accept', ['Success']],
  ])('answers a stamp after the licence was taken away with %s where so switched', async (position, expected) => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { afterLicenceEnd: position });
    const agreement = await world.subscribe();
    await cancel(world, agreement, { revokeAfterMs: 0 });
    await advance(world, 1000);

    expect(await outcome(world, [recordOf(agreement, { Timestamp: new Date(Date.parse(NOW) + 1) })])).toEqual(expected);
  });

  it.each([
    ['CustomerNotSubscribed', ['CustomerNotSubscribed']],
    ['InvalidLicenseException', 'InvalidLicenseException'],
  ])(
    'takes final usage for one hour after Deprovisioned, then answers %s where so switched',
    async (position, expected) => {
      const world = await startTestWorld();
      await world.control('PUT', '/control/switches', { afterFinalHour: position });
      const agreement = await world.subscribe();
      await cancel(world, agreement);

      await advance(world, 31_000 + 3_599_999);
      expect(await outcome(world, [recordOf(agreement)])).toEqual(['Success']);
      await advance(world, 1);
      expect(await outcome(world, [recordOf(agreement, { Dimension: 'kib_sent' })])).toEqual(expected);
    },
  );

  it('counts the final hour from the end of the agreement where so switched', async () => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { finalHourOpensAt: 'ended' });
    const agreement = await world.subscribe();
    await cancel(world, agreement);
    await advance(world, 3_600_000);

    expect(await outcome(world, [recordOf(agreement)])).toEqual(['CustomerNotSubscribed']);
  });

  it.each([
    ['CustomerNotSubscribed', ['CustomerNotSubscribed']],
    ['asResend', ['Success']],
  ])('answers a resend of billed usage after the final hour as %s where so switched', async (position, expected) => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { resendAfterEnd: position });
    const agreement = await world.subscribe();
    await outcome(world, [recordOf(agreement)]);
    await cancel(world, agreement);
    await advance(world, 3_700_000);

    expect(await outcome(world, [recordOf(agreement)])).toEqual(expected);
    expect(await world.bill()).toHaveLength(1);
  });

  it('answers CustomerNotSubscribed while the account is suspended, beside records that are honoured', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const other = await world.subscribe();
    await world.control('POST', `/control/agreements/${agreement.agreementId}/suspend`);

    expect(await outcome(world, [recordOf(agreement), recordOf(other)])).toEqual(['CustomerNotSubscribed', 'Success']);
    await world.control('POST', `/control/agreements/${agreement.agreementId}/resume`);
    expect(await outcome(world, [recordOf(agreement)])).toEqual(['Success']);
  });

  it('goes on metering under a renewal that keeps the licence, and ends the old one where it does not', async () => {
    const world = await startTestWorld();
    const first = await world.subscribe();
    const kept = await world.subscribe({
      previousAgreementId: first.agreementId,
      licenceArn: first.licenceArn,
      startAt: NOW,
    });
    await advance(world, 3_700_000);
    expect(kept.awsAccountId).toBe(first.awsAccountId);
    expect(await outcome(world, [recordOf(first)])).toEqual(['Success']);

    const renewed = await world.subscribe({ previousAgreementId: kept.agreementId, startAt: '2026-09-21T15:31:40Z' });
    await advance(world, 3_700_000);
    expect(await outcome(world, [recordOf(kept, { Dimension: 'kib_sent' })])).toEqual(['CustomerNotSubscribed']);
    expect(await outcome(world, [recordOf(renewed, { Timestamp: at('2026-09-21T16:00:00Z') })])).toEqual(['Success']);
  });
});

describe('Metering by product and customer', () => {
  it('bills by CustomerIdentifier and by account as one customer', async () => {
    const world = await startTestWorld();
    const { awsAccountId, customerIdentifier = '' } = await world.subscribe({ productCode: LEGACY_PRODUCT });

    const byIdentifier = legacyRecord({ CustomerIdentifier: customerIdentifier });
    const byAccount = legacyRecord({ CustomerAWSAccountId: awsAccountId, Quantity: 6 });
    expect(await outcome(world, [byIdentifier, byAccount], LEGACY_PRODUCT)).toEqual(['Success', 'DuplicateRecord']);

    expect(await world.bill()).toMatchObject([
      { customerIdentifier, awsAccountId, productCode: LEGACY_PRODUCT, quantity: 5 },
    ]);
  });

  it('bills twice what is sent in both styles, as AWS warns', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe({ productCode: LEGACY_PRODUCT });

    await outcome(world, [recordOf(agreement)]);
    await outcome(world, [legacyRecord({ CustomerAWSAccountId: agreement.awsAccountId })], LEGACY_PRODUCT);

    expect(await world.bill()).toHaveLength(2);
  });

  it('refuses a product code that is unknown or empty', async () => {
    const world = await startTestWorld();
    const { customerIdentifier = '' } = await world.subscribe({ productCode: LEGACY_PRODUCT });

    for (const code of ['other-product', '']) {
      const record = legacyRecord({ CustomerIdentifier: customerIdentifier });
      expect(await outcome(world, [record], code)).toBe('InvalidProductCodeException');
    }
  });

  it('refuses a record with both identities or none', async () => {
    const world = await startTestWorld();
    const { awsAccountId, customerIdentifier = '' } = await world.subscribe({ productCode: LEGACY_PRODUCT });

    const both = { CustomerIdentifier: customerIdentifier, CustomerAWSAccountId: awsAccountId };
    for (const identity of [both, {}]) {
      expect(await outcome(world, [legacyRecord(identity)], LEGACY_PRODUCT)).toBe('InvalidCustomerIdentifierException');
    }
  });

  it.each([
    ['InvalidCustomerIdentifierException', 'InvalidCustomerIdentifierException'],
    ['CustomerNotSubscribed', ['CustomerNotSubscribed']],
  ])('answers an unknown CustomerIdentifier with %s where so switched', async (position, expected) => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { unknownCustomer: position });

    expect(await outcome(world, [legacyRecord({ CustomerIdentifier: 'nobody' })], LEGACY_PRODUCT)).toEqual(expected);
  });

  it('answers CustomerNotSubscribed for an account without agreement, before its start and after its final hour', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe({ productCode: LEGACY_PRODUCT, startAt: '2026-09-21T12:30:00Z' });
    const stamped = (iso: string) => legacyRecord({ CustomerAWSAccountId: agreement.awsAccountId, Timestamp: at(iso) });

    const stranger = legacyRecord({ CustomerAWSAccountId: '000000000000' });
    expect(await outcome(world, [stranger], LEGACY_PRODUCT)).toEqual(['CustomerNotSubscribed']);
    expect(await outcome(world, [stamped('2026-09-21T12:29:59Z')], LEGACY_PRODUCT)).toEqual(['CustomerNotSubscribed']);
    expect(await outcome(world, [stamped('2026-09-21T12:30:00Z')], LEGACY_PRODUCT)).toEqual(['Success']);
    await cancel(world, agreement, { revokeAfterMs: 0 });
    await advance(world, 3_600_000);
    expect(await outcome(world, [stamped(HOUR)], LEGACY_PRODUCT)).toEqual(['CustomerNotSubscribed']);
  });
});
