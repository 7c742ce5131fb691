import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseHour } from '../../lambdas/domain/hour.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { dynamoClient } from '../../lambdas/stores/dynamo.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { cookieOf, NOW, type RegistrationWorld, startRegistrationWorld } from '../doubles/registration-world.ts';

const TOKEN = 'x-amzn-marketplace-token';

let world: RegistrationWorld;

beforeAll(async () => {
  world = await startRegistrationWorld();
});
afterAll(async () => {
  await world?.close();
});
beforeEach(async () => {
  world.now = NOW;
  world.logged.length = 0;
  world.restart();
  await world.control('PUT', '/control/faults', {});
  await world.control('PUT', '/control/switches', { tokenSingleUse: false });
});

/** What `run` adds to the tables. */
async function added(run: () => Promise<unknown>): Promise<number> {
  const before = (await world.items()).length;
  await run();
  return (await world.items()).length - before;
}

describe('GET on the fulfillment URL', () => {
  it('renders with a 200 for AWS’s check, and says where to start', async () => {
    const result = await world.register({});
    expect(result.statusCode).toBe(200);
    expect(result.headers?.['Content-Type']).toBe('text/html; charset=utf-8');
    expect(result.body).toContain('Set up your account');
  });

  it('answers HEAD like GET, without a body', async () => {
    expect(await world.register({ method: 'HEAD' })).toMatchObject({ statusCode: 200, body: '' });
  });

  it('sends every page with a policy that lets nothing foreign in and nobody keep it', async () => {
    for (const result of [await world.register({}), await world.register({ method: 'PUT' })]) {
      expect(result.headers).toMatchObject({
        'Content-Security-Policy':
          "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'no-referrer',
        'X-Content-Type-Options': 'nosniff',
        'Strict-Transport-Security': expect.stringContaining('max-age='),
      });
      expect(result.body).not.toMatch(/<script|style="|src="http|href="http:/);
    }
  });
});

describe('POST with a good token', () => {
  it('makes the customer and sends the buyer on with a session that outlives no half hour', async () => {
    const { token, licenceArn, awsAccountId } = await world.buyer();
    const result = await world.register({ form: { [TOKEN]: token, 'x-amzn-marketplace-offer-type': 'free-trial' } });
    expect(result.statusCode).toBe(303);
    expect(result.headers?.['Location']).toBe('/registration');
    expect(result.headers?.['Set-Cookie']).toMatch(
      /^__Host-registration=[\w.-]+; Max-Age=1800; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    );
    const licence = await world.customers.licence(licenceKeyOf({ style: 'licence', licenceArn }));
    expect(licence).toMatchObject({ licenceArn, customerAwsAccountId: awsAccountId, firstSeenAt: NOW });
    expect(await world.customers.customer(licence?.customerId ?? '')).toMatchObject({ freeTrialHint: true });
  });

  it('keeps the stage, or a custom domain’s base path, in front of the redirect', async () => {
    const { token } = await world.buyer();
    for (const base of ['/prod', '/market/place', '']) {
      const result = await world.register({ path: `${base}/register`, form: { [TOKEN]: token } });
      expect(result.headers?.['Location']).toBe(`${base}/registration`);
    }
    const trick = await world.register({ path: '//evil.example/register', form: { [TOKEN]: token } });
    expect(trick.headers?.['Location']).toBe('/registration');
  });

  it('takes the token with slash, plus and equals signs, in base64, unencoded, repeated and beside other fields', async () => {
    const { token } = await world.buyer();
    const encoded = encodeURIComponent(token);
    const bodies = [
      `${TOKEN}=${encoded}&x-amzn-marketplace-agreement-id=agmt-forged&${TOKEN}=second`,
      `a=b&&=&%zz&${TOKEN}=${token}`,
    ];
    for (const body of bodies) expect((await world.register({ body })).statusCode).toBe(303);
    const base64 = Buffer.from(bodies[0] ?? '').toString('base64');
    expect((await world.register({ body: base64, isBase64Encoded: true })).statusCode).toBe(303);
    const type = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
    expect((await world.register({ body: bodies[0] ?? '', headers: type })).statusCode).toBe(303);
  });

  it('makes one customer of one buyer, however often and at once the token is brought', async () => {
    const { token, licenceArn } = await world.buyer();
    const calls = Array.from({ length: 12 }, () => world.register({ form: { [TOKEN]: token } }));
    const results = await Promise.all(calls);
    expect(results.map(({ statusCode }) => statusCode)).toEqual(Array(12).fill(303));
    expect(await added(() => world.register({ form: { [TOKEN]: token } }))).toBe(0);
    const holders = (await world.items()).filter((item) => item['licenceArn'] === licenceArn);
    expect(holders).toHaveLength(1);
  });

  it('lets usage go that waited for the licence, also on a repeat', async () => {
    const { token, licenceArn } = await world.buyer();
    const licenceKey = licenceKeyOf({ style: 'licence', licenceArn });
    const hour = parseHour('2026-11-23T06');
    if (!hour) throw new Error('not an hour');
    const { AWS_ENDPOINT_URL_DYNAMODB: endpoint = '', WORK_TABLE = '' } = world.environment;
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const work = new DynamoWorkStore(dynamoClient({ region: 'us-east-1', endpoint, credentials }), WORK_TABLE);
    for (const shard of [1, 2]) {
      await work.awaitLicence(licenceKey, hour, shard);
      expect((await world.register({ form: { [TOKEN]: token } })).statusCode).toBe(303);
      expect(await work.lateMarkers()).toContainEqual(expect.objectContaining({ hour, shard }));
      expect(await work.releaseAwaiting(licenceKey)).toBe(0);
    }
  });

  it('survives a missing LicenseArn, and gives the customer the licence when AWS names it', async () => {
    const { token, licenceArn, awsAccountId } = await world.buyer();
    await world.control('PUT', '/control/faults', { next: [{ kind: 'missingLicenseArn' }] });
    expect((await world.register({ form: { [TOKEN]: token } })).statusCode).toBe(303);
    const waiting = (await world.items()).find(
      (item) => item['sk'] === 'customer' && item['customerAwsAccountId'] === awsAccountId,
    );
    expect(waiting).toMatchObject({ licenceKeys: [] });

    expect((await world.register({ form: { [TOKEN]: token } })).statusCode).toBe(303);
    const licence = await world.customers.licence(licenceKeyOf({ style: 'licence', licenceArn }));
    expect(licence?.customerId).toBe(waiting?.['customerId']);
  });

  it('names a legacy product’s licence by its customer identifier', async () => {
    const { token } = await world.buyer({ productCode: 'legacy-code', customerIdentifier: 'old-77' });
    expect((await world.register({ form: { [TOKEN]: token } })).statusCode).toBe(303);
    const name = { style: 'legacy', productCode: 'legacy-code', customerIdentifier: 'old-77' } as const;
    expect(await world.customers.licence(licenceKeyOf(name))).toMatchObject({ identityStyle: 'legacy' });
  });
});

describe('what AWS says no to, each its own page', () => {
  it('tells a buyer with an expired token to press "Set up your account" again', async () => {
    const { agreementId } = await world.buyer();
    const path = `/control/agreements/${agreementId}/tokens`;
    const { token } = await world.control('POST', path, { lifetimeSeconds: 1 });
    await world.control('POST', '/control/clock/advance', { ms: 2000 });
    let result: Awaited<ReturnType<RegistrationWorld['register']>> | undefined;
    expect(await added(async () => (result = await world.register({ form: { [TOKEN]: String(token) } })))).toBe(0);
    expect(result?.statusCode).toBe(400);
    expect(result?.body).toContain('has expired');
    expect(result?.body).toContain('Set up your account');
  });

  it('tells a buyer with an unknown token, and one whose form had none', async () => {
    const invalid = await world.register({ form: { [TOKEN]: 'made-up' } });
    expect(invalid).toMatchObject({ statusCode: 400, body: expect.stringContaining('could not confirm') });
    const missing = await world.register({ form: { other: 'x' } });
    expect(missing).toMatchObject({ statusCode: 400, body: expect.stringContaining('start from AWS Marketplace') });
  });

  it('makes no customer of a product that is not ours', async () => {
    const { token } = await world.buyer({ productCode: 'foreign-code' });
    expect(
      await added(async () => {
        const result = await world.register({ form: { [TOKEN]: token } });
        expect(result).toMatchObject({ statusCode: 400, body: expect.stringContaining('another product') });
      }),
    ).toBe(0);
    expect(world.logged.at(-1)?.facts).toMatchObject({ outcome: 'notOurProduct', productCode: 'foreign-code' });
  });

  it.each([
    ['throttle', 503, 'MarketplaceUnavailable'],
    ['internalError', 503, 'MarketplaceUnavailable'],
    ['dropConnection', 503, 'MarketplaceUnavailable'],
    ['expiredCredentials', 503, 'CredentialsExpired'],
    ['accessDenied', 500, 'ResolveCustomerRefused'],
    ['disabledApi', 500, 'ResolveCustomerRefused'],
  ])('answers %s with %i and logs %s; nothing is stored and nothing of ours is shown', async (kind, status, code) => {
    const { token } = await world.buyer();
    await world.control('PUT', '/control/faults', { next: [{ kind, count: 20 }] });
    expect(
      await added(async () => {
        const result = await world.register({ form: { [TOKEN]: token }, path: '/prod/register' });
        expect(result.statusCode).toBe(status);
        expect(result.body).toContain('gateway-request-1');
        expect(result.body).not.toMatch(/Exception|stack|node_modules/);
        if (status === 503) {
          expect(result.headers?.['Retry-After']).toBe('5');
          expect(result.body).toContain('action="/prod/register"');
        }
      }),
    ).toBe(0);
    expect(world.logged.find((line) => line.code === 'RequestFailed')?.facts['failureCode']).toBe(code);
  });

  it('gets over one throttled call by itself', async () => {
    const { token } = await world.buyer();
    await world.control('PUT', '/control/faults', { next: [{ kind: 'throttle' }, { kind: 'internalError' }] });
    expect((await world.register({ form: { [TOKEN]: token } })).statusCode).toBe(303);
  });

  it('gives up on a silent AWS while the buyer still waits, before the answer of nine seconds later', async () => {
    const { token } = await world.buyer();
    await world.control('PUT', '/control/faults', { next: [{ kind: 'slow', count: 20, delayMs: 9000 }] });
    expect((await world.register({ form: { [TOKEN]: token } })).statusCode).toBe(503);
  }, 60_000);
});

describe('requests that are none', () => {
  it('answers a wrong method, a wrong content type and a megabyte with pages of their own', async () => {
    const method = await world.register({ method: 'DELETE' });
    expect(method).toMatchObject({ statusCode: 405, headers: { Allow: 'GET, HEAD, POST' } });
    const type = await world.register({ body: '{"a":1}', headers: { 'content-type': 'application/json' } });
    expect(type).toMatchObject({ statusCode: 415, body: expect.stringContaining('could not read') });
    const large = await world.register({ body: 'x'.repeat(1_000_000) });
    expect(large).toMatchObject({ statusCode: 413, body: expect.stringContaining('too much') });
    expect((await world.register({ method: 'POST', body: null })).statusCode).toBe(415);
  });
});

describe('the token', () => {
  it('stands in no item, no header and no line of the log, whatever AWS answers', async () => {
    const { token } = await world.buyer();
    const results = [await world.register({ form: { [TOKEN]: token } })];
    for (const kind of ['throttle', 'accessDenied', 'expiredCredentials', 'disabledApi']) {
      await world.control('PUT', '/control/faults', { next: [{ kind, count: 20 }] });
      results.push(await world.register({ form: { [TOKEN]: token } }));
    }
    expect(cookieOf(results[0] ?? { statusCode: 0, body: '' })).not.toBe('');
    const traces = JSON.stringify([await world.items(), world.logged, results.map(({ headers }) => headers)]);
    expect(traces).not.toContain(token);
    expect(traces).not.toContain(encodeURIComponent(token));
  });
});

describe('a broken deployment', () => {
  it('names every missing setting at once, and each wrong one by its member', () => {
    expect(() => world.restart({ PRODUCTS: '', REGISTRATION: '' })).toThrow('PRODUCTS, REGISTRATION');
    expect(() => world.restart({ REGISTRATION: '{"sellerName":""}' })).toThrow(/sellerName.*supportEmail.*nextSteps/);
    expect(() => world.restart({ PRODUCTS: '[{"productCode":"x"}]' })).toThrow(/0\.title/);
  });
});
