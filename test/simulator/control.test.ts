import { BatchMeterUsageCommand, ResolveCustomerCommand } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SWITCHES } from '../../simulator/switches.ts';
import { HOUR, LEGACY_PRODUCT, listContract, NOW, PRODUCT, recordOf, startTestWorld } from './fixture.ts';

describe('The clock', () => {
  it('stands where it was set and moves by the given time or to the given instant', async () => {
    const world = await startTestWorld();

    expect(await world.control('GET', '/control/clock')).toMatchObject({
      mode: 'set',
      now: NOW,
      nowMs: Date.parse(NOW),
      rate: 0,
    });
    expect((await world.control('POST', '/control/clock/advance', { ms: 1 })).now).toBe('2026-09-21T14:30:00.001Z');
    expect((await world.control('POST', '/control/clock/advance', { to: '2026-09-22T00:00:00Z' })).now).toBe(
      '2026-09-22T00:00:00.000Z',
    );
  });

  it('does not go back once something has happened', async () => {
    const world = await startTestWorld();
    const back = { mode: 'set', at: '2020-01-01T00:00:00Z' };
    expect((await world.control('PUT', '/control/clock', back)).now).toBe('2020-01-01T00:00:00.000Z');
    await world.control('PUT', '/control/clock', { mode: 'set', at: NOW });
    await world.subscribe();

    expect(await world.control('PUT', '/control/clock', back)).toMatchObject({ error: { code: 'ClockBackwards' } });
    expect(await world.control('POST', '/control/clock/advance', { to: HOUR })).toMatchObject({
      error: { code: 'ClockBackwards' },
    });
    expect(await world.control('GET', '/control/clock')).toMatchObject({ now: NOW });
  });

  it('runs at a rate from where it stands', async () => {
    const world = await startTestWorld();

    const clock = await world.control('PUT', '/control/clock', { mode: 'accelerated', rate: 3600 });

    expect(clock).toMatchObject({ mode: 'accelerated', rate: 3600, anchorMs: Date.parse(NOW) });
    await expect.poll(async () => (await world.control('GET', '/control/clock')).nowMs).toBeGreaterThan(clock.nowMs);
  });

  it('follows the wall where it is real, and is not advanced then', async () => {
    const world = await startTestWorld({ clock: { mode: 'real' } });

    const { nowMs } = await world.control('GET', '/control/clock');

    expect(Math.abs(nowMs - Date.now())).toBeLessThan(60_000);
    expect(await world.control('POST', '/control/clock/advance', { ms: 1 })).toMatchObject({
      error: { code: 'ClockNotSet' },
    });
  });

  it.each([
    {},
    { mode: 'fast' },
    { mode: 'set' },
    { mode: 'set', at: '2026-09-21' },
    { mode: 'accelerated' },
    { mode: 'accelerated', rate: -1 },
  ])('refuses %j', async (setting) => {
    const world = await startTestWorld();

    expect(await world.control('PUT', '/control/clock', setting)).toMatchObject({ error: { code: 'InvalidInput' } });
  });
});

