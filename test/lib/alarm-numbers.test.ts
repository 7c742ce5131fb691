// From what the handlers write into their logs to the alarms of the template: whether the one raises the other.
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { METRICS } from '../../lambdas/runtime/metric.ts';
import { anEvent, type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';
import { register } from '../console/troubled-world.ts';
import { readMetrics } from '../embedded-metrics.ts';
import { ownAlarms, raisedBy } from './alarm-states.ts';
import { type Found, synthesize } from './synthesized.ts';

const services = useServices();

let alarms: readonly Found[];

beforeAll(() => {
  alarms = synthesize().ofType('AWS::CloudWatch::Alarm');
});

const told = (world: BackendWorld) => world.metricLines.flatMap(readMetrics);

/** The clock is set, everything that runs each minute runs once, and CloudWatch looks. */
async function raisedAt(world: BackendWorld, at: string, run = () => world.tick()): Promise<string[]> {
  await world.clock.set(Date.parse(at));
  await run();
  await world.backend.watchDeadlines();
  return raisedBy(alarms, told(world), world.clock.now());
}

const awsIsDown = (world: BackendWorld) =>
  world.control.put('/control/faults', { next: [{ kind: 'accessDenied', count: 100_000 }] });

/** A buyer has used ten units, and AWS takes none of them. */
async function stuckWorld(at = '2026-09-21T10:05:00.000Z', options: object = {}) {
  const world = await startBackendWorld(services(), { at, ...options });
  const buyer = await world.subscribe();
  await world.report([anEvent(buyer, at, { quantity: 10 })]);
  await awsIsDown(world);
  return { world, buyer };
}

describe('while all is well', () => {
  test('no alarm is raised, and every number of a run is told, the zeros too', async () => {
    const world = await startBackendWorld(services());
    const buyer = await world.subscribe();
    await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 10 })]);

    expect(await raisedAt(world, '2026-09-21T11:11:00Z')).toEqual([]);
    expect(await raisedAt(world, '2026-09-21T15:11:00Z')).toEqual([]);

    const numbers = told(world);
    const sources = ['resolve-buyer', 'record-usage', 'close-hours', 'send-metering', 'watch-deadlines'] as const;
    const expected = sources.flatMap((source) => Object.keys(METRICS[source]));
    expect([...new Set(numbers.map(({ name }) => name))].sort()).toEqual(expected.sort());
    const total = (name: string) =>
      numbers.filter((each) => each.name === name).reduce((sum, { value }) => sum + value, 0);
    expect(['EventsRecorded', 'RecordsSealed', 'RecordsSent', 'RecordsHonoured'].map(total)).toEqual([1, 1, 1, 1]);
    expect(['EventsRefused', 'TokensRefused', 'RecordsOpen', 'UnitsAtStake'].map(total)).toEqual([0, 0, 0, 0]);
  });

  test('records that wait for the sender’s first try raise none', async () => {
    const { world } = await stuckWorld();

    // One try has failed: a datapoint of two hours of them.
    expect(await raisedAt(world, '2026-09-21T11:11:00Z')).toEqual(['no-send']);
  });
});

describe('while AWS takes nothing', () => {
  test('alarms come as the time runs out, before the loss, and one tells of the loss', async () => {
    const { world } = await stuckWorld();
    await world.tick('2026-09-21T11:11:00Z');

    expect(await raisedAt(world, '2026-09-21T21:00:00Z')).toEqual(['no-send']);
    expect(await raisedAt(world, '2026-09-21T22:00:00Z')).toEqual(['deadline-in-12h', 'no-send']);
    expect(await raisedAt(world, '2026-09-22T04:00:00Z')).toEqual(['deadline-in-12h', 'deadline-in-6h', 'no-send']);
    expect(await raisedAt(world, '2026-09-22T08:00:00Z')).toEqual([
      'deadline-in-12h',
      'deadline-in-2h',
      'deadline-in-6h',
      'no-send',
    ]);
    const atStake = told(world).findLast(({ name }) => name === 'UnitsAtStake')?.value;
    expect(await raisedAt(world, '2026-09-22T10:01:00Z')).toEqual(['records-expired']);

    expect(atStake).toBe(10);
    expect(told(world).findLast(({ name }) => name === 'UnitsLost')?.value).toBe(10);
    // The loss goes on being told for a week; what needs a person stays on the list after that.
    expect(await raisedAt(world, '2026-09-28T10:00:00Z', async () => {})).toContain('records-expired');
    expect(await raisedAt(world, '2026-09-29T10:01:00Z', async () => {})).not.toContain('records-expired');
  });

  test('the last hours of a month raise theirs alone, and later than the others would', async () => {
    const { world } = await stuckWorld('2026-09-30T23:05:00.000Z');

    expect(await raisedAt(world, '2026-10-01T00:30:00Z')).toEqual(['no-send']);
    expect(await raisedAt(world, '2026-10-01T03:00:00Z')).toEqual(['month-end-in-3h', 'no-send']);
    expect(await raisedAt(world, '2026-10-01T05:00:00Z')).toEqual(['month-end-in-1h', 'month-end-in-3h', 'no-send']);
  });

  test('the last usage of a licence that ends raises its own within its hour', async () => {
    const { world, buyer } = await stuckWorld();
    const endedAt = Date.parse('2026-09-21T11:20:00Z');
    await world.clock.set(endedAt);
    await world.customers.noteEnding(buyer.licenceKey, {
      noticeAt: endedAt,
      revokedAt: endedAt,
      deprovisionedAt: endedAt,
    });

    expect(await raisedAt(world, '2026-09-21T11:35:00Z')).not.toContain('ending-in-30min');
    expect(await raisedAt(world, '2026-09-21T11:50:00Z')).toContain('ending-in-30min');
  });
});

