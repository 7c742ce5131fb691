// Two days in a seller's world in which everything goes wrong once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostOutcome } from '../../lambdas/domain/delivery.ts';
import { WEBHOOK_SECRET_ARN } from '../../local/secrets.ts';
import type { Agreement } from '../../operator/buyer.ts';
import {
  anEvent,
  type BackendWorld,
  PRODUCT,
  type Subscription,
  startBackendWorld,
  type useServices,
} from '../backend-world.ts';
import { meterElsewhere } from '../operations/operator.ts';

const NAMES = [
  'uncertain',
  'expired',
  'presumed',
  'disputed',
  'quarantined',
  'held',
  'heldLate',
  'aboutToExpire',
  'unregistered',
  'replaced',
  'sibling',
] as const;

export type BuyerName = (typeof NAMES)[number];

/** The dimension `novel` stands in our settings, and not in AWS's listing. */
const DIMENSIONS = ['requests', 'gb_stored', 'novel'];

/** What each of them used in all: AWS has to end with exactly this, from whomever it heard of it. */
export const USED: Readonly<Record<BuyerName, number>> = {
  uncertain: 50,
  expired: 300,
  presumed: 40,
  disputed: 300,
  quarantined: 90 + 15,
  held: 60,
  heldLate: 7 + 12 + 11,
  aboutToExpire: 120,
  unregistered: 0,
  replaced: 0,
  sibling: 0,
};

/** When the two days are over; nothing has run for most of a day by then. */
const NOW = '2026-09-22T12:40:00.000Z';

export async function startTroubledWorld(services: ReturnType<ReturnType<typeof useServices>>) {
  const webhook = { answer: { kind: 'answered', status: 200 } as PostOutcome };
  const world = await startBackendWorld(services, {
    at: '2026-09-20T10:02:00.000Z',
    product: { dimensions: DIMENSIONS, lateUsage: 'hold' },
    webhooks: [{ name: 'product', url: 'https://product.example/hook', secretArn: WEBHOOK_SECRET_ARN }],
    postWebhook: async () => webhook.answer,
  });
  const buyers = new Map<BuyerName, Subscription>();
  for (const [index, name] of NAMES.entries()) {
    const buyer = await world.subscribe({
      buyerName: `Buyer ${name}`,
      awsAccountId: `1111222233${String(name === 'sibling' ? index - 1 : index).padStart(2, '0')}`,
    });
    buyers.set(name, buyer);
    if (name !== 'unregistered') await register(world, buyer, name);
  }
  const of = (name: BuyerName): Subscription => {
    const buyer = buyers.get(name);
    if (!buyer) throw new Error(`There is no buyer ${name}.`);
    return buyer;
  };
  const use = (name: BuyerName, at: string, quantity: number, dimension = 'requests') =>
    world.report([anEvent(of(name), at, { quantity, dimension })]);
  const faults = (...next: object[]) => world.control.put('/control/faults', { next });
  const at = (time: string) => world.clock.set(Date.parse(time));
  await at('2026-09-20T10:05:00Z');
  await world.deliverNotices();
  await world.tell();
  await loseNotice(world);

  // One of an account's two customers replaces its agreement, and AWS does not say which.
  const successor = await world.control.post<Agreement>(`/control/agreements/${of('replaced').agreementId}/replace`);
  await at('2026-09-20T10:30:00Z');
  await world.deliverNotices();
  await world.tell();
  await world.tell();

  // An answer that is lost, and then no answer at all until the deadline.
  await at('2026-09-20T10:36:00Z');
  await use('uncertain', '2026-09-20T10:05:00Z', 50);
  await at('2026-09-20T11:11:00Z');
  await faults({ kind: 'acceptThenTimeout', count: 1, delayMs: 20 }, { kind: 'accessDenied', count: 100_000 });
  await world.tick();
  await use('expired', '2026-09-20T11:10:00Z', 300);
  await world.tick('2026-09-20T12:11:00Z');
  await world.tick('2026-09-21T11:30:00Z');
  await world.control.delete('/control/faults');

  // AWS has the record, and says no more than that.
  await use('presumed', '2026-09-21T11:25:00Z', 40);
  await use('heldLate', '2026-09-21T11:25:00Z', 7);
  await world.control.put('/control/switches', { identicalResend: 'DuplicateRecord' });
  await faults({ kind: 'acceptThenTimeout', count: 1, delayMs: 20 });
  await world.tick('2026-09-21T12:11:00Z');
  await world.tick('2026-09-21T12:30:00Z');
  await world.control.put('/control/switches', { identicalResend: 'Success' });

  // Another pipeline was faster, with another amount.
  await use('disputed', '2026-09-21T12:25:00Z', 300);
  const { licenceArn, awsAccountId } = of('disputed');
  await meterElsewhere(world, {
    Timestamp: new Date('2026-09-21T12:30:00Z'),
    Dimension: 'requests',
    Quantity: 200,
    LicenseArn: licenceArn,
    CustomerAWSAccountId: awsAccountId,
  });
  await world.tick('2026-09-21T13:11:00Z');

  // A dimension that AWS does not list: the first record is quarantined, and the next of its kind are held back.
  await at('2026-09-21T14:30:00Z');
  await use('quarantined', '2026-09-21T14:20:00Z', 90, 'novel');
  await use('held', '2026-09-21T14:20:00Z', 60);
  await world.control.post(`/control/agreements/${of('held').agreementId}/suspend`);
  await use('heldLate', '2026-09-21T12:45:00Z', 11);
  await use('heldLate', '2026-09-21T11:50:00Z', 12);
  await world.report([anEvent(of('presumed'), '2026-09-21T14:20:00Z', { dimension: 'unlisted', quantity: 5 })]);
  await world.tick('2026-09-21T15:11:00Z');
  await use('quarantined', '2026-09-21T15:10:00Z', 15, 'novel');

  // The sender stops, then everything; the product's endpoint wants nothing more either.
  await at('2026-09-21T15:30:00Z');
  await use('aboutToExpire', '2026-09-21T15:25:00Z', 120);
  await at('2026-09-21T16:11:00Z');
  await world.backend.closeHours();
  webhook.answer = { kind: 'answered', status: 410 };
  // What one run notes, the next one tells.
  await world.tell();
  await world.tell();
  await at(NOW);
  await world.backend.summarizeHours();

  return { world, buyers: of, webhook, successor };
}

