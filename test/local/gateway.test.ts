// The gateway of the laptop lets nobody in whom API Gateway would keep out.
import { request } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../../local/gateway.ts';

const MAX_BODY_BYTES = 10 * 1024 * 1024;

async function startTestGateway() {
  const seen: { path: string; resource: string; bytes: number }[] = [];
  const handler = async ({ path, resource, body }: APIGatewayProxyEvent) => {
    seen.push({ path, resource, bytes: Buffer.from(body ?? '', 'base64').length });
    return { statusCode: 200, headers: {}, body: 'handled' };
  };
  const backend = {
    resolveBuyer: handler,
    registerCustomer: handler,
    completeSignUp: handler,
    recordUsage: handler,
    readCustomer: handler,
  };
  const gateway = await startGateway(backend);
  onTestFinished(() => gateway.close());
  return { gateway, seen, port: Number(new URL(gateway.url).port) };
}

interface Call {
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
}

function call({ port, path = '/usage', method = 'POST', headers = {}, body }: Call): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

test.each(['rebound.example', 'rebound.example:80', '127.0.0.1', 'localhost.rebound.example'])(
  'A page that has pointed its own name %s at this machine is refused on every route',
  async (host) => {
    const { port, seen } = await startTestGateway();

    for (const path of ['/usage', '/register', '/registration', '/nowhere']) {
      expect(await call({ port, path, headers: { host } })).toBe(403);
    }

    expect(seen).toEqual([]);
  },
);

test('Both names of this machine are served under the own port', async () => {
  const { port, seen } = await startTestGateway();

  expect(await call({ port, headers: { host: `127.0.0.1:${port}` } })).toBe(200);
  expect(await call({ port, headers: { host: `localhost:${port}` } })).toBe(200);
  expect(await call({ port, headers: { host: `localhost:${port + 1}` } })).toBe(403);
  expect(seen).toHaveLength(2);
});

test.each(['cross-site', 'same-site', 'same-origin', 'none'])(
  'Usage that a browser posts is refused, %s as it may be, and programs are let through',
  async (site) => {
    const { port, seen } = await startTestGateway();

    expect(await call({ port, headers: { 'sec-fetch-site': site } })).toBe(403);
    expect(seen).toEqual([]);
    expect(await call({ port })).toBe(200);
  },
);

test('The buyer comes from the marketplace, another site, and is let in', async () => {
  const { port, seen } = await startTestGateway();

  expect(await call({ port, path: '/register', headers: { 'sec-fetch-site': 'cross-site' } })).toBe(200);
  expect(seen.map(({ path }) => path)).toEqual(['/register']);
});

test('A customer and its entitlements are asked for by the customer’s id, and nothing else lies there', async () => {
  const { port, seen } = await startTestGateway();

  expect(await call({ port, method: 'GET', path: '/customers/cus_1' })).toBe(200);
  expect(await call({ port, method: 'GET', path: '/customers/cus_1/entitlements' })).toBe(200);
  for (const path of ['/customers', '/customers/', '/customers/cus_1/', '/customers/cus_1/usage']) {
    expect(await call({ port, method: 'GET', path })).toBe(404);
  }

  expect(seen.map(({ path, resource }) => [path, resource])).toEqual([
    ['/customers/cus_1', '/customers/{customerId}'],
    ['/customers/cus_1/entitlements', '/customers/{customerId}/entitlements'],
  ]);
});

test('A body as large as API Gateway takes arrives whole, and one byte more is answered with 413', async () => {
  const { port, seen } = await startTestGateway();

  expect(await call({ port, body: Buffer.alloc(MAX_BODY_BYTES) })).toBe(200);
  expect(await call({ port, body: Buffer.alloc(MAX_BODY_BYTES + 1) })).toBe(413);
  expect(seen.map(({ bytes }) => bytes)).toEqual([MAX_BODY_BYTES]);
});

test('A body that does not say how large it is is cut off at the same size', async () => {
  const { port, seen } = await startTestGateway();
  const headers = { 'transfer-encoding': 'chunked' };

  expect(await call({ port, headers, body: Buffer.alloc(MAX_BODY_BYTES + 1) })).toBe(413);
  expect(seen).toEqual([]);
});
