import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CustomerReaderOptions, createCustomerReader } from '../../client/customers-api.ts';
import { InvalidInput } from '../../lambdas/domain/failure.ts';
import { HOUR_MS } from '../../lambdas/domain/hour.ts';
import { useServices } from '../backend-world.ts';
import { startContractWorld } from '../handlers/contract-world.ts';
import { expectedAuthorization } from './expected-signature.ts';

const services = useServices();

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly status: number;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Serves GET on loopback by what `answer` says, and sees each request. */
async function served(answer: (path: string, headers: IncomingHttpHeaders, count: number) => Promise<Answer>) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    const given = await answer(path, headers, seen.length + 1);
    seen.push({ method, path, headers, body: '', status: given.status });
    response.writeHead(given.status, given.headers).end(given.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { seen, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
}

/** A buyer with a contract, a reader of it, and the handler between them. */
async function aReader(options: Partial<CustomerReaderOptions> = {}, faults: readonly (Answer | undefined)[] = []) {
  const world = await startContractWorld(services);
  const acme = await world.subscribe({ entitlements: world.seats(50), endAt: '2027-09-21T10:00:00Z' });
  await world.refresh();
  const { seen, url } = await served(async (path, headers, count) => {
    const fault = faults[count - 1];
    if (fault) return fault;
    const plain = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    const { statusCode, headers: answered, body } = await world.read(path, { headers: plain });
    return { status: statusCode, headers: answered as Record<string, string>, body };
  });
  return { ...world, acme, seen, reader: createCustomerReader({ url: `${url}/prod`, ...options }) };
}

function fault(status: number, body = '{}', headers = {}): Answer {
  return { status, headers, body };
}

async function stubbed(answer: Answer, options: Partial<CustomerReaderOptions> = {}) {
  const { seen, url } = await served(async () => answer);
  return { seen, url, reader: createCustomerReader({ url, retryForMs: 0, ...options }) };
}

describe('reading a customer', () => {
  test('gives standing and entitlements with their types', async () => {
    const { reader, acme, clock } = await aReader();

    const standing = await reader.standing(acme.customerId);
    const entitlements = await reader.entitlements(acme.customerId);

    expect(standing).toMatchObject({
      customerId: acme.customerId,
      product: { title: 'Metrics Cloud' },
      licences: [{ licenseArn: acme.licenceArn }],
    });
    expect(entitlements).toMatchObject({ isStale: false, checkedAt: new Date(clock.now()).toISOString() });
    expect(entitlements?.licences[0]?.entitlements.map(({ dimension, value }) => [dimension, value])).toEqual([
      ['requests', 1_000],
      ['seats', 50],
    ]);
  });

  test('is not sent again what has not changed, and gets what has', async () => {
    const { reader, acme, seen, control, clock, refresh } = await aReader();

    const first = await reader.entitlements(acme.customerId);
    const again = await reader.entitlements(acme.customerId);
    await reader.standing(acme.customerId);
    await control.post(`/control/agreements/${acme.agreementId}/amend`, {
      entitlements: [{ dimension: 'seats', value: 80 }],
    });
    await clock.set(clock.now() + HOUR_MS);
    await refresh();
    const changed = await reader.entitlements(acme.customerId);

    expect(again).toBe(first);
    expect(changed?.licences[0]?.entitlements).toMatchObject([{ dimension: 'seats', value: 80 }]);
    expect(seen.map(({ status }) => status)).toEqual([200, 304, 200, 200]);
    expect(seen.map(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([false, true, false, true]);
  });

  test('finds nobody by an unknown id', async () => {
    const { reader, seen } = await aReader();

    expect(await reader.standing('cus_nobody')).toBeUndefined();
    expect(await reader.entitlements('cus_nobody')).toBeUndefined();
    expect(seen.map(({ status }) => status)).toEqual([404, 404]);
  });

  test('is made again after 429 and 5xx, and remembers across them what it knew', async () => {
    const { reader, acme, seen } = await aReader({}, [
      fault(429, '{}', { 'retry-after': '0' }),
      undefined,
      fault(503),
      fault(504, 'gateway timeout'),
    ]);

    const first = await reader.standing(acme.customerId);
    const again = await reader.standing(acme.customerId);

    expect(again).toBe(first);
    expect(seen.map(({ status }) => status)).toEqual([429, 200, 503, 504, 304]);
  });

  test('keeps the answers of the customers that were asked for last', async () => {
    const { seen, url } = await served(async (path) =>
      fault(200, JSON.stringify({ customerId: path, licences: [] }), { etag: '"tag"' }),
    );
    const reader = createCustomerReader({ url });
    for (let index = 0; index < 1_000; index++) await reader.standing(`cus_${index}`);
    await reader.standing('cus_0');
    await reader.standing('cus_1000');

    seen.length = 0;
    for (const id of ['cus_0', 'cus_2', 'cus_1']) await reader.standing(id);

    expect(seen.map(({ headers }) => headers['if-none-match'])).toEqual(['"tag"', '"tag"', undefined]);
  });
});

describe('a fault', () => {
  test.each([
    [403, '{"message":"Missing Authentication Token"}', 'Misconfigured', 'no GET /customers/{customerId}'],
    [401, '{}', 'Misconfigured', 'Sign the requests.'],
    [404, 'No such route.', 'Misconfigured', 'no GET /customers/{customerId}'],
    [200, '<html>', 'BrokenInvariant', 'something else'],
    [200, '{"events":[]}', 'BrokenInvariant', 'something else'],
    [302, '', 'InvalidInput', 'answered 302'],
    [304, '', 'InvalidInput', 'answered 304'],
    [500, '{"error":{"code":"Unexpected","message":"This is a fault of ours."}}', 'Unavailable', 'a fault of ours'],
  ])('of %i %s says what it is and what to do', async (status, body, name, said) => {
    const { reader, seen } = await stubbed(fault(status, body));

    await expect(reader.standing('cus_acme')).rejects.toMatchObject({ name, message: expect.stringContaining(said) });
    expect(seen).toHaveLength(1);
  });

  test('is an id that is none, and nothing is asked', async () => {
    const { reader, seen } = await stubbed(fault(200));

    for (const id of ['', '../usage', 'a b', 'x'.repeat(65)]) {
      await expect(reader.entitlements(id)).rejects.toBeInstanceOf(InvalidInput);
    }
    expect(seen).toEqual([]);
  });

  test.each(['ftp://host/', 'no url', 'https://me:secret@host/'])('is a URL like %s, and is not repeated', (url) => {
    expect(() => createCustomerReader({ url })).toThrow(InvalidInput);
    expect(() => createCustomerReader({ url })).not.toThrow(/secret/);
  });
});

describe('signing', () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
  const options = { sign: true, region: 'eu-west-1', credentials };

  test('puts the signature on each request that AWS’s rules lead to, whatever is remembered', async () => {
    const { reader, acme, seen } = await aReader(options);

    await reader.entitlements(acme.customerId);
    await reader.entitlements(acme.customerId);

    expect(seen.map(({ status }) => status)).toEqual([200, 304]);
    for (const request of seen) {
      expect(request.path).toBe(`/prod/customers/${acme.customerId}/entitlements`);
      expect(request.headers['authorization']).toBe(expectedAuthorization(request, 'eu-west-1', credentials));
    }
  });

  test('takes the address of usage for that of the backend', async () => {
    const { seen, url } = await stubbed(fault(404));

    const read = createCustomerReader({ url: `${url}/prod/usage/`, retryForMs: 0 }).standing('cus_acme');

    await expect(read).rejects.toMatchObject({ name: 'Misconfigured' });
    expect(seen[0]?.path).toBe('/prod/customers/cus_acme');
    expect(seen[0]?.headers['authorization']).toBeUndefined();
  });
});
