import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type UsageEvent, UsageUnconfirmed } from '../../client/usage-recorder.ts';
import { Misconfigured } from '../../lambdas/domain/failure.ts';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { aRecorder, LICENCE, rowsOf, throttled } from './recorder-world.ts';

const services = useServices();

const NOW = '2026-09-21T10:05:00Z';
const acme = { licenceArn: LICENCE };

async function aWorld() {
  const world = await startBackendWorld(services());
  return { world, endpoint: services().database.endpoint };
}

describe('recording usage straight into the table', () => {
  test('writes once for each event that is on time, and nothing else', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder, commands } = aRecorder(world, endpoint);
    const events = Array.from({ length: 120 }, () => anEvent(acme, NOW, { quantity: 2 }));

    const outcomes = await recorder.record(events);

    expect(outcomes).toEqual(events.map(({ id }) => ({ id, outcome: 'recorded' })));
    expect(commands).toEqual(events.map(() => 'PutItemCommand'));
    expect(await rowsOf(world, NOW)).toHaveLength(120);
  });

  test('reaches the bill like usage that came through POST /usage', async () => {
    const { world, endpoint } = await aWorld();
    const buyer = await world.subscribe();
    const { recorder } = aRecorder(world, endpoint, { customersTable: world.tables.customers });
    const { licenseArn: _, ...event } = anEvent(buyer, NOW, { quantity: 3 });

    await recorder.record({ ...event, customerId: buyer.customerId });
    await recorder.record(anEvent(buyer, NOW, { quantity: 4 }));
    await world.tick('2026-09-21T11:11:00Z');

    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([7]);
  });

  test('records each identity once, however many report it at once and in what mixture', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder } = aRecorder(world, endpoint);
    const { recorder: other } = aRecorder(world, endpoint);
    let run = 0;

    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ id: fc.integer({ min: 0, max: 9 }), minute: fc.constantFrom(1, 2) }), { maxLength: 40 }),
        fc.integer({ min: 0, max: 40 }),
        async (wanted, cut) => {
          run += 1;
          const before = (await rowsOf(world, NOW)).length;
          const events = wanted.map(({ id, minute }) =>
            anEvent(acme, `2026-09-21T10:0${minute}:00Z`, { id: `run-${run}-${id}` }),
          );
          const parts = await Promise.all([recorder.record(events.slice(0, cut)), other.record(events.slice(cut))]);
          const outcomes = parts.flat();
          const ids = new Set(events.map(({ id }) => id));
          expect(outcomes.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
          expect(outcomes.filter(({ outcome }) => outcome === 'recorded')).toHaveLength(ids.size);
          expect((await rowsOf(world, NOW)).length - before).toBe(ids.size);
          // A repeat of what won is "already"; the same id at another minute of the hour is a conflict.
          const winners = new Set(outcomes.flatMap(({ outcome }, at) => (outcome === 'recorded' ? [key(at)] : [])));
          function key(at: number) {
            return `${wanted[at]?.id} ${wanted[at]?.minute}`;
          }
          const expected = outcomes.map((each, at) =>
            each.outcome === 'recorded' ? 'recorded' : winners.has(key(at)) ? 'already' : 'conflict',
          );
          expect(outcomes.map(({ outcome }) => outcome)).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('keeps what stands and tells of the conflict where an id comes again with another content', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder } = aRecorder(world, endpoint);
    const event = anEvent(acme, NOW, { quantity: 5 });
    await recorder.record(event);

    const outcome = await recorder.record({ ...event, quantity: 6 });

    expect(outcome).toMatchObject({ id: event.id, outcome: 'conflict', code: 'conflict' });
    expect(await rowsOf(world, NOW)).toMatchObject([{ quantity: 5 }]);
  });

  test('refuses with the codes and words of POST /usage', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder } = aRecorder(world, endpoint, { customersTable: world.tables.customers });
    const wrong = [
      anEvent(acme, NOW, { quantity: 1.5 }),
      anEvent(acme, NOW, { quantity: -1 }),
      anEvent(acme, NOW, { quantity: '1' }),
      anEvent(acme, NOW, { id: 'with space' }),
      anEvent(acme, NOW, { id: 7 }),
      anEvent(acme, '2026-09-20T09:00:00Z'),
      anEvent(acme, '2026-09-21T10:30:00Z'),
      anEvent(acme, '2026-09-21T10:05:00'),
      anEvent(acme, NOW, { tags: { Team: 'ü' } }),
      anEvent(acme, NOW, { dimension: '💧'.repeat(100) }),
      anEvent({ licenceArn: 'not an ARN' }, NOW),
      anEvent(acme, NOW, { customerId: 'cus_1' }),
      anEvent(acme, NOW, { extra: true }),
      { id: 'nobody', customerId: 'cus_unknown', dimension: 'requests', quantity: 1, time: NOW },
    ] as unknown as UsageEvent[];

    const outcomes = await recorder.record(wrong);

    const atTheDoor = await world.report(wrong);
    expect(outcomes).toEqual(atTheDoor.outcomes);
    expect(outcomes.every(({ outcome }) => outcome === 'refused')).toBe(true);
  });

  test('takes a customer’s id only where it can look customers up, and writes nothing otherwise', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder, commands } = aRecorder(world, endpoint);
    const event = { id: 'a', customerId: 'cus_1', dimension: 'requests', quantity: 1, time: NOW };

    await expect(recorder.record([anEvent(acme, NOW), event])).rejects.toThrow(Misconfigured);

    expect(commands).toEqual([]);
  });

  test('takes no more after it was closed, and waits for what was handed over before', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder } = aRecorder(world, endpoint);
    const handedOver = recorder.record(Array.from({ length: 60 }, () => anEvent(acme, NOW)));

    await recorder.close();

    expect(await rowsOf(world, NOW)).toHaveLength(60);
    expect(await handedOver).toHaveLength(60);
    await expect(recorder.record(anEvent(acme, NOW))).rejects.toMatchObject({ code: 'RecorderClosed' });
  });
});

