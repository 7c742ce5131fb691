import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import type { TermCounter } from '../../lambdas/domain/entitlement.ts';
import { HOUR_MS } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { LedgerStore } from '../../lambdas/flow/ports.ts';
import { customerItemKey } from '../../lambdas/stores/customer-items.ts';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { PRODUCT, useServices } from '../backend-world.ts';
import { anHour, aProduct, aSealedHour } from '../builders.ts';
import { startContractWorld } from './contract-world.ts';

const services = useServices();
const YEAR_ON = '2027-09-21T10:00:00.000Z';
const STARTED = '2026-09-21T10:05:00.000Z';

/** Counts units of a term, as the close of an hour does. */
async function countTerm(
  ledger: Pick<LedgerStore, 'seal'>,
  name: Pick<TermCounter, 'licenceKey' | 'dimension' | 'termStart'>,
  counted = { used: 10, overage: 0 },
): Promise<void> {
  const sealed = { ...aSealedHour(), ...name, shard: shardOf(name.licenceKey) };
  const step = { counter: { ...name, used: 0, overage: 0 }, ...counted };
  expect(await ledger.seal(sealed, undefined, step)).toBe('sealed');
}

async function aBuyer() {
  const world = await startContractWorld(services);
  const acme = await world.subscribe({ entitlements: world.seats(50), endAt: YEAR_ON });
  const base = `/prod/customers/${acme.customerId}`;
  return { ...world, acme, base };
}

describe('GET /customers/{customerId}', () => {
  test('tells the standing: product, licences with their periods and end, and nothing of a person', async () => {
    const { read, acme, base, customers } = await aBuyer();
    const from = Date.parse(STARTED);
    await customers.markRegistered(acme.customerId, from + HOUR_MS);
    await customers.noteStart(acme.licenceKey, { agreementId: acme.agreementId, from });
    await customers.noteEnding(acme.licenceKey, { agreementId: acme.agreementId, noticeAt: from + 2 * HOUR_MS });

    const answer = await read(base);

    expect(answer.statusCode).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      customerId: acme.customerId,
      product: { productCode: PRODUCT, title: 'Metrics Cloud' },
      sequence: 0,
      createdAt: STARTED,
      registeredAt: '2026-09-21T11:05:00.000Z',
      licences: [
        {
          licenceKey: acme.licenceKey,
          licenseArn: acme.licenceArn,
          pricingModel: 'contractWithConsumption',
          periods: [{ agreementId: acme.agreementId, from: STARTED }],
          ending: { noticeAt: '2026-09-21T12:05:00.000Z' },
        },
      ],
    });
  });

  test('of a customer that was joined into another says into which, and shows its licence under that one alone', async () => {
    const { read, acme, subscribe, seats, refresh, client, tables, base } = await aBuyer();
    const other = await subscribe({ entitlements: seats(7), endAt: YEAR_ON });
    await refresh();
    const notices = new DynamoNoticeStore(client, tables);
    expect(await notices.moveLicence(acme.licenceKey, acme.customerId, other.customerId)).toBe(true);

    const answers = await Promise.all(
      [base, `${base}/entitlements`].map(async (path) => JSON.parse((await read(path)).body)),
    );
    expect(answers).toMatchObject(Array(2).fill({ joinedInto: other.customerId, licences: [] }));
    const joined = JSON.parse((await read(`/prod/customers/${other.customerId}/entitlements`)).body);
    expect(joined.licences.map(({ licenceKey }: { licenceKey: string }) => licenceKey).sort()).toEqual(
      [acme.licenceKey, other.licenceKey].sort(),
    );
    expect(joined).not.toHaveProperty('joinedInto');
  });

  test('tells of a customer whose licence AWS has not named yet', async () => {
    const world = await startContractWorld(services);
    const { customer } = await world.customers.upsert(
      { productCode: PRODUCT, customerAwsAccountId: '111122223333' },
      aProduct({ productCode: PRODUCT, pricingModel: 'contract' }),
      world.clock.now(),
    );

    const standing = JSON.parse((await world.read(`/customers/${customer.customerId}`)).body);
    const entitlements = JSON.parse((await world.read(`/customers/${customer.customerId}/entitlements`)).body);

    expect(standing).toMatchObject({ licences: [] });
    expect(entitlements).toEqual({ customerId: customer.customerId, sequence: 0, licences: [], isStale: false });
  });
});

