// Whose an agreement is, what waits for what, and what metering hears of it.
import { describe, expect, test } from 'vitest';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import type { Notice } from '../../lambdas/domain/notice.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import { applyNotice, linkReplacement, noteRegistration, settleDue } from '../../lambdas/flow/apply-notice.ts';
import type { ResolvedBuyer } from '../../lambdas/flow/ports.ts';
import { aProduct, LICENCE_ARN, LICENCE_KEY } from '../builders.ts';
import { LifecycleTables, memoryNoticePorts } from '../doubles/memory-notices.ts';
import { ACCOUNT, aMessage, aNotice, BOUGHT_AT, BUYER, MESSAGES, MINUTE, NEXT_ARN, PURCHASE } from '../purchase.ts';

const NOW = BOUGHT_AT + 600 * MINUTE;
const NEXT_KEY = licenceKeyOf({ style: 'licence', licenceArn: NEXT_ARN });
const THIRD_ARN = LICENCE_ARN.replace('0123', '7777');
const MALFORMED_ARN = `aws:license-manager:us-east-1:123456789012:${LICENCE_KEY}`;

function aWorld(product: Product = aProduct(), nowMs = NOW) {
  const tables = new LifecycleTables();
  const { ports, customers } = memoryNoticePorts(tables, [product]);
  return {
    tables,
    ports,
    hear: async (...notices: readonly Notice[]) => {
      const applied = [];
      for (const notice of notices) applied.push(await applyNotice(ports, notice, '', nowMs));
      return applied.at(-1);
    },
    register: async (buyer: Partial<ResolvedBuyer> = {}) => {
      const all = { productCode: 'metrics-cloud', customerAwsAccountId: ACCOUNT, ...buyer };
      const { customer } = await customers.upsert(all, product, nowMs);
      await noteRegistration(ports, customer, nowMs);
      return customer.customerId;
    },
    types: (customerId: string) => tables.eventsOf(customerId).map(({ type }) => type),
    link: (agreementId: string, previousAgreementId: string) =>
      linkReplacement(ports, { agreementId, previousAgreementId }, nowMs),
  };
}

/** Another agreement of the same account, with a licence of its own. */
function bought(agreementId: string, licenceArn: string, minutes: number, created: Partial<Notice> = {}): Notice[] {
  return [
    aNotice('agreementCreated', minutes, { agreementId, ...created }),
    aNotice('licenceUpdated', minutes + 1, { agreementId, licenceArn }),
  ];
}

