// What every store of notices promises, tried against the real engine and against the memory ports alike.
import { describe, expect, test } from 'vitest';
import { eventsOf } from '../../lambdas/domain/access-event.ts';
import { agreementThread, buyerThread, threadOf } from '../../lambdas/domain/notice.ts';
import type { Standing } from '../../lambdas/domain/standing.ts';
import type { FoldedCustomer, NoticePorts } from '../../lambdas/flow/notice-ports.ts';
import { aProduct, LICENCE_ARN, LICENCE_KEY } from '../builders.ts';
import { ACCOUNT, aMessage, aNotice, BOUGHT_AT, MINUTE, NEXT_ARN } from '../purchase.ts';

const PRODUCT = aProduct();
const BUYER = { productCode: 'metrics-cloud', customerAwsAccountId: ACCOUNT, licenceArn: LICENCE_ARN };
const NEXT_KEY = LICENCE_KEY.replace('0123', '9999');
const ACTIVE: Standing = {
  state: 'active',
  marks: ['advisory'],
  agreements: [
    { agreementId: 'agmt-a', state: 'active', licenceKeys: [LICENCE_KEY], offerId: 'offer-1', startsAt: 1, endsAt: 2 },
  ],
  registeredAt: BOUGHT_AT,
  entitlementsAsOf: BOUGHT_AT + 1,
};

