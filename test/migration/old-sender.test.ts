// The old sender at its worst while a seller moves: dead half-way, still at work, woken again.
import { describe, expect, test } from 'vitest';
import { PRODUCT, useServices } from '../backend-world.ts';
import { aFile } from '../cli/fulfillment.ts';
import { billOf, closeAndSend, halfSent, movingHouse, requests, sumsOf, truthOf, USAGE, WHY } from './moving-house.ts';

const services = useServices();

interface Sent {
  readonly customerIdentifier: string;
  readonly dimension: string;
  readonly quantity: number;
  readonly timestamp: string;
}

/** AWS's log of calls of a product that is metered by customer identifier. */
function cloudTrail(sent: readonly Sent[]): string {
  return JSON.stringify({
    Records: sent.map(({ timestamp, ...usage }) => {
      const usageRecord = { ...usage, timestamp: Date.parse(timestamp) };
      return {
        eventTime: timestamp,
        eventName: 'BatchMeterUsage',
        awsRegion: 'us-east-1',
        requestParameters: { productCode: PRODUCT, usageRecords: [usageRecord] },
        responseElements: { results: [{ usageRecord, meteringRecordId: 'id', status: 'Success' }] },
      };
    }),
  });
}

/** The sender takes what is pending at 11:30, AWS takes it, and the sender dies. */
async function diedHalfWay() {
  const world = await movingHouse(services());
  const { old, at } = world;
  const { acme, beta } = await halfSent(old, at);
  await at('11:30');
  for (const message of await old.collect())
    await old.send(message, message.customerIdentifier === acme.customerIdentifier ? 0 : Infinity);
  await old.record(acme, '2026-09-21T11:50:00Z', requests(400));
  await at('12:06');
  const { customerIdentifier } = acme;
  const sent = [
    { customerIdentifier, dimension: 'requests', quantity: 5, timestamp: '2026-09-21T10:30:00Z' },
    { customerIdentifier, dimension: 'requests', quantity: 27, timestamp: '2026-09-21T11:30:00Z' },
    { customerIdentifier, dimension: 'gb_stored', quantity: 2, timestamp: '2026-09-21T11:30:00Z' },
    { ...beta, dimension: 'requests', quantity: 3, timestamp: '2026-09-21T11:30:00Z' },
  ];
  const name = `${customerIdentifier} requests`;
  const truth = { ...truthOf(acme, beta), [name]: 5 + 27 + 400 };
  return { ...world, acme, beta, sent, truth };
}

const CHECKED = `--old-sender-stopped --quiet-for 0 ${WHY} --json`;

