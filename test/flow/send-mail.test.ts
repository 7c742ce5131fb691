// One event, its mails: once each, never in the way, and never saying what is not so any more.
import { describe, expect, test } from 'vitest';
import type { BuyerDetails } from '../../lambdas/domain/buyer-details.ts';
import { Misconfigured } from '../../lambdas/domain/failure.ts';
import { MAIL_KINDS, type MailKind, type MailOutcome } from '../../lambdas/domain/mail.ts';
import type { Standing } from '../../lambdas/domain/standing.ts';
import { type Mailed, sendMails } from '../../lambdas/flow/send-mail.ts';
import { MemoryDeliveries } from '../doubles/memory-access.ts';

const ID = 'cus_a';
const BUYER: BuyerDetails = { customerId: ID, email: 'ada@example.com', fields: {}, submittedAt: 0 };
const ALL = Object.keys(MAIL_KINDS) as MailKind[];

const taken: MailOutcome = { kind: 'taken' };
const throttled: MailOutcome = { kind: 'failed', code: 'TooManyRequestsException' };
const unanswered: MailOutcome = { kind: 'unanswered' };

interface Answers {
  readonly outcomes?: readonly (MailOutcome | Error)[];
  readonly wanted?: readonly MailKind[];
}

function aWorld({ outcomes = [taken], wanted = ALL }: Answers = {}) {
  const waiting = [...outcomes];
  const sent: string[] = [];
  const errors: unknown[] = [];
  const deliveries = new MemoryDeliveries();
  const world = {
    nowMs: 1_000_000,
    buyer: BUYER as BuyerDetails | undefined,
    standing: { state: 'active', marks: [], agreements: [] } as Standing,
    joinedInto: undefined as string | undefined,
  };
  const customer = { customerId: ID, productCode: 'code1', licenceKeys: [], sequence: 3, createdAt: 0 };
  const ports = {
    deliveries,
    standing: {
      folded: async () => ({
        customer,
        folds: 1,
        standing: world.standing,
        ...(world.joinedInto === undefined ? {} : { joinedInto: world.joinedInto }),
      }),
    },
    buyers: { details: async () => world.buyer },
    mailer: {
      send: async ({ to, subject }: { to: string; subject: string }) => {
        const outcome = waiting.length > 1 ? waiting.shift() : waiting[0];
        if (outcome instanceof Error) throw outcome;
        sent.push(`${to} ${subject}`);
        return outcome as MailOutcome;
      },
    },
    compose: (subject: string) => ({ fromName: 'Seller', replyTo: 'a@b.example', subject, text: 'text', html: 'html' }),
    wanted,
    sellerAddress: 'seller@example.com',
    clock: () => world.nowMs,
    chance: () => 0.5,
    log: { error: (code: string, facts?: object) => void errors.push({ code, ...facts }) },
  };
  const tell = (type: string, sequence = 2, at = world.nowMs) =>
    sendMails(ports, { customerId: ID, sequence, type, at, body: `{"sequence":${sequence}}` });
  /** What the queue does: brings the event again every six minutes, until all of its mails are done. */
  const untilDone = async (type: string): Promise<readonly Mailed[]> => {
    for (;;) {
      const mailed = await tell(type);
      if (mailed.every(({ kind }) => kind !== 'again')) return mailed;
      world.nowMs += 360_000;
    }
  };
  return { world, sent, errors, deliveries, ports, tell, untilDone };
}

