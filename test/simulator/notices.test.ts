import { describe, expect, it } from 'vitest';
import {
  type Agreement,
  CONTRACT_PRODUCT,
  LEGACY_PRODUCT,
  listContract,
  NOW,
  noticesAfter,
  PRODUCT,
  type SeenNotice,
  startTestWorld,
  type TestWorld,
  YEAR_ON,
} from './fixture.ts';

const ACCOUNT = '111122223333';
const SELLER = '123456789012';
const PARTNER = '444455556666';
const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

const subscribe = (world: TestWorld, wanted: object = {}): Promise<Agreement> =>
  world.subscribe({ awsAccountId: ACCOUNT, startAt: NOW, offer: { id: 'offer-1' }, ...wanted });

const act = (world: TestWorld, { agreementId }: Agreement, action: string, body?: object) =>
  world.control('POST', `/control/agreements/${agreementId}/${action}`, body);

const advance = (world: TestWorld, ms: number) => world.control('POST', '/control/clock/advance', { ms });

async function contractWorld(product: object = {}): Promise<TestWorld> {
  const world = await startTestWorld();
  await listContract(world, { dimensions: [{ key: 'seats' }], ...product });
  return world;
}

const contract = (world: TestWorld, wanted: object = {}) =>
  subscribe(world, { productCode: CONTRACT_PRODUCT, endAt: YEAR_ON, ...wanted });

/** The one notice of a name, as its consumer reads it. */
// biome-ignore lint/suspicious/noExplicitAny: bodies are asserted on, member by member
function read(notices: readonly SeenNotice[], name: string): any {
  const named = notices.filter((notice) => notice.name === name);
  expect(named, name).toHaveLength(1);
  return JSON.parse(named[0]?.body ?? '');
}

const namesOf = (notices: readonly SeenNotice[]) => notices.map(({ name }) => name);

/** The message inside of an SQS body. */
function messageIn(notice: SeenNotice): unknown {
  return JSON.parse(JSON.parse(notice.body).Message);
}

const eventOf = (agreement: Agreement, name: string, time: string, detail: object) => ({
  version: '0',
  id: UUID,
  'detail-type': name,
  source: 'aws.agreement-marketplace',
  account: SELLER,
  time,
  region: 'us-east-1',
  resources: [`arn:aws:aws-marketplace::aws:agreement:${agreement.agreementId}`],
  detail: { requestId: UUID, catalog: 'AWSMarketplace', ...detail },
});