describe('the time of an event', () => {
  test('is one instant in any of its forms: text, Date and epoch milliseconds', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder } = aRecorder(world, endpoint);
    const event = anEvent(acme, NOW);

    const outcomes = [
      await recorder.record(event),
      await recorder.record({ ...event, time: new Date(NOW) }),
      await recorder.record({ ...event, time: Date.parse(NOW) }),
      await recorder.record({ ...event, time: '2026-09-21T12:05:00+02:00' }),
      await recorder.record({ ...event, time: new Date(Number.NaN) }),
      await recorder.record({ ...event, time: Number.POSITIVE_INFINITY }),
    ];

    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      'recorded',
      'already',
      'already',
      'already',
      'refused',
      'refused',
    ]);
  });

  test('is fixed before the first attempt, whatever becomes of the object meanwhile', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder } = aRecorder(world, endpoint);
    const time = new Date(NOW);
    const event = { ...anEvent(acme, NOW), time, quantity: 5 };

    const recording = recorder.record(event);
    time.setUTCHours(3);
    event.quantity = 500;
    await recording;

    expect(await rowsOf(world, NOW)).toMatchObject([{ quantity: 5, atMs: Date.parse(NOW) }]);
  });

  test('taken anew by a retry makes another event of it, which is billed, too', async () => {
    const { world, endpoint } = await aWorld();
    const { recorder } = aRecorder(world, endpoint);
    const event = anEvent(acme, '2026-09-21T09:59:59Z');

    await recorder.record(event);
    const outcome = await recorder.record({ ...event, time: '2026-09-21T10:00:01Z' });

    expect(outcome).toMatchObject({ outcome: 'recorded' });
  });
});

describe('faults of the database', () => {
  test('are outlived by trying again, also where the write was made and only its answer was lost', async () => {
    const { world, endpoint } = await aWorld();
    let call = 0;
    const { recorder } = aRecorder(world, endpoint, {
      around: async (_, send) => {
        call += 1;
        if (call % 4 === 1) throw throttled();
        const answer = await send();
        if (call % 4 === 2) throw Object.assign(new Error('The line went dead.'), { code: 'ECONNRESET' });
        return answer;
      },
    });
    const events = Array.from({ length: 80 }, () => anEvent(acme, NOW));

    const outcomes = await recorder.record(events);

    expect(outcomes.every(({ outcome }) => outcome === 'recorded' || outcome === 'already')).toBe(true);
    expect(await rowsOf(world, NOW)).toHaveLength(80);
  });

  test('that last name the events of which nothing is known, and the same objects end exactly once', async () => {
    const { world, endpoint } = await aWorld();
    let writes = 0;
    let isDown = true;
    const { recorder } = aRecorder(world, endpoint, {
      retryForMs: 200,
      maxInFlight: 5,
      around: async (_, send) => {
        writes += 1;
        if (isDown && writes > 20) throw throttled();
        return send();
      },
    });
    const events = Array.from({ length: 50 }, () => anEvent(acme, NOW));

    const fault = await recorder.record(events).catch((error: unknown) => error);
    isDown = false;
    if (!(fault instanceof UsageUnconfirmed)) throw new Error('The recorder did not say what is not known.');
    const again = await recorder.record(fault.unconfirmed);

    expect(fault).toMatchObject({ retryable: true, code: 'UsageUnconfirmed' });
    expect(fault.unconfirmed).toEqual(events.slice(20));
    expect(fault.unconfirmed[0]).toBe(events[20]);
    expect(fault.outcomes.map((each) => each?.outcome)).toEqual(
      events.map((_, index) => (index < 20 ? 'recorded' : undefined)),
    );
    expect(again).toHaveLength(30);
    expect(await rowsOf(world, NOW)).toHaveLength(50);
  });

  test('that no repeat can mend are told at once, and don’t hold up the events beside them', async () => {
    const { world, endpoint } = await aWorld();
    const denied = Object.assign(new Error('No.'), {
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
    });
    let writes = 0;
    const { recorder, commands } = aRecorder(world, endpoint, {
      around: async (_, send) => {
        writes += 1;
        if (writes === 1) throw denied;
        return send();
      },
    });
    const events = [anEvent(acme, NOW), anEvent(acme, NOW)];

    const fault = await recorder.record(events).catch((error: unknown) => error);

    expect(fault).toMatchObject({ retryable: false, unconfirmed: [events[0]], cause: denied });
    expect(commands).toHaveLength(2);
  });
});

describe('customers', () => {
  test('are looked up once a call, however many events name them, and again after a fault', async () => {
    const { world, endpoint } = await aWorld();
    const buyer = await world.subscribe();
    let reads = 0;
    const { recorder, commands } = aRecorder(world, endpoint, {
      customersTable: world.tables.customers,
      around: async (command, send) => {
        if (command !== 'GetItemCommand') return send();
        reads += 1;
        if (reads === 1) throw throttled();
        return send();
      },
    });
    const events = Array.from({ length: 40 }, () => {
      const { licenseArn: _, ...event } = anEvent(buyer, NOW);
      return { ...event, customerId: buyer.customerId };
    });

    const outcomes = await recorder.record(events);

    expect(outcomes.every(({ outcome }) => outcome === 'recorded')).toBe(true);
    // The customer twice, because the first read failed, and its licence once.
    expect(commands.filter((command) => command === 'GetItemCommand')).toHaveLength(3);
  });
});
