import { BatchMeterUsageCommand } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import {
  type Agreement,
  CONTRACT_PRODUCT,
  getEntitlements,
  listContract,
  NOW,
  noticesAfter,
  PRODUCT,
  recordOf,
  startTestWorld,
  type TestWorld,
  YEAR_ON,
} from './fixture.ts';

const SEATS = [{ key: 'seats' }, { key: 'calls', types: ['ExternallyMetered'] }];

async function contractWorld(product: object = {}): Promise<TestWorld> {
  const world = await startTestWorld();
  await listContract(world, { pricing: 'contractWithConsumption', dimensions: SEATS, ...product });
  return world;
}

const subscribe = (world: TestWorld, wanted: object = {}): Promise<Agreement> =>
  world.subscribe({ productCode: CONTRACT_PRODUCT, startAt: NOW, endAt: YEAR_ON, ...wanted });

const act = (world: TestWorld, { agreementId }: { agreementId: string }, action: string, body?: object) =>
  world.control('POST', `/control/agreements/${agreementId}/${action}`, body);

const advance = (world: TestWorld, to: string) => world.control('POST', '/control/clock/advance', { to });

const read = (world: TestWorld, { agreementId }: Agreement) =>
  world.control('GET', `/control/agreements/${agreementId}`);

/** The seats that hold now, by licence. */
async function seatsNow(world: TestWorld): Promise<unknown[]> {
  const { Entitlements = [] } = await getEntitlements(world, { Filter: { DIMENSION: ['seats'] } });
  return Entitlements.map(({ LicenseArn, Value }) => [LicenseArn, Value]);
}

const statuses = async (world: TestWorld) => {
  const { events } = await world.control('GET', '/control/events');
  return events.flatMap(({ status }: { status?: string }) => (status === undefined ? [] : [status]));
};