describe('an old sender', { timeout: 120_000 }, () => {
  test('that died between AWS’s answer and its own note has what it sent found in AWS’s log, and billed once', async () => {
    const { world, migrate, sent, truth } = await diedHalfWay();

    const { stdout, exitCode } = await migrate(`--cloudtrail ${aFile('trail.json', cloudTrail(sent))} ${CHECKED}`);
    await closeAndSend(world);

    expect(sumsOf(stdout)).toMatchObject({ 'sent requests': 27, 'sent gb_stored': 2, 'taken requests': 400 });
    expect(exitCode).toBe(0);
    expect(await billOf(world)).toEqual(truth);
  });

  test('whose untold amount is no sum of what is pending leaves those records to a person, and the others are billed', async () => {
    const { world, migrate, sent, acme, beta } = await diedHalfWay();
    const other = sent.map((each) => (each.quantity === 27 ? { ...each, quantity: 26 } : each));

    const { stdout, exitCode } = await migrate(`--cloudtrail ${aFile('trail.json', cloudTrail(other))} ${CHECKED}`);
    await closeAndSend(world);

    expect(exitCode).toBe(1);
    expect(sumsOf(stdout)).toMatchObject({ 'refused requests': 427, 'refused gb_stored': 2 });
    expect(await billOf(world)).toEqual(truthOf(acme, beta));
  });

  test.each([1, 2])(
    'that died after %i of its notes has the rest found by the sum that AWS answered, without AWS’s log',
    async (notes) => {
      const { world, old, at, migrate } = await movingHouse(services());
      const { acme, beta } = await halfSent(old, at);
      await old.record(acme, '2026-09-21T11:25:00Z', requests(1));
      await at('11:30');
      for (const message of await old.collect()) await old.send(message, notes);
      await old.record(acme, '2026-09-21T11:50:00Z', requests(400));
      await at('12:06');

      const { exitCode } = await migrate(USAGE);
      await closeAndSend(world);

      const name = `${acme.customerIdentifier} requests`;
      expect(exitCode).toBe(0);
      expect(await billOf(world)).toEqual({ ...truthOf(acme, beta), [name]: 5 + 27 + 1 + 400 });
    },
  );

  test('whose log lacks what the table tells as billed is not ruled out by it', async () => {
    const { migrate, sent, old, acme } = await diedHalfWay();
    const half = sent.filter(({ quantity }) => quantity !== 5);

    const { exitCode, stderr } = await migrate(
      `--cloudtrail ${aFile('trail.json', cloudTrail(half))} ${CHECKED.replace('--json', '')}`,
    );

    expect(exitCode).toBe(1);
    expect(stderr).toContain("AWS's log lacks 1 amounts of the last day");
    expect((await old.item(acme, '2026-09-21T11:50:00Z'))?.['taken_over']).toBeUndefined();
  });

  test('is not believed without AWS’s log: taking usage over then has to be asked for', async () => {
    const { migrate } = await movingHouse(services());

    const { exitCode, stderr } = await migrate(CHECKED);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('--without-cloudtrail takes that risk');
  });

  test('that sends while it is looked at is found at work, and nothing is written', async () => {
    const { old, at, migrate } = await movingHouse(services());
    const { acme } = await halfSent(old, at);
    await at('12:06');
    const [message] = await old.collect();
    if (!message) throw new Error('Nothing is pending.');

    const moving = migrate(USAGE.replace('--quiet-for 0', '--quiet-for 2'));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await old.send(message);
    const { exitCode, stderr } = await moving;

    expect(exitCode).toBe(1);
    expect(stderr).toContain('its sender runs');
    expect((await old.item(acme, '2026-09-21T11:10:00Z'))?.['taken_over']).toBeUndefined();
  });

  test('that sent in the cut-over hour has that hour refused: AWS would take no second record of it', async () => {
    const { old, at, migrate } = await movingHouse(services());
    const { acme } = await halfSent(old, at);
    await at('12:02');
    await old.run();
    await old.record(acme, '2026-09-21T11:59:00Z', requests(1));
    await at('12:06');

    const { exitCode, stderr } = await migrate(USAGE);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('The old stack sent usage in 2026-09-21T12, and the cut-over is at 2026-09-21T12');
  });

  test('that is woken after usage was taken finds none of it', async () => {
    const { world, old, at, migrate } = await movingHouse(services());
    const { acme, beta } = await halfSent(old, at);
    await at('12:06');
    await migrate(USAGE);

    await old.run();
    await closeAndSend(world);

    expect(await billOf(world)).toEqual(truthOf(acme, beta));
  });

  test('that sends a message of before from its queue is named with the units that are billed twice', async () => {
    const { old, at, migrate } = await movingHouse(services());
    await halfSent(old, at);
    const messages = await old.collect();
    await at('12:06');
    await migrate(USAGE);
    for (const message of messages) await old.send(message);

    const { exitCode, stdout } = await migrate(`${WHY} --json`);

    expect(exitCode).toBe(1);
    expect(sumsOf(stdout)).toMatchObject({ 'twice requests': 30, 'twice gb_stored': 2 });
  });

  test('is left its usage before the cut-over hour has begun', async () => {
    const { old, at, migrate } = await movingHouse(services());
    await halfSent(old, at);
    await at('11:50');

    const { exitCode, stderr } = await migrate(USAGE);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('which has not begun');
  });
});