describe('The events of a direct offer', () => {
  it('tell of a beginning at once, and of its licence a minute later', async () => {
    const world = await startTestWorld();
    const agreement = await subscribe(world);

    const atOnce = await noticesAfter(world);
    expect(atOnce).toMatchObject([{ seq: 1, at: NOW, channel: 'eventbridge', agreementId: agreement.agreementId }]);
    const created = 'Purchase Agreement Created - Proposer';
    expect(read(atOnce, created)).toEqual(
      eventOf(agreement, created, '2026-09-21T14:30:00Z', {
        agreement: {
          id: agreement.agreementId,
          intent: 'NEW',
          status: 'ACTIVE',
          acceptanceTime: '2026-09-21T14:30:00Z',
          startTime: '2026-09-21T14:30:00Z',
          endTime: '9999-01-01T00:00:00Z',
        },
        resaleAuthorization: { id: null },
        acceptor: { accountId: ACCOUNT },
        proposer: { accountId: SELLER },
        offer: { id: 'offer-1' },
      }),
    );
    await advance(world, 60_999);
    expect(await noticesAfter(world, 1)).toEqual([]);
    await advance(world, 1);
    const updated = 'License Updated - Manufacturer';
    expect(read(await noticesAfter(world, 1), updated)).toEqual(
      eventOf(agreement, updated, '2026-09-21T14:31:01Z', {
        agreement: { id: agreement.agreementId },
        product: { code: PRODUCT, id: `prod-${PRODUCT}` },
        license: { arn: agreement.licenceArn },
        acceptor: { accountId: ACCOUNT },
        proposer: { accountId: SELLER },
        offer: { id: 'offer-1' },
      }),
    );
  });

  it('tell of an end, without the offer, and of the licence half a minute later', async () => {
    const world = await startTestWorld();
    const agreement = await subscribe(world);
    await advance(world, 3_600_000);
    await act(world, agreement, 'cancel');
    await advance(world, 31_000);

    const notices = await noticesAfter(world, 2);

    const ended = 'Purchase Agreement Ended - Proposer';
    expect(namesOf(notices)).toEqual([ended, 'License Deprovisioned - Manufacturer']);
    expect(read(notices, ended)).toEqual(
      eventOf(agreement, ended, '2026-09-21T15:30:00Z', {
        agreement: { id: agreement.agreementId, status: 'CANCELLED' },
        resaleAuthorization: { id: null },
        acceptor: { accountId: ACCOUNT },
        proposer: { accountId: SELLER },
      }),
    );
    expect(read(notices, 'License Deprovisioned - Manufacturer')).toMatchObject({
      time: '2026-09-21T15:30:31Z',
      detail: { license: { arn: agreement.licenceArn }, product: { code: PRODUCT } },
    });
  });

  it('tell of the licence before they tell of its end, however soon that comes', async () => {
    const world = await startTestWorld();
    await act(world, await subscribe(world), 'cancel');
    await advance(world, 3_600_000);

    expect(namesOf(await noticesAfter(world))).toEqual([
      'Purchase Agreement Created - Proposer',
      'License Updated - Manufacturer',
      'Purchase Agreement Ended - Proposer',
      'License Deprovisioned - Manufacturer',
    ]);
  });

  it('tell of an amendment with the renewal and the product, then of the licence', async () => {
    const world = await contractWorld();
    const agreement = await contract(world, { autoRenew: true });
    await advance(world, 61_000);
    await act(world, agreement, 'amend', { entitlements: [{ dimension: 'seats', value: 2 }], offerId: 'offer-2' });
    await advance(world, 61_000);

    const notices = await noticesAfter(world, 2);

    const amended = 'Purchase Agreement Amended - Proposer';
    expect(namesOf(notices)).toEqual([amended, 'License Updated - Manufacturer']);
    expect(read(notices, amended)).toEqual(
      eventOf(agreement, amended, '2026-09-21T14:31:01Z', {
        agreement: {
          id: agreement.agreementId,
          intent: 'AMEND',
          status: 'ACTIVE',
          acceptanceTime: '2026-09-21T14:30:00Z',
          startTime: '2026-09-21T14:30:00Z',
          endTime: '2027-09-21T14:30:00Z',
          autoRenewalEnabled: true,
        },
        renewalSummary: { lockoutStartTime: '2027-08-22T14:30:00Z', disabledBy: null },
        product: { id: 'prod-backup', title: 'Backup' },
        resaleAuthorization: { id: null },
        acceptor: { accountId: ACCOUNT },
        proposer: { accountId: SELLER },
        offer: { id: 'offer-2' },
      }),
    );
    await act(world, agreement, 'amend', { autoRenew: false, renewalDisabledBy: 'PROPOSER' });
    expect(read(await noticesAfter(world, 4), amended).detail).toMatchObject({
      agreement: { autoRenewalEnabled: false },
      renewalSummary: { disabledBy: 'PROPOSER' },
    });
  });

  it('tell of no licence for the amendment of an agreement that has not started', async () => {
    const world = await contractWorld();
    const agreement = await contract(world, { startAt: '2026-09-25T00:00:00Z' });
    await act(world, agreement, 'amend', { entitlements: [{ dimension: 'seats', value: 2 }] });
    await world.control('POST', '/control/clock/advance', { to: '2026-09-26T00:00:00Z' });

    expect(namesOf(await noticesAfter(world))).toEqual([
      'Purchase Agreement Amended - Proposer',
      'Purchase Agreement Created - Proposer',
      'License Updated - Manufacturer',
    ]);
  });

  it('name what a renewal follows, and never what a replacement follows', async () => {
    const world = await contractWorld();
    const first = await contract(world);
    await advance(world, 61_000);
    const second = await act(world, first, 'renew');
    await advance(world, 61_000);
    const renewal = await noticesAfter(world, 2);
    await act(world, second, 'replace');
    await advance(world, 61_000);
    const replacement = await noticesAfter(world, 6);

    const [created, ended] = ['Purchase Agreement Created - Proposer', 'Purchase Agreement Ended - Proposer'];
    expect(namesOf(renewal)).toEqual([
      created,
      ended,
      'License Deprovisioned - Manufacturer',
      'License Updated - Manufacturer',
    ]);
    expect(read(renewal, ended).detail.agreement).toEqual({ id: first.agreementId, status: 'RENEWED' });
    expect(read(renewal, created).detail).toEqual({
      requestId: UUID,
      catalog: 'AWSMarketplace',
      agreement: {
        id: second.agreementId,
        intent: 'RENEW',
        status: 'ACTIVE',
        acceptanceTime: '2026-09-21T14:31:01Z',
        startTime: '2026-09-21T14:31:01Z',
        endTime: '2027-09-21T14:31:01Z',
        previousAgreementId: first.agreementId,
      },
      product: { id: 'prod-backup', title: 'Backup' },
      acceptor: { accountId: ACCOUNT },
      proposer: { name: 'Example Seller', accountId: SELLER },
      offer: { id: expect.stringMatching(/^offer-/) },
    });
    expect(read(replacement, created).detail.agreement).toMatchObject({ intent: 'REPLACE' });
    expect(JSON.stringify(read(replacement, created))).not.toContain(second.agreementId);
    expect(read(replacement, ended).detail.agreement).toEqual({ id: second.agreementId, status: 'REPLACED' });
  });

  it('take no licence away that a renewal keeps', async () => {
    const world = await contractWorld();
    await world.control('PUT', '/control/switches', { renewalLicence: 'same' });
    await act(world, await contract(world), 'renew');
    await advance(world, 3_600_000);

    expect(namesOf(await noticesAfter(world))).not.toContain('License Deprovisioned - Manufacturer');
  });

  it('remind of an end that comes, 180 to 30 days before, and of none that was called off', async () => {
    const world = await contractWorld();
    const reminded = await contract(world);
    const cancelled = await contract(world);
    await act(world, cancelled, 'cancel');
    await world.control('POST', '/control/clock/advance', { to: YEAR_ON });

    const reminders = (await noticesAfter(world)).filter(({ name }) => name === 'Purchase Agreement Ending - Proposer');

    expect(reminders.map(({ agreementId }) => agreementId)).toEqual(new Array(5).fill(reminded.agreementId));
    expect(reminders.map(({ body }) => JSON.parse(body).detail.agreement.daysBeforeEndTime)).toEqual([
      180, 120, 90, 60, 30,
    ]);
    expect(JSON.parse(reminders[0]?.body ?? '')).toMatchObject({
      time: '2027-03-25T14:30:00Z',
      detail: {
        agreement: { status: 'ACTIVE', autoRenewalEnabled: false, endTime: '2027-09-21T14:30:00Z' },
        renewalSummary: { lockoutStartTime: '2027-08-22T14:30:00Z', disabledBy: 'ACCEPTOR' },
        proposer: { name: 'Example Seller', accountId: SELLER },
        offer: { id: 'offer-1' },
      },
    });
  });

  it.each([
    ['start', '2026-09-25T00:00:00.000Z'],
    ['acceptance', NOW],
  ])('tell of an agreement that starts later at its %s, as the switch says', async (futureDatedCreated, at) => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { futureDatedCreated });
    await subscribe(world, { startAt: '2026-09-25T00:00:00Z' });
    await world.control('POST', '/control/clock/advance', { to: '2026-09-26T00:00:00Z' });

    const notices = await noticesAfter(world);

    expect(notices.map((notice) => notice.at)).toEqual([at, '2026-09-25T00:01:01.000Z']);
    expect(read(notices, 'Purchase Agreement Created - Proposer').detail.agreement).toMatchObject({
      acceptanceTime: '2026-09-21T14:30:00Z',
      startTime: '2026-09-25T00:00:00Z',
    });
  });

  it.each([
    [
      'advisoryIssued',
      'Purchase Agreement Advisory Issued - Manufacturer',
      { advisory: { issuedAt: '2026-09-21T14:30:00Z' } },
    ],
    [
      'advisoryResolved',
      'Purchase Agreement Advisory Resolved - Manufacturer',
      { advisory: { resolvedAt: '2026-09-21T14:30:00Z' } },
    ],
    ['ending', 'Purchase Agreement Ending - Proposer', { agreement: { daysBeforeEndTime: 365 } }],
    [
      'renewalTermsFinalized',
      'Purchase Agreement Renewal Terms Finalized - Proposer',
      { renewalSummary: { currency: 'USD' } },
    ],
    ['renewalUpcoming', 'Purchase Agreement Renewal Upcoming - Proposer', { renewalSummary: { lockoutReached: true } }],
  ])('tell of %s', async (event, name, detail) => {
    const world = await contractWorld();
    const agreement = await contract(world);
    await act(world, agreement, 'announce', { event });

    const told = read(await noticesAfter(world), name);

    expect(told.detail).toMatchObject({ ...detail, acceptor: { accountId: ACCOUNT } });
    expect(told.resources).toHaveLength(1);
  });

  it.each([
    ['PendingApproval', 'Pending Approval', 'PENDING_APPROVAL'],
    ['Approved', 'Approved', 'APPROVED'],
    ['Rejected', 'Rejected', 'REJECTED'],
    ['Cancelled', 'Cancelled', 'CANCELLED'],
    ['ValidationFailed', 'Validation Failed', 'VALIDATION_FAILED'],
  ])('tell of a cancellation request: %s, with the same id from first to last', async (step, name, statusCode) => {
    const world = await contractWorld();
    const agreement = await contract(world);
    await act(world, agreement, 'announce', { event: 'cancellationRequestPendingApproval' });
    await advance(world, 60_000);
    const before = await noticesAfter(world);
    const asked = read(before, 'Agreement Cancellation Request Pending Approval - Proposer');
    await act(world, agreement, 'announce', { event: `cancellationRequest${step}` });

    const told = read(await noticesAfter(world, before.length), `Agreement Cancellation Request ${name} - Proposer`);

    expect(told.resources).toEqual([]);
    expect(told.detail).toEqual({
      requestId: UUID,
      catalog: 'AWSMarketplace',
      agreement: { id: agreement.agreementId, acceptorId: ACCOUNT, productId: 'prod-backup', offerId: 'offer-1' },
      agreementCancellationRequest: {
        id: asked.detail.agreementCancellationRequest.id,
        reasonCode: 'INCORRECT_TERMS_ACCEPTED',
        reasonMessage: '',
        statusCode,
        statusMessage: '',
        createdAt: step === 'PendingApproval' ? '2026-09-21T14:31:00Z' : '2026-09-21T14:30:00Z',
        updatedAt: '2026-09-21T14:31:00Z',
      },
    });
  });

  it.each(['Completed', 'Failed'])('tell of a billing adjustment: %s', async (what) => {
    const world = await startTestWorld();
    const agreement = await subscribe(world);
    await act(world, agreement, 'announce', { event: `billingAdjustment${what}` });

    const told = read(await noticesAfter(world), `Purchase Agreement Billing Adjustment ${what} - Proposer`);

    expect(told).toMatchObject({ resources: [], detail: { agreement: { id: agreement.agreementId } } });
  });
});