describe('A contract', () => {
  it('lasts a year where nothing else is said', async () => {
    const world = await contractWorld();

    expect(await world.subscribe({ productCode: CONTRACT_PRODUCT, startAt: NOW })).toMatchObject({
      termEndsAt: YEAR_ON,
      autoRenew: false,
    });
  });

  it('stands beside others of the same account, each with its own licence and quantities', async () => {
    const world = await contractWorld();
    const wanted = { awsAccountId: '111122223333' };
    const one = await subscribe(world, { ...wanted, entitlements: [{ dimension: 'seats', value: 5 }] });
    const two = await subscribe(world, { ...wanted, entitlements: [{ dimension: 'seats', value: 7 }] });

    expect(await seatsNow(world)).toEqual(
      expect.arrayContaining([
        [one.licenceArn, { IntegerValue: 5 }],
        [two.licenceArn, { IntegerValue: 7 }],
      ]),
    );
  });

  it('changes its quantities by an amendment, under the same licence', async () => {
    const world = await contractWorld();
    const agreement = await subscribe(world);

    const amended = await act(world, agreement, 'amend', { entitlements: [{ dimension: 'seats', value: 9 }] });

    expect(amended).toMatchObject({ agreementId: agreement.agreementId, entitlements: [{ value: 9 }] });
    expect(await seatsNow(world)).toEqual([[agreement.licenceArn, { IntegerValue: 9 }]]);
  });

  it('moves its end by an amendment, and an end that was planned comes at the new time only', async () => {
    const world = await contractWorld();
    const agreement = await subscribe(world, { endAt: '2026-09-22T00:00:00Z' });
    await act(world, agreement, 'amend', { endAt: '2026-09-24T00:00:00Z' });

    await advance(world, '2026-09-23T00:00:00Z');
    expect(await read(world, agreement)).toMatchObject({ status: 'ACTIVE' });
    await advance(world, '2026-09-24T00:00:00Z');
    expect(await read(world, agreement)).toMatchObject({ status: 'EXPIRED' });
    expect(await statuses(world)).toEqual(['EXPIRED']);
  });

  it.each([
    ['new', 2],
    ['same', 1],
  ])('is renewed with a %s licence where so switched', async (renewalLicence, licences) => {
    const world = await contractWorld();
    await world.control('PUT', '/control/switches', { renewalLicence });
    const first = await subscribe(world);

    const second = await act(world, first, 'renew', { entitlements: [{ dimension: 'seats', value: 8 }] });

    expect(new Set([first.licenceArn, second.licenceArn]).size).toBe(licences);
    expect(second).toMatchObject({ intent: 'RENEW', previousAgreementId: first.agreementId, status: 'ACTIVE' });
    expect(await read(world, first)).toMatchObject({ status: 'RENEWED' });
    expect(await seatsNow(world)).toEqual([[second.licenceArn, { IntegerValue: 8 }]]);
  });

  it('is replaced by an agreement that has a licence of its own and keeps what was not said otherwise', async () => {
    const world = await contractWorld();
    await world.control('PUT', '/control/switches', { renewalLicence: 'same' });
    const first = await subscribe(world, { entitlements: [{ dimension: 'seats', value: 6 }] });

    const second = await act(world, first, 'replace');

    expect(second).toMatchObject({ intent: 'REPLACE', awsAccountId: first.awsAccountId, termEndsAt: YEAR_ON });
    expect(await seatsNow(world)).toEqual([[second.licenceArn, { IntegerValue: 6 }]]);
    expect(second.licenceArn).not.toBe(first.licenceArn);
    expect(await read(world, first)).toMatchObject({ status: 'REPLACED' });
  });

  it('renews itself at its end, as often as the clock has passed one, whether or not somebody looked', async () => {
    const worlds = await Promise.all(
      [true, false].map(async (looks) => {
        const world = await contractWorld();
        const agreement = await subscribe(world, { endAt: '2026-09-23T14:30:00Z', autoRenew: true });
        for (let hour = 0; looks && hour < 10 * 24; hour += 24) {
          await advance(world, new Date(Date.parse(NOW) + hour * 3_600_000).toISOString());
        }
        await advance(world, '2026-10-01T00:00:00Z');
        expect(await read(world, agreement)).toMatchObject({ status: 'RENEWED' });
        const { events } = await world.control('GET', '/control/events');
        const notices = await noticesAfter(world);
        return {
          events: events.map(({ at, kind, status }: Record<string, unknown>) => [at, kind, status]),
          notices: notices.map(({ at, name }) => [at, name]),
        };
      }),
    );

    const [looked, slept] = worlds;
    expect(looked?.events.filter(([, , status]: unknown[]) => status === 'RENEWED')).toHaveLength(4);
    expect(slept).toEqual(looked);
  });

  it('runs out at its end once the buyer has turned the renewal off', async () => {
    const world = await contractWorld();
    const agreement = await subscribe(world, { endAt: '2026-09-23T14:30:00Z', autoRenew: true });

    await act(world, agreement, 'amend', { autoRenew: false });
    await advance(world, '2026-10-01T00:00:00Z');

    expect(await statuses(world)).toEqual(['EXPIRED']);
    expect(await seatsNow(world)).toEqual([]);
  });

  it.each([
    [false, ['EXPIRED'], 0],
    [true, ['RENEWED'], 1],
  ])('lets its end come at once on request, with renewal %s', async (autoRenew, expected, holding) => {
    const world = await contractWorld();
    const agreement = await subscribe(world, { autoRenew });
    await advance(world, '2026-09-22T00:00:00Z');

    const left = await act(world, agreement, 'expire');

    expect(await statuses(world)).toEqual(expected);
    expect(await seatsNow(world)).toHaveLength(holding);
    expect(left.status).toBe(autoRenew ? 'ACTIVE' : 'EXPIRED');
    if (autoRenew) expect(left.termEndsAt).toBe('2027-09-22T00:00:00.000Z');
  });

  it('holds from its start, where that lies ahead', async () => {
    const world = await contractWorld();
    const agreement = await subscribe(world, { startAt: '2026-09-22T00:00:00Z' });
    const record = recordOf(agreement, { Dimension: 'calls', Timestamp: new Date(NOW) });

    const early = await world.aws.send(new BatchMeterUsageCommand({ UsageRecords: [record] }));
    expect(early.Results?.[0]?.Status).toBe('CustomerNotSubscribed');
    expect(await seatsNow(world)).toEqual([]);
    await advance(world, '2026-09-22T00:00:00Z');
    expect(await seatsNow(world)).toHaveLength(1);
  });

  it('never gives a licence where the payment failed', async () => {
    const world = await contractWorld();
    const agreement = await subscribe(world, { subscribeFails: true });
    await advance(world, '2026-09-22T00:00:00Z');

    expect(await read(world, agreement)).not.toHaveProperty('provisionedAt');
    expect(await seatsNow(world)).toEqual([]);
  });
});

