// Purchases whose notices and registrations come in any order, again, at once, and to runs that die halfway.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import type { Notice } from '../../lambdas/domain/notice.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import { hasAccess } from '../../lambdas/domain/standing.ts';
import { applyNotice, noteRegistration, settleDue } from '../../lambdas/flow/apply-notice.ts';
import type { ResolvedBuyer } from '../../lambdas/flow/ports.ts';
import { aProduct, LICENCE_ARN, LICENCE_KEY } from '../builders.ts';
import { LifecycleTables, memoryNoticePorts } from '../doubles/memory-notices.ts';
import { randomOf, Turns } from '../doubles/turns.ts';
import {
  ACCOUNT,
  aMessage,
  aNotice,
  BOUGHT_AT,
  BUYER,
  MESSAGES,
  MINUTE,
  NEXT_ARN,
  PURCHASE,
  RENEWAL,
} from '../purchase.ts';

const NOW = BOUGHT_AT + 600 * MINUTE;
const LEGACY_KEY = licenceKeyOf({ style: 'legacy', productCode: 'metrics-cloud', customerIdentifier: BUYER });

type Arrival = { readonly notice: Notice } | { readonly buyer: ResolvedBuyer };

/** One of AWS's messages, or the buyer on our page; a run that died is done again by the queue or the buyer. */
function arrive(tables: LifecycleTables, product: Product, arrival: Arrival, step?: () => Promise<void>) {
  const { ports, customers } = memoryNoticePorts(tables, [product], step);
  if ('notice' in arrival) return applyNotice(ports, arrival.notice, '', NOW);
  return (async () => {
    const { customer } = await customers.upsert(arrival.buyer, product, NOW);
    await noteRegistration(ports, customer, NOW);
    await customers.markRegistered(customer.customerId, BOUGHT_AT + 5 * MINUTE);
    await noteRegistration(ports, await customers.customer(customer.customerId), NOW);
  })();
}

/** Everything in order, each once. */
async function inOrder(product: Product, arrivals: readonly Arrival[]): Promise<LifecycleTables> {
  const tables = new LifecycleTables();
  for (const arrival of arrivals) await arrive(tables, product, arrival);
  return tables;
}

/** Some at once, in an order of turns that a seed decides; what a run died of or failed in is delivered again. */
async function inDisorder(
  product: Product,
  arrivals: readonly Arrival[],
  seed: number,
  before: readonly Arrival[] = [],
): Promise<LifecycleTables> {
  const tables = await inOrder(product, before);
  const random = randomOf(seed);
  const turns = new Turns(random);
  const repeated = arrivals.filter(() => random() < 0.3);
  const waiting = [...arrivals, ...repeated].sort(() => random() - 0.5);
  while (waiting.length > 0) {
    const together = waiting.splice(0, 1 + Math.floor(random() * 4));
    const done = new Set<number>();
    for (const [index, arrival] of together.entries()) {
      turns.start(async () => {
        await arrive(tables, product, arrival, () => turns.step());
        done.add(index);
      });
    }
    await turns.run({ die: 0.02, timePasses: 0 });
    for (const [index, arrival] of together.entries()) {
      if (!done.has(index)) waiting.splice(Math.floor(random() * (waiting.length + 1)), 0, arrival);
    }
  }
  // What kept changing under a run's hands comes again, as after any fault that passes.
  expect(turns.thrown.filter((each) => (each as { retryable?: boolean }).retryable !== true)).toEqual([]);
  await settleDue(memoryNoticePorts(tables, [product]).ports, NOW);
  return tables;
}

/** What must hold of every customer, whatever came in whatever order. */
function checkEvents(tables: LifecycleTables): void {
  for (const [customerId, { customer, standing, folds }] of tables.customers) {
    const events = tables.eventsOf(customerId);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(customer.sequence).toBe(events.length);
    expect(folds).toBeGreaterThan(0);
    const turns = events.map(({ type }) => type).filter((type) => type === 'accessGranted' || type === 'accessRevoked');
    expect(turns).toEqual(turns.map((_, index) => (index % 2 === 0 ? 'accessGranted' : 'accessRevoked')));
    expect(turns.at(-1) === 'accessGranted').toBe(hasAccess(standing));
    if (events.length > 0) expect(events.at(-1)?.standing).toEqual(standing);
  }
}

function standingBy(tables: LifecycleTables, licenceKey: string) {
  return tables.ofCustomer(tables.holderOf(licenceKey)).standing;
}

interface Story {
  readonly title: string;
  readonly product: Product;
  readonly licenceKey: string;
  /** Come first, and in order. */
  readonly before?: readonly Arrival[];
  readonly arrivals: readonly Arrival[];
  readonly endsWithAccess: boolean;
  /** The start of which metering is told where the licence comes before the day on which it begins. */
  readonly earlyStart?: number;
}

const told = (notices: readonly Notice[]): Arrival[] => notices.map((notice) => ({ notice }));
const named: ResolvedBuyer = { productCode: 'metrics-cloud', customerAwsAccountId: ACCOUNT, licenceArn: LICENCE_ARN };
const legacy: ResolvedBuyer = {
  productCode: 'metrics-cloud',
  customerAwsAccountId: ACCOUNT,
  customerIdentifier: BUYER,
};