describe('GET /customers/{customerId}/entitlements', () => {
  test('tells what the contract includes, what is left of its term, and how old that is', async () => {
    const { read, refresh, acme, base, ledger, clock } = await aBuyer();
    await refresh();
    const termStart = anHour('2026-09-21T10');
    await countTerm(
      ledger,
      { licenceKey: acme.licenceKey, dimension: 'requests', termStart },
      { used: 1_300, overage: 300 },
    );
    await countTerm(ledger, { licenceKey: acme.licenceKey, dimension: 'seats', termStart: anHour('2025-09-21T10') });
    const checkedAt = new Date(clock.now()).toISOString();
    await clock.set(clock.now() + 5 * HOUR_MS);

    const answer = await read(`${base}/entitlements`);

    expect(JSON.parse(answer.body)).toEqual({
      customerId: acme.customerId,
      sequence: 0,
      licences: [
        {
          licenceKey: acme.licenceKey,
          licenseArn: acme.licenceArn,
          entitlements: [
            { dimension: 'requests', type: 'integer', value: 1_000, expiresAt: YEAR_ON },
            { dimension: 'seats', type: 'integer', value: 50, expiresAt: YEAR_ON },
          ],
          terms: [{ dimension: 'requests', termStart, included: 1_000, used: 1_300, overage: 300, left: 0 }],
          checkedAt,
          isStale: false,
        },
      ],
      checkedAt,
      isStale: false,
    });
  });

  test('says that it is stale where AWS has not answered for two days, and where it never has', async () => {
    const { read, refresh, base, clock } = await aBuyer();
    const isStale = async () => {
      const { isStale, licences } = JSON.parse((await read(`${base}/entitlements`)).body);
      return {
        isStale,
        of: licences.map((each: { isStale: boolean }) => each.isStale),
        checkedAt: licences[0].checkedAt,
      };
    };

    const before = await isStale();
    await refresh();
    const fresh = await isStale();
    await clock.set(clock.now() + 48 * HOUR_MS + 1);
    const after = await isStale();

    expect(before).toEqual({ isStale: true, of: [true], checkedAt: undefined });
    expect(fresh).toEqual({ isStale: false, of: [false], checkedAt: STARTED });
    expect(after).toEqual({ isStale: true, of: [true], checkedAt: STARTED });
  });

  test('leaves out contracts whose access has ended, and tells of none once AWS does not', async () => {
    const { read, refresh, acme, base, customers, control, clock } = await aBuyer();
    await refresh();
    await control.post(`/control/agreements/${acme.agreementId}/cancel`, { revokeAfterMs: 0 });
    await clock.set(clock.now() + HOUR_MS);
    await refresh();
    const none = JSON.parse((await read(`${base}/entitlements`)).body);

    const endedAt = clock.now() - 1;
    await customers.noteEnding(acme.licenceKey, { noticeAt: endedAt, revokedAt: endedAt });
    const ended = JSON.parse((await read(`${base}/entitlements`)).body);

    expect(none).toMatchObject({ licences: [{ entitlements: [], terms: [], isStale: false }] });
    expect(ended).toMatchObject({ licences: [], isStale: false });
  });
});

describe('either of them', () => {
  test('asks the database twice, and once more for what is left of a contract', async () => {
    const { read, refresh, base, databaseCalls } = await aBuyer();
    await refresh();
    const callsOf = async (path: string) => {
      databaseCalls.length = 0;
      await read(path);
      return [...databaseCalls];
    };

    expect(await callsOf(base)).toEqual(['GetItem', 'BatchGetItem']);
    expect(await callsOf(`${base}/entitlements`)).toEqual(['GetItem', 'BatchGetItem', 'Query']);
    expect(await callsOf('/customers/cus_nobody')).toEqual(['GetItem']);
  });

  test('answers 304 to who has the same answer, and the whole to who has another', async () => {
    const { read, base, acme, client, tables } = await aBuyer();
    for (const path of [base, `${base}/entitlements`]) {
      const whole = await read(path);
      const tag = String(whole.headers?.['ETag']);
      const again = (known: string) => read(path, { headers: { 'If-None-Match': known } });

      expect(tag).toMatch(/^"[\w-]{43}"$/);
      expect(whole.headers).toMatchObject({ 'Cache-Control': 'private, no-cache', 'Content-Type': 'application/json' });
      for (const known of [tag, `"other", W/${tag}`, '*']) {
        expect(await again(known)).toMatchObject({ statusCode: 304, body: '', headers: { ETag: tag } });
      }
      await client.send(
        new UpdateItemCommand({
          TableName: tables.customers,
          Key: toItem(customerItemKey(acme.customerId)),
          UpdateExpression: 'ADD #sequence :one',
          ExpressionAttributeNames: { '#sequence': 'sequence' },
          ExpressionAttributeValues: toItem({ ':one': 1 }),
        }),
      );
      expect(await again(tag)).toMatchObject({ statusCode: 200 });
    }
  });

  test.each(['/customers/cus_nobody', '/customers/cus_nobody/entitlements', '/customers/a%2Fb', '/customers', '/'])(
    'answers 404 with what to do to %s',
    async (path) => {
      const { read } = await startContractWorld(services);

      const answer = await read(path);

      expect(answer).toMatchObject({ statusCode: 404, headers: { 'Cache-Control': 'no-store' } });
      expect(JSON.parse(answer.body)).toMatchObject({
        error: { code: 'CustomerUnknown', retryable: false, requestId: 'gateway-request-1' },
      });
    },
  );

  test('answers a HEAD like a GET without its body, and nothing else', async () => {
    const { read, base } = await aBuyer();
    const whole = await read(base);

    expect(await read(base, { method: 'HEAD' })).toEqual({ ...whole, body: '' });
    expect(await read(base, { method: 'DELETE' })).toMatchObject({ statusCode: 405, headers: { Allow: 'GET, HEAD' } });
  });

  test('says that an answer is broken as a fault of ours, and which member in the log alone', async () => {
    const { read, base, acme, client, tables, logged } = await aBuyer();
    await client.send(
      new UpdateItemCommand({
        TableName: tables.customers,
        Key: toItem(customerItemKey(acme.customerId)),
        UpdateExpression: 'SET createdAt = :broken',
        ExpressionAttributeValues: toItem({ ':broken': 'yesterday' }),
      }),
    );

    const answer = await read(base);

    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('createdAt');
    expect(logged).toContainEqual(
      expect.objectContaining({ code: 'RequestFailed', facts: expect.objectContaining({ member: 'createdAt' }) }),
    );
  });
});
