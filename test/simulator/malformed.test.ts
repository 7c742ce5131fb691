import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Agreement,
  CONTRACT_PRODUCT,
  LEGACY_PRODUCT,
  listContract,
  NOW,
  PRODUCT,
  rawCall,
  startTestWorld,
  type TestWorld,
  YEAR_ON,
} from './fixture.ts';

const SERVICE = 'AWSMPMeteringService';
const STAMP = Date.parse(NOW) / 1000 - 1800;
const OPERATIONS = ['BatchMeterUsage', 'GetEntitlements', 'MeterUsage', 'RegisterUsage', 'ResolveCustomer'];

/** Values that programs send by mistake, and some that only an attacker sends. */
const oddValue = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.constantFrom<unknown>(
    null,
    true,
    [],
    {},
    [null],
    '',
    '0',
    -0,
    1e308,
    -1e308,
    2 ** 53,
    2 ** 31,
    STAMP,
    '\0',
    '\ud800',
  ),
  fc.constantFrom('x', '1', '=').map((character) => character.repeat(3000)),
);

const tags = [{ Key: 'team', Value: 'a' }];
const UsageAllocations = [{ AllocatedUsageQuantity: 2, Tags: tags }, { AllocatedUsageQuantity: 1 }];

function validBody(operation: string, one: Agreement, legacy: Agreement, hour: number): object {
  const Timestamp = STAMP - hour * 3600;
  switch (operation) {
    case 'BatchMeterUsage': {
      const common = { Timestamp, Dimension: 'requests', Quantity: 3, UsageAllocations };
      const byLicence = { ...common, CustomerAWSAccountId: one.awsAccountId, LicenseArn: one.licenceArn };
      const byCustomer = { ...common, CustomerIdentifier: legacy.customerIdentifier };
      return hour % 2 === 0
        ? { UsageRecords: [byLicence, { ...byLicence, Dimension: 'kib_sent' }] }
        : { ProductCode: LEGACY_PRODUCT, UsageRecords: [byCustomer] };
    }
    case 'MeterUsage':
      return {
        ProductCode: PRODUCT,
        Timestamp,
        UsageDimension: 'requests',
        UsageQuantity: 3,
        UsageAllocations,
        ClientToken: 't',
      };
    case 'GetEntitlements':
      return {
        ProductCode: CONTRACT_PRODUCT,
        Filter: { CUSTOMER_AWS_ACCOUNT_ID: [one.awsAccountId], LICENSE_ARN: ['a', 'b'], DIMENSION: ['seats'] },
        MaxResults: 1 + (hour % 25),
        NextToken: hour % 2 === 0 ? undefined : 'token',
      };
    case 'RegisterUsage':
      return { ProductCode: PRODUCT, PublicKeyVersion: 1, Nonce: 'n' };
    default:
      return { RegistrationToken: 'token' };
  }
}

/** One place of a JSON value, chosen by numbers, replaced, removed, or given a stranger. */
function mutate(value: unknown, path: readonly number[], odd: unknown): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return odd;
  const [step = 0, ...rest] = path;
  if (Array.isArray(value)) {
    return value.map((entry, index) => (index === step % value.length ? mutate(entry, rest, odd) : entry));
  }
  const entries = Object.entries(value);
  const chosen = step % (entries.length + 2);
  if (chosen === entries.length) return { ...value, ['__proto__']: odd };
  if (chosen > entries.length) return Object.fromEntries(entries.slice(1));
  return Object.fromEntries(
    entries.map(([name, entry], index) => [name, index === chosen ? mutate(entry, rest, odd) : entry]),
  );
}

const hour = fc.integer({ min: 0, max: 30 });
const path = fc.array(fc.nat(12), { minLength: 1, maxLength: 5 });
const malformed = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('mutated' as const),
      hour,
      path,
      odd: oddValue,
      again: fc.option(fc.tuple(path, oddValue)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('json' as const), odd: oddValue }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
  },
);

async function meteringWorld(): Promise<{ world: TestWorld; one: Agreement; legacy: Agreement }> {
  const world = await startTestWorld();
  const one = await world.subscribe({ awsAccountId: '111122223333' });
  const legacy = await world.subscribe({ productCode: LEGACY_PRODUCT, customerIdentifier: 'X01EXAMPLEX' });
  const compute = { platform: 'ecs', region: 'us-east-1', awsAccountId: one.awsAccountId, instanceId: 'task-1' };
  await world.control('PUT', '/control/compute/AKIDRAW', compute);
  await listContract(world);
  return { world, one, legacy };
}

