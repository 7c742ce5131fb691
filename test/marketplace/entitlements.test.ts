// GetEntitlements as the SDK speaks it: against the simulator, and against answers that only AWS at fault would give.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Misconfigured, Unavailable } from '../../lambdas/domain/failure.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import type { EntitlementSubject } from '../../lambdas/flow/entitlement-ports.ts';
import { MarketplaceEntitlements } from '../../lambdas/marketplace/entitlements.ts';
import { CONTRACT_PRODUCT, listContract, NOW, startTestWorld, YEAR_ON } from '../simulator/fixture.ts';

const ARN = 'arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef';
const OTHER_ARN = 'arn:aws:license-manager::294406891311:license:l-fedcba9876543210fedcba9876543210';

function licence(licenceArn = ARN): EntitlementSubject {
  const licenceKey = licenceKeyOf({ style: 'licence', licenceArn });
  return { licenceKey, licenceArn, identityStyle: 'licence', productCode: CONTRACT_PRODUCT };
}

/** A client in a region of its own, as a stack elsewhere would have it. */
function clientOf(endpoint: string, callTimeoutMs?: number) {
  const paced = { calls: 0, throttles: 0 };
  const pace = {
    take: async () => {},
    depart: async () => {
      paced.calls += 1;
    },
    throttled: () => {
      paced.throttles += 1;
    },
  };
  const credentials = { accessKeyId: 'AKIDSELLER', secretAccessKey: 'not-checked' };
  const gateway = new MarketplaceEntitlements({ region: 'eu-west-1', endpoint, credentials }, pace, callTimeoutMs);
  return { gateway, paced };
}

async function contractWorld(product: object = {}) {
  const world = await startTestWorld();
  await listContract(world, product);
  const subscribe = (wanted: object = {}) =>
    world.subscribe({ productCode: CONTRACT_PRODUCT, startAt: NOW, endAt: YEAR_ON, ...wanted });
  const faults = (next: object) => world.control('PUT', '/control/faults', { next: [next] });
  return { ...world, subscribe, faults, ...clientOf(world.url) };
}

