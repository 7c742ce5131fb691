// A seller moves from AWS's serverless sample: the bill is the old stack's and ours together, and each unit is in it once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { openDesk } from '../../operator/desk.ts';
import { type BackendWorld, PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';
import { commandsOn } from '../cli/deployment.ts';
import { aFolder } from '../cli/fulfillment.ts';
import { type OldBuyerName, type OldStack, startOldStack } from './old-stack.ts';

const services = useServices();

const CUT_OVER = '2026-09-21T12';
const WHY = '--apply --why "moving house"';
const USAGE = `--old-sender-stopped --without-cloudtrail --quiet-for 0 ${WHY}`;

/** A seller of a product that is metered by customer identifier, with the old stack at work and ours beside it. */
async function movingHouse(product: object = {}) {
  const world = await startBackendWorld(services(), {
    product: { identityStyle: 'legacy', rehearsal: { mode: 'shadow', until: CUT_OVER }, ...product },
  });
  const old = await startOldStack(world);
  const fulfillment = commandsOn(world);
  const migrate = (options = '') =>
    fulfillment(`migrate sample --subscribers ${old.subscribers} --records ${old.records} ${options}`);
  const at = (time: string) => world.clock.set(Date.parse(`2026-09-21T${time}:00Z`));
  return { world, old, fulfillment, migrate, at };
}

function requests(value: number) {
  return [{ dimension: 'requests', value }];
}

async function billOf(world: BackendWorld): Promise<Record<string, number>> {
  const bill: Record<string, number> = {};
  for (const { customerIdentifier, dimension, quantity } of await world.bill()) {
    const name = `${customerIdentifier} ${dimension}`;
    bill[name] = (bill[name] ?? 0) + quantity;
  }
  return bill;
}

async function closeAndSend(world: BackendWorld): Promise<void> {
  await world.tick('2026-09-21T13:11:00Z');
  await world.tick('2026-09-21T13:12:00Z');
}

function sumsOf(stdout: string): Record<string, number> {
  const { sums } = JSON.parse(stdout) as {
    sums: { row: string; fate: string; dimension: string; units: number; rows: number }[];
  };
  return Object.fromEntries(
    sums.map(({ row, fate, dimension, units, rows }) => [
      row === 'buyer' ? fate : `${fate} ${dimension}`.trim(),
      row === 'buyer' ? rows : units,
    ]),
  );
}

/** Usage of two buyers: some sent by the old stack in hour 10, some pending as its sender is switched off. */
async function halfSent(old: OldStack, at: (time: string) => Promise<unknown>) {
  const acme = await old.buyer();
  const beta = await old.buyer();
  await old.record(acme, '2026-09-21T10:10:00Z', requests(5));
  await at('10:30');
  await old.run();
  await old.record(acme, '2026-09-21T11:10:00Z', [...requests(7), { dimension: 'gb_stored', value: 2 }]);
  await old.record(acme, '2026-09-21T11:20:00Z', requests(20));
  await old.record(beta, '2026-09-21T11:20:00Z', requests(3));
  return { acme, beta };
}

const truthOf = (acme: OldBuyerName, beta: OldBuyerName) => ({
  [`${acme.customerIdentifier} requests`]: 5 + 7 + 20,
  [`${acme.customerIdentifier} gb_stored`]: 2,
  [`${beta.customerIdentifier} requests`]: 3,
});

describe('fulfillment migrate sample', { timeout: 120_000 }, () => {
  test('bills what the old stack sent and what it left once, and usage that is reported here from the cut-over on', async () => {
    const { world, old, migrate, at } = await movingHouse();
    const { acme, beta } = await halfSent(old, at);
    await at('12:06');

    const { exitCode, stdout } = await migrate(`${USAGE} --json`);
    const event = {
      id: 'new',
      productCode: PRODUCT,
      customerIdentifier: acme.customerIdentifier,
      dimension: 'requests',
    };
    await world.report([{ ...event, quantity: 100, time: '2026-09-21T12:05:00Z' }]);
    await closeAndSend(world);

    expect(exitCode).toBe(0);
    expect(sumsOf(stdout)).toEqual({
      made: 2,
      'taken requests': 30,
      'taken gb_stored': 2,
      'billedThere requests': 5,
    });
    const truth = truthOf(acme, beta);
    const name = `${acme.customerIdentifier} requests`;
    expect(await billOf(world)).toEqual({ ...truth, [name]: (truth[name] ?? 0) + 100 });
  });

  test('writes nothing without --apply, here or there', async () => {
    const { world, old, migrate, at } = await movingHouse();
    const { acme } = await halfSent(old, at);
    await at('12:06');
    const before = await old.item(acme, '2026-09-21T11:10:00Z');

    const { exitCode, stdout, stderr } = await migrate('--old-sender-stopped');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('would be taken over');
    expect(stderr).toContain('Nothing was written.');
    expect(await old.item(acme, '2026-09-21T11:10:00Z')).toEqual(before);
    const licenceKey = licenceKeyOf({
      style: 'legacy',
      productCode: PRODUCT,
      customerIdentifier: acme.customerIdentifier,
    });
    expect(await world.customers.licence(licenceKey)).toBeUndefined();
  });

  test('brings a buyer with what the form asked, its account and its standing, and prints none of it', async () => {
    const { world, old, fulfillment, migrate } = await movingHouse();
    const acme = await old.buyer({ seats: { S: '40' } });
    const report = join(aFolder(), 'rows.csv');

    const { stdout, stderr } = await migrate(`${WHY} --report ${report}`);

    const licenceKey = licenceKeyOf({
      style: 'legacy',
      productCode: PRODUCT,
      customerIdentifier: acme.customerIdentifier,
    });
    const customerId = (await world.customers.licence(licenceKey))?.customerId ?? '';
    const desk = await openDesk(world.facts);
    expect(await desk.buyers.details(customerId)).toMatchObject({
      email: 'kim@acme.example',
      fields: { company: 'Acme GmbH', name: 'Kim Muster', phone: '+49 30 1234', seats: '40' },
    });
    desk.close();
    const shown = await fulfillment(`customers show ${customerId}`);
    expect(shown.stdout).toMatch(/standing\s+active/);
    expect(shown.stdout).toContain(acme.awsAccountId);
    const written = readFileSync(report, 'utf8');
    expect(written).toContain(`${acme.customerIdentifier},,${PRODUCT},${customerId}`);
    expect(stdout + stderr + written).not.toMatch(/acme gmbh|muster|example|1234/i);
    await world.tell();
    expect(world.busEvents.map(({ type }) => type).sort()).toEqual(['accessGranted', 'customerRegistered']);
  });

  test.each([
    ['a row that says expired', { subscription_expired: { BOOL: true } }, undefined, 'ended'],
    ['a row that is wiped, whose usage AWS took', { successfully_subscribed: { BOOL: false } }, 'Success', 'active'],
    ['a row that is wiped, without usage', { successfully_subscribed: { BOOL: false } }, undefined, 'awaitingLicence'],
    ['a row that says subscribed, whose latest usage AWS refused', {}, 'CustomerNotSubscribed', 'awaitingLicence'],
  ])('takes AWS’s answers before the old row’s claim: %s', async (_, item, status, state) => {
    const { world, old, migrate } = await movingHouse();
    const acme = await old.buyer(item);
    if (status !== undefined) {
      const UsageRecord = { Dimension: 'requests', Quantity: 1, Timestamp: '2026-09-21T09:30:00.000Z' };
      await old.record(acme, '2026-09-21T09:10:00Z', requests(1), {
        metering_failed: { BOOL: status !== 'Success' },
        metering_response: {
          S: JSON.stringify({ Results: [{ UsageRecord, Status: status }], UnprocessedRecords: [] }),
        },
      });
      const { client } = world;
      const { UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
      await client.send(
        new UpdateItemCommand({
          TableName: old.records,
          Key: {
            customerIdentifier: { S: acme.customerIdentifier },
            create_timestamp: { N: String(Date.parse('2026-09-21T09:10:00Z') / 1_000) },
          },
          UpdateExpression: 'REMOVE metering_pending',
        }),
      );
    }

    await migrate(WHY);

    const licenceKey = licenceKeyOf({
      style: 'legacy',
      productCode: PRODUCT,
      customerIdentifier: acme.customerIdentifier,
    });
    const customerId = (await world.customers.licence(licenceKey))?.customerId ?? '';
    const desk = await openDesk(world.facts);
    expect((await desk.notices.folded(customerId))?.standing.state).toBe(state);
    desk.close();
  });

  test('run twice, and twice at once, bills nothing twice and says what was there before', async () => {
    const { world, old, migrate, at } = await movingHouse();
    const { acme, beta } = await halfSent(old, at);
    await at('12:06');

    const atOnce = await Promise.all([migrate(`${USAGE} --json`), migrate(`${USAGE} --json`)]);
    const again = await migrate(`${USAGE} --json`);
    await closeAndSend(world);

    expect(await billOf(world)).toEqual(truthOf(acme, beta));
    expect(atOnce.map(({ exitCode }) => exitCode).every((code) => code !== 3)).toBe(true);
    expect(sumsOf(again.stdout)).toMatchObject({ known: 2, 'takenBefore requests': 30, 'takenBefore gb_stored': 2 });
  });
});