describe('The feed of events', () => {
  it('tells of a fact when the clock has reached it, once, in the order of time', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe({
      startAt: NOW,
      provisionAt: '2026-09-21T14:31:00Z',
      offer: { id: 'offer-1', freeTrial: true },
    });
    const facts = async (after: number) => {
      const { events, next } = await world.control('GET', `/control/events?after=${after}`);
      return { kinds: events.map((event: { kind: string }) => event.kind), events, next };
    };

    const first = await facts(0);
    expect(first.events).toMatchObject([
      {
        seq: 1,
        at: NOW,
        kind: 'agreementCreated',
        agreementId: agreement.agreementId,
        productCode: PRODUCT,
        offerId: 'offer-1',
        freeTrial: true,
        intent: 'NEW',
      },
    ]);
    await world.control('POST', '/control/clock/advance', { ms: 60_000 });
    const second = await facts(first.next);
    expect(second.kinds).toEqual(['licenceUpdated']);
    await world.control('POST', `/control/agreements/${agreement.agreementId}/cancel`);
    const third = await facts(second.next);
    expect(third.events).toMatchObject([{ kind: 'agreementEnded', status: 'CANCELLED' }]);
    await world.control('POST', '/control/clock/advance', { ms: 31_000 });
    expect(await facts(third.next)).toMatchObject({ kinds: ['licenceDeprovisioned'], next: 4 });
    expect(await facts(4)).toMatchObject({ kinds: [], next: 4 });
    expect((await facts(0)).kinds).toHaveLength(4);
  });

  it('ends an agreement with an end by itself, and an earlier cancellation replaces that end', async () => {
    const world = await startTestWorld();
    const expiring = await world.subscribe({ endAt: '2026-09-21T15:00:00Z' });
    const cancelled = await world.subscribe({ endAt: '2026-09-21T15:00:00Z' });
    await world.control('POST', `/control/agreements/${cancelled.agreementId}/cancel`, { revokeAfterMs: 1000 });
    await world.control('POST', `/control/agreements/${cancelled.agreementId}/cancel`);
    await world.control('POST', '/control/clock/advance', { to: '2026-09-22T00:00:00Z' });

    const { events } = await world.control('GET', '/control/events?after=4');

    expect(events).toMatchObject([
      { kind: 'agreementEnded', at: NOW, agreementId: cancelled.agreementId, status: 'CANCELLED' },
      { kind: 'licenceDeprovisioned', at: '2026-09-21T14:30:01.000Z', agreementId: cancelled.agreementId },
      { kind: 'agreementEnded', at: '2026-09-21T15:00:00.000Z', agreementId: expiring.agreementId, status: 'EXPIRED' },
      { kind: 'licenceDeprovisioned', at: '2026-09-21T15:00:31.000Z', agreementId: expiring.agreementId },
    ]);
  });

  it('gives no licence to what ended before it was provisioned', async () => {
    const world = await startTestWorld();
    const { agreementId } = await world.subscribe({ startAt: NOW, provisionAt: '2026-09-21T15:00:00Z' });
    await world.control('POST', `/control/agreements/${agreementId}/cancel`);
    await world.control('POST', '/control/clock/advance', { to: '2026-09-22T00:00:00Z' });

    const { events } = await world.control('GET', '/control/events');

    expect(events.map((event: { kind: string }) => event.kind)).toEqual(['agreementCreated', 'agreementEnded']);
  });

  it('ends what a renewal replaces, and hands the licence back where the renewal never began', async () => {
    const world = await startTestWorld();
    const first = await world.subscribe();
    const renewal = {
      previousAgreementId: first.agreementId,
      licenceArn: first.licenceArn,
      startAt: '2026-09-21T16:00:00Z',
    };
    const { agreementId } = await world.subscribe(renewal);
    await world.control('POST', `/control/agreements/${agreementId}/cancel`);
    await world.control('POST', '/control/clock/advance', { to: '2026-09-22T00:00:00Z' });

    const { events } = await world.control('GET', '/control/events?after=2');

    expect(events).toMatchObject([
      { kind: 'agreementCreated', agreementId, intent: 'RENEW', previousAgreementId: first.agreementId },
      { kind: 'agreementEnded', agreementId },
      { kind: 'agreementEnded', agreementId: first.agreementId, at: '2026-09-21T16:00:00.000Z' },
      { kind: 'licenceDeprovisioned', agreementId: first.agreementId, at: '2026-09-21T16:00:31.000Z' },
    ]);
  });

  it('takes no licence away that a renewal carries on, and does not end twice what has ended before', async () => {
    const world = await startTestWorld();
    const first = await world.subscribe();
    const { licenceArn } = first;
    const kept = await world.subscribe({ previousAgreementId: first.agreementId, licenceArn, startAt: NOW });
    await world.control('POST', `/control/agreements/${kept.agreementId}/cancel`, { revokeAfterMs: 0 });
    await world.control('POST', '/control/clock/advance', { ms: 3_600_000 });
    await world.subscribe({ previousAgreementId: kept.agreementId, startAt: '2026-09-21T15:30:00Z' });

    const { events } = await world.control('GET', '/control/events?after=2');

    expect(events.map((event: { kind: string; status?: string }) => [event.kind, event.status])).toEqual([
      ['agreementCreated', undefined],
      ['licenceUpdated', undefined],
      ['agreementEnded', 'RENEWED'],
      ['agreementEnded', 'CANCELLED'],
      ['licenceDeprovisioned', undefined],
      ['agreementCreated', undefined],
      ['licenceUpdated', undefined],
    ]);
  });

  it('tells what has happened the same whether or not somebody read in between', async () => {
    const world = await startTestWorld();
    const first = await world.subscribe();
    const renewal = {
      previousAgreementId: first.agreementId,
      licenceArn: first.licenceArn,
      startAt: '2026-09-21T15:00:00Z',
    };
    const { agreementId } = await world.subscribe({ ...renewal, provisionAt: '2026-09-21T17:00:00Z' });
    await world.control('POST', '/control/clock/advance', { to: '2026-09-21T16:00:00Z' });
    await world.control('POST', `/control/agreements/${agreementId}/cancel`);

    const { events } = await world.control('GET', '/control/events?after=2');

    expect(events.map((event: { status?: string }) => event.status)).toEqual([
      undefined,
      'RENEWED',
      'CANCELLED',
      'EXPIRED',
      undefined,
    ]);
  });
});

