// A buyer's way in, cut off before each of its calls of the database: whoever comes again ends where they would have.
import { expect, onTestFinished, test } from 'vitest';
import { DynamoBuyerStore } from '../../lambdas/stores/buyer-store.ts';
import { DynamoCustomerDirectory } from '../../lambdas/stores/customer-directory.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { createBackend } from '../../local/backend.ts';
import { startGateway } from '../../local/gateway.ts';
import { anEvent, PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';
import { at } from '../builders.ts';
import { formTokenIn } from '../doubles/registration-world.ts';
import { startWorker } from '../rivals/workers.ts';

const services = useServices();

const ANSWERS = { email: 'ada@engines.example', name: 'Ada', company: 'Engines' };

const SIGN_UP = { [PRODUCT]: { signUp: { url: 'https://app.example.com/aws' } } };

async function aMortalWorld(productPages: object = {}) {
  const world = await startBackendWorld(services());
  /** How many calls are left to the function before it dies; each start has as many as it needs. */
  let left = Number.POSITIVE_INFINITY;
  let hasDied = false;
  const refuse = () => {
    left -= 1;
    hasDied ||= left < 0;
    return left < 0 ? 'AccessDeniedException' : undefined;
  };
  const dieAfter = (calls: number) => {
    left = calls;
    hasDied = false;
  };
  const worker = await startWorker(world, services(), { database: { refuse } });
  const gateway = await startGateway(createBackend({ ...worker.settings, productPages }));
  onTestFinished(() => gateway.close());
  const ask = async (path: string, cookie: string, body?: URLSearchParams | string) => {
    const method = body ? 'POST' : 'GET';
    const request = { method, headers: { cookie }, redirect: 'manual' as const, ...(body ? { body } : {}) };
    const answer = await fetch(`${gateway.url}${path}`, request);
    const header = (name: string) => answer.headers.get(name) ?? '';
    const page = await answer.text();
    return { status: answer.status, cookie: header('set-cookie'), location: header('location'), page };
  };
  /** Asks until the answer is no fault: a buyer comes again once the function has been started anew. */
  const insisting = async (...asked: Parameters<typeof ask>) => {
    const first = await ask(...asked);
    if (first.status < 500) return first;
    left = Number.POSITIVE_INFINITY;
    return ask(...asked);
  };
  return { ...world, insisting, dieAfter, hasDied: () => hasDied };
}

type MortalWorld = Awaited<ReturnType<typeof aMortalWorld>>;

/** From the token to the end of registration; gives the statuses on the way. */
async function byOurForm({ insisting }: MortalWorld, token: string): Promise<number[]> {
  const arrived = await insisting('/register', '', new URLSearchParams({ 'x-amzn-marketplace-token': token }));
  const cookie = arrived.cookie.split(';')[0] ?? '';
  const { page } = await insisting('/registration', cookie);
  const form = new URLSearchParams({ ...ANSWERS, formToken: formTokenIn(page) });
  const submitted = await insisting('/registration', cookie, form);
  return [arrived.status, submitted.status];
}

async function byTheSellersPage({ insisting }: MortalWorld, token: string): Promise<number[]> {
  const arrived = await insisting('/register', '', new URLSearchParams({ 'x-amzn-marketplace-token': token }));
  const handOff = new URL(arrived.location).searchParams.get('handOff');
  const redemption = JSON.stringify({ handOff, redemptionId: 'redemption-number-1' });
  const redeemed = await insisting('/hand-offs', '', redemption);
  const { handOffId, customerId } = JSON.parse(redeemed.page) as Record<string, string>;
  const { email, ...fields } = ANSWERS;
  const told = JSON.stringify({ handOffId, email, fields });
  const registered = await insisting(`/customers/${customerId}/registration`, '', told);
  return [arrived.status, redeemed.status, registered.status];
}

test.each([
  ['our form', {}, byOurForm, [303, 303]],
  ['the seller’s own page', SIGN_UP, byTheSellersPage, [303, 200, 200]],
] as const)(
  'a buyer who is cut off before any call of the database, and comes again, is one customer, told once, and billed: by %s',
  {
    timeout: 240_000,
  },
  async (_, productPages, register, statuses) => {
    const world = await aMortalWorld(productPages);
    const { control } = world;
    const buyers = [];
    for (let calls = 0, wasCutOff = true; wasCutOff; calls++) {
      const bought = await control.post<{ agreementId: string; licenceArn: string; awsAccountId: string }>(
        '/control/agreements',
        { productCode: PRODUCT, ...(calls % 2 === 0 ? { deliver: 'early' } : {}) },
      );
      await world.deliverNotices();
      await world.report([anEvent(bought, '2026-09-21T10:05:00Z')]);
      const { token } = await control.post<{ token: string }>(`/control/agreements/${bought.agreementId}/tokens`);
      world.dieAfter(calls);
      expect(await register(world, token), `after ${calls} calls`).toEqual(statuses);
      wasCutOff = world.hasDied();
      buyers.push(bought);
    }
    // The first cannot come in at all; the last was not cut off.
    expect(buyers.length).toBeGreaterThan(15);

    await world.clock.set(at('2026-09-21T10:30:00Z'));
    await world.deliverNotices();
    await world.tell();
    await world.tick('2026-09-21T11:11:00Z');

    const { client, tables, busEvents } = world;
    const directory = new DynamoCustomerDirectory(client, tables);
    const details = new DynamoBuyerStore(client, tables.buyers);
    const outcomes = await Promise.all(
      buyers.map(async ({ awsAccountId, licenceArn }, index) => {
        const customers = await directory.ofAccount(awsAccountId, [PRODUCT]);
        const [customerId = ''] = customers;
        const told = busEvents.filter((event) => event.customerId === customerId);
        return {
          index,
          customers: customers.length,
          email: (await details.details(customerId))?.email,
          told: [...new Set(told.map(({ type }) => type))].sort(),
          sequences: [...new Set(told.map(({ sequence }) => sequence))],
          billed: (await world.bill()).filter((line) => line.licenceArn === licenceArn).map(({ quantity }) => quantity),
        };
      }),
    );
    expect(outcomes).toEqual(
      buyers.map((_, index) => ({
        index,
        customers: 1,
        email: ANSWERS.email,
        told: ['accessGranted', 'customerRegistered'],
        sequences: [1, 2],
        billed: [1],
      })),
    );
    const notices = new DynamoNoticeStore(client, tables);
    expect([await notices.due(at('2099-01-01T00:00:00Z')), await notices.waiting()]).toEqual([[], []]);
  },
);