describe('The events of an offer through a channel partner', () => {
  it('are the copies of the manufacturer, with the partner as proposer and what lets it sell', async () => {
    const world = await contractWorld();
    const offer = { id: 'offer-1', kind: 'channelPartner', partnerAccountId: PARTNER };
    const agreement = await contract(world, { offer });
    await act(world, agreement, 'amend', { entitlements: [{ dimension: 'seats', value: 2 }] });
    await act(world, agreement, 'cancel');
    await advance(world, 3_600_000);

    const notices = await noticesAfter(world);

    expect(new Set(namesOf(notices))).toEqual(
      new Set([
        'Purchase Agreement Created - Manufacturer',
        'Purchase Agreement Amended - Manufacturer',
        'License Updated - Manufacturer',
        'Purchase Agreement Ended - Manufacturer',
        'License Deprovisioned - Manufacturer',
      ]),
    );
    for (const { body } of notices) {
      expect(JSON.parse(body)).toMatchObject({ account: SELLER, detail: { proposer: { accountId: PARTNER } } });
    }
    expect(read(notices, 'Purchase Agreement Ended - Manufacturer').detail).toEqual({
      requestId: UUID,
      catalog: 'AWSMarketplace',
      agreement: { id: agreement.agreementId, status: 'CANCELLED' },
      resaleAuthorization: { id: expect.stringMatching(/^resaleauthz-/) },
      acceptor: { accountId: ACCOUNT },
      proposer: { accountId: PARTNER },
      offer: { id: 'offer-1' },
    });
    expect(read(notices, 'Purchase Agreement Amended - Manufacturer').detail).not.toHaveProperty('renewalSummary');
  });

  it('leave what concerns only a proposer to the partner', async () => {
    const world = await contractWorld();
    const agreement = await contract(world, { offer: { kind: 'channelPartner' } });

    for (const event of ['ending', 'cancellationRequestApproved', 'billingAdjustmentFailed']) {
      expect(await act(world, agreement, 'announce', { event })).toMatchObject({ error: { code: 'NotProposer' } });
    }
    expect(await act(world, agreement, 'announce', { event: 'advisoryIssued' })).toHaveProperty('agreementId');
  });
});

