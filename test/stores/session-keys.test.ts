import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseSessionKeys } from '../../lambdas/contracts/session-keys.ts';
import { Misconfigured, Unavailable } from '../../lambdas/domain/failure.ts';
import { SecretSessionKeys, secretsClient } from '../../lambdas/stores/session-keys.ts';

const KEY = 'k'.repeat(44);

let now = 0;
let reads = 0;
let answer: { status: number; body: unknown } = { status: 200, body: {} };
const server = createServer((_request, response) => {
  reads += 1;
  response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(answer.body));
});
let keys: SecretSessionKeys;

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.close();
});
beforeEach(() => {
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = secretsClient({ region: 'us-east-1', endpoint, credentials });
  keys = new SecretSessionKeys({ client, secretId: 'keys', parse: parseSessionKeys, clock: () => now });
  now = 0;
  reads = 0;
  answer = { status: 200, body: { SecretString: JSON.stringify({ current: 'k1', keys: { k1: KEY } }) } };
});

it('reads the secret once in five minutes', async () => {
  await keys.ring();
  now = 5 * 60_000 - 1;
  expect((await keys.ring('k1')).current).toBe('k1');
  expect(reads).toBe(1);
  now += 1;
  await keys.ring();
  expect(reads).toBe(2);
});

it('looks again for a key it has not heard of, but not at every request that makes one up', async () => {
  await keys.ring();
  for (let request = 0; request < 50; request++) {
    now += 1_000;
    await keys.ring(`made-up-${request}`);
  }
  expect(reads).toBeLessThanOrEqual(6);
});

it('meets a key that was made a moment after it looked: the buyer who brings it does not wait', async () => {
  await keys.ring();
  answer.body = { SecretString: JSON.stringify({ current: 'k2', keys: { k1: KEY, k2: KEY } }) };
  now = 1_000;

  expect((await keys.ring('k2')).keys.has('k2')).toBe(true);
  await keys.ring('made-up');
  expect(reads).toBe(2);
});

it('looks again for a key that it could not look for, and takes nobody who brings it for a stranger meanwhile', async () => {
  await keys.ring();
  answer = { status: 500, body: { __type: 'InternalServiceError' } };
  await expect(keys.ring('k2')).rejects.toThrow(Unavailable);
  answer = { status: 200, body: { SecretString: JSON.stringify({ current: 'k2', keys: { k1: KEY, k2: KEY } }) } };

  expect((await keys.ring('k2')).keys.has('k2')).toBe(true);
});

it('tells a secret that is out of reach for now from one that we may not read', async () => {
  answer = { status: 500, body: { __type: 'InternalServiceError' } };
  await expect(keys.ring()).rejects.toThrow(Unavailable);
  answer = { status: 400, body: { __type: 'AccessDeniedException' } };
  await expect(keys.ring()).rejects.toThrow(Misconfigured);
  answer = { status: 200, body: {} };
  await expect(keys.ring()).rejects.toThrow(Misconfigured);
});