describe('Malformed input', () => {
  it('never makes a 5xx, never hangs, and never bills what it refused: 2000 inputs to the wire', async () => {
    const { world, one, legacy } = await meteringWorld();
    const honoured = new Set<string>();

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...OPERATIONS), malformed, async (operation, input) => {
        let body: string | Uint8Array;
        if (input.kind === 'bytes') body = input.bytes;
        else if (input.kind === 'json') body = JSON.stringify(input.odd) ?? '';
        else {
          const once = mutate(validBody(operation, one, legacy, input.hour), input.path, input.odd);
          body = JSON.stringify(input.again === null ? once : mutate(once, input.again[0], input.again[1])) ?? '';
        }

        const service = operation === 'GetEntitlements' ? 'AWSMPEntitlementService' : SERVICE;
        const answer = await rawCall(world, `${service}.${operation}`, body);

        expect(answer.status).toBeLessThan(500);
        const { Results = [], MeteringRecordId } = JSON.parse(answer.text);
        for (const result of [...Results, { MeteringRecordId }]) {
          if (result.MeteringRecordId !== undefined) honoured.add(result.MeteringRecordId);
        }
        if (answer.status !== 200) expect(answer.error).toMatch(/^\w+(Exception|Operation)$/);
      }),
      { numRuns: 2000 },
    );

    const now = Date.parse(NOW);
    const bill = await world.bill();
    expect(new Set(bill.map((line) => line.meteringRecordId))).toEqual(honoured);
    for (const line of bill) {
      expect([one.licenceArn, legacy.licenceArn]).toContain(line.licenceArn);
      expect(['requests', 'kib_sent']).toContain(line.dimension);
      expect(Number.isInteger(line.quantity) && line.quantity >= 0 && line.quantity <= 2_147_483_647).toBe(true);
      expect(Date.parse(line.timestamp)).toBeGreaterThan(now - 86_400_000);
      expect(Date.parse(line.timestamp)).toBeLessThanOrEqual(now + 300_000);
    }
    expect(await world.control('GET', '/control/calls/count')).toEqual({ count: 2000 });
  });

  it('never makes a 5xx on the control API: 500 inputs', async () => {
    const { world } = await meteringWorld();
    const routes = fc.constantFrom(
      'PUT /control/clock',
      'POST /control/clock/advance',
      'PUT /control/products/x',
      'POST /control/agreements',
      'POST /control/agreements/batch',
      'PUT /control/faults',
      'PUT /control/switches',
      'PUT /control/compute/AKID',
      'POST /control/reset',
      'POST /control/agreements/agmt-1/tokens',
      'PUT /control/notice-target',
    );

    await fc.assert(
      fc.asyncProperty(routes, fc.oneof(oddValue, fc.object()), async (route, odd) => {
        const [method = '', address = ''] = route.split(' ');
        const headers = { 'x-control-secret': world.secret };
        const response = await fetch(`${world.url}${address}`, { method, headers, body: JSON.stringify(odd) ?? '' });

        expect(response.status, JSON.stringify(odd)).toBeLessThan(500);
        await response.json();
      }),
      { numRuns: 500 },
    );
  });

  it('never makes a 5xx of anything that is asked of an agreement: 500 inputs', async () => {
    const { world } = await meteringWorld();
    const entitlements = [
      { dimension: 'seats', value: 5 },
      { dimension: 'ratio', value: 0.5 },
      { dimension: 'pro', value: true },
    ];
    const terms = { entitlements, endAt: YEAR_ON, autoRenew: true, offerId: 'offer-2', deliver: 'late', lateByMs: 5 };
    const bodies: Record<string, object> = {
      amend: { ...terms, renewalDisabledBy: 'PROPOSER' },
      renew: { ...terms, startAt: NOW },
      replace: terms,
      cancel: { status: 'TERMINATED', revokeAfterMs: 5, deliver: 'early' },
      expire: { deliver: 'reordered' },
      suspend: {},
      announce: { event: 'cancellationRequestApproved', deliver: 'twice' },
    };
    const asked = fc.record({ action: fc.constantFrom(...Object.keys(bodies)), path, odd: oddValue });

    await fc.assert(
      fc.asyncProperty(asked, async ({ action, path, odd }) => {
        const { agreementId } = await world.subscribe({ productCode: CONTRACT_PRODUCT, entitlements });
        const response = await fetch(`${world.url}/control/agreements/${agreementId}/${action}`, {
          method: 'POST',
          headers: { 'x-control-secret': world.secret },
          body: JSON.stringify(mutate(bodies[action], path, odd)) ?? '',
        });

        expect(response.status, JSON.stringify([action, odd])).toBeLessThan(500);
        await response.json();
      }),
      { numRuns: 500 },
    );
    await world.control('POST', '/control/clock/advance', { to: '2030-01-01T00:00:00Z' });
    const { notices } = await world.control('GET', '/control/notices?limit=100000');
    for (const { body } of notices) expect(JSON.parse(body)).toBeInstanceOf(Object);
  });

  it.each([
    ['no target', '', '{}', 'UnknownOperationException'],
    ['another service', 'DynamoDB_20120810.ListTables', '{}', 'UnknownOperationException'],
    ['an unknown operation', `${SERVICE}.MeterEverything`, '{}', 'UnknownOperationException'],
    ['an operation of the other service', `${SERVICE}.GetEntitlements`, '{}', 'UnknownOperationException'],
    ['the operation in other case', `${SERVICE}.batchMeterUsage`, '{}', 'UnknownOperationException'],
    ['a body that ends early', `${SERVICE}.BatchMeterUsage`, '{"UsageRecords":[', 'SerializationException'],
    ['an empty body', `${SERVICE}.BatchMeterUsage`, '', 'SerializationException'],
    ['a body that is a list', `${SERVICE}.BatchMeterUsage`, '[]', 'SerializationException'],
  ])('answers %s as AWS does', async (_, target, body, error) => {
    const { world } = await meteringWorld();

    const answer = await rawCall(world, target, body);

    expect(answer).toMatchObject({ status: 400, error });
    expect(answer.headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('survives nesting deeper than any stack, wherever it stands', async () => {
    const { world, one } = await meteringWorld();
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const record = JSON.stringify({
      Timestamp: STAMP,
      Dimension: 'requests',
      CustomerAWSAccountId: one.awsAccountId,
      LicenseArn: one.licenceArn,
    });

    for (const body of [
      deep,
      `{"UsageRecords":${deep}}`,
      `{"UsageRecords":[${record.slice(0, -1)},"Dimension":{"a":${deep}}}]}`,
    ]) {
      expect((await rawCall(world, `${SERVICE}.BatchMeterUsage`, body)).status).toBe(400);
    }
    const stranger = `{"UsageRecords":[${record.slice(0, -1)},"Stranger":${deep}}]}`;
    expect((await rawCall(world, `${SERVICE}.BatchMeterUsage`, stranger)).status).toBe(200);
  });

  it('refuses a body that is longer than it reads, and lives on', async () => {
    const { world } = await meteringWorld();

    const tooLong = fetch(world.url, {
      method: 'POST',
      headers: { 'x-amz-target': `${SERVICE}.BatchMeterUsage` },
      body: new Uint8Array(32 * 1_048_576 + 1),
    });

    // The server may close while the client still sends; either is a refusal.
    expect(
      await tooLong.then(
        (response) => response.status,
        () => 413,
      ),
    ).toBe(413);
    expect((await rawCall(world, `${SERVICE}.BatchMeterUsage`, '{"UsageRecords":[]}')).status).toBe(200);
  });

  it('survives bytes that are no HTTP, and connections that end halfway', async () => {
    const { world } = await meteringWorld();
    const port = Number(new URL(world.url).port);
    const openings = [
      '\0\0\0',
      'GET',
      'POST / HTTP/1.1\r\n',
      `POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 10\r\n\r\n{`,
      `GET //x HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
      `GET * HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
    ];

    for (const opening of openings) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.end(opening));
        socket
          .on('error', () => undefined)
          .on('close', () => resolve())
          .resume();
      });
    }
    expect((await rawCall(world, `${SERVICE}.BatchMeterUsage`, '{"UsageRecords":[]}')).status).toBe(200);
  });
});
