import { describe, expect, it } from 'vitest';
import {
  type Agreement,
  CONTRACT_PRODUCT,
  getEntitlements,
  listContract,
  NOW,
  PRODUCT,
  startTestWorld,
  type TestWorld,
  YEAR_ON,
} from './fixture.ts';

const ACCOUNT = '111122223333';

async function contractWorld(product: object = {}): Promise<TestWorld> {
  const world = await startTestWorld();
  await listContract(world, product);
  return world;
}

const subscribe = (world: TestWorld, wanted: object = {}): Promise<Agreement> =>
  world.subscribe({ productCode: CONTRACT_PRODUCT, startAt: NOW, endAt: YEAR_ON, ...wanted });

const seats = (value: number) => [{ dimension: 'seats', value }];

const dimensionsOf = async (world: TestWorld, request: object) =>
  (await getEntitlements(world, request)).Entitlements?.map(({ Dimension }) => Dimension);

describe('GetEntitlements', () => {
  it('answers each kind of value by its typed member, the account, the licence and the end in epoch seconds', async () => {
    const world = await contractWorld();
    const { licenceArn } = await subscribe(world, {
      awsAccountId: ACCOUNT,
      entitlements: [
        { dimension: 'seats', value: 50 },
        { dimension: 'ratio', value: 0.5 },
        { dimension: 'pro', value: false },
        { dimension: 'tier', value: 'gold' },
      ],
    });

    const answer = await getEntitlements(world);

    const common = {
      ProductCode: CONTRACT_PRODUCT,
      CustomerAWSAccountId: ACCOUNT,
      LicenseArn: licenceArn,
      ExpirationDate: Date.parse(YEAR_ON) / 1000,
    };
    expect(answer).toEqual({
      status: 200,
      Entitlements: [
        { ...common, Dimension: 'seats', Value: { IntegerValue: 50 } },
        { ...common, Dimension: 'ratio', Value: { DoubleValue: 0.5 } },
        { ...common, Dimension: 'pro', Value: { BooleanValue: false } },
        { ...common, Dimension: 'tier', Value: { StringValue: 'gold' } },
      ],
    });
  });

  it('names the CustomerIdentifier of a legacy product, and filters by it', async () => {
    const world = await contractWorld({ identityStyle: 'legacy' });
    const { customerIdentifier } = await subscribe(world, { entitlements: seats(3) });
    await subscribe(world, { entitlements: seats(4) });

    const { Entitlements } = await getEntitlements(world, { Filter: { CUSTOMER_IDENTIFIER: [customerIdentifier] } });

    expect(Entitlements).toMatchObject([{ CustomerIdentifier: customerIdentifier, Value: { IntegerValue: 3 } }]);
  });

  it('takes the values of one filter as alternatives and lets filters narrow each other', async () => {
    const world = await contractWorld();
    const one = await subscribe(world, { awsAccountId: ACCOUNT });
    const two = await subscribe(world, { awsAccountId: ACCOUNT });
    await subscribe(world);
    const count = async (Filter: object) => (await getEntitlements(world, { Filter })).Entitlements?.length;

    expect(await count({})).toBe(12);
    expect(await count({ CUSTOMER_AWS_ACCOUNT_ID: [ACCOUNT] })).toBe(8);
    expect(await count({ LICENSE_ARN: [one.licenceArn, two.licenceArn, one.licenceArn] })).toBe(8);
    expect(await count({ LICENSE_ARN: [one.licenceArn], CUSTOMER_AWS_ACCOUNT_ID: ['444455556666'] })).toBe(0);
    expect(await count({ LICENSE_ARN: [one.licenceArn], DIMENSION: ['seats', 'tier', 'none'] })).toBe(2);
    expect(await count({ CUSTOMER_AWS_ACCOUNT_ID: [ACCOUNT], DIMENSION: ['Seats'] })).toBe(0);
  });

  it('pages through all, each once, whatever the size of a page', async () => {
    const world = await contractWorld();
    for (let buyers = 0; buyers < 7; buyers += 1) await subscribe(world);

    for (const MaxResults of [1, 5, 25, undefined]) {
      const seen: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await getEntitlements(world, { MaxResults, NextToken });
        expect(page.Entitlements?.length).toBeLessThanOrEqual(MaxResults ?? 25);
        seen.push(...(page.Entitlements ?? []).map(({ LicenseArn, Dimension }) => `${LicenseArn} ${Dimension}`));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      expect(seen).toHaveLength(28);
      expect(new Set(seen).size).toBe(28);
    }
  });

  it('begins with an empty page that carries a token where so switched', async () => {
    const world = await contractWorld();
    await subscribe(world);
    await world.control('PUT', '/control/switches', { emptyEntitlementPage: 'first' });

    const { Entitlements, NextToken } = await getEntitlements(world);

    expect(Entitlements).toEqual([]);
    expect((await getEntitlements(world, { NextToken })).Entitlements).toHaveLength(4);
  });

  it('is empty before the licence is given, for an ended contract, and for a product without contracts', async () => {
    const world = await contractWorld();
    const ended = await subscribe(world);
    await world.control('POST', `/control/agreements/${ended.agreementId}/cancel`);
    const { agreementId } = await subscribe(world, {
      provisionAt: '2026-09-21T14:31:00Z',
      endAt: '2026-09-22T00:00:00Z',
    });
    await world.subscribe({ awsAccountId: ACCOUNT });

    expect((await getEntitlements(world)).Entitlements).toEqual([]);
    expect((await getEntitlements(world, { ProductCode: PRODUCT })).Entitlements).toEqual([]);
    await world.control('POST', '/control/clock/advance', { ms: 60_000 });
    expect((await getEntitlements(world)).Entitlements).toHaveLength(4);
    await world.control('POST', '/control/clock/advance', { to: '2026-09-22T00:00:00Z' });
    expect((await getEntitlements(world)).Entitlements).toEqual([]);
    expect(await world.control('GET', `/control/agreements/${agreementId}`)).toMatchObject({ status: 'EXPIRED' });
  });

  it('gives one of everything to a contract that names no quantities', async () => {
    const world = await contractWorld();
    await subscribe(world);

    const { Entitlements } = await getEntitlements(world);

    expect(Entitlements?.map(({ Value }) => Value)).toEqual([
      { IntegerValue: 1 },
      { DoubleValue: 1 },
      { BooleanValue: true },
      { StringValue: '1' },
    ]);
  });

  it('entitles a contract with consumption on its entitled dimensions only', async () => {
    const dimensions = [{ key: 'seats' }, { key: 'calls', types: ['ExternallyMetered'] }];
    const world = await contractWorld({ pricing: 'contractWithConsumption', dimensions });
    await subscribe(world);

    expect(await dimensionsOf(world, {})).toEqual(['seats']);
  });

  it.each([
    ['no ProductCode', { ProductCode: undefined }],
    ['an empty ProductCode', { ProductCode: '' }],
    ['an unknown ProductCode', { ProductCode: 'unknown' }],
    ['both customer filters', { Filter: { CUSTOMER_IDENTIFIER: ['a'], CUSTOMER_AWS_ACCOUNT_ID: [ACCOUNT] } }],
    ['an unknown filter', { Filter: { COLOUR: ['a'] } }],
    ['an inherited filter', { Filter: JSON.parse('{"__proto__":["a"]}') }],
    ['a filter without values', { Filter: { DIMENSION: [] } }],
    ['a filter that is no list', { Filter: { DIMENSION: 'seats' } }],
    ['a filter of numbers', { Filter: { DIMENSION: [7] } }],
    ['a filter that is a list', { Filter: [{ DIMENSION: ['seats'] }] }],
    ['no results at all', { MaxResults: 0 }],
    ['too many results', { MaxResults: 26 }],
    ['a blank token', { NextToken: ' ' }],
    ['a token of nobody', { NextToken: 'eyJwbGFjZSI6IiJ9' }],
  ])('refuses %s with an InvalidParameterException', async (_, request) => {
    const world = await contractWorld();

    const answer = await getEntitlements(world, request);

    expect(answer).toEqual({
      status: 400,
      __type: 'com.amazonaws.marketplaceentitlementservice#InvalidParameterException',
      message: expect.any(String),
    });
  });

  it('refuses a token that another request was given', async () => {
    const world = await contractWorld();
    await subscribe(world, { awsAccountId: ACCOUNT });
    const { NextToken } = await getEntitlements(world, { MaxResults: 1 });

    const answer = await getEntitlements(world, { NextToken, Filter: { CUSTOMER_AWS_ACCOUNT_ID: [ACCOUNT] } });

    expect(answer.__type).toContain('#InvalidParameterException');
  });

  it.each([
    ['another region', { region: 'eu-central-1' }],
    ['another service', { service: 'entitlement.marketplace' }],
  ])('refuses a call that is signed for %s', async (_, scope) => {
    const world = await contractWorld();

    expect(await getEntitlements(world, {}, scope)).toMatchObject({
      status: 400,
      __type: 'com.amazon.coral.service#InvalidSignatureException',
      message: expect.stringContaining('Credential should be scoped'),
    });
  });

  it.each([
    ['throttle', 'ThrottlingException', 400],
    ['internalError', 'InternalServiceErrorException', 500],
    ['accessDenied', 'AccessDeniedException', 400],
    ['expiredCredentials', 'ExpiredTokenException', 400],
  ])('meets the armed fault %s', async (kind, name, status) => {
    const world = await contractWorld();
    await world.control('PUT', '/control/faults', { next: [{ kind, operation: 'GetEntitlements' }] });

    const answer = await getEntitlements(world);

    expect(answer.status).toBe(status);
    expect(answer.__type).toMatch(new RegExp(`#${name}$`));
    expect((await getEntitlements(world)).status).toBe(200);
  });

  it('is throttled at the quota that is armed for it, and leaves other operations their own', async () => {
    const world = await contractWorld();
    await world.control('PUT', '/control/faults', { throttlePerSecond: { GetEntitlements: 1, ResolveCustomer: 1000 } });

    const statuses = await Promise.all([1, 2, 3].map(async () => (await getEntitlements(world)).status));

    expect(statuses.toSorted()).toEqual([200, 400, 400]);
    expect(await world.control('PUT', '/control/faults', { throttlePerSecond: { GetEntitlements: 0 } })).toMatchObject({
      error: { code: 'InvalidInput' },
    });
  });

  it('drops the connection where so armed, and logs every call', async () => {
    const world = await contractWorld();
    await world.control('PUT', '/control/faults', { next: [{ kind: 'dropConnection' }] });

    await expect(getEntitlements(world)).rejects.toThrow();
    await getEntitlements(world);

    const { calls } = await world.control('GET', '/control/calls?operation=GetEntitlements');
    expect(calls).toMatchObject([
      { httpStatus: 0, fault: 'dropConnection' },
      { httpStatus: 200, region: 'us-east-1', accessKeyId: 'AKIDSELLER' },
    ]);
  });

  it.each([
    ['by its path', '/service/AWSMPEntitlementService/operation/GetEntitlements', {}],
    ['by its header', '/', { 'smithy-protocol': 'rpc-v2-cbor' }],
  ])('says in CBOR to a caller with CBOR, known %s, that it speaks JSON 1.1', async (_, path, headers) => {
    const world = await contractWorld();

    const response = await fetch(`${world.url}${path}`, { method: 'POST', headers, body: Buffer.of(0xa0) });

    expect(response.status).toBe(415);
    expect(response.headers.get('smithy-protocol')).toBe('rpc-v2-cbor');
    const body = Buffer.from(await response.arrayBuffer());
    // A map of two texts, of which the first is "__type".
    expect([...body.subarray(0, 3)]).toEqual([0xa2, 0x78, 6]);
    expect(body.toString()).toContain('AWS JSON 1.1');
  });
});