describe('a notice that comes before the buyer', () => {
  test('makes the customer and the licence, so that usage is billed though nobody ever registers', async () => {
    const { tables, hear } = aWorld();

    expect(await hear(PURCHASE[0] as Notice)).toEqual({ kind: 'waits', for: 'licence' });
    expect(await hear(PURCHASE[1] as Notice)).toEqual({
      kind: 'applied',
      customerId: 'cus_1',
      events: ['accessGranted'],
    });

    expect(tables.licences.get(LICENCE_KEY)).toMatchObject({
      customerId: 'cus_1',
      licenceArn: LICENCE_ARN,
      customerAwsAccountId: ACCOUNT,
      periods: [{ agreementId: 'agmt-a', from: BOUGHT_AT }],
    });
    expect(tables.released).toEqual([LICENCE_KEY]);
  });

  test('is the registered customer’s where AWS told the buyer’s page of no licence', async () => {
    const { tables, hear, register } = aWorld();
    const customerId = await register();

    // Though Created has not come: who waits for a licence is no buyer whose agreement this could succeed.
    await hear(PURCHASE[1] as Notice);

    expect(tables.holderOf(LICENCE_KEY)).toBe(customerId);
    expect(tables.customers.size).toBe(1);
  });

  test('of two agreements of one account are two customers, however their notices mix', async () => {
    const { tables, hear } = aWorld();
    const [createdA, updatedA] = bought('agmt-a', LICENCE_ARN, 0) as [Notice, Notice];
    const [createdB, updatedB] = bought('agmt-b', NEXT_ARN, 0) as [Notice, Notice];

    await hear(updatedA, createdB, updatedB, createdA);

    expect(tables.holderOf(LICENCE_KEY)).not.toBe(tables.holderOf(NEXT_KEY));
    expect(tables.outbox.filter(({ type }) => type === 'accessGranted')).toHaveLength(2);
  });

  test('waits, where the account has a customer already, until it is known whether it succeeds an agreement', async () => {
    const { tables, hear } = aWorld();
    await hear(...bought('agmt-a', LICENCE_ARN, 0));
    const [created, updated] = bought('agmt-b', NEXT_ARN, 9, { intent: 'RENEW', previousAgreementId: 'agmt-a' });

    expect(await hear(updated as Notice)).toEqual({ kind: 'waits', for: 'agreement' });
    await hear(created as Notice);

    expect(tables.holderOf(NEXT_KEY)).toBe(tables.holderOf(LICENCE_KEY));
    expect([...tables.waiting.keys()]).toEqual([]);
  });

  test('with an ARN that AWS’s API would refuse waits for the true one, and never meters', async () => {
    const { tables, hear, register } = aWorld();

    expect(await hear(aNotice('licenceUpdated', 1, { licenceArn: MALFORMED_ARN }))).toEqual({
      kind: 'waits',
      for: 'registration',
    });
    expect(tables.licences.size).toBe(0);
    const customerId = await register({ licenceArn: LICENCE_ARN });

    expect(tables.ofCustomer(customerId).standing.state).toBe('active');
    expect(tables.licences.get(LICENCE_KEY)?.licenceArn).toBe(LICENCE_ARN);
  });

  test('takes the licence with it, where a registration that named it truly made a customer of its own', async () => {
    const { tables, hear, register } = aWorld();
    await hear(...bought('agmt-a', LICENCE_ARN, 0));
    const malformed = MALFORMED_ARN.replace(LICENCE_KEY, NEXT_KEY);
    await hear(...bought('agmt-b', malformed, 60, { intent: 'RENEW', previousAgreementId: 'agmt-a' }));

    const own = await register({ licenceArn: NEXT_ARN });

    expect(own).not.toBe('cus_1');
    expect(tables.holderOf(NEXT_KEY)).toBe('cus_1');
    expect(tables.ofCustomer(own).standing.joinedInto).toBe('cus_1');
  });

  test('of a product that is not in the settings is kept and makes nobody a customer', async () => {
    const { tables, hear } = aWorld();

    const applied = await hear(
      aNotice('agreementCreated', 0),
      aNotice('licenceUpdated', 1, { productCode: 'another' }),
    );

    expect(applied).toEqual({ kind: 'waits', for: 'product' });
    expect(tables.customers.size).toBe(0);
    expect(tables.waiting.size).toBe(0);
  });

  test('that names no agreement is recorded', async () => {
    const { agreementId: _, ...notice } = aNotice('recorded', 1);

    expect(await aWorld().hear(notice)).toEqual({ kind: 'recorded' });
  });
});