describe('An agreement', () => {
  it('refuses usage while its account is suspended, a renewal of it included', async () => {
    const world = await contractWorld();
    const agreement = await subscribe(world, { startAt: '2026-08-01T00:00:00Z' });
    const status = async (of: Agreement) => {
      const UsageRecords = [recordOf(of, { Dimension: 'calls', Timestamp: new Date(NOW) })];
      return (await world.aws.send(new BatchMeterUsageCommand({ UsageRecords }))).Results?.[0]?.Status;
    };

    await act(world, agreement, 'suspend');
    expect(await status(agreement)).toBe('CustomerNotSubscribed');
    const renewed = await act(world, agreement, 'renew');
    expect(await status(renewed)).toBe('CustomerNotSubscribed');
    await act(world, renewed, 'resume');
    expect(await status(renewed)).toBe('Success');
  });

  it('is paid for where it follows a free trial, and stays with the partner that sold the one before', async () => {
    const world = await startTestWorld();
    const trial = await world.subscribe({ offer: { kind: 'freeTrial' } });
    const resold = await world.subscribe({ offer: { kind: 'channelPartner', partnerAccountId: '444455556666' } });

    expect(await read(world, trial)).toMatchObject({ offer: { freeTrial: true } });
    expect(await act(world, trial, 'renew')).toMatchObject({ offer: { kind: 'public', freeTrial: false } });
    const partner = { kind: 'channelPartner', partnerAccountId: '444455556666' };
    expect(await act(world, resold, 'renew')).toMatchObject({ offer: partner });
  });

  it('ends as TERMINATED where so asked, and by an approved request to cancel', async () => {
    const world = await startTestWorld();
    const one = await world.subscribe();
    const two = await world.subscribe();

    await act(world, one, 'cancel', { status: 'TERMINATED' });
    await act(world, two, 'announce', { event: 'cancellationRequestPendingApproval' });
    expect(await read(world, two)).toMatchObject({ status: 'ACTIVE' });
    await act(world, two, 'announce', { event: 'cancellationRequestApproved' });

    expect(await statuses(world)).toEqual(['TERMINATED', 'CANCELLED']);
  });

  it('shows an advisory from its issue to its resolution, and goes on', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();

    const open = { status: 'ACTIVE', advisoryOpen: true };
    expect(await act(world, agreement, 'announce', { event: 'advisoryIssued' })).toMatchObject(open);
    const closed = await act(world, agreement, 'announce', { event: 'advisoryResolved' });
    expect(closed).toMatchObject({ status: 'ACTIVE', advisoryOpen: false });
  });

  it.each([
    ['amend', { entitlements: [{ dimension: 'calls', value: 1 }] }, 'InvalidInput'],
    ['amend', { entitlements: [{ dimension: 'seats', value: 1.5 }] }, 'InvalidInput'],
    ['amend', { entitlements: [{ dimension: 'seats', value: '5' }] }, 'InvalidInput'],
    [
      'amend',
      {
        entitlements: [
          { dimension: 'seats', value: 1 },
          { dimension: 'seats', value: 2 },
        ],
      },
      'InvalidInput',
    ],
    ['amend', { entitlements: { seats: 1 } }, 'InvalidInput'],
    ['amend', { endAt: '2026-09-21T14:00:00Z' }, 'InvalidInput'],
    ['amend', { colour: 'red' }, 'InvalidInput'],
    ['amend', { deliver: 'never' }, 'InvalidInput'],
    ['renew', { endAt: '2026-01-01T00:00:00Z' }, 'InvalidInput'],
    ['renew', { startAt: '2026-01-01T00:00:00Z' }, 'InvalidInput'],
    ['replace', { autoRenew: true, endAt: '2026-09-21T15:30:00Z' }, 'InvalidInput'],
    ['announce', { event: 'moon' }, 'InvalidInput'],
    ['announce', {}, 'InvalidInput'],
    ['cancel', { status: 'EXPIRED' }, 'InvalidInput'],
  ])('refuses to %s with %j', async (action, body, code) => {
    const world = await contractWorld();
    const agreement = await subscribe(world);
    const before = await read(world, agreement);

    expect(await act(world, agreement, action, body)).toMatchObject({ error: { code } });
    expect(await read(world, agreement)).toEqual(before);
  });

  it('keeps a renewal by itself from coming more often than daily', async () => {
    const world = await contractWorld();
    const agreement = await subscribe(world, { autoRenew: true });
    const soon = { endAt: '2026-09-21T14:31:00Z' };

    for (const action of ['amend', 'renew', 'replace']) {
      expect(await act(world, agreement, action, soon)).toMatchObject({ error: { code: 'InvalidInput' } });
    }
    expect(await subscribe(world, { ...soon, autoRenew: true })).toMatchObject({ error: { code: 'InvalidInput' } });
  });

  it('has no end to come before it has started', async () => {
    const world = await contractWorld();
    const agreement = await subscribe(world, { startAt: '2026-09-22T00:00:00Z' });

    expect(await act(world, agreement, 'expire')).toMatchObject({ error: { code: 'NotStarted' } });
  });

  it('changes no more once it has ended, and has no end to come where none was agreed', async () => {
    const world = await startTestWorld();
    const running = await world.subscribe();
    const ended = await world.subscribe();
    await act(world, ended, 'cancel');

    for (const action of ['amend', 'renew', 'replace', 'expire']) {
      expect(await act(world, ended, action)).toMatchObject({ error: { code: 'AgreementEnded' } });
    }
    expect(await act(world, running, 'expire')).toMatchObject({ error: { code: 'NoAgreedEnd' } });
    expect(await act(world, running, 'announce', { event: 'ending' })).toMatchObject({
      error: { code: 'NoAgreedEnd' },
    });
    expect(await world.subscribe({ autoRenew: true })).toMatchObject({ error: { code: 'InvalidInput' } });
  });

  it.each([
    ['SNS for a product whose buyers have no identifier', { notices: 'sns' }],
    ['an unknown channel', { notices: 'mail' }],
    ['an unknown kind of value', { dimensions: [{ key: 'seats', valueType: 'Colour' }] }],
    ['an account that is none', { sellerAccountId: '12' }],
  ])('is not offered under %s', async (_, product) => {
    const world = await startTestWorld();

    expect(await listContract(world, product)).toMatchObject({ error: { code: 'InvalidInput' } });
    expect(await world.subscribe({ productCode: PRODUCT })).toHaveProperty('agreementId');
  });
});
