// Reads:       the notices of an agreement or buyer, and whose its neighbours and its licence are
// Writes:      the customer and the licence where they are new, whose the thread is; or that it waits
// Once per:    thread and owner that was read; a licence is attached or moved once
// If it stops: the notice comes again; every step finds what stands and goes on
import { Unavailable } from '../domain/failure.ts';
import { type LicenceClues, licenceKeyOf } from '../domain/licence.ts';
import { agreementThread } from '../domain/notice.ts';
import {
  factsOf,
  type Neighbours,
  type Placement,
  placeAgreement,
  placeBuyer,
  placeLegacyAgreement,
  type ThreadFacts,
  type WaitsFor,
} from '../domain/placement.ts';
import type { Product } from '../domain/product.ts';
import type { NoticePorts, Thread } from './notice-ports.ts';
import type { ResolvedBuyer } from './ports.ts';

export type Placed =
  | { readonly kind: 'placed'; readonly customerId: string; readonly leftCustomers: readonly string[] }
  | { readonly kind: 'waits'; readonly for: WaitsFor };

/** A step that was refused means that somebody else was faster; reading again then finds what they wrote. */
const ROUNDS = 5;

/** Finds or makes the customer of a thread. A repeat finds the same one. */
export async function placeThread(ports: NoticePorts, thread: string, nowMs: number): Promise<Placed> {
  for (let round = 0; round < ROUNDS; round++) {
    const placed = await placeOnce(ports, thread, nowMs);
    if (placed) return placed;
  }
  throw new Unavailable('AgreementContended', `Whose an agreement is kept changing, ${ROUNDS} times.`);
}

async function placeOnce(ports: NoticePorts, key: string, nowMs: number): Promise<Placed | undefined> {
  const { notices, customers, products } = ports;
  const thread = await notices.thread(key);
  const facts = factsOf(thread.notices);
  const product = facts.productCode === undefined ? undefined : products.get(facts.productCode);
  const neighbours = await neighboursOf(ports, thread, facts);
  const placement: Placement =
    facts.productCode !== undefined && !product && neighbours.owner === undefined
      ? { kind: 'waits', for: 'product' }
      : placementOf(facts, neighbours, product);
  if (placement.kind === 'waits') {
    await notices.noteWaiting(key, placement.for, nowMs);
    return placement;
  }
  const buyer = buyerOf(facts);
  let customerId: string;
  if (placement.kind === 'customer') customerId = placement.customerId;
  else if (product && buyer) customerId = (await customers.upsert(buyer, product, nowMs)).customer.customerId;
  else return undefined;

  // Who has just been made holds the licence already.
  const holder = placement.kind === 'create' ? customerId : neighbours.holder;
  if (product && buyer && !(await holdLicence(ports, { customerId, holder, buyer, product, facts }, nowMs))) {
    return undefined;
  }
  if (thread.customerId !== customerId && !(await notices.link(key, customerId, thread.customerId))) return undefined;
  const left = new Set([thread.customerId, holder].filter((each) => each !== undefined && each !== customerId));
  return { kind: 'placed', customerId, leftCustomers: [...left].filter((each) => each !== undefined) };
}

function placementOf(facts: ThreadFacts, neighbours: Neighbours, product: Product | undefined): Placement {
  const isLegacy = product?.identityStyle === 'legacy';
  if (facts.customerIdentifier !== undefined) return placeBuyer(facts, neighbours, isLegacy);
  return isLegacy ? placeLegacyAgreement(neighbours) : placeAgreement(facts, neighbours);
}

async function neighboursOf({ notices, customers }: NoticePorts, thread: Thread, facts: ThreadFacts) {
  // Created names no product: it may have been placed before it was known that the agreement is of another one.
  const owner = await ofProduct(notices, thread.customerId, facts);
  const predecessor = await predecessorOf(notices, facts);
  const key = keyOf(facts);
  const holder = key === undefined ? undefined : (await customers.licence(key))?.customerId;
  const { customerAwsAccountId: account, productCode } = facts;
  const isOpen = owner === undefined && predecessor === undefined && holder === undefined;
  const others = isOpen && account && productCode ? await othersOf(notices, account, productCode) : [];
  return {
    others,
    ...(owner === undefined ? {} : { owner }),
    ...(predecessor === undefined ? {} : { predecessor }),
    ...(holder === undefined ? {} : { holder }),
  };
}

async function predecessorOf(notices: NoticePorts['notices'], facts: ThreadFacts): Promise<string | undefined> {
  if (facts.previousAgreementId === undefined) return undefined;
  const { customerId } = await notices.thread(agreementThread(facts.previousAgreementId));
  return ofProduct(notices, customerId, facts);
}

/** A customer is a buyer of one product: what replaces an agreement on another product is another customer's. */
async function ofProduct(
  notices: NoticePorts['notices'],
  customerId: string | undefined,
  { productCode }: ThreadFacts,
): Promise<string | undefined> {
  if (customerId === undefined || productCode === undefined) return customerId;
  const read = await notices.folded(customerId);
  return read?.customer.productCode === productCode ? customerId : undefined;
}

async function othersOf(notices: NoticePorts['notices'], account: string, productCode: string) {
  const { customerIds, awaiting } = await notices.customersOfAccount(account, productCode);
  return customerIds.filter((each) => each !== awaiting);
}

function keyOf({ licenceKey, productCode, customerIdentifier }: ThreadFacts): string | undefined {
  if (customerIdentifier === undefined || productCode === undefined) return licenceKey;
  return licenceKeyOf({ style: 'legacy', productCode, customerIdentifier });
}

/** The buyer as the notices tell it; undefined while they name no product. */
function buyerOf(facts: ThreadFacts): ResolvedBuyer | undefined {
  const { productCode, licenceArn, customerAwsAccountId, customerIdentifier } = facts;
  if (productCode === undefined) return undefined;
  return {
    productCode,
    ...(licenceArn === undefined ? {} : { licenceArn }),
    ...(customerAwsAccountId === undefined ? {} : { customerAwsAccountId }),
    ...(customerIdentifier === undefined ? {} : { customerIdentifier }),
  };
}

interface Holding {
  readonly customerId: string;
  readonly holder: string | undefined;
  readonly buyer: ResolvedBuyer & LicenceClues;
  readonly product: Product;
  readonly facts: ThreadFacts;
}

/** Sees to it that the agreement's licence is its customer's, and that the usage which waited for it is looked at. */
async function holdLicence(
  { notices, work }: NoticePorts,
  { customerId, holder, buyer, product, facts }: Holding,
  nowMs: number,
): Promise<boolean> {
  const key = keyOf(facts);
  const isLegacyAgreement = product.identityStyle === 'legacy' && facts.customerIdentifier === undefined;
  if (key === undefined || !facts.isStarted || isLegacyAgreement) return true;
  if (holder === undefined) {
    if (facts.licenceArn === undefined) return true;
    if (!(await notices.attachLicence(customerId, buyer, product, nowMs))) return false;
  } else if (holder !== customerId && !(await notices.moveLicence(key, holder, customerId))) return false;
  await work.releaseAwaiting(key);
  return true;
}