/** AWS lists the dimension that it had refused. */
export function listNovel({ control }: BackendWorld): Promise<unknown> {
  return control.put(`/control/products/${PRODUCT}`, {
    title: 'Metrics Cloud',
    dimensions: DIMENSIONS.map((key) => ({ key })),
  });
}

/** A notice comes while its function fails, again and again, until its queue gives it up. */
async function loseNotice(world: BackendWorld): Promise<void> {
  const { notices } = world.queues;
  const file = join(import.meta.dirname, '../fixtures/notices/eventbridge/license-updated.manufacturer.json');
  const messageId = notices.send(readFileSync(file, 'utf8'));
  for (let tries = 0; tries < 20 && notices.deadLetters.length === 0; tries++) {
    await world.clock.set(world.clock.now() + 60_000);
    await notices.deliver(async () => ({ batchItemFailures: [{ itemIdentifier: messageId }] }));
  }
}

/** The buyer fills in the page, as the browser would. */
export async function register(world: BackendWorld, { agreementId }: Subscription, name: string): Promise<void> {
  const { token } = await world.control.post<{ token: string }>(`/control/agreements/${agreementId}/tokens`);
  const { url } = world.gateway;
  const arrived = await fetch(`${url}/register`, {
    method: 'POST',
    body: new URLSearchParams({ 'x-amzn-marketplace-token': token }),
    redirect: 'manual',
  });
  const cookie = (arrived.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await (await fetch(`${url}/registration`, { headers: { cookie } })).text();
  const hidden = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  const body = new URLSearchParams([
    ...hidden.map(([, field = '', value = '']): [string, string] => [field, value]),
    ['email', `${name}@buyer.example`],
    ['name', 'Ada Lovelace'],
    ['company', `${name} & Sons`],
  ]);
  const answer = await fetch(`${url}/registration`, { method: 'POST', headers: { cookie }, body, redirect: 'manual' });
  if (answer.status !== 303) throw new Error(`The registration was answered ${answer.status}: ${await answer.text()}`);
}