describe('Agreements', () => {
  it('subscribes a list at once, bare or named, all or none', async () => {
    const world = await startTestWorld();
    const good = { productCode: PRODUCT };

    expect((await world.control('POST', '/control/agreements/batch', [good, good])).agreements).toHaveLength(2);
    expect((await world.control('POST', '/control/agreements/batch', { agreements: [good] })).agreements).toHaveLength(
      1,
    );
    const refused = await world.control('POST', '/control/agreements/batch', [good, { productCode: 'unknown' }]);
    expect(refused).toMatchObject({ error: { code: 'NotFound' } });
    expect((await world.control('GET', '/control/agreements')).agreements).toHaveLength(3);
  });

  it('knows a legacy buyer by one identifier, whatever the buyer buys', async () => {
    const world = await startTestWorld();
    const wanted = { productCode: LEGACY_PRODUCT, awsAccountId: '111122223333' };

    const one = await world.subscribe(wanted);
    const other = await world.subscribe(wanted);

    expect(one.customerIdentifier).toMatch(/^\w{11}$/);
    expect(other.customerIdentifier).toBe(one.customerIdentifier);
    expect((await world.subscribe()).customerIdentifier).toBeUndefined();
  });

  it.each([
    [{}],
    [{ productCode: PRODUCT, awsAccountId: '12' }],
    [{ productCode: PRODUCT, endAt: '2020-01-01T00:00:00Z' }],
    [{ productCode: PRODUCT, startAt: 'yesterday' }],
    [{ productCode: PRODUCT, provisionAt: '2020-01-01T00:00:00Z' }],
    [{ productCode: PRODUCT, licenceArn: 'l-1' }],
    [{ productCode: PRODUCT, offer: { trial: true } }],
    [{ productCode: PRODUCT, licenseArn: 'misspelt' }],
    [{ productCode: PRODUCT, previousAgreementId: 'agmt-unknown' }],
    [7],
  ])('refuses %j, saying what is wrong', async (wanted) => {
    const world = await startTestWorld();

    expect(await world.control('POST', '/control/agreements', wanted)).toMatchObject({
      error: { message: expect.any(String) },
    });
    expect((await world.control('GET', '/control/agreements')).agreements).toEqual([]);
  });
});