describe('an alarm is raised', () => {
  test('by hours that nobody closes, with the time that their usage has left', async () => {
    const { world } = await stuckWorld();
    const nothing = async () => {};
    await world.tick('2026-09-21T10:11:00Z');

    expect(await raisedAt(world, '2026-09-21T11:20:00Z', nothing)).toEqual([]);
    expect(await raisedAt(world, '2026-09-21T11:30:00Z', nothing)).toEqual(['hours-unclosed']);
    expect(await raisedAt(world, '2026-09-22T04:00:00Z', nothing)).toEqual([
      'deadline-in-12h',
      'deadline-in-6h',
      'hours-unclosed',
    ]);
  });

  test('by records that AWS refuses for what is in them', async () => {
    const product = { dimensions: ['requests', 'novel'] };
    const world = await startBackendWorld(services(), { product });
    const buyer = await world.subscribe();
    await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { dimension: 'novel' })]);

    expect(await raisedAt(world, '2026-09-21T11:11:00Z')).toContain('records-quarantined');
  });

  test('by usage that is refused', async () => {
    const world = await startBackendWorld(services());
    const buyer = await world.subscribe();
    await world.report([anEvent(buyer, '2026-09-19T10:05:00Z')]);

    expect(await raisedAt(world, '2026-09-21T10:10:00Z')).toEqual(['usage-refused']);
  });

  test('by usage of a licence that nobody has registered', async () => {
    const world = await startBackendWorld(services());
    const licenceArn = `arn:aws:license-manager::111122223333:license:l-${'0123456789abcdef'.repeat(2)}`;
    await world.report([anEvent({ licenceArn }, '2026-09-21T10:05:00Z')]);

    expect(await raisedAt(world, '2026-09-21T11:11:00Z')).toEqual(['usage-awaits-licence']);
  });

  test('by a mail that SES refuses, once however often its event comes', async () => {
    const world = await startBackendWorld(services(), {
      mail: { from: 'hello@example.com', sellerAddress: 'seller@example.com', send: ['sellerRegistered'] },
      mailFault: () => ({ status: 400, type: 'MessageRejected' }),
    });
    await register(world, await world.subscribe(), 'ada');
    await world.deliverNotices();
    await world.tell();
    await world.tell();

    expect(await raisedAt(world, '2026-09-21T10:06:00Z')).toEqual(['mails-given-up']);
  });

  test('by ten registrations that are refused, and by nine not yet', async () => {
    const world = await startBackendWorld(services());
    const register = () =>
      fetch(`${world.gateway.url}/register`, {
        method: 'POST',
        body: new URLSearchParams({ 'x-amzn-marketplace-token': randomBytes(24).toString('base64') }),
        redirect: 'manual',
      });
    for (let index = 0; index < 9; index++) await register();
    const before = await raisedAt(world, '2026-09-21T10:06:00Z');
    await register();

    expect(before).toEqual([]);
    expect(await raisedAt(world, '2026-09-21T10:07:00Z')).toEqual(['tokens-refused']);
  });
});

test('every alarm on a number of ours looks at one that a function tells, by the dimension that it tells it by', () => {
  const names = new Set(Object.values(METRICS).flatMap((metrics) => Object.keys(metrics)));

  const looked = ownAlarms(alarms).flatMap(({ Properties }) =>
    [...JSON.stringify(Properties).matchAll(/"MetricName":"(\w+)"/g)].map(([, name = '']) => name),
  );
  expect(looked.length).toBeGreaterThan(20);
  expect(looked.filter((name) => !names.has(name))).toEqual([]);
});

test('thresholds follow the settings', () => {
  const found = synthesize({
    alarms: {
      timeLeftHours: [20, 0.5],
      monthEndLeftHours: [2],
      endingLeftMinutes: 45,
      noSendHours: 1,
      refusedTokens: 3,
    },
  }).ofType('AWS::CloudWatch::Alarm');
  const of = (name: string) =>
    found.find(({ Properties }) => Properties['AlarmName'] === `fulfillment-prod-watch-${name}`)?.Properties;

  // At exactly so much left as well.
  expect(of('deadline-in-20h')?.['Threshold']).toBe(20 * 3_600 + 1);
  expect(of('deadline-in-0.5h')?.['Threshold']).toBe(1_801);
  expect(of('month-end-in-2h')?.['Threshold']).toBe(7_201);
  expect(of('ending-in-45min')?.['Threshold']).toBe(2_701);
  expect(of('no-send')?.['EvaluationPeriods']).toBe(12);
  expect(of('tokens-refused')?.['Threshold']).toBe(2);
  expect(of('deadline-in-12h')).toBeUndefined();
});