describe('The messages of SNS', () => {
  const subscribeTo = (world: TestWorld, productCode: string, wanted: object = {}) =>
    subscribe(world, { productCode, ...wanted });
  const messages = async (world: TestWorld) =>
    (await noticesAfter(world)).filter(({ channel }) => channel === 'sns').map(messageIn);

  it('come in an SQS body as SNS wraps them, from the topic of the product', async () => {
    const world = await startTestWorld();
    const { customerIdentifier } = await subscribeTo(world, LEGACY_PRODUCT, {
      offer: { id: 'offer-1', freeTrial: true },
    });
    await advance(world, 61_000);

    const notices = await noticesAfter(world);

    const body = read(notices, 'subscribe-success');
    expect(body).toEqual({
      Type: 'Notification',
      MessageId: UUID,
      TopicArn: `arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-${LEGACY_PRODUCT}`,
      Message: expect.any(String),
      Timestamp: '2026-09-21T14:31:01.000Z',
      SignatureVersion: '1',
      Signature: expect.any(String),
      SigningCertURL: expect.stringMatching(/^https:\/\/sns\.us-east-1\.amazonaws\.com\//),
      UnsubscribeURL: expect.stringMatching(/^https:\/\/sns\.us-east-1\.amazonaws\.com\//),
    });
    expect(JSON.parse(body.Message)).toEqual({
      action: 'subscribe-success',
      'customer-identifier': customerIdentifier,
      'product-code': LEGACY_PRODUCT,
      'offer-identifier': 'offer-1',
      isFreeTrialTermPresent: 'true',
    });
  });

  it('tell of leaving when the licence goes, and of having left an hour later, without the offer', async () => {
    const world = await startTestWorld();
    const agreement = await subscribeTo(world, LEGACY_PRODUCT);
    await advance(world, 61_000);
    await act(world, agreement, 'cancel');
    await advance(world, 2 * 3_600_000);

    const notices = (await noticesAfter(world)).filter(({ channel }) => channel === 'sns').slice(1);

    expect(notices.map(({ at, name }) => [at, name])).toEqual([
      ['2026-09-21T14:31:32.000Z', 'unsubscribe-pending'],
      ['2026-09-21T15:31:32.000Z', 'unsubscribe-success'],
    ]);
    expect(notices.map(messageIn)[1]).toEqual({
      action: 'unsubscribe-success',
      'customer-identifier': agreement.customerIdentifier,
      'product-code': LEGACY_PRODUCT,
      isFreeTrialTermPresent: 'false',
    });
  });

  it('never tell that leaving succeeded to who subscribed again in that hour', async () => {
    const world = await startTestWorld();
    await act(world, await subscribeTo(world, LEGACY_PRODUCT), 'cancel');
    await advance(world, 1_800_000);
    await subscribeTo(world, LEGACY_PRODUCT);
    await advance(world, 2 * 3_600_000);

    expect(await messages(world)).toMatchObject([
      { action: 'subscribe-success' },
      { action: 'unsubscribe-pending' },
      { action: 'subscribe-success' },
    ]);
  });

  it('tell of a contract on both topics: new, changed, renewed and ended', async () => {
    const world = await contractWorld({ identityStyle: 'legacy', notices: 'sns' });
    const first = await contract(world);
    await advance(world, 61_000);
    await act(world, first, 'amend', { offerId: 'offer-2' });
    await advance(world, 61_000);
    const second = await act(world, first, 'renew');
    await advance(world, 61_000);
    await act(world, second, 'cancel');
    await advance(world, 2 * 3_600_000);

    const notices = await noticesAfter(world);

    expect(notices.every(({ channel }) => channel === 'sns')).toBe(true);
    expect(namesOf(notices)).toEqual([
      'subscribe-success',
      'entitlement-updated',
      'subscribe-success',
      'entitlement-updated',
      'subscribe-success',
      'entitlement-updated',
      'unsubscribe-pending',
      'entitlement-updated',
      'unsubscribe-success',
    ]);
    expect(JSON.parse(notices[1]?.body ?? '').TopicArn).toContain(':aws-mp-entitlement-notification-backup');
    expect(notices.slice(1, 3).map(messageIn)).toEqual([
      {
        action: 'entitlement-updated',
        'customer-identifier': first.customerIdentifier,
        'product-code': CONTRACT_PRODUCT,
      },
      expect.objectContaining({ 'offer-identifier': 'offer-2' }),
    ]);
  });

  it.each(['subscription', 'contract'])(
    'tell of a %s whose payment failed, and of no success then',
    async (pricing) => {
      const world = await contractWorld({ identityStyle: 'legacy', pricing });
      await subscribeTo(world, CONTRACT_PRODUCT, { subscribeFails: true });
      await advance(world, 3_600_000);

      expect(namesOf(await noticesAfter(world))).toEqual(['Purchase Agreement Created - Proposer', 'subscribe-fail']);
    },
  );
});

describe('The delivery of notices', () => {
  const [created, updated] = ['Purchase Agreement Created - Proposer', 'License Updated - Manufacturer'];
  const told = async (world: TestWorld) =>
    (await noticesAfter(world)).map(({ at, name, body }) => [
      name,
      at.slice(11, 19),
      JSON.parse(body).time.slice(11, 19),
    ]);

  it.each([
    [
      'asUsual',
      [
        [created, '14:30:00', '14:30:00'],
        [updated, '14:31:01', '14:31:01'],
      ],
    ],
    [
      'early',
      [
        [created, '14:30:00', '14:30:00'],
        [updated, '14:30:00', '14:30:00'],
      ],
    ],
    [
      'reordered',
      [
        [updated, '14:31:01', '14:31:01'],
        [created, '14:31:01', '14:30:00'],
      ],
    ],
    [
      'late',
      [
        [created, '14:35:00', '14:30:00'],
        [updated, '14:36:01', '14:31:01'],
      ],
    ],
  ])('is %s for one action where it asks for that', async (deliver, expected) => {
    const world = await startTestWorld();
    await subscribe(world, { deliver, lateByMs: 300_000 });
    await advance(world, 3_600_000);

    expect(await told(world)).toEqual(expected);
  });

  it('repeats each notice with its ids where a product asks for that', async () => {
    const world = await contractWorld({ deliver: 'twice' });
    await act(world, await contract(world), 'cancel');
    await advance(world, 3_600_000);

    const notices = await noticesAfter(world);

    expect(notices).toHaveLength(8);
    const ids = notices.map(({ body }) => JSON.parse(body).id);
    expect(new Set(ids).size).toBe(4);
    expect(notices[0]?.body).toBe(notices[1]?.body);
  });

  it('keeps to the delays that the switches name', async () => {
    const world = await startTestWorld();
    await world.control('PUT', '/control/switches', { licenceNoticeAfterSeconds: 0, revokeAfterSeconds: 5 });
    const agreement = await subscribe(world);
    expect(await told(world)).toHaveLength(2);
    await act(world, agreement, 'cancel');
    await advance(world, 4999);
    expect(await told(world)).toHaveLength(3);
    await advance(world, 1);
    expect(await told(world)).toHaveLength(4);
  });

  it('numbers the log once and for all, page by page', async () => {
    const world = await startTestWorld();
    await subscribe(world);
    await subscribe(world);
    await advance(world, 61_000);

    const page = await world.control('GET', '/control/notices?after=1&limit=2');

    expect(page.notices.map(({ seq }: SeenNotice) => seq)).toEqual([2, 3]);
    expect(page.next).toBe(3);
    expect(await world.control('GET', '/control/notices?after=4')).toEqual({ notices: [], next: 4 });
    expect((await noticesAfter(world, 1)).slice(0, 2)).toEqual(page.notices);
  });
});
