// Agreements between a buyer and a product, each with its licence, and how they begin and end.
import { numberOf, optionalNumberOf, optionalTextOf, type Row, textOf } from './database.ts';
import { rescheduleEnd, schedule } from './events.ts';
import { newAccountId, newAgreementId, newCustomerIdentifier, newLicenceArn, newOfferId } from './new-ids.ts';
import type { Product } from './products.ts';
import type { World } from './world.ts';

// AWS: seen in the field, "License Deprovisioned" follows "Agreement Ended" after about half a minute.
export const REVOKE_AFTER_MS = 31_000;

/** One purchase of one product by one account. Times are epoch milliseconds; an end may lie ahead. */
export interface Agreement {
  readonly agreementId: string;
  readonly productCode: string;
  readonly awsAccountId: string;
  readonly customerIdentifier: string | undefined;
  readonly licenceArn: string;
  readonly buyerName: string;
  readonly offerId: string;
  readonly freeTrial: boolean;
  readonly intent: string;
  readonly previousAgreementId: string | undefined;
  readonly acceptedMs: number;
  readonly startsMs: number;
  /** When the licence becomes usable; undefined when the agreement ended before that. */
  readonly provisionedMs: number | undefined;
  readonly endedMs: number | undefined;
  readonly endStatus: string | undefined;
  readonly deprovisionedMs: number | undefined;
  readonly suspended: boolean;
}

/** What a buyer may decide; everything else is made up. */
export interface Subscription {
  readonly product: Product;
  readonly awsAccountId?: string | undefined;
  readonly buyerName?: string | undefined;
  readonly offerId?: string | undefined;
  readonly freeTrial?: boolean | undefined;
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
  readonly provisionMs?: number | undefined;
  readonly intent?: 'RENEW' | 'REPLACE' | undefined;
  readonly previous?: Agreement | undefined;
  readonly licenceArn?: string | undefined;
  readonly customerIdentifier?: string | undefined;
}

/**
 * Subscribes a buyer. Every call makes a new agreement; one account may hold several of one product (AWS: Concurrent
 * Agreements). A renewal ends the previous one at its own start, and takes away the old licence unless it keeps it.
 */
export function subscribe(world: World, wanted: Subscription): Agreement {
  const nowMs = world.now();
  const startsMs = wanted.startMs ?? nowMs;
  const awsAccountId = wanted.awsAccountId ?? wanted.previous?.awsAccountId ?? newAccountId();
  const licenceArn = wanted.licenceArn ?? newLicenceArn();
  const agreement: Agreement = {
    agreementId: newAgreementId(),
    productCode: wanted.product.productCode,
    awsAccountId,
    customerIdentifier: wanted.customerIdentifier ?? customerIdentifierFor(world, wanted.product, awsAccountId),
    licenceArn,
    buyerName: wanted.buyerName ?? `Buyer ${awsAccountId}`,
    offerId: wanted.offerId ?? newOfferId(),
    freeTrial: wanted.freeTrial ?? false,
    intent: wanted.previous === undefined ? 'NEW' : (wanted.intent ?? 'RENEW'),
    previousAgreementId: wanted.previous?.agreementId,
    acceptedMs: Math.min(nowMs, startsMs),
    startsMs,
    provisionedMs: wanted.provisionMs ?? startsMs,
    endedMs: wanted.endMs,
    endStatus: wanted.endMs === undefined ? undefined : 'EXPIRED',
    deprovisionedMs: wanted.endMs === undefined ? undefined : wanted.endMs + REVOKE_AFTER_MS,
    suspended: false,
  };
  world.db.transaction(() => {
    insert(world, agreement);
    schedule(world, { atMs: agreement.acceptedMs, kind: 'agreementCreated', agreementId: agreement.agreementId });
    schedule(world, {
      atMs: agreement.provisionedMs ?? startsMs,
      kind: 'licenceUpdated',
      agreementId: agreement.agreementId,
    });
    if (agreement.endedMs !== undefined) rescheduleEnd(world, agreement);
    if (wanted.previous !== undefined) succeed(world, wanted.previous, agreement);
  });
  return agreement;
}

/**
 * Ends the agreement now and takes the licence away after `revokeAfterMs`. A repeat changes nothing: what ended has
 * ended. An agreement with an end to come ends now instead.
 */
export function cancel(world: World, agreement: Agreement, revokeAfterMs: number): Agreement {
  const nowMs = world.now();
  if (agreement.endedMs !== undefined && agreement.endedMs <= nowMs) return agreement;
  return end(world, agreement, { atMs: nowMs, status: 'CANCELLED', revokeAfterMs });
}

/** A suspended buyer account's usage is refused (AWS: third cause of CustomerNotSubscribed) until it is resumed. */
export function setSuspended(world: World, agreement: Agreement, suspended: boolean): Agreement {
  const flag = suspended ? 1 : 0;
  world.db.run('UPDATE agreements SET suspended = ? WHERE agreement_id = ?', flag, agreement.agreementId);
  return { ...agreement, suspended };
}

/**
 * Ends the agreement that a renewal or replacement follows. The licence ends with it unless the successor carries it
 * on.
 */