describe('metering hears', () => {
  test('of the start and of each step of the end, by the agreement', async () => {
    const { tables, hear } = aWorld();
    await hear(...PURCHASE.slice(0, 3));
    const ending = tables.licences.get(LICENCE_KEY)?.ending;
    await hear(PURCHASE[3] as Notice);

    const endedAt = BOUGHT_AT + 121 * MINUTE;
    expect(ending).toEqual({ noticeAt: BOUGHT_AT + 120 * MINUTE });
    expect(tables.licences.get(LICENCE_KEY)?.ending).toEqual({
      noticeAt: BOUGHT_AT + 120 * MINUTE,
      revokedAt: endedAt,
      deprovisionedAt: endedAt,
    });
  });

  test('of a legacy licence by time alone, from the channel that tells first', async () => {
    const { tables, hear, register } = aWorld(aProduct({ identityStyle: 'legacy' }));
    await register({ customerIdentifier: BUYER });

    await hear(...MESSAGES, ...PURCHASE);

    const key = licenceKeyOf({ style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: BUYER });
    expect(tables.licences.get(key)?.ending).toEqual({
      noticeAt: BOUGHT_AT + 120 * MINUTE,
      revokedAt: BOUGHT_AT + 121 * MINUTE,
      deprovisionedAt: BOUGHT_AT + 121 * MINUTE,
    });
    expect(tables.licences.size).toBe(1);
  });

  test('of no end where an agreement is renewed under the same licence', async () => {
    const { tables, hear } = aWorld();

    await hear(
      ...bought('agmt-a', LICENCE_ARN, 0),
      aNotice('agreementSucceeded', 60),
      ...bought('agmt-b', LICENCE_ARN, 60, {
        intent: 'RENEW',
        previousAgreementId: 'agmt-a',
        startsAt: BOUGHT_AT + 60 * MINUTE,
      }),
    );

    expect(tables.licences.get(LICENCE_KEY)?.ending).toBeUndefined();
    expect(tables.licences.get(LICENCE_KEY)?.periods.map(({ agreementId }) => agreementId)).toEqual([
      'agmt-a',
      'agmt-b',
    ]);
  });

  test('of no start before it has come, and then of it though no notice comes', async () => {
    const startsAt = BOUGHT_AT + 60 * MINUTE;
    const { tables, hear, ports } = aWorld(aProduct(), BOUGHT_AT + 2 * MINUTE);
    await hear(...bought('agmt-a', LICENCE_ARN, 0, { startsAt }));
    const before = tables.licences.get(LICENCE_KEY)?.periods;

    expect(await settleDue(ports, startsAt - 1)).toBe(0);
    expect(tables.outbox.map(({ type }) => type)).toEqual(['accessChanged']);
    expect(await settleDue(ports, startsAt)).toBe(1);

    expect(before).toEqual([{}]);
    expect(tables.licences.get(LICENCE_KEY)?.periods.at(-1)).toEqual({ agreementId: 'agmt-a', from: startsAt });
    expect(tables.outbox.map(({ type }) => type)).toEqual(['accessChanged', 'accessGranted']);
    expect(await settleDue(ports, startsAt)).toBe(0);
  });
});

