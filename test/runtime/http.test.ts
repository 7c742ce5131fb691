import { describe, expect, it } from 'vitest';
import { InvalidInput, Misconfigured, Unavailable } from '../../lambdas/domain/failure.ts';
import { clientSettings } from '../../lambdas/runtime/aws-client.ts';
import { httpHandler, JSON_HEADERS, jsonFault } from '../../lambdas/runtime/http.ts';
import type { HttpRequest } from '../../lambdas/runtime/http-request.ts';
import { anEvent, type Call } from '../doubles/registration-world.ts';

const CONTEXT = { awsRequestId: 'r', getRemainingTimeInMillis: () => 10_000 };

function aHandler(answer: (request: HttpRequest) => Promise<string> | string) {
  const lines: string[] = [];
  const keep = (code: string, facts: unknown) => void lines.push(JSON.stringify({ code, facts }));
  const handler = httpHandler(
    { log: { info: keep, warn: keep, error: keep }, clock: () => 0, headers: JSON_HEADERS, fault: jsonFault },
    async (request) => ({ status: 200, headers: {}, body: await answer(request), outcome: 'answered' }),
  );
  return { lines, call: (call: Call, context = CONTEXT) => handler(anEvent(call), context) };
}

describe('faults as JSON', () => {
  it.each([
    [new InvalidInput('UsageMalformed', 'The quantity has to be whole.'), 400, false, 'The quantity has to be whole.'],
    [new InvalidInput('BodyTooLarge', 'Too large.'), 413, false, 'Too large.'],
    [new Unavailable('X', 'host db-1 is down'), 503, true, 'Try again in a moment.'],
    [new Misconfigured('Y', 'role arn:aws:iam is wrong'), 500, false, 'This is a fault of ours.'],
    [new TypeError('secret x is undefined'), 500, false, 'This is a fault of ours.'],
  ])('tells the caller of its own mistakes only: %s', async (thrown, status, retryable, message) => {
    const { call, lines } = aHandler(() => Promise.reject(thrown));
    const result = await call({ path: '/usage', body: '{}' });
    expect(result.statusCode).toBe(status);
    expect(JSON.parse(result.body).error).toMatchObject({ retryable, message, requestId: 'gateway-request-1' });
    expect(result.headers).toMatchObject({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    expect(lines.join()).not.toContain(thrown.message);
  });

  it.each([
    ['nobody listens', { name: 'Error', code: 'ECONNREFUSED' }, 503],
    ['it answers too late', { name: 'TimeoutError' }, 503],
    ['it fails', { name: 'InternalServerError', $fault: 'server' }, 503],
    ['it is throttled', { name: 'ProvisionedThroughputExceededException', $fault: 'client' }, 503],
    ['it refuses what we ask', { name: 'ValidationException', $fault: 'client' }, 500],
    ['it does not let us', { name: 'AccessDeniedException', $fault: 'client' }, 500],
  ])('of AWS’s database, where %s, are told as what they are', async (_what, members, status) => {
    const error = Object.assign(new Error('table x'), { $metadata: { attempts: 5 } }, members);
    const { call, lines } = aHandler(() => Promise.reject(error));

    const result = await call({ path: '/usage', body: '{}' });

    expect(result.statusCode).toBe(status);
    expect(result.headers?.['Retry-After']).toBe(status === 503 ? '5' : undefined);
    expect(lines.join()).not.toContain('table x');
  });

  it('answers before Lambda’s time is over', async () => {
    const { call } = aHandler(() => new Promise<string>(() => {}));
    const result = await call({ path: '/usage' }, { ...CONTEXT, getRemainingTimeInMillis: () => 520 });
    expect(result.statusCode).toBe(503);
  });
});

describe('requests', () => {
  it('are read the same in base64, with header names and cookies in any shape', async () => {
    const { call } = aHandler((request) =>
      [request.text(100), request.header('X-THING'), request.cookie('b'), request.method].join('|'),
    );
    const headers = { 'x-Thing': 'here', COOKIE: 'a=1; b=2=3;c' };
    const body = Buffer.from('größe').toString('base64');
    const result = await call({ path: '/x', method: 'POST', body, isBase64Encoded: true, headers });
    expect(result.body).toBe('größe|here|2=3|POST');
  });

  it('are measured in bytes', async () => {
    const { call } = aHandler((request) => request.text(4));
    expect((await call({ path: '/x', body: 'öö' })).statusCode).toBe(200);
    expect((await call({ path: '/x', body: 'ööö' })).statusCode).toBe(413);
  });

  it('leave neither path nor query nor body in the log', async () => {
    const { call, lines } = aHandler(() => 'ok');
    const event = { ...anEvent({ path: '/secret-path?secret-query', body: 'secret-body' }), resource: '/{proxy+}' };
    await call({ path: event.path, body: 'secret-body' });
    expect(lines.join()).not.toContain('secret-body');
    expect(lines.join()).toContain('"status":200');
  });
});

describe('clientSettings', () => {
  const keys = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key' };

  it('reads region, endpoint and credentials of one service', () => {
    const environment = { ...keys, AWS_SESSION_TOKEN: 'st', AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000' };
    const credentials = { accessKeyId: 'id', secretAccessKey: 'key', sessionToken: 'st' };
    expect(clientSettings(environment, 'DYNAMODB')).toEqual({
      region: 'eu-west-1',
      endpoint: 'http://127.0.0.1:8000',
      credentials,
    });
    expect(clientSettings(environment, 'SECRETS_MANAGER')).toEqual({ region: 'eu-west-1', credentials });
  });

  it('names what is missing', () => {
    expect(() => clientSettings({ ...keys, AWS_REGION: undefined }, 'DYNAMODB')).toThrow('AWS_REGION');
  });
});
