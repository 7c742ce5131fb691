// What can happen to an agreement: it begins, changes, is followed by another, ends, by a buyer's hand or by the clock.
import {
  type Agreement,
  addAgreement,
  agreementsOfAccount,
  type Entitlement,
  findAgreement,
  firstToRenew,
  isEnded,
  saveAgreement,
} from './agreements.ts';
import {
  announceChange,
  announceEnd,
  announceNow,
  announceStart,
  forgetLeaving,
  withdrawEnd,
} from './announcements.ts';
import { rescheduleEnd, schedule, settleEvents } from './events.ts';
import { newAccountId, newAgreementId, newCustomerIdentifier, newLicenceArn, newOfferId } from './new-ids.ts';
import { advisoryEvent, type CancellationStep, cancellationRequestEvent } from './notice-bodies.ts';
import { settleNotices } from './notices.ts';
import { type Delivery, entitledDimensions, findProduct, isContract, type Product } from './products.ts';
import type { World } from './world.ts';

const YEAR_MS = 365 * 86_400_000;

/** What a buyer may decide; everything else is made up. */
export interface Subscription {
  readonly product: Product;
  readonly awsAccountId?: string | undefined;
  readonly buyerName?: string | undefined;
  readonly offerId?: string | undefined;
  readonly offerKind?: Agreement['offerKind'] | undefined;
  readonly partnerAccountId?: string | undefined;
  readonly freeTrial?: boolean | undefined;
  readonly startMs?: number | undefined;
  /** The agreed end. A contract without one lasts a year. */
  readonly endMs?: number | undefined;
  readonly autoRenew?: boolean | undefined;
  readonly provisionMs?: number | undefined;
  readonly entitlements?: readonly Entitlement[] | undefined;
  readonly intent?: 'RENEW' | 'REPLACE' | undefined;
  readonly previous?: Agreement | undefined;
  readonly licenceArn?: string | undefined;
  readonly customerIdentifier?: string | undefined;
  /** AWS could not take payment: the agreement stands, its licence is never given. */
  readonly fails?: boolean | undefined;
  readonly delivery?: Delivery | undefined;
}

/**
 * Subscribes a buyer. Every call makes a new agreement; one account may hold several of one product (AWS: Concurrent
 * Agreements). A renewal ends the previous one at its own start, and takes away the old licence unless it keeps it.
 */
export function subscribe(world: World, wanted: Subscription): Agreement {
  const { product, previous, fails = false } = wanted;
  const nowMs = world.now();
  const startsMs = wanted.startMs ?? nowMs;
  const awsAccountId = wanted.awsAccountId ?? previous?.awsAccountId ?? newAccountId();
  const intent = previous === undefined ? 'NEW' : (wanted.intent ?? 'RENEW');
  const keepsLicence = intent === 'RENEW' && world.switches.renewalLicence === 'same';
  const termEndMs = wanted.endMs ?? (isContract(product) ? startsMs + YEAR_MS : undefined);
  // Who follows a trial pays.
  const inherited = previous?.offerKind === 'freeTrial' ? undefined : previous?.offerKind;
  const offerKind = wanted.offerKind ?? (wanted.freeTrial === true ? 'freeTrial' : (inherited ?? 'public'));
  const autoRenew = wanted.autoRenew ?? false;
  const begun: Agreement = {
    agreementId: newAgreementId(),
    productCode: product.productCode,
    awsAccountId,
    customerIdentifier: wanted.customerIdentifier ?? customerIdentifierFor(world, product, awsAccountId),
    licenceArn: wanted.licenceArn ?? (keepsLicence ? previous?.licenceArn : undefined) ?? newLicenceArn(),
    buyerName: wanted.buyerName ?? previous?.buyerName ?? `Buyer ${awsAccountId}`,
    offerId: wanted.offerId ?? newOfferId(),
    offerKind,
    partnerAccountId:
      offerKind === 'channelPartner'
        ? (wanted.partnerAccountId ?? previous?.partnerAccountId ?? newAccountId())
        : undefined,
    freeTrial: wanted.freeTrial ?? offerKind === 'freeTrial',
    intent,
    previousAgreementId: previous?.agreementId,
    acceptedMs: Math.min(nowMs, startsMs),
    startsMs,
    termEndMs,
    autoRenew,
    entitlements: wanted.entitlements ?? previous?.entitlements ?? usualEntitlements(product),
    provisionedMs: fails ? undefined : (wanted.provisionMs ?? startsMs),
    endedMs: undefined,
    endStatus: undefined,
    deprovisionedMs: undefined,
    suspended: previous?.suspended ?? false,
    advisoryMs: undefined,
    cancellationAskedMs: undefined,
  };
  return world.db.transaction(() => {
    addAgreement(world, begun);
    const { agreementId, provisionedMs } = begun;
    schedule(world, { atMs: begun.acceptedMs, kind: 'agreementCreated', agreementId });
    if (provisionedMs !== undefined) schedule(world, { atMs: provisionedMs, kind: 'licenceUpdated', agreementId });
    if (begun.customerIdentifier !== undefined) {
      forgetLeaving(world, agreementsOfAccount(world, product.productCode, awsAccountId));
    }
    announceStart(world, begun, fails, wanted.delivery);
    if (previous !== undefined) succeed(world, previous, begun, wanted.delivery);
    return termEndMs === undefined ? begun : planExpiry(world, begun, wanted.delivery);
  });
}