describe('an access event', () => {
  test('causes the mails that are wanted of it, each to whom it is for', async () => {
    const { tell, sent } = aWorld();

    await tell('customerRegistered', 1);
    await tell('accessChanged', 2);
    await tell('usageHeld', 3);

    expect(sent).toEqual([
      'ada@example.com buyerRegisteredActive',
      'seller@example.com sellerRegistered',
      'seller@example.com sellerUsageHeld',
    ]);
  });

  test('causes none that is not wanted', async () => {
    const { tell, sent } = aWorld({ wanted: ['sellerRegistered'] });

    await tell('customerRegistered');
    await tell('accessRevoked');

    expect(sent).toEqual(['seller@example.com sellerRegistered']);
  });

  test('that comes twice sends nothing twice', async () => {
    const { tell, sent } = aWorld();

    await tell('customerRegistered');
    const again = await tell('customerRegistered');

    expect(sent).toHaveLength(2);
    expect(again.map(({ kind }) => kind)).toEqual(['settledBefore', 'settledBefore']);
  });

  test('sends one mail though another can’t go, and the other alone later', async () => {
    const { tell, sent, world } = aWorld({ outcomes: [throttled, taken] });

    expect(await tell('customerRegistered')).toMatchObject([
      { kind: 'again', mail: 'buyerRegistered' },
      { kind: 'settled', mail: 'sellerRegistered', status: 'delivered' },
    ]);
    world.nowMs += 5_000;
    await tell('customerRegistered');

    expect(sent.filter((mail) => mail.startsWith('seller'))).toHaveLength(1);
  });
});

describe('what a mail says is so when it goes out', () => {
  test('a confirmation says that access is open where it is', async () => {
    const { tell, sent, world } = aWorld({ wanted: ['buyerRegistered'] });
    world.standing = { ...world.standing, state: 'awaitingLicence' };

    await tell('customerRegistered');

    expect(sent).toEqual(['ada@example.com buyerRegistered']);
  });

  test.each([
    ['accessGranted', 'ended'],
    ['accessRevoked', 'active'],
  ] as const)('%s is not told to the buyer once the standing is %s again', async (type, state) => {
    const { tell, sent, world } = aWorld({ wanted: ['buyerGranted', 'buyerRevoked'] });
    world.standing = { ...world.standing, state };

    expect(await tell(type)).toMatchObject([{ kind: 'notDue', reason: 'overtaken' }]);
    expect(sent).toEqual([]);
  });

  test('a grant is not told again after the confirmation that told it, and a later one is', async () => {
    const { tell, sent, world } = aWorld({ wanted: ['buyerRegistered', 'buyerGranted'] });
    const grantedAt = world.nowMs;
    world.nowMs += 20;
    await tell('customerRegistered', 1);

    expect(await tell('accessGranted', 2, grantedAt)).toMatchObject([{ kind: 'notDue', reason: 'toldAlready' }]);
    world.nowMs += 1_000;
    await tell('accessGranted', 4);

    expect(sent).toEqual(['ada@example.com buyerRegisteredActive', 'ada@example.com buyerGranted']);
  });

  test('a customer who turned out to be another’s renewal is not told that anything ended', async () => {
    const { tell, sent, world } = aWorld({ wanted: ['buyerRevoked'] });
    world.standing = { ...world.standing, state: 'ended' };
    world.joinedInto = 'cus_b';

    expect(await tell('accessRevoked')).toMatchObject([{ kind: 'notDue', reason: 'joined' }]);
    expect(sent).toEqual([]);
  });

  test('a buyer who was erased, or never registered, gets none; the seller does', async () => {
    const { tell, sent, world } = aWorld();
    world.buyer = undefined;

    expect(await tell('customerRegistered')).toMatchObject([
      { kind: 'notDue', reason: 'buyerUnknown' },
      { kind: 'settled', mail: 'sellerRegistered' },
    ]);
    expect(sent).toEqual(['seller@example.com sellerRegistered']);
  });

  test('a buyer who is erased while a mail waits gets none, and nothing waits any more', async () => {
    const { tell, sent, world, deliveries } = aWorld({ outcomes: [throttled, taken], wanted: ['buyerRegistered'] });
    await tell('customerRegistered');
    world.buyer = undefined;
    world.nowMs += 5_000;

    expect(await tell('customerRegistered')).toMatchObject([{ kind: 'notDue', reason: 'buyerUnknown' }]);

    expect(sent).toHaveLength(1);
    expect([...deliveries.kept.values()]).toMatchObject([
      { status: 'stopped', attempts: [{ outcome: 'TooManyRequestsException' }, { outcome: 'buyerUnknown' }] },
    ]);
  });
});

