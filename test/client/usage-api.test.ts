import { describe, expect, test } from 'vitest';
import { createUsageReporter } from '../../client/usage-api.ts';
import { InvalidInput } from '../../lambdas/domain/failure.ts';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { expectedAuthorization } from './expected-signature.ts';
import { passOn, startFaultyProxy } from './faulty-proxy.ts';
import { LICENCE, rowsOf } from './recorder-world.ts';

const services = useServices();

const NOW = '2026-09-21T10:05:00Z';
const acme = { licenceArn: LICENCE };

function someEvents(count: number, overrides: object = {}) {
  return Array.from({ length: count }, () => anEvent(acme, NOW, overrides));
}

describe('reporting through POST /usage', () => {
  test('cuts what it is given into requests that the door takes, and answers in order', async () => {
    const world = await startBackendWorld(services());
    const { url, seen } = await startFaultyProxy(world.gateway.url);
    const events = someEvents(1_201);

    const outcomes = await createUsageReporter({ url, maxInFlight: 1 }).report(events);

    expect(outcomes).toEqual(events.map(({ id }) => ({ id, outcome: 'recorded' })));
    expect(seen.map(({ method, path, events: count }) => [method, path, count])).toEqual([
      ['POST', '/usage', 500],
      ['POST', '/usage', 500],
      ['POST', '/usage', 201],
    ]);
  });

  test('keeps each request under a megabyte', async () => {
    const world = await startBackendWorld(services());
    const { url, seen } = await startFaultyProxy(world.gateway.url);
    const tags = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`${at}`.repeat(100), 'é'.repeat(256)]));
    const events = someEvents(450, { tags });

    const outcomes = await createUsageReporter({ url }).report(events);

    expect(outcomes.every((each) => each.outcome === 'refused')).toBe(true);
    expect(outcomes).toHaveLength(450);
    expect(seen.length).toBeGreaterThan(1);
    expect(Math.max(...seen.map(({ body }) => Buffer.byteLength(body)))).toBeLessThanOrEqual(1_000_000);
  });

  test('makes a request again after 429, 5xx, a lost answer or a dead line, and records nothing twice', async () => {
    const world = await startBackendWorld(services());
    const { url, seen } = await startFaultyProxy(world.gateway.url, async (call) => {
      const { request, forward, answer, response } = call;
      if (request.number === 1) return answer(429, '{}', { 'retry-after': '0' });
      if (request.number === 2) return void response.destroy();
      if (request.number > 4) return passOn(call);
      await forward();
      if (request.number === 3) response.destroy();
      else answer(504, 'gateway timeout');
    });
    const events = someEvents(30);

    const outcomes = await createUsageReporter({ url }).report(events);

    expect(outcomes).toEqual(events.map(({ id }) => ({ id, outcome: 'already' })));
    expect(new Set(seen.map(({ body }) => body)).size).toBe(1);
    expect(await rowsOf(world, NOW)).toHaveLength(30);
  });

  test('names the events of which nothing is known when the other side stays away', async () => {
    const world = await startBackendWorld(services());
    const { url } = await startFaultyProxy(world.gateway.url, async (call) =>
      call.request.number === 1 ? passOn(call) : call.answer(503, '{}'),
    );
    const events = someEvents(1_100);

    const fault = await createUsageReporter({ url, maxInFlight: 1, retryForMs: 150 })
      .report(events)
      .catch((error: unknown) => error);

    expect(fault).toMatchObject({ code: 'UsageUnconfirmed', retryable: true, unconfirmed: events.slice(500) });
  });

  test.each([
    [403, '{"message":"Missing Authentication Token"}', 'ReporterPolicy'],
    [404, 'No such route.', 'no POST /usage'],
    [200, '<html>', 'Check the URL'],
    [302, '', 'answered 302'],
    [400, '{"error":{"code":"ReportMalformed","message":"The body has to be JSON."}}', 'The body has to be JSON.'],
  ])('asks once only, and says what to do, where the answer is %i %s', async (status, body, said) => {
    const world = await startBackendWorld(services());
    const { url, seen } = await startFaultyProxy(world.gateway.url, async ({ answer }) => answer(status, body));

    const report = createUsageReporter({ url }).report(someEvents(1));

    await expect(report).rejects.toThrow(said);
    await expect(report).rejects.toMatchObject({ retryable: false });
    expect(seen).toHaveLength(1);
  });

  test.each(['ftp://host/usage', 'no url', 'https://me:secret@host/'])(
    'takes no URL like %s, and repeats none of it',
    (url) => {
      expect(() => createUsageReporter({ url })).toThrow(InvalidInput);
      expect(() => createUsageReporter({ url })).not.toThrow(/secret/);
    },
  );
});

describe('signing', () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };

  test('puts a signature on each request that AWS’s rules lead to', async () => {
    const world = await startBackendWorld(services());
    const { url, seen } = await startFaultyProxy(world.gateway.url);
    const reporter = createUsageReporter({ url: `${url}/prod/`, sign: true, region: 'eu-west-1', credentials });

    await reporter.report(someEvents(2, { dimension: 'gb_stored' }));

    const [request] = seen;
    if (!request) throw new Error('No request was made.');
    expect(request.path).toBe('/prod/usage');
    expect(request.headers['x-amz-security-token']).toBe('token');
    expect(request.headers['authorization']).toBe(expectedAuthorization(request, 'eu-west-1', credentials));
  });

  test('is left out where the API is not at AWS, and not asked for', async () => {
    const world = await startBackendWorld(services());
    const { url, seen } = await startFaultyProxy(world.gateway.url);

    await createUsageReporter({ url, credentials }).report(someEvents(1));

    expect(seen[0]?.headers['authorization']).toBeUndefined();
  });
});