const STORIES: readonly Story[] = [
  {
    title: 'a purchase that is cancelled',
    product: aProduct(),
    licenceKey: LICENCE_KEY,
    arrivals: [...told(PURCHASE), { buyer: named }],
    endsWithAccess: false,
  },
  {
    title: 'a purchase whose buyer registers before AWS names the licence',
    product: aProduct(),
    licenceKey: LICENCE_KEY,
    arrivals: [
      ...told(PURCHASE.slice(0, 2)),
      { buyer: { productCode: 'metrics-cloud', customerAwsAccountId: ACCOUNT } },
    ],
    endsWithAccess: true,
  },
  {
    title: 'a purchase that is to begin later',
    product: aProduct(),
    licenceKey: LICENCE_KEY,
    arrivals: [
      ...told([aNotice('agreementCreated', 0, { startsAt: NOW + MINUTE }), aNotice('licenceUpdated', 1)]),
      { buyer: named },
    ],
    endsWithAccess: false,
    earlyStart: BOUGHT_AT + MINUTE,
  },
  {
    title: 'a purchase that is advised of, and no more',
    product: aProduct(),
    licenceKey: LICENCE_KEY,
    arrivals: told([...PURCHASE.slice(0, 2), aNotice('advisoryIssued', 5), aNotice('advisoryResolved', 6)]),
    endsWithAccess: true,
  },
  {
    title: 'a legacy purchase that both channels tell of',
    product: aProduct({ identityStyle: 'legacy' }),
    licenceKey: LEGACY_KEY,
    arrivals: [...told([...PURCHASE, ...MESSAGES]), { buyer: legacy }],
    endsWithAccess: false,
  },
  {
    title: 'a legacy buyer who subscribes again before the end is told to be over',
    product: aProduct({ identityStyle: 'legacy' }),
    licenceKey: LEGACY_KEY,
    arrivals: [
      ...told([
        ...PURCHASE,
        aMessage('subscribed', 2),
        aMessage('unsubscribePending', 122),
        aNotice('agreementCreated', 130, { agreementId: 'agmt-b', startsAt: BOUGHT_AT + 130 * MINUTE }),
        aNotice('licenceUpdated', 131, { agreementId: 'agmt-b', licenceArn: NEXT_ARN }),
        aMessage('subscribed', 132),
      ]),
      { buyer: legacy },
    ],
    endsWithAccess: true,
  },
  {
    title: 'a replacement that does not say of what',
    product: aProduct(),
    licenceKey: LICENCE_KEY,
    before: told(RENEWAL.slice(0, 2)),
    arrivals: told([
      ...RENEWAL.slice(2).filter(({ intent }) => intent !== 'RENEW'),
      aNotice('agreementCreated', 120, {
        agreementId: 'agmt-b',
        intent: 'REPLACE',
        startsAt: BOUGHT_AT + 120 * MINUTE,
      }),
    ]),
    endsWithAccess: true,
  },
  {
    title: 'a renewal under another licence',
    product: aProduct(),
    licenceKey: LICENCE_KEY,
    arrivals: [...told(RENEWAL), { buyer: named }],
    endsWithAccess: true,
  },
  {
    title: 'a renewal under the same licence that ends',
    product: aProduct(),
    licenceKey: LICENCE_KEY,
    arrivals: [
      ...told([
        ...RENEWAL.filter(({ kind }) => kind !== 'licenceDeprovisioned').map((notice) =>
          notice.licenceArn === undefined ? notice : { ...notice, licenceArn: LICENCE_ARN },
        ),
        aNotice('agreementEnded', 200, { agreementId: 'agmt-b' }),
        aNotice('licenceDeprovisioned', 201, { agreementId: 'agmt-b' }),
      ]),
      { buyer: named },
    ],
    endsWithAccess: false,
  },
];

describe.each(STORIES)('$title', ({ product, licenceKey, before = [], arrivals, endsWithAccess, earlyStart }) => {
  test('ends in the same standing in any order, with repeats and with runs that die', async () => {
    const expected = standingBy(await inOrder(product, [...before, ...arrivals]), licenceKey);
    expect(hasAccess(expected)).toBe(endsWithAccess);

    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const tables = await inDisorder(product, arrivals, seed, before);

        expect(standingBy(tables, licenceKey)).toEqual(expected);
        checkEvents(tables);
        const holders = new Set([...tables.licences.values()].map(({ customerId }) => customerId));
        expect([...holders]).toEqual([tables.holderOf(licenceKey)]);
        const others = [...tables.customers].filter(([id]) => id !== tables.holderOf(licenceKey));
        expect(others.filter(([, { standing }]) => hasAccess(standing))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('has its licence begun and ended for metering in any order, as in order', async () => {
    const expected = (await inOrder(product, [...before, ...arrivals])).licences.get(licenceKey);

    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const licence = (await inDisorder(product, arrivals, seed, before)).licences.get(licenceKey);

        expect(licence?.ending).toEqual(expected?.ending);
        const from = licence?.periods[0]?.from;
        if (earlyStart === undefined) expect(from).toEqual(expected?.periods[0]?.from);
        else expect([earlyStart, undefined]).toContain(from);
      }),
      { numRuns: 60 },
    );
  });
});

test('grants once and revokes once, in order, over a whole purchase; nothing is granted after the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const tables = await inDisorder(aProduct(), [...told(PURCHASE), { buyer: named }], seed);

      const events = tables.eventsOf(tables.holderOf(LICENCE_KEY));
      expect(events.filter(({ type }) => type === 'accessGranted').length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 60 },
  );
});

test('a renewal in order keeps the customer and never cuts access', async () => {
  const tables = await inOrder(aProduct(), [...told(RENEWAL), { buyer: named }]);

  expect([...tables.customers.keys()]).toHaveLength(1);
  expect(tables.outbox.map(({ type }) => type)).toEqual([
    'accessGranted',
    'accessChanged',
    'accessChanged',
    'entitlementsChanged',
    'customerRegistered',
  ]);
  expect([...tables.licences.values()].map(({ customerId }) => customerId)).toEqual(['cus_1', 'cus_1']);
  expect(tables.licences.get(licenceKeyOf({ style: 'licence', licenceArn: NEXT_ARN }))?.ending).toBeUndefined();
});