function succeed(world: World, previous: Agreement, successor: Agreement): void {
  // A late successor does not rewrite how the one before has ended.
  if (previous.endedMs !== undefined && previous.endedMs <= world.now()) return;
  const keepsLicence = previous.licenceArn === successor.licenceArn;
  const status = successor.intent === 'REPLACE' ? 'REPLACED' : 'RENEWED';
  end(world, previous, { atMs: successor.startsMs, status, revokeAfterMs: keepsLicence ? undefined : REVOKE_AFTER_MS });
}

interface End {
  readonly atMs: number;
  readonly status: string;
  /** Undefined where the licence lives on under another agreement. */
  readonly revokeAfterMs: number | undefined;
}

/** Writes an end, now or to come, and plans its events. A licence that was never given needs no taking away. */
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
    world.db.run(
      'UPDATE agreements SET ended_ms = ?, end_status = ?, provisioned_ms = ?, deprovisioned_ms = ? WHERE agreement_id = ?',
      how.atMs,
      how.status,
      ended.provisionedMs ?? null,
      ended.deprovisionedMs ?? null,
      agreement.agreementId,
    );
    rescheduleEnd(world, ended);
    if (neverProvisioned) releaseLicence(world, agreement);
  });
  return ended;
}

/** A renewal that never began leaves the licence it was to keep with the agreement before, which ends as planned. */
function releaseLicence(world: World, agreement: Agreement): void {
  const { previousAgreementId, licenceArn } = agreement;
  const previous = previousAgreementId === undefined ? undefined : findAgreement(world, previousAgreementId);
  if (previous?.endedMs === undefined || previous.licenceArn !== licenceArn) return;
  end(world, previous, { atMs: previous.endedMs, status: 'EXPIRED', revokeAfterMs: REVOKE_AFTER_MS });
}

/** The agreement of an id, or undefined. */
export function findAgreement(world: World, agreementId: string): Agreement | undefined {
  const row = world.db.one('SELECT * FROM agreements WHERE agreement_id = ?', agreementId);
  return row === undefined ? undefined : toAgreement(row);
}

/** Several after a renewal that keeps the licence; the newest first. */
export function agreementsOfLicence(world: World, licenceArn: string): Agreement[] {
  const sql = 'SELECT * FROM agreements WHERE licence_arn = ? ORDER BY starts_ms DESC, rowid DESC';
  return world.db.all(sql, licenceArn).map(toAgreement);
}

/** All agreements of an account for a product, ended ones included; the newest first. */
export function agreementsOfAccount(world: World, productCode: string, awsAccountId: string): Agreement[] {
  const sql =
    'SELECT * FROM agreements WHERE product_code = ? AND aws_account_id = ? ORDER BY starts_ms DESC, rowid DESC';
  return world.db.all(sql, productCode, awsAccountId).map(toAgreement);
}

/** All agreements of a legacy customer, whatever the product; the newest first. */
export function agreementsOfCustomer(world: World, customerIdentifier: string): Agreement[] {
  const sql = 'SELECT * FROM agreements WHERE customer_identifier = ? ORDER BY starts_ms DESC, rowid DESC';
  return world.db.all(sql, customerIdentifier).map(toAgreement);
}

/** The newest first. */
export function listAgreements(world: World, limit: number): Agreement[] {
  return world.db.all('SELECT * FROM agreements ORDER BY rowid DESC LIMIT ?', limit).map(toAgreement);
}

function insert(world: World, a: Agreement): void {
  world.db.run(
    'INSERT INTO agreements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    a.agreementId,
    a.productCode,
    a.awsAccountId,
    a.customerIdentifier ?? null,
    a.licenceArn,
    a.buyerName,
    a.offerId,
    a.freeTrial ? 1 : 0,
    a.intent,
    a.previousAgreementId ?? null,
    a.acceptedMs,
    a.startsMs,
    a.provisionedMs ?? null,
    a.endedMs ?? null,
    a.endStatus ?? null,
    a.deprovisionedMs ?? null,
    0,
  );
}

function toAgreement(row: Row): Agreement {
  return {
    agreementId: textOf(row, 'agreement_id'),
    productCode: textOf(row, 'product_code'),
    awsAccountId: textOf(row, 'aws_account_id'),
    customerIdentifier: optionalTextOf(row, 'customer_identifier'),
    licenceArn: textOf(row, 'licence_arn'),
    buyerName: textOf(row, 'buyer_name'),
    offerId: textOf(row, 'offer_id'),
    freeTrial: numberOf(row, 'free_trial') === 1,
    intent: textOf(row, 'intent'),
    previousAgreementId: optionalTextOf(row, 'previous_agreement_id'),
    acceptedMs: numberOf(row, 'accepted_ms'),
    startsMs: numberOf(row, 'starts_ms'),
    provisionedMs: optionalNumberOf(row, 'provisioned_ms'),
    endedMs: optionalNumberOf(row, 'ended_ms'),
    endStatus: optionalTextOf(row, 'end_status'),
    deprovisionedMs: optionalNumberOf(row, 'deprovisioned_ms'),
    suspended: numberOf(row, 'suspended') === 1,
  };
}

/** Legacy products know a buyer by one identifier, whatever they buy later; new products have none. */
function customerIdentifierFor(world: World, product: Product, awsAccountId: string): string | undefined {
  if (product.identityStyle === 'licence') return undefined;
  const known = agreementsOfAccount(world, product.productCode, awsAccountId)[0]?.customerIdentifier;
  return known ?? newCustomerIdentifier();
}