describe('a replacement without the agreement before it', () => {
  const replacement = bought('agmt-b', NEXT_ARN, 60, { intent: 'REPLACE' });

  test('is the account’s only customer’s', async () => {
    const { tables, hear, types } = aWorld();
    await hear(...bought('agmt-a', LICENCE_ARN, 0));

    await hear(aNotice('agreementSucceeded', 59), ...replacement);

    expect(tables.holderOf(NEXT_KEY)).toBe('cus_1');
    expect(types('cus_1')).not.toContain('accessRevoked');
  });

  test('waits for an operator where the account has several, and access by what it replaces goes on', async () => {
    const { tables, hear, link, types } = aWorld();
    await hear(...bought('agmt-a', LICENCE_ARN, 0), ...bought('agmt-c', THIRD_ARN, 5));
    const [replaced] = [tables.holderOf(LICENCE_KEY)];

    const applied = await hear(aNotice('agreementSucceeded', 59), aNotice('licenceDeprovisioned', 60), ...replacement);
    const during = tables.ofCustomer(replaced).standing;
    expect(applied).toEqual({ kind: 'waits', for: 'link' });
    expect(during).toMatchObject({ state: 'active', marks: ['awaitingSuccessor'] });
    expect(tables.licences.has(NEXT_KEY)).toBe(false);

    expect(await link('agmt-b', 'agmt-a')).toMatchObject({ kind: 'applied', customerId: replaced });

    expect(tables.holderOf(NEXT_KEY)).toBe(replaced);
    expect(tables.ofCustomer(replaced).standing).toMatchObject({ state: 'active', marks: [] });
    expect(types(replaced)).not.toContain('accessRevoked');
    expect(tables.waiting.size).toBe(0);
  });

  test('that stood as a customer of its own is joined into the other by the link, and tells so', async () => {
    const { tables, hear, register, link, types } = aWorld();
    await hear(...bought('agmt-a', LICENCE_ARN, 0));
    const own = await register({ licenceArn: NEXT_ARN });
    await hear(...replacement);
    expect(tables.holderOf(NEXT_KEY)).toBe(own);

    await link('agmt-b', 'agmt-a');

    expect(tables.holderOf(NEXT_KEY)).toBe('cus_1');
    expect(tables.ofCustomer(own).standing).toMatchObject({ state: 'awaitingLicence', joinedInto: 'cus_1' });
    expect(types(own)).toEqual(['accessGranted', 'accessRevoked']);
    expect(tables.due.size).toBe(0);
  });

  test('goes where the last link says, if an operator mends one', async () => {
    const { tables, hear, ports } = aWorld();
    await hear(...bought('agmt-a', LICENCE_ARN, 0), ...bought('agmt-c', THIRD_ARN, 5), ...replacement);
    const thirdKey = licenceKeyOf({ style: 'licence', licenceArn: THIRD_ARN });

    await linkReplacement(ports, { agreementId: 'agmt-b', previousAgreementId: 'agmt-a' }, NOW);
    const wrong = tables.holderOf(NEXT_KEY);
    await linkReplacement(ports, { agreementId: 'agmt-b', previousAgreementId: 'agmt-c' }, NOW + MINUTE);

    expect(wrong).toBe(tables.holderOf(LICENCE_KEY));
    expect(tables.holderOf(NEXT_KEY)).toBe(tables.holderOf(thirdKey));
    expect(tables.ofCustomer(wrong).customer.licenceKeys).toEqual([LICENCE_KEY]);
    expect(tables.ofCustomer(wrong).standing).toMatchObject({
      state: 'active',
      agreements: [{ agreementId: 'agmt-a' }],
    });
  });

  test('is linked to nothing that is not known, nor against what AWS told', async () => {
    const { hear, link } = aWorld();
    await hear(...bought('agmt-a', LICENCE_ARN, 0));
    await hear(...bought('agmt-b', NEXT_ARN, 60, { intent: 'RENEW', previousAgreementId: 'agmt-a' }));

    expect(await link('agmt-x', 'agmt-a')).toEqual({ kind: 'unknownAgreement' });
    expect(await link('agmt-a', 'agmt-x')).toEqual({ kind: 'unknownAgreement' });
    expect(await link('agmt-a', 'agmt-a')).toEqual({ kind: 'unknownAgreement' });
    expect(await link('agmt-b', 'agmt-a')).toEqual({ kind: 'toldByAws' });
  });

  test('of another product is another customer’s', async () => {
    const { tables, ports, hear } = aWorld();
    const products = new Map([...ports.products, ['other', aProduct({ productCode: 'other' })]]);
    await hear(...bought('agmt-a', LICENCE_ARN, 0));

    for (const notice of bought('agmt-b', NEXT_ARN, 60, { intent: 'REPLACE', previousAgreementId: 'agmt-a' })) {
      await applyNotice({ ...ports, products }, { ...notice, productCode: 'other' }, '', NOW);
    }

    expect(tables.holderOf(NEXT_KEY)).toBe('cus_2');
  });
});

describe('the legacy channel', () => {
  test('makes the customer of a legacy product when it tells of a subscription', async () => {
    const { tables, hear, types } = aWorld(aProduct({ identityStyle: 'legacy' }));

    expect(await hear(aMessage('entitlementsUpdated', 0))).toEqual({ kind: 'waits', for: 'registration' });
    await hear(aMessage('subscribed', 1));

    expect(types('cus_1')).toEqual(['accessGranted']);
    expect([...tables.licences.keys()]).toEqual([
      licenceKeyOf({ style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: BUYER }),
    ]);
  });

  test('is kept and not heard for a product that is metered by licence: it can’t tell its agreements apart', async () => {
    const { tables, hear } = aWorld();

    expect(await hear(aMessage('subscribed', 1))).toEqual({ kind: 'waits', for: 'product' });

    expect(tables.customers.size).toBe(0);
  });

  test('tells of changed entitlements once, and only where the other channel is silent', async () => {
    const { hear, types, register } = aWorld(aProduct({ identityStyle: 'legacy' }));
    await hear(aMessage('subscribed', 1), aMessage('entitlementsUpdated', 5), aMessage('entitlementsUpdated', 5));
    const silent = types('cus_1');
    await register({ customerIdentifier: BUYER });
    await hear(...PURCHASE.slice(0, 2), aNotice('licenceUpdated', 9), aMessage('entitlementsUpdated', 10));

    expect(silent).toEqual(['accessGranted', 'entitlementsChanged']);
    expect(
      types('cus_1')
        .slice(silent.length)
        .filter((type) => type === 'entitlementsChanged'),
    ).toHaveLength(1);
  });
});
