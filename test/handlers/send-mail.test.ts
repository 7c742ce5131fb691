// From a buyer's registration to the mail, over the wire; and that no trouble with mail reaches anything else.
import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import type { MailKind } from '../../lambdas/domain/mail.ts';
import { DynamoBuyerStore } from '../../lambdas/stores/buyer-store.ts';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import type { MailFault } from '../../local/mail-catcher.ts';
import { type BackendWorld, type Subscription, startBackendWorld, useServices } from '../backend-world.ts';

const services = useServices();
const SEND: MailKind[] = ['buyerRegistered', 'buyerGranted', 'buyerRevoked', 'sellerRegistered', 'sellerRevoked'];
const MAIL = { from: 'marketplace@seller.example', sellerAddress: 'sales@seller.example', send: SEND };
const BUYER = 'ada@buyers.example';

async function aWorld(faultOf: () => MailFault | undefined = () => undefined) {
  const world = await startBackendWorld(services(), { mail: MAIL, mailFault: () => faultOf() });
  /** A while later, what AWS has told by then. */
  const later = async (minutes = 2) => {
    await world.clock.set(world.clock.now() + minutes * 60_000);
    await world.deliverNotices();
  };
  return { ...world, later, lines: () => world.mails.map(({ to, subject }) => `${to.join()}: ${subject}`) };
}

/** What a buyer's browser does, up to the page that thanks. */
async function register({ control, gateway }: BackendWorld, { agreementId }: Subscription): Promise<number> {
  const { token } = await control.post<{ token: string }>(`/control/agreements/${agreementId}/tokens`);
  const visit = (path: string, init: RequestInit) => fetch(`${gateway.url}${path}`, { ...init, redirect: 'manual' });
  const arrived = await visit('/register', {
    method: 'POST',
    body: new URLSearchParams({ 'x-amzn-marketplace-token': token }),
  });
  const headers = { cookie: arrived.headers.get('set-cookie')?.split(';')[0] ?? '' };
  const form = await (await visit('/registration', { headers })).text();
  const formToken = /name="formToken" value="([^"]+)"/.exec(form)?.[1] ?? '';
  const body = new URLSearchParams({ formToken, email: BUYER, name: 'Ada <b>', company: 'Engines' });
  return (await visit('/registration', { method: 'POST', headers, body })).status;
}

test('a buyer who registers before AWS confirms is told so, then of the access, and at the end of that', async () => {
  const world = await aWorld();
  const bought = await world.subscribe();
  expect(await register(world, bought)).toBe(303);
  await world.tell();
  expect(world.lines()).toEqual([
    `${BUYER}: We have your registration for Metrics Cloud`,
    'sales@seller.example: New customer of Metrics Cloud',
  ]);
  expect(world.mails[0]?.text).toContain('opens as soon as AWS Marketplace confirms');

  await world.later();
  await world.tell();
  expect(world.lines().slice(2)).toEqual([`${BUYER}: Your access to Metrics Cloud is open`]);

  await world.control.post(`/control/agreements/${bought.agreementId}/cancel`);
  await world.later(120);
  await world.tell();
  expect(world.lines().slice(3).sort()).toEqual([
    `${BUYER}: Your access to Metrics Cloud has ended`,
    'sales@seller.example: A customer of Metrics Cloud has left',
  ]);
  expect(new Set(world.mails.map(({ from, replyTo }) => `${from} ${replyTo}`))).toEqual(
    new Set(['"Example Software" <marketplace@seller.example> support@example.com']),
  );
});

test('a buyer who registers when access is open is told both in one mail', async () => {
  const world = await aWorld();
  const bought = await world.subscribe();
  await world.later();
  await world.tell();
  await register(world, bought);
  await world.tell();

  expect(world.lines()).toEqual([
    `${BUYER}: We have your registration for Metrics Cloud`,
    'sales@seller.example: New customer of Metrics Cloud',
  ]);
  expect(world.mails[0]?.html).toContain('your access is open');
});

test('while SES is down, buyers register and are granted as ever; the mail follows when it is back', async () => {
  let isDown = true;
  const world = await aWorld(() => (isDown ? { status: 503, type: 'ServiceUnavailableException' } : undefined));
  const bought = await world.subscribe();

  expect(await register(world, bought)).toBe(303);
  await world.later();
  await world.tell();

  expect(world.busEvents.map(({ type }) => type)).toEqual(['customerRegistered', 'accessGranted']);
  expect(world.busEvents.at(-1)?.data.standing.hasAccess).toBe(true);
  expect(world.lines()).toEqual([]);
  isDown = false;
  await world.clock.set(world.clock.now() + 60_000);
  await world.tell();
  expect(world.lines()).toContain(`${BUYER}: We have your registration for Metrics Cloud`);
  // Nothing more comes of it.
  await world.clock.set(world.clock.now() + 24 * 3_600_000);
  const { length } = world.mails;
  await world.tell();
  expect(world.mails).toHaveLength(length);
});

test('where SES does not let us send, the message fails and says why, and registration goes on', async () => {
  const world = await aWorld(() => ({ status: 400, type: 'MessageRejected', message: `not verified: ${BUYER}` }));
  expect(await register(world, await world.subscribe())).toBe(303);

  await world.tell();

  const failed = world.logged.filter(({ level }) => level === 'error');
  expect(failed).toMatchObject([
    { code: 'MessageFailed', facts: { run: 'MailTried', failureCode: 'MailNotAllowed', awsError: 'MessageRejected' } },
  ]);
});

test('the address stands with the buyer alone: on no bus, in no queue, no log of deliveries and no log', async () => {
  const world = await aWorld();
  const queued: string[] = [];
  const bought = await world.subscribe();
  await register(world, bought);
  await world.later();
  await world.backend.tellProduct();
  await world.mailQueue.deliver(async (event) => {
    queued.push(...event.Records.map(({ body }) => body));
    return world.backend.sendMail(event);
  });

  expect(world.lines()).toContain(`${BUYER}: We have your registration for Metrics Cloud`);
  expect(queued).toHaveLength(2);
  const { Items: deliveries } = await world.client.send(new ScanCommand({ TableName: world.tables.deliveries }));
  expect(deliveries?.length).toBeGreaterThan(1);
  const kept = JSON.stringify([world.busEvents, queued, deliveries, world.logged]);
  expect(kept).not.toMatch(/ada@|Ada|Engines/);
  const tried = world.logged.filter(({ code }) => code === 'MailTried');
  expect(tried[0]).toMatchObject({ facts: { mails: 'buyerRegistered:delivered,sellerRegistered:delivered' } });
});

test('a buyer who was erased is not written to', async () => {
  const world = await aWorld();
  const bought = await world.subscribe();
  await register(world, bought);
  const { customerId } = bought;
  expect(await new DynamoBuyerStore(world.client, world.tables.buyers).details(customerId)).toBeDefined();
  await world.client.send(new DeleteItemCommand({ TableName: world.tables.buyers, Key: toItem({ customerId }) }));

  await world.later();
  await world.tell();

  expect(world.lines()).toEqual(['sales@seller.example: New customer of Metrics Cloud']);
});

test('a message that is no event is refused by its members, and none of it is told', async () => {
  const world = await aWorld();
  world.mailQueue.send(JSON.stringify({ version: 1, type: 'accessGranted', customerId: BUYER, sequence: 0, at: 'x' }));

  await world.tell();

  const [refused] = world.logged.filter(({ code }) => code === 'MessageRefused');
  expect(refused).toMatchObject({ facts: { run: 'MailTried', reason: expect.stringContaining('customerId: regex') } });
  expect(JSON.stringify(refused)).not.toContain('@');
});