interface Asked {
  readonly target: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** Answers each call in turn, the last one for ever, as the service speaks: JSON 1.1. */
async function stub(...answers: readonly { status?: number; body?: object; text?: string }[]) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { 'x-amz-target': target, authorization } = request.headers;
    asked.push({ target: target?.toString(), authorization, body: JSON.parse(Buffer.concat(chunks).toString()) });
    const { status = 200, body, text } = answers[Math.min(asked.length, answers.length) - 1] ?? {};
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(text ?? JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { asked, ...clientOf(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`) };
}

const SEATS = { ProductCode: CONTRACT_PRODUCT, Dimension: 'seats', LicenseArn: ARN, Value: { IntegerValue: 50 } };

describe('asking for a licence', () => {
  test('tells each kind of value, and until when it holds', async () => {
    const world = await contractWorld();
    const { licenceArn } = await world.subscribe({
      entitlements: [
        { dimension: 'seats', value: 50 },
        { dimension: 'ratio', value: 0.5 },
        { dimension: 'pro', value: false },
        { dimension: 'tier', value: 'gold' },
      ],
    });

    const answer = await world.gateway.ask(licence(licenceArn));

    const expiresAt = Date.parse(YEAR_ON);
    expect(answer).toEqual({
      kind: 'answered',
      foreign: 0,
      entitlements: [
        { dimension: 'seats', value: { kind: 'integer', value: 50 }, expiresAt },
        { dimension: 'ratio', value: { kind: 'double', value: 0.5 }, expiresAt },
        { dimension: 'pro', value: { kind: 'boolean', value: false }, expiresAt },
        { dimension: 'tier', value: { kind: 'string', value: 'gold' }, expiresAt },
      ],
    });
  });

  test('asks in us-east-1 by the product and the licence, wherever the stack is', async () => {
    const { gateway, asked } = await stub({ body: { Entitlements: [SEATS] } });

    await gateway.ask(licence());

    expect(asked).toHaveLength(1);
    expect(asked[0]?.target).toBe('AWSMPEntitlementService.GetEntitlements');
    expect(asked[0]?.authorization).toContain('/us-east-1/aws-marketplace/');
    expect(asked[0]?.body).toEqual({
      ProductCode: CONTRACT_PRODUCT,
      Filter: { LICENSE_ARN: [ARN] },
      MaxResults: 25,
    });
  });

  test('asks by the customer identifier for a legacy product, and takes nobody else’s', async () => {
    const mine = { ...SEATS, CustomerIdentifier: 'buyer-1' };
    const { gateway, asked } = await stub({
      body: { Entitlements: [mine, { ...mine, CustomerIdentifier: 'buyer-2' }] },
    });

    const answer = await gateway.ask({
      licenceKey: licenceKeyOf({ style: 'legacy', productCode: CONTRACT_PRODUCT, customerIdentifier: 'buyer-1' }),
      identityStyle: 'legacy',
      productCode: CONTRACT_PRODUCT,
      customerIdentifier: 'buyer-1',
      licenceArn: OTHER_ARN,
    });

    expect(asked[0]?.body).toMatchObject({ Filter: { CUSTOMER_IDENTIFIER: ['buyer-1'] } });
    expect(answer).toMatchObject({ kind: 'answered', foreign: 1, entitlements: [{ dimension: 'seats' }] });
  });

  test('leaves out what another licence includes, and knows its own in any shape of the ARN', async () => {
    const shortened = 'aws:license-manager:us-east-1:123456789012:l-0123456789abcdef0123456789abcdef';
    const { gateway } = await stub({
      body: {
        Entitlements: [
          { ...SEATS, LicenseArn: OTHER_ARN, Value: { IntegerValue: 900 } },
          { ...SEATS, LicenseArn: shortened },
          { ...SEATS, ProductCode: 'another-product' },
        ],
      },
    });

    expect(await gateway.ask(licence())).toEqual({
      kind: 'answered',
      foreign: 2,
      entitlements: [{ dimension: 'seats', value: { kind: 'integer', value: 50 } }],
    });
  });

  test('asks nothing where AWS has not told the name to ask by', async () => {
    const { gateway, asked } = await stub({ body: { Entitlements: [] } });
    const { licenceArn: _, ...nameless } = licence();

    expect(await gateway.ask(nameless)).toEqual({ kind: 'unnamed' });
    expect(asked).toEqual([]);
  });

  test('finds none before a contract is set up and after it ended', async () => {
    const world = await contractWorld();
    const { licenceArn, agreementId } = await world.subscribe();
    await world.control('POST', `/control/agreements/${agreementId}/cancel`, { revokeAfterMs: 0 });

    const none = { kind: 'answered', entitlements: [], foreign: 0 };
    expect(await world.gateway.ask(licence(licenceArn))).toEqual(none);
    expect(await world.gateway.ask(licence(OTHER_ARN))).toEqual(none);
  });
});

describe('pages', () => {
  test('are all read, an empty one that leads on among them, each within the pace', async () => {
    const dimensions = Array.from({ length: 60 }, (_, index) => ({ key: `dimension-${index}` }));
    const world = await contractWorld({ dimensions });
    await world.control('PUT', '/control/switches', { emptyEntitlementPage: 'first' });
    const { licenceArn } = await world.subscribe();

    const answer = await world.gateway.ask(licence(licenceArn));

    const told = answer.kind === 'answered' ? answer.entitlements.map(({ dimension }) => dimension) : [];
    expect(told.sort()).toEqual(dimensions.map(({ key }) => key).sort());
    expect(world.paced.calls).toBe(4);
  });

  test('that come again are no answer', async () => {
    const page = (NextToken: string) => ({ body: { Entitlements: [SEATS], NextToken } });
    const { gateway, asked } = await stub(page('a'), page('b'), page('a'));

    await expect(gateway.ask(licence())).rejects.toMatchObject({ code: 'EntitlementPagesEndless', retryable: true });
    expect(asked).toHaveLength(3);
  });

  test('that never end are no answer', async () => {
    const pages = Array.from({ length: 60 }, (_, page) => ({ body: { Entitlements: [], NextToken: `page-${page}` } }));
    const { gateway, asked } = await stub(...pages);

    await expect(gateway.ask(licence())).rejects.toMatchObject({ code: 'EntitlementPagesEndless' });
    expect(asked).toHaveLength(40);
  });

  test('of which one is missing are no answer: half a contract is not a contract', async () => {
    const { gateway } = await stub(
      { body: { Entitlements: [SEATS], NextToken: 'more' } },
      { status: 500, body: { __type: 'InternalServiceErrorException' } },
    );

    await expect(gateway.ask(licence())).rejects.toBeInstanceOf(Unavailable);
  });
});

describe('a fault never looks like no entitlements', () => {
  test.each([
    ['throttle', Unavailable, 'MarketplaceUnavailable', 3],
    ['internalError', Unavailable, 'MarketplaceUnavailable', 1],
    ['dropConnection', Unavailable, 'MarketplaceUnavailable', 1],
    ['expiredCredentials', Unavailable, 'CredentialsExpired', 1],
    ['accessDenied', Misconfigured, 'GetEntitlementsRefused', 1],
  ])('%s', async (kind, failure, code, calls) => {
    const world = await contractWorld();
    const { licenceArn } = await world.subscribe();
    await world.faults({ kind, operation: 'GetEntitlements', count: calls });

    const ask = world.gateway.ask(licence(licenceArn));

    await expect(ask).rejects.toBeInstanceOf(failure);
    await expect(ask).rejects.toMatchObject({ code });
    expect(world.paced).toEqual({ calls, throttles: kind === 'throttle' ? calls : 0 });
    expect(await world.gateway.ask(licence(licenceArn))).toMatchObject({ kind: 'answered' });
  });

  test('a throttled call is made again at its next turn, slower', async () => {
    const world = await contractWorld();
    const { licenceArn } = await world.subscribe();
    await world.faults({ kind: 'throttle', operation: 'GetEntitlements', count: 2 });

    expect(await world.gateway.ask(licence(licenceArn))).toMatchObject({ kind: 'answered' });
    expect(world.paced).toEqual({ calls: 3, throttles: 2 });
  });

  test('an answer that does not come is not waited for', async () => {
    const world = await contractWorld();
    await world.faults({ kind: 'slow', operation: 'GetEntitlements', delayMs: 60_000 });
    const { gateway } = clientOf(world.url, 50);

    await expect(gateway.ask(licence())).rejects.toMatchObject({ code: 'MarketplaceUnavailable' });
  });

  test.each([
    ['no list', { body: {} }, 'EntitlementsMalformed'],
    ['no value', { body: { Entitlements: [{ ...SEATS, Value: {} }] } }, 'EntitlementsMalformed'],
    ['no dimension', { body: { Entitlements: [{ ...SEATS, Dimension: undefined }] } }, 'EntitlementsMalformed'],
    ['no number', { body: { Entitlements: [{ ...SEATS, Value: { DoubleValue: 'NaN' } }] } }, 'EntitlementsMalformed'],
    ['a page of something else', { text: '<html>' }, 'MarketplaceUnavailable'],
    ['a gateway’s own page', { status: 503, text: '<html>' }, 'MarketplaceUnavailable'],
    ['an unknown refusal', { status: 403, body: { __type: 'SubscriptionRequired' } }, 'GetEntitlementsRefused'],
  ])('%s', async (_, answer, code) => {
    const { gateway } = await stub(answer);

    await expect(gateway.ask(licence())).rejects.toMatchObject({ code });
  });

  test('a question that AWS finds fault with is told as such', async () => {
    const world = await contractWorld();

    const answer = await world.gateway.ask({ ...licence(), productCode: 'unlisted' });

    expect(answer).toEqual({ kind: 'refused', awsCode: 'InvalidParameterException' });
  });
});

test('a value beyond what counts exactly is taken for the most that does', async () => {
  const { gateway } = await stub({ body: { Entitlements: [{ ...SEATS, Value: { DoubleValue: 1e300 } }] } });

  expect(await gateway.ask(licence())).toMatchObject({
    entitlements: [{ value: { kind: 'double', value: Number.MAX_SAFE_INTEGER } }],
  });
});
