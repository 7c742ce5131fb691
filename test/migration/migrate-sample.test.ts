// A seller moves from AWS's serverless sample: the bill is the old stack's and ours together, and each unit is in it once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDesk } from '../../operator/desk.ts';
import { PRODUCT, useServices } from '../backend-world.ts';
import { aFolder } from '../cli/fulfillment.ts';
import { schemaProblems } from '../json-schema.ts';
import {
  billOf,
  closeAndSend,
  halfSent,
  licenceKeyAt,
  movingHouse,
  requests,
  sumsOf,
  truthOf,
  USAGE,
  WHY,
} from './moving-house.ts';

const services = useServices();

const SCHEMA = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/cli/output.schema.json'), 'utf8'));

describe('fulfillment migrate sample', { timeout: 120_000 }, () => {
  test('bills what the old stack sent and what it left once, and usage that is reported here from the cut-over on', async () => {
    const { world, old, migrate, at } = await movingHouse(services());
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
    expect(schemaProblems(SCHEMA, JSON.parse(stdout), { $ref: '#/$defs/migration' })).toEqual([]);
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

  test('bills what it takes after the cut-over hour has closed in an hour after it', async () => {
    const { world, old, migrate, at } = await movingHouse(services());
    const { acme, beta } = await halfSent(old, at);
    await world.tick('2026-09-21T13:11:00Z');
    await at('15:20');

    await migrate(USAGE);
    await world.tick('2026-09-21T15:21:00Z');
    await world.tick('2026-09-21T16:11:00Z');
    await world.tick('2026-09-21T16:12:00Z');

    expect(await billOf(world)).toEqual(truthOf(acme, beta));
  });

  test('writes nothing without --apply, here or there', async () => {
    const { world, old, migrate, at } = await movingHouse(services());
    const { acme } = await halfSent(old, at);
    await at('12:06');
    const before = await old.item(acme, '2026-09-21T11:10:00Z');

    const { exitCode, stdout, stderr } = await migrate('--old-sender-stopped');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('would be taken over');
    expect(stderr).toContain('Nothing was written.');
    expect(await old.item(acme, '2026-09-21T11:10:00Z')).toEqual(before);
    const licenceKey = licenceKeyAt(acme);
    expect(await world.customers.licence(licenceKey)).toBeUndefined();
  });

  test('brings a buyer with what the form asked, its account and its standing, and prints none of it', async () => {
    const { world, old, fulfillment, migrate } = await movingHouse(services());
    const acme = await old.buyer({ seats: { S: '40' } });
    const report = join(aFolder(), 'rows.csv');

    const { stdout, stderr } = await migrate(`${WHY} --report ${report}`);

    const licenceKey = licenceKeyAt(acme);
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
    const { world, old, migrate } = await movingHouse(services());
    const acme = await old.buyer(item);
    if (status !== undefined) {
      const UsageRecord = { Dimension: 'requests', Quantity: 1, Timestamp: '2026-09-21T09:30:00.000Z' };
      await old.closed(acme, '2026-09-21T09:10:00Z', requests(1), {
        metering_failed: { BOOL: status !== 'Success' },
        metering_response: {
          S: JSON.stringify({ Results: [{ UsageRecord, Status: status }], UnprocessedRecords: [] }),
        },
      });
    }

    await migrate(WHY);

    const licenceKey = licenceKeyAt(acme);
    const customerId = (await world.customers.licence(licenceKey))?.customerId ?? '';
    const desk = await openDesk(world.facts);
    expect((await desk.notices.folded(customerId))?.standing.state).toBe(state);
    desk.close();
  });

  test('run twice, and twice at once, bills nothing twice and says what was there before', async () => {
    const { world, old, migrate, at } = await movingHouse(services());
    const { acme, beta } = await halfSent(old, at);
    await at('12:06');

    const atOnce = await Promise.all([migrate(`${USAGE} --json`), migrate(`${USAGE} --json`)]);
    const again = await migrate(`${USAGE} --json`);
    await closeAndSend(world);

    expect(await billOf(world)).toEqual(truthOf(acme, beta));
    expect(atOnce.map(({ exitCode }) => exitCode).every((code) => code !== 3)).toBe(true);
    expect(sumsOf(again.stdout)).toMatchObject({ known: 2, 'takenBefore requests': 30, 'takenBefore gb_stored': 2 });
  });

  test('ends at Ctrl-C in code 130, and what was left is brought by the next run', async () => {
    const { world, old, migrate, at } = await movingHouse(services());
    const { acme, beta } = await halfSent(old, at);
    await at('12:06');

    const stopped = await migrate(USAGE.replace('--quiet-for 0', '--quiet-for 600'), { interruptedAt: 'Looking' });
    await migrate(USAGE);
    await closeAndSend(world);

    expect(stopped.exitCode).toBe(130);
    expect(await billOf(world)).toEqual(truthOf(acme, beta));
  });

  test.each([
    ['without a reason', '--apply', '--why TEXT'],
    ['with a log and without one', `${WHY} --cloudtrail x --without-cloudtrail`, 'not both'],
    ['with no number of seconds', `${WHY} --quiet-for soon`, '--quiet-for takes'],
    ['with a report that can’t be written', '--report /nowhere/rows.csv', "can't be written"],
  ])('is called wrongly %s, in code 2', async (_, options, said) => {
    const { migrate } = await movingHouse(services());

    const { exitCode, stderr } = await migrate(options);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(said);
  });

  test('goes on under the id of its own act, and under none of another', async () => {
    const { migrate, fulfillment } = await movingHouse(services());
    const [own, other] = ['2026-09-21T10:05:00.000Z.own', '2026-09-21T10:05:00.000Z.other'];
    await fulfillment(`prices set --product metrics-cloud --dimension requests --price 0.02 --why x --act-id ${other}`);

    const ends = [await migrate(`${WHY} --act-id ${own}`), await migrate(`${WHY} --act-id ${own}`)];
    const refused = await migrate(`${WHY} --act-id ${other}`);

    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(refused.stderr).toContain('stands for another act (setPrice)');
    const { stdout } = await fulfillment('ledger export --audit --from 2026-09 --to 2026-09');
    expect(stdout.split('\n').filter((line) => line.includes(',migrate,'))).toHaveLength(1);
  });
});