describe('Bill, calls and world', () => {
  it('narrows the bill by hours, product and licence, and sums it', async () => {
    const world = await startTestWorld();
    const one = await world.subscribe();
    const other = await world.subscribe();
    const earlier = new Date('2026-09-21T12:00:00Z');
    const UsageRecords = [recordOf(one), recordOf(one, { Timestamp: earlier }), recordOf(other, { Quantity: 7 })];
    await world.aws.send(new BatchMeterUsageCommand({ UsageRecords }));

    const quantities = async (query: string) =>
      (await world.control('GET', `/control/bill?${query}`)).lines.map((line: { quantity: number }) => line.quantity);
    expect(await quantities(`from=${HOUR}&licenceArn=${encodeURIComponent(one.licenceArn)}`)).toEqual([5]);
    expect(await quantities(`to=${HOUR}`)).toEqual([5]);
    expect(await quantities('productCode=unknown')).toEqual([]);
    expect(await world.control('GET', '/control/bill?summary=true')).toEqual({
      totals: { requests: 17 },
      byLicence: { [one.licenceArn]: { requests: 10 }, [other.licenceArn]: { requests: 7 } },
      hours: 2,
      records: 3,
    });
    expect(await world.control('GET', '/control/bill?from=noon')).toMatchObject({ error: { code: 'InvalidInput' } });
  });

  it('lists and counts the calls it has seen, errors included, without the tokens they carried', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const RegistrationToken = 'a-token-that-must-not-be-kept';
    await world.aws.send(new ResolveCustomerCommand({ RegistrationToken })).catch(() => undefined);
    await world.aws.send(new BatchMeterUsageCommand({ UsageRecords: [recordOf(agreement)] }));

    const { calls, next } = await world.control('GET', '/control/calls');

    expect(calls).toMatchObject([
      {
        seq: 1,
        at: NOW,
        operation: 'ResolveCustomer',
        region: 'us-east-1',
        httpStatus: 400,
        errorCode: 'InvalidTokenException',
      },
      {
        seq: 2,
        operation: 'BatchMeterUsage',
        accessKeyId: 'AKIDSELLER',
        recordCount: 1,
        httpStatus: 200,
        statuses: ['Success'],
      },
    ]);
    expect(next).toBe(2);
    expect((await world.control('GET', '/control/calls?after=1&operation=ResolveCustomer')).calls).toEqual([]);
    expect(await world.control('GET', '/control/calls/count')).toEqual({ count: 2 });
    expect(await world.control('GET', '/control/calls/count?operation=BatchMeterUsage')).toEqual({ count: 1 });
    expect(JSON.stringify(await world.control('GET', '/control/world'))).not.toContain(RegistrationToken);
  });

  it('begins anew on reset: nothing billed, nobody subscribed, no call counted, the clock where it started', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    await world.aws.send(new BatchMeterUsageCommand({ UsageRecords: [recordOf(agreement)] }));
    await world.control('PUT', '/control/switches', { identicalResend: 'DuplicateRecord' });
    await world.control('POST', '/control/clock/advance', { ms: 5 });

    await world.control('POST', '/control/reset', { seed: 'demo' });

    const { products, ...rest } = await world.control('GET', '/control/world');
    expect(rest).toMatchObject({
      agreements: [],
      records: [],
      calls: 0,
      switches: DEFAULT_SWITCHES,
      clock: { now: NOW },
    });
    expect(products).toHaveLength(3);
    expect(await world.control('GET', '/control/events')).toEqual({ events: [], next: 0 });
  });

  it('refuses switches and positions that do not exist, and changes none of the others then', async () => {
    const world = await startTestWorld();

    for (const wanted of [
      { speed: 1 },
      { identicalResend: 'Maybe' },
      { futureToleranceSeconds: -1 },
      { tokenSingleUse: 1 },
      [],
      { __proto__: null, constructor: 1 },
    ]) {
      const answer = await world.control('PUT', '/control/switches', {
        ...wanted,
        ...(Array.isArray(wanted) ? { speed: 1 } : {}),
      });
      expect(answer).toMatchObject({ error: { code: 'InvalidInput' } });
    }
    expect(await world.control('PUT', '/control/switches', { tagLimit: 'perAllocation' })).toEqual({
      ...DEFAULT_SWITCHES,
      tagLimit: 'perAllocation',
    });
  });

  it('takes a product back as it was shown', async () => {
    const world = await startTestWorld();
    await listContract(world, { identityStyle: 'legacy', deliver: 'late', lateByMs: 5 });
    const { products } = await world.control('GET', '/control/products');

    for (const { productCode, ...product } of products) {
      await world.control('PUT', `/control/products/${productCode}`, product);
    }

    expect(products).toHaveLength(3);
    expect(await world.control('GET', '/control/products')).toEqual({ products });
  });

  it.each([
    ['a product without title', { dimensions: [{ key: 'requests' }] }],
    ['a product without dimensions', { title: 'T' }],
    ['one dimension twice', { title: 'T', dimensions: [{ key: 'a' }, { key: 'a' }] }],
    ['a price that is no number', { title: 'T', dimensions: [{ key: 'a', unitPriceUsd: '1e3' }] }],
    ['an unknown dimension type', { title: 'T', dimensions: [{ key: 'a', types: ['Rented'] }] }],
    [
      'a fulfillment URL that is none',
      { title: 'T', dimensions: [{ key: 'a' }], fulfillmentUrl: 'javascript:alert(1)' },
    ],
  ])('refuses %s', async (_, product) => {
    const world = await startTestWorld();

    expect(await world.control('PUT', '/control/products/new', product)).toMatchObject({
      error: { code: 'InvalidInput' },
    });
  });

  it('says which methods an address has, and that an unknown one does not exist', async () => {
    const world = await startTestWorld();

    expect(await world.control('DELETE', '/control/clock')).toMatchObject({
      error: { code: 'MethodNotAllowed', message: expect.stringContaining('GET, PUT') },
    });
    expect(await world.control('GET', '/control/moon')).toMatchObject({ error: { code: 'NotFound' } });
    expect(await world.control('GET', '/control/agreements/%E0%A4%A')).toMatchObject({
      error: { code: 'InvalidInput' },
    });
  });
});
