// POST /usage: what is taken, what is said of the rest, and that nothing which comes in can break it.
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseUsageRow } from '../../lambdas/domain/usage-row.ts';
import { fromItem } from '../../lambdas/stores/dynamo.ts';
import { anEvent, type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';

const services = useServices();

async function post(world: BackendWorld, body: string): Promise<Response> {
  return fetch(`${world.gateway.url}/usage`, { method: 'POST', body });
}

async function rows(world: BackendWorld) {
  const { Items = [] } = await world.client.send(new ScanCommand({ TableName: world.tables.usage }));
  return Items.map((item) => parseUsageRow(fromItem(item)));
}

describe('POST /usage', () => {
  test.each<[string, (event: object) => string]>([
    ['refuses tags that are a list', (event) => JSON.stringify({ events: [{ ...event, tags: ['a'] }] })],
    [
      'refuses or keeps, but never drops, a tag called prototype',
      (event) => JSON.stringify({ events: [{ ...event, tags: { prototype: 'yes' } }] }),
    ],
    [
      'answers what is nested too deep to be written down again',
      () => `{"events":[${'['.repeat(200_000)}${']'.repeat(200_000)}]}`,
    ],
    [
      'refuses a day that does not exist',
      (event) => JSON.stringify({ events: [{ ...event, time: '2026-02-30T10:05:00Z' }] }),
    ],
  ])('%s', async (_claim, bodyOf) => {
    const world = await startBackendWorld(services(), { at: '2026-03-02T10:06:00.000Z' });
    const acme = await world.subscribe();
    const event = anEvent(acme, '2026-03-02T10:05:00Z');

    const answer = await post(world, bodyOf(event));

    expect(answer.status).toBeLessThan(500);
    expect(
      (await rows(world)).map((row) => row.kind === 'good' && row.tagSet !== '').filter((tagged) => !tagged),
    ).toEqual([]);
    expect(
      await rows(world).then((all) => all.filter((row) => row.kind === 'good' && row.tagSet.includes('"0"'))),
    ).toEqual([]);
  });

  test('tells a retry that comes too late that its event stands, and refuses one that was never recorded', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const event = anEvent(acme, '2026-09-21T10:04:00Z', { quantity: 3 });
    await world.report([event]);
    await world.clock.set(Date.parse('2026-09-22T10:00:00Z'));

    const { outcomes } = await world.report([event, { ...event, id: 'never-recorded' }, { ...event, quantity: 4 }]);

    expect(outcomes).toMatchObject([
      { outcome: 'already' },
      { outcome: 'refused', code: 'timeTooOld' },
      { outcome: 'refused', code: 'timeTooOld' },
    ]);
  });

  test('logs for which reasons it refused, each once, and nothing of what came', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const event = anEvent(acme, '2026-09-21T10:05:00Z');

    await world.report([event]);
    await world.report([
      ...['novel', 'unheard'].map((dimension) => ({ ...event, id: dimension, dimension })),
      { ...event, id: 'next-year', time: '2027-09-21T10:05:00Z' },
      { ...event, quantity: 99 },
    ]);

    const reports = world.logged.filter(({ facts }) => JSON.stringify(facts).includes('UsageReported'));
    expect(reports.map(({ facts }) => facts)).toEqual([
      expect.not.objectContaining({ refusals: expect.anything() }),
      expect.objectContaining({ conflict: 1, refused: 3, refusals: 'dimensionUnknown, timeTooFarAhead' }),
    ]);
  });

  test('takes 500 events in a call and answers for each, in order; refuses 501 whole', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const events = Array.from({ length: 501 }, (_, index) =>
      anEvent(acme, '2026-09-21T10:05:00Z', { id: `e-${index}`, quantity: 2 }),
    );

    const answer = await world.report(events.slice(0, 500));
    const tooLong = await post(world, JSON.stringify({ events }));
    await world.tick('2026-09-21T11:11:00Z');

    expect(answer.counts).toEqual({ recorded: 500, already: 0, conflict: 0, refused: 0 });
    expect(answer.outcomes.map(({ id }) => id)).toEqual(events.slice(0, 500).map(({ id }) => id));
    expect(tooLong.status).toBe(400);
    expect(await tooLong.json()).toMatchObject({ error: { code: 'ReportTooLong', retryable: false } });
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([1_000]);
  });

  test('takes one of two equal events of one call, and one of two that differ under one id', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const event = anEvent(acme, '2026-09-21T10:05:00Z', { id: 'same', quantity: 5 });
    const other = anEvent(acme, '2026-09-21T10:05:00Z', { id: 'other', quantity: 5 });

    const { counts } = await world.report([event, event, other, { ...other, quantity: 6 }]);

    expect(counts).toEqual({ recorded: 2, already: 1, conflict: 1, refused: 0 });
  });

  test('takes a retry with another time for another event, as the contract says: the time is part of the identity', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const event = anEvent(acme, '2026-09-21T09:59:59Z', { quantity: 5 });
    await world.report([event]);

    const sameTime = await world.report([event]);
    const restamped = await world.report([{ ...event, time: '2026-09-21T10:00:00Z' }]);
    const restampedInTheHour = await world.report([{ ...event, time: '2026-09-21T09:59:58Z' }]);

    expect(sameTime.outcomes[0]?.outcome).toBe('already');
    expect(restamped.outcomes[0]?.outcome).toBe('recorded');
    expect(restampedInTheHour.outcomes[0]).toMatchObject({ outcome: 'conflict', code: 'conflict' });
  });

  test('finds the licence of a customer, and says of an unknown one what to do', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const { licenseArn: _arn, ...event } = anEvent(acme, '2026-09-21T10:05:00Z');

    const { outcomes } = await world.report([
      { ...event, customerId: acme.customerId },
      { ...event, customerId: 'cus_nobody' },
      event,
    ]);

    expect(outcomes.map(({ outcome, code }) => code ?? outcome)).toEqual(['recorded', 'customerUnknown', 'malformed']);
    expect(outcomes[1]?.message).toMatch(/Use the id that registration told you/);
    expect(outcomes[2]?.message).toMatch(/name the buyer in exactly one way/);
  });

  test('answers every malformed body with a reason and never with a fault of its own, and stores none of it', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const good = anEvent(acme, '2026-09-21T10:05:00Z', { id: 'never-stored' });
    const { licenseArn: _arn, ...unnamed } = good;
    const anyText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('\ud800', '', '😀', '\u0000'),
    );
    const anyValue = fc.oneof(
      anyText,
      fc.double(),
      fc.constantFrom(null, true, -1, 0.5, 1e308, 2 ** 53, [], {}, [[[[]]]], { a: { b: null } }),
    );
    // One member wrong in each: whatever it is replaced by, no such event may be stored.
    const wrongMember = fc.oneof(
      fc.record({ quantity: fc.constantFrom(-1, 0.5, '5', null, 1e300, [], true) }),
      fc.record({
        time: fc.oneof(anyText, fc.constantFrom('2026-09-21', '2026-09-21T10:05', 5, null, '+275760-09-13')),
      }),
      fc.record({ dimension: fc.oneof(anyText, fc.constantFrom('requests\ud83d', 'REQUESTS', 'x'.repeat(256), 5)) }),
      fc.record({ tags: fc.constantFrom('a', 5, null, { a: 5 }, { a: '' }, { '\ud800': 'x' }, { a: 'b;c' }) }),
      fc.record({ licenseArn: fc.oneof(anyText, fc.constantFrom('arn:aws', 5, null)) }),
      fc.record({ customerId: fc.oneof(anyText, fc.constantFrom(5, null)) }),
      fc.record({ id: fc.constantFrom('', 'a b', 'ü', 5, null, 'x'.repeat(129), '\ud800') }),
      fc.record({ surplus: anyValue }),
    );
    const anyEvent = fc.oneof(
      wrongMember.map((wrong) => ({ ...good, ...wrong })),
      anyText.map((customerId) => ({ ...unnamed, customerId })),
      anyValue,
    );
    const anyBody = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.array(anyEvent, { minLength: 1, maxLength: 8 }).map((events) => JSON.stringify({ events })),
      },
      { weight: 1, arbitrary: fc.json() },
      { weight: 1, arbitrary: fc.string({ maxLength: 200 }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', '{', '{"events":', '{"events":{}}', '[]', 'null', '{"events":[],"x":1}'),
      },
    );

    await fc.assert(
      fc.asyncProperty(fc.array(anyBody, { minLength: 20, maxLength: 20 }), async (bodies) => {
        const answers = await Promise.all(bodies.map((body) => post(world, body)));
        for (const [index, answer] of answers.entries()) {
          if (answer.status >= 500) throw new Error(`${answer.status}: ${bodies[index]}`);
          const told = (await answer.json()) as { counts?: { recorded: number; already: number } };
          if (told.counts && told.counts.recorded + told.counts.already > 0) throw new Error(`Taken: ${bodies[index]}`);
        }
      }),
      { numRuns: 100 },
    );

    expect(await rows(world)).toEqual([]);
  }, 60_000);
});