export function describeNoticeStore(make: () => Promise<Pick<NoticePorts, 'notices' | 'customers'>>): void {
  const customerOf = async ({ customers }: Pick<NoticePorts, 'customers'>, buyer: object = {}) =>
    (await customers.upsert({ ...BUYER, ...buyer }, PRODUCT, BOUGHT_AT)).customer.customerId;

  const read = async ({ notices }: Pick<NoticePorts, 'notices'>, customerId: string): Promise<FoldedCustomer> => {
    const folded = await notices.folded(customerId);
    if (!folded) throw new Error('The customer is missing.');
    return folded;
  };

  describe('notices', () => {
    test('are kept once, as they were told, with all others of their agreement or buyer', async () => {
      const { notices } = await make();
      const created = aNotice('agreementCreated', 0, {
        endsAt: BOUGHT_AT + MINUTE,
        offerId: 'offer-1',
        status: 'ACTIVE',
      });
      const updated = aNotice('licenceUpdated', 1);
      const subscribed = aMessage('subscribed', 2, { isFreeTrial: true });

      expect(await notices.keep(created, '{}')).toBe('recorded');
      expect(await notices.keep(created, '{}')).toBe('already');
      await notices.keep(updated, '{}');
      await notices.keep(subscribed, '{}');

      const thread = await notices.thread(agreementThread('agmt-a'));
      expect(thread.notices).toHaveLength(2);
      expect(thread.notices).toEqual(expect.arrayContaining([created, updated]));
      expect((await notices.thread(threadOf(subscribed))).notices).toEqual([subscribed]);
    });

    test('are found by the licence, by the account and product, and by the agreement before', async () => {
      const { notices } = await make();
      await notices.keep(aNotice('licenceUpdated', 1), '{}');
      await notices.keep(
        aNotice('agreementCreated', 9, { agreementId: 'agmt-b', previousAgreementId: 'agmt-a' }),
        '{}',
      );

      const key = agreementThread('agmt-a');
      expect(await notices.threadsOfLicence(LICENCE_KEY)).toEqual([key]);
      expect(await notices.threadsOfAccount(ACCOUNT, 'metrics-cloud')).toEqual([key]);
      expect((await notices.thread(key)).successors).toEqual([agreementThread('agmt-b')]);
    });
  });

  describe('an agreement', () => {
    test('becomes a customer’s once, and is on the list of waiting ones until then', async () => {
      const ports = await make();
      const { notices } = ports;
      const key = agreementThread('agmt-a');
      const [one, other] = [await customerOf(ports), await customerOf(ports, { licenceArn: NEXT_ARN })];
      await notices.noteWaiting(key, 'licence', BOUGHT_AT);
      await notices.noteWaiting(key, 'link', BOUGHT_AT + 1);
      const before = await notices.waiting();

      expect(await notices.link(key, one, undefined)).toBe(true);
      expect(await notices.link(key, other, undefined)).toBe(false);

      await notices.noteWaiting(key, 'link', BOUGHT_AT + 2);
      expect(before).toEqual([{ thread: key, waitsFor: 'link', since: BOUGHT_AT }]);
      expect(await notices.waiting()).toEqual([]);
      expect((await notices.thread(key)).customerId).toBe(one);
      expect(await notices.threadsOfCustomer(one)).toEqual([key]);
      expect(await notices.threadsOfCustomer(other)).toEqual([]);
    });

    test('of a product that is none of ours is not on the list, either', async () => {
      const { notices } = await make();
      const key = agreementThread('agmt-a');
      await notices.noteWaiting(key, 'licence', BOUGHT_AT);

      await notices.noteWaiting(key, 'product', BOUGHT_AT);

      expect(await notices.waiting()).toEqual([]);
    });

    test('moves to another customer, and the one it leaves is due at once', async () => {
      const ports = await make();
      const { notices } = ports;
      const key = buyerThread('c-1');
      const [one, other] = [await customerOf(ports), await customerOf(ports, { licenceArn: NEXT_ARN })];
      await notices.link(key, one, undefined);

      expect(await notices.link(key, other, one)).toBe(true);

      expect(await notices.threadsOfCustomer(one)).toEqual([]);
      expect(await notices.threadsOfCustomer(other)).toEqual([key]);
      expect(await notices.due(BOUGHT_AT)).toEqual([{ customerId: one, changesAt: 0 }]);
    });
  });

  describe('a licence', () => {
    test('that is nobody’s is attached to a customer once', async () => {
      const ports = await make();
      const customerId = await customerOf(ports);

      const attach = () =>
        ports.notices.attachLicence(customerId, { ...BUYER, licenceArn: NEXT_ARN }, PRODUCT, BOUGHT_AT);

      expect(await attach()).toBe(true);
      expect(await attach()).toBe(false);
      expect(await ports.customers.licence(NEXT_KEY)).toMatchObject({
        customerId,
        licenceArn: NEXT_ARN,
        periods: [{}],
      });
      expect((await read(ports, customerId)).customer.licenceKeys).toEqual([LICENCE_KEY, NEXT_KEY]);
    });

    test('moves once; who held nothing else is joined into the other and is no customer of the account any more', async () => {
      const ports = await make();
      const { notices } = ports;
      const [one, other] = [await customerOf(ports), await customerOf(ports, { licenceArn: NEXT_ARN })];

      expect(await notices.moveLicence(NEXT_KEY, other, one)).toBe(true);
      expect(await notices.moveLicence(NEXT_KEY, other, one)).toBe(false);

      expect((await ports.customers.licence(NEXT_KEY))?.customerId).toBe(one);
      expect((await read(ports, one)).customer.licenceKeys).toEqual([LICENCE_KEY, NEXT_KEY]);
      expect(await read(ports, other)).toMatchObject({ joinedInto: one, customer: { licenceKeys: [NEXT_KEY] } });
      expect((await notices.customersOfAccount(ACCOUNT, 'metrics-cloud')).customerIds).toEqual([one]);
      expect(await notices.due(0)).toEqual([{ customerId: other, changesAt: 0 }]);
    });

    test('leaves the others of a customer who holds more as they are', async () => {
      const ports = await make();
      const [one, other] = [await customerOf(ports), await customerOf(ports, { licenceArn: NEXT_ARN })];
      await ports.notices.moveLicence(NEXT_KEY, other, one);

      expect(await ports.notices.moveLicence(NEXT_KEY, one, other)).toBe(true);

      const left = await read(ports, one);
      expect(left.customer.licenceKeys).toEqual([LICENCE_KEY]);
      expect(left.joinedInto).toBeUndefined();
    });
  });

  describe('a fold', () => {
    test('is written with its events, once a read', async () => {
      const ports = await make();
      const customerId = await customerOf(ports);
      const before = await read(ports, customerId);
      const events = eventsOf(before.standing, ACTIVE, { customerId, sequence: 0, at: BOUGHT_AT });

      expect(await ports.notices.tell(before, { standing: ACTIVE, events })).toBe(true);
      expect(await ports.notices.tell(before, { standing: before.standing, events: [] })).toBe(false);

      const after = await read(ports, customerId);
      expect(after.standing).toEqual(ACTIVE);
      expect(after.customer.sequence).toBe(2);
    });

    test('that changed nothing makes an older read too old, too: it has seen more notices than that', async () => {
      const ports = await make();
      const customerId = await customerOf(ports);
      const slow = await read(ports, customerId);
      const quick = await read(ports, customerId);
      expect(await ports.notices.tell(quick, { standing: quick.standing, events: [] })).toBe(true);

      expect(await ports.notices.tell(slow, { standing: ACTIVE, events: [] })).toBe(false);
    });

    test('that changes by itself makes its customer due when the instant has come, until that is finished', async () => {
      const ports = await make();
      const customerId = await customerOf(ports);
      const before = await read(ports, customerId);
      const changesAt = BOUGHT_AT + MINUTE;
      await ports.notices.tell(before, { standing: before.standing, events: [], changesAt });

      const early = await ports.notices.due(changesAt - 1);
      const due = await ports.notices.due(changesAt);
      for (const each of due) await ports.notices.finishDue(each);

      expect(early).toEqual([]);
      expect(due).toEqual([{ customerId, changesAt }]);
      expect(await ports.notices.due(changesAt)).toEqual([]);
    });

    test('is asked for at an instant once, however often that is noted', async () => {
      const { notices } = await make();
      const due = { customerId: 'cus_1', changesAt: BOUGHT_AT };

      await notices.noteDue(due);
      await notices.noteDue(due);

      expect(await notices.due(BOUGHT_AT - 1)).toEqual([]);
      expect(await notices.due(BOUGHT_AT)).toEqual([due]);
    });
  });
}
