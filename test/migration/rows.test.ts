// What stands in the old tables and can't come over: each row is named, kept, and in the report.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { useServices } from '../backend-world.ts';
import { aFolder } from '../cli/fulfillment.ts';
import { billOf, closeAndSend, licenceKeyAt, movingHouse, requests, sumsOf, USAGE, WHY } from './moving-house.ts';

const services = useServices();

const N = (n: string) => ({ N: n });
const entry = (value: AttributeValue, more: Record<string, AttributeValue> = {}) => ({
  M: { dimension: { S: 'requests' }, value, ...more },
});

describe('a row of the old tables', { timeout: 120_000 }, () => {
  test.each<[string, Record<string, AttributeValue>, string]>([
    ['a quantity as text', { dimension_usage: { L: [entry({ S: '3' })] } }, 'quantityText'],
    ['a quantity with decimals', { dimension_usage: { L: [entry(N('0.9'))] } }, 'quantityNotWhole'],
    ['a quantity below zero', { dimension_usage: { L: [entry(N('-1'))] } }, 'quantityNotWhole'],
    [
      'a quantity that no number holds exactly',
      { dimension_usage: { L: [entry(N('9007199254740993'))] } },
      'quantityNotWhole',
    ],
    ['no quantity', { dimension_usage: { L: [{ M: { dimension: { S: 'requests' } } }] } }, 'quantityMissing'],
    ['no dimension', { dimension_usage: { L: [{ M: { value: N('1') } }] } }, 'dimensionMissing'],
    ['allocations', { dimension_usage: { L: [entry(N('3'), { UsageAllocations: { L: [] } })] } }, 'allocations'],
    ['no usage', { dimension_usage: { L: [] } }, 'usageMissing'],
    [
      'one good amount beside a bad one',
      { dimension_usage: { L: [entry(N('3')), entry({ S: '4' })] } },
      'quantityText',
    ],
    [
      'a dimension that is not listed',
      { dimension_usage: { L: [{ M: { dimension: { S: 'Requests' }, value: N('1') } }] } },
      'dimensionUnknown',
    ],
    ['an answer though it is pending', { metering_failed: { BOOL: true } }, 'answeredBefore'],
    ['another word than true for pending', { metering_pending: { S: 'yes' } }, 'pendingUnclear'],
    ['a time after the cut-over', {}, 'afterCutOver'],
  ])('with %s is refused by name and left pending', async (what, item, code) => {
    const { old, at, migrate } = await movingHouse(services());
    const acme = await old.buyer();
    const time = what.startsWith('a time') ? '2026-09-21T12:01:00Z' : '2026-09-21T11:10:00Z';
    await old.record(acme, time, requests(3), item);
    await at('12:06');
    const before = await old.item(acme, time);
    const report = join(aFolder(), 'rows.csv');

    const { exitCode, stdout } = await migrate(`${USAGE} --report ${report}`);

    expect(exitCode).toBe(1);
    expect(stdout).toContain(`${code}: `);
    expect(readFileSync(report, 'utf8')).toContain(`record,refused,${code},${acme.customerIdentifier}`);
    expect(await old.item(acme, time)).toEqual(before);
  });

  test('of 19 digits is taken over under all of them, and amounts of one dimension twice are both billed', async () => {
    const { world, old, at, migrate } = await movingHouse(services());
    const acme = await old.buyer();
    const stamps = ['1789988400123456789', '1789988400123456790'];
    for (const stamp of stamps) {
      await old.record(acme, '2026-09-21T11:00:00Z', [...requests(4), ...requests(1)], { create_timestamp: N(stamp) });
    }
    await at('12:06');

    await migrate(USAGE);
    await migrate(USAGE);
    await closeAndSend(world);

    expect(await billOf(world)).toEqual({ [`${acme.customerIdentifier} requests`]: 10 });
  });

  test('older than AWS’s window is told as lost, with units and money', async () => {
    const { old, at, migrate, fulfillment } = await movingHouse(services());
    const acme = await old.buyer();
    await old.record(acme, '2026-09-20T09:10:00Z', requests(1_500));
    await fulfillment('prices set --product metrics-cloud --dimension requests --price 0.02 --why "as listed"');
    await at('12:06');

    const { exitCode, stdout } = await migrate(USAGE);

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/too old for AWS: lost\s+requests\s+1\s+1,500\s+30\.00/);
    expect(await old.item(acme, '2026-09-20T09:10:00Z')).toMatchObject({ metering_pending: 'true' });
  });

  test.each([
    [
      'a fault',
      JSON.stringify(JSON.stringify({ message: 'slow down', code: 'ThrottlingException' })),
      true,
      'ThrottlingException',
    ],
    [
      'nothing but a record handed back',
      JSON.stringify({ Results: [], UnprocessedRecords: [{ Dimension: 'requests', Quantity: 3 }] }),
      false,
      'Unprocessed',
    ],
    [
      'no answer to its dimension',
      JSON.stringify({ Results: [{ Status: 'Success', UsageRecord: { Dimension: 'other', Quantity: 3 } }] }),
      false,
      'NoAnswer',
    ],
    ['what nobody can read', 'oops', false, 'ResponseUnreadable'],
  ])(
    'that was closed with %s is told as unbilled with the reason, and not taken over',
    async (_, response, isFailed, code) => {
      const { old, at, migrate } = await movingHouse(services());
      const acme = await old.buyer();
      const item = { metering_response: { S: response }, metering_failed: { BOOL: isFailed } };
      await old.closed(acme, '2026-09-21T11:10:00Z', requests(3), item);
      await at('12:06');

      const { exitCode, stdout } = await migrate(`${USAGE} --json`);

      expect(exitCode).toBe(1);
      expect(sumsOf(stdout)).toEqual({ made: 1, 'unbilledThere requests': 3 });
      expect((await migrate(USAGE)).stdout).toContain(`AWS did not take it: ${code}`);
    },
  );

  test.each([
    [
      'a contract with consumption that includes its dimension',
      { pricingModel: 'contractWithConsumption' },
      'includedTwice',
    ],
    ['a pure contract', { pricingModel: 'contract' }, 'neverMetered'],
  ])('of %s is refused: the old stack recorded what is beyond it', async (_, product, code) => {
    const { old, at, migrate } = await movingHouse(services(), product);
    const acme = await old.buyer();
    await old.record(acme, '2026-09-21T11:10:00Z', requests(9));
    await at('12:06');

    const { exitCode, stdout } = await migrate(USAGE);

    expect(exitCode).toBe(1);
    expect(stdout).toContain(`${code}: `);
    expect(await old.item(acme, '2026-09-21T11:10:00Z')).toMatchObject({ metering_pending: 'true' });
  });

  test('of a contract with consumption that is set to take nothing off is billed', async () => {
    const product = { pricingModel: 'contractWithConsumption', included: { requests: 'none' } };
    const { world, old, at, migrate } = await movingHouse(services(), product);
    await world.control.put('/control/products/metrics-cloud', {
      title: 'Metrics Cloud',
      identityStyle: 'legacy',
      pricing: 'contractWithConsumption',
      dimensions: [{ key: 'requests' }],
    });
    const entitlements = [{ dimension: 'requests', value: 1_000 }];
    const acme = await old.buyer({}, { entitlements, endAt: '2027-09-21T10:00:00Z' });
    await old.record(acme, '2026-09-21T11:10:00Z', requests(9));
    await at('12:06');

    await migrate(USAGE);
    await world.backend.refreshEntitlements();
    await closeAndSend(world);

    expect(await billOf(world)).toEqual({ [`${acme.customerIdentifier} requests`]: 9 });
  });

  test('of a buyer whose row was written anew after its usage is taken over all the same', async () => {
    const { world, old, at, migrate } = await movingHouse(services());
    const acme = await old.buyer({ created: { S: String(Date.parse('2026-09-21T12:04:00Z')) } });
    await old.record(acme, '2026-09-21T11:10:00Z', requests(9));
    await at('12:06');

    const { exitCode } = await migrate(USAGE);
    await closeAndSend(world);

    expect(exitCode).toBe(0);
    expect(await billOf(world)).toEqual({ [`${acme.customerIdentifier} requests`]: 9 });
  });

  test('of a buyer whom AWS itself has told us of changes nothing of its standing', async () => {
    const { world, old, at, migrate, fulfillment } = await movingHouse(services());
    const acme = await old.buyer({ successfully_subscribed: { BOOL: false }, subscription_expired: { BOOL: true } });
    await at('10:40');
    await world.deliverNotices();

    await migrate(WHY);
    await world.deliverNotices();

    const customerId = (await world.customers.licence(licenceKeyAt(acme)))?.customerId ?? '';
    const { stdout } = await fulfillment(`customers show ${customerId}`);
    expect(stdout).toMatch(/standing\s+active/);
  });

  test.each([
    [
      'by licence',
      'arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef',
      'identityStyleWrong',
    ],
    ['by AWS account', '123456789012', 'accountOnly'],
  ])('that names its buyer %s is refused where the product is metered by customer identifier', async (_, key, code) => {
    const { old, migrate } = await movingHouse(services());
    await old.buyer({ customerIdentifier: { S: key } });

    const { exitCode, stdout } = await migrate(WHY);

    expect(exitCode).toBe(1);
    expect(stdout).toContain(`${code}: `);
  });

  test('that names its buyer by licence, as later forms of the sample do, comes over by licence', async () => {
    const { world, old, at, migrate } = await movingHouse(services(), { identityStyle: 'licence' });
    const { licenceArn, awsAccountId } = await world.control.post<{ licenceArn: string; awsAccountId: string }>(
      '/control/agreements',
      { productCode: 'metrics-cloud' },
    );
    await old.buyer({ customerIdentifier: { S: licenceArn }, customerAWSAccountID: { S: awsAccountId } });
    await old.record({ customerIdentifier: licenceArn }, '2026-09-21T11:10:00Z', requests(6));
    await at('12:06');

    const { exitCode } = await migrate(USAGE);
    await closeAndSend(world);

    expect(exitCode).toBe(0);
    expect((await world.bill()).map(({ licenceArn: arn, quantity }) => [arn, quantity])).toEqual([[licenceArn, 6]]);
  });
});