describe('a mail', () => {
  const one = { wanted: ['sellerRegistered'] as const };

  test('has its intent noted before the call, and what it came to after it', async () => {
    const { tell, deliveries, ports } = aWorld(one);
    const kept = () => [...deliveries.kept.values()];
    const atCall: unknown[] = [];
    const { mailer } = ports;
    ports.mailer = {
      send: async (mail) => {
        atCall.push(...kept());
        return mailer.send(mail);
      },
    };

    await tell('customerRegistered');

    expect(atCall).toMatchObject([{ status: 'pending', tries: 1, attempts: [{ outcome: 'unanswered' }] }]);
    expect(kept()).toMatchObject([
      { endpoint: 'mail.sellerRegistered', status: 'delivered', tries: 1, attempts: [{ outcome: 'sellerRegistered' }] },
    ]);
    expect(JSON.stringify(kept())).not.toContain('@');
  });

  test('is tried again after throttles until it is taken', async () => {
    const { untilDone, sent } = aWorld({ ...one, outcomes: [throttled, throttled, throttled, taken] });

    expect(await untilDone('customerRegistered')).toMatchObject([{ status: 'delivered' }]);
    expect(sent).toHaveLength(4);
  });

  test('is given up after a day in which SES took none, which is told', async () => {
    const { untilDone, errors, world } = aWorld({ ...one, outcomes: [throttled] });
    const beganAt = world.nowMs;

    expect(await untilDone('customerRegistered')).toMatchObject([{ status: 'givenUp' }]);

    expect(world.nowMs - beganAt).toBeGreaterThan(20 * 3_600_000);
    expect(world.nowMs - beganAt).toBeLessThan(24 * 3_600_000);
    expect(errors).toMatchObject([
      { code: 'MailGivenUp', endpoint: 'mail.sellerRegistered', customerId: ID, outcome: 'TooManyRequestsException' },
    ]);
  });

  test('that SES refuses is tried no more, which is told', async () => {
    const { untilDone, sent, errors } = aWorld({ ...one, outcomes: [{ kind: 'refused', code: 'MessageRejected' }] });

    expect(await untilDone('customerRegistered')).toMatchObject([{ status: 'stopped' }]);

    expect(sent).toHaveLength(1);
    expect(errors).toMatchObject([{ code: 'MailRefused', outcome: 'MessageRejected' }]);
  });

  test('of which nothing is known is sent once more, not at once, and then no more: two copies at most', async () => {
    const { tell, sent, errors, world } = aWorld({ ...one, outcomes: [unanswered] });

    expect(await tell('customerRegistered')).toMatchObject([{ kind: 'again' }]);
    world.nowMs += 840_000;
    expect(await tell('customerRegistered')).toMatchObject([{ kind: 'again' }]);
    expect(sent).toHaveLength(1);
    world.nowMs += 60_000;
    expect(await tell('customerRegistered')).toMatchObject([{ kind: 'settled', status: 'stopped' }]);
    await tell('customerRegistered');

    expect(sent).toHaveLength(2);
    expect(errors).toMatchObject([{ code: 'MailUncertain', endpoint: 'mail.sellerRegistered' }]);
  });

  test('is sent once more after a run that died in the call, and never by two runs at once', async () => {
    const { tell, sent, ports, world } = aWorld(one);
    const { mailer } = ports;
    ports.mailer = { send: () => new Promise(() => {}) };
    void tell('customerRegistered');
    await new Promise((resolve) => setImmediate(resolve));
    ports.mailer = mailer;

    expect(await tell('customerRegistered')).toMatchObject([{ kind: 'again' }]);
    expect(sent).toEqual([]);
    world.nowMs += 900_000;
    await Promise.all([tell('customerRegistered'), tell('customerRegistered')]);

    expect(sent).toHaveLength(1);
  });

  test('that a fault of ours kept back counts no try, and goes when it is mended', async () => {
    const fault = new Misconfigured('MailNotAllowed', 'Not allowed.');
    const { tell, sent, deliveries } = aWorld({ ...one, outcomes: [fault, fault, fault, taken] });

    for (let time = 0; time < 3; time++) await expect(tell('customerRegistered')).rejects.toBe(fault);
    expect([...deliveries.kept.values()]).toMatchObject([{ status: 'pending', tries: 0, attempts: [] }]);
    await tell('customerRegistered');

    expect(sent).toHaveLength(1);
  });
});