/** What an amendment changes; what it leaves out stays. */
export interface Amendment {
  readonly entitlements?: readonly Entitlement[] | undefined;
  readonly endMs?: number | undefined;
  readonly autoRenew?: boolean | undefined;
  readonly offerId?: string | undefined;
  readonly renewalDisabledBy?: 'ACCEPTOR' | 'PROPOSER' | undefined;
  readonly delivery?: Delivery | undefined;
}

/** Changes a running agreement, as from now; its licence stays the same. */
export function amend(world: World, agreement: Agreement, amendment: Amendment): Agreement {
  const amended: Agreement = {
    ...agreement,
    entitlements: amendment.entitlements ?? agreement.entitlements,
    termEndMs: amendment.endMs ?? agreement.termEndMs,
    autoRenew: amendment.autoRenew ?? agreement.autoRenew,
    offerId: amendment.offerId ?? agreement.offerId,
  };
  return world.db.transaction(() => {
    announceChange(world, amended, amendment.renewalDisabledBy ?? 'ACCEPTOR', amendment.delivery);
    // An end by another hand than the clock's, such as a renewal to come, is not the amendment's matter.
    const planned = agreement.endedMs !== undefined && agreement.endStatus !== 'EXPIRED';
    if (!planned) return planExpiry(world, amended, amendment.delivery);
    saveAgreement(world, amended);
    return amended;
  });
}

/**
 * Ends the agreement now and takes the licence away after `revokeAfterMs`. A repeat changes nothing: what ended has
 * ended. An agreement with an end to come ends now instead.
 */
export function cancel(
  world: World,
  agreement: Agreement,
  how: {
    readonly status?: 'CANCELLED' | 'TERMINATED' | undefined;
    readonly revokeAfterMs?: number | undefined;
    readonly delivery?: Delivery | undefined;
  } = {},
): Agreement {
  const nowMs = world.now();
  if (isEnded(agreement, nowMs)) return agreement;
  const revokeAfterMs = how.revokeAfterMs ?? usualRevokeAfterMs(world);
  return end(world, agreement, {
    atMs: nowMs,
    status: how.status ?? 'CANCELLED',
    revokeAfterMs,
    delivery: how.delivery,
  });
}

/** Lets the agreed end come now: the agreement is renewed where it renews itself, and expires otherwise. */
export function expire(world: World, agreement: Agreement, delivery: Delivery | undefined): Agreement {
  const nowMs = world.now();
  const expiring = { ...agreement, termEndMs: nowMs };
  return world.db.transaction(() => {
    saveAgreement(world, expiring);
    if (agreement.autoRenew) return renewItself(world, expiring, lengthMs(agreement), delivery);
    return end(world, expiring, {
      atMs: nowMs,
      status: 'EXPIRED',
      revokeAfterMs: usualRevokeAfterMs(world),
      delivery,
    });
  });
}

/** A suspended buyer account's usage is refused (AWS: third cause of CustomerNotSubscribed) until it is resumed. */
export function setSuspended(world: World, agreement: Agreement, suspended: boolean): Agreement {
  return saved(world, { ...agreement, suspended });
}

/** AWS warns of the buyer (`Issued`), or takes the warning back (`Resolved`). Nothing else changes. */
export function advise(
  world: World,
  agreement: Agreement,
  what: 'Issued' | 'Resolved',
  delivery: Delivery | undefined,
): Agreement {
  const nowMs = world.now();
  announceNow(world, agreement, delivery, (parties) => advisoryEvent(parties, what, nowMs));
  return saved(world, { ...agreement, advisoryMs: what === 'Issued' ? nowMs : undefined });
}

/** A step of the seller's request to cancel; an approval cancels the agreement. */
export function stepCancellation(
  world: World,
  agreement: Agreement,
  step: CancellationStep,
  delivery: Delivery | undefined,
): Agreement {
  const nowMs = world.now();
  const askedMs = step === 'Pending Approval' ? nowMs : (agreement.cancellationAskedMs ?? nowMs);
  announceNow(world, agreement, delivery, (parties) => cancellationRequestEvent(parties, step, askedMs, nowMs));
  const open = step === 'Pending Approval' ? askedMs : undefined;
  const stepped = saved(world, { ...agreement, cancellationAskedMs: open });
  return step === 'Approved' ? cancel(world, stepped, { delivery }) : stepped;
}

/**
 * Lets happen what the clock has reached: renewals in the order of their time, facts and notices in between. To be
 * called before anything is read or decided; a repeat at the same time does nothing.
 */
export function settleWorld(world: World): void {
  const nowMs = world.now();
  world.db.transaction(() => {
    for (;;) {
      const due = firstToRenew(world, nowMs);
      if (due?.termEndMs === undefined) break;
      settleUntil(world, due.termEndMs);
      renewItself(world, due, lengthMs(due), undefined);
    }
    settleUntil(world, nowMs);
  });
}

function settleUntil(world: World, untilMs: number): void {
  settleEvents(world, untilMs);
  settleNotices(world, untilMs);
}

/** The renewal that an agreement brings about by itself at its agreed end, on the same terms. */
function renewItself(world: World, agreement: Agreement, ms: number, delivery: Delivery | undefined): Agreement {
  const product = findProduct(world, agreement.productCode);
  if (product === undefined) throw new Error(`an agreement names the product ${agreement.productCode}, which is gone`);
  const startMs = agreement.termEndMs ?? world.now();
  const { offerId } = agreement;
  return subscribe(world, {
    product,
    previous: agreement,
    startMs,
    endMs: startMs + ms,
    autoRenew: true,
    offerId,
    delivery,
  });
}

/** How long an agreement was to last. */
function lengthMs({ startsMs, termEndMs }: Agreement): number {
  return (termEndMs ?? startsMs) - startsMs;
}

/**
 * Ends the agreement that a renewal or replacement follows. The licence ends with it unless the successor carries it
 * on.
 */
function succeed(world: World, previous: Agreement, successor: Agreement, delivery: Delivery | undefined): void {
  // A late successor does not rewrite how the one before has ended.
  if (isEnded(previous, world.now())) return;
  const keepsLicence = previous.licenceArn === successor.licenceArn;
  const status = successor.intent === 'REPLACE' ? 'REPLACED' : 'RENEWED';
  const revokeAfterMs = keepsLicence ? undefined : usualRevokeAfterMs(world);
  end(world, previous, { atMs: successor.startsMs, status, revokeAfterMs, delivery });
}

/** The end that the clock will bring: at the agreed time, or none where there is none or a renewal comes instead. */
function planExpiry(world: World, agreement: Agreement, delivery: Delivery | undefined): Agreement {
  if (agreement.termEndMs !== undefined && !agreement.autoRenew) {
    const revokeAfterMs = usualRevokeAfterMs(world);
    return end(world, agreement, { atMs: agreement.termEndMs, status: 'EXPIRED', revokeAfterMs, delivery });
  }
  const open = saved(world, { ...agreement, endedMs: undefined, endStatus: undefined, deprovisionedMs: undefined });
  rescheduleEnd(world, open);
  withdrawEnd(world, open);
  return open;
}

interface End {
  readonly atMs: number;
  readonly status: string;
  /** Undefined where the licence lives on under another agreement. */
  readonly revokeAfterMs: number | undefined;
  readonly delivery: Delivery | undefined;
}

/** Writes an end, now or to come, and plans what tells of it. A licence that was never given needs no taking away. */
function end(world: World, agreement: Agreement, how: End): Agreement {
  const neverProvisioned = agreement.provisionedMs === undefined || agreement.provisionedMs > how.atMs;
  const ended: Agreement = {
    ...agreement,
    endedMs: how.atMs,
    endStatus: how.status,
    provisionedMs: neverProvisioned ? undefined : agreement.provisionedMs,
    deprovisionedMs: neverProvisioned || how.revokeAfterMs === undefined ? undefined : how.atMs + how.revokeAfterMs,
  };
  world.db.transaction(() => {
    saveAgreement(world, ended);
    rescheduleEnd(world, ended);
    announceEnd(world, ended, how.delivery);
    if (neverProvisioned) releaseLicence(world, agreement);
  });
  return ended;
}

/** A renewal that never began leaves the licence it was to keep with the agreement before, which ends as planned. */
function releaseLicence(world: World, agreement: Agreement): void {
  const { previousAgreementId, licenceArn } = agreement;
  const previous = previousAgreementId === undefined ? undefined : findAgreement(world, previousAgreementId);
  if (previous?.endedMs === undefined || previous.licenceArn !== licenceArn) return;
  // An end that is told anew comes after all that was told, however long ago it was.
  settleUntil(world, world.now());
  const revokeAfterMs = usualRevokeAfterMs(world);
  end(world, previous, { atMs: previous.endedMs, status: 'EXPIRED', revokeAfterMs, delivery: undefined });
}

function saved(world: World, agreement: Agreement): Agreement {
  saveAgreement(world, agreement);
  return agreement;
}

function usualRevokeAfterMs(world: World): number {
  return world.switches.revokeAfterSeconds * 1000;
}

/** One of everything that the contract can entitle to. */
function usualEntitlements(product: Product): Entitlement[] {
  const one = { Integer: 1, Double: 1, Boolean: true, String: '1' } as const;
  return entitledDimensions(product).map(({ key, valueType = 'Integer' }) => ({
    dimension: key,
    value: one[valueType],
  }));
}

/** Legacy products know a buyer by one identifier, whatever they buy later; new products have none. */
function customerIdentifierFor(world: World, product: Product, awsAccountId: string): string | undefined {
  if (product.identityStyle === 'licence') return undefined;
  const known = agreementsOfAccount(world, product.productCode, awsAccountId)[0]?.customerIdentifier;
  return known ?? newCustomerIdentifier();
}
