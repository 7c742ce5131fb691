// Agreements between a buyer and a product, each with its licence: the rows, and how they are found.
import { isJsonObject, parseJson } from '../json.ts';
import { numberOf, optionalNumberOf, optionalTextOf, type Row, textOf } from './database.ts';
import type { World } from './world.ts';

export const OFFER_KINDS = ['public', 'private', 'freeTrial', 'channelPartner'] as const;

/** What a contract grants of one dimension. */
export interface Entitlement {
  readonly dimension: string;
  readonly value: number | boolean | string;
}

/** One purchase of one product by one account. Times are epoch milliseconds; an end may lie ahead. */
export interface Agreement {
  readonly agreementId: string;
  readonly productCode: string;
  readonly awsAccountId: string;
  readonly customerIdentifier: string | undefined;
  readonly licenceArn: string;
  readonly buyerName: string;
  readonly offerId: string;
  readonly offerKind: (typeof OFFER_KINDS)[number];
  /** Who sells it, where that is a channel partner and not the seller. */
  readonly partnerAccountId: string | undefined;
  readonly freeTrial: boolean;
  readonly intent: string;
  readonly previousAgreementId: string | undefined;
  readonly acceptedMs: number;
  readonly startsMs: number;
  /** The agreed end; undefined where the agreement runs until somebody ends it. */
  readonly termEndMs: number | undefined;
  /** At the agreed end a renewal follows instead of an expiry; as long as this is on, `endedMs` is not planned. */
  readonly autoRenew: boolean;
  readonly entitlements: readonly Entitlement[];
  /** When the licence becomes usable; undefined when the agreement ended before that. */
  readonly provisionedMs: number | undefined;
  readonly endedMs: number | undefined;
  readonly endStatus: string | undefined;
  readonly deprovisionedMs: number | undefined;
  readonly suspended: boolean;
  /** When AWS issued an advisory about the buyer that is not resolved. */
  readonly advisoryMs: number | undefined;
  /** When the seller asked for the cancellation that is not decided. */
  readonly cancellationAskedMs: number | undefined;
}

/** Whether the agreement's end has come. */
export function isEnded({ endedMs }: Agreement, nowMs: number): boolean {
  return endedMs !== undefined && endedMs <= nowMs;
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

/** All agreements of a product, ended ones included. */
export function agreementsOfProduct(world: World, productCode: string): Agreement[] {
  return world.db.all('SELECT * FROM agreements WHERE product_code = ?', productCode).map(toAgreement);
}

/** The agreement whose agreed end comes first of those that renew themselves, where the clock has reached it. */
export function firstToRenew(world: World, nowMs: number): Agreement | undefined {
  const sql =
    'SELECT * FROM agreements WHERE auto_renew = 1 AND ended_ms IS NULL AND term_end_ms <= ? ORDER BY term_end_ms LIMIT 1';
  const row = world.db.one(sql, nowMs);
  return row === undefined ? undefined : toAgreement(row);
}

/** When the next renewal by itself is due, or undefined. */
export function nextRenewalMs(world: World): number | undefined {
  const sql = 'SELECT MIN(term_end_ms) AS at_ms FROM agreements WHERE auto_renew = 1 AND ended_ms IS NULL';
  const row = world.db.one(sql);
  return row === undefined ? undefined : optionalNumberOf(row, 'at_ms');
}

/** The newest first. */
export function listAgreements(world: World, limit: number): Agreement[] {
  return world.db.all('SELECT * FROM agreements ORDER BY rowid DESC LIMIT ?', limit).map(toAgreement);
}

/** Writes a new agreement. Throws where its id is taken. */
export function addAgreement(world: World, a: Agreement): void {
  world.db.run(
    `INSERT INTO agreements (agreement_id, product_code, aws_account_id, customer_identifier, licence_arn, buyer_name,
       free_trial, intent, previous_agreement_id, accepted_ms, starts_ms, suspended, offer_id, offer_kind,
       partner_account_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
    a.agreementId,
    a.productCode,
    a.awsAccountId,
    a.customerIdentifier ?? null,
    a.licenceArn,
    a.buyerName,
    a.freeTrial ? 1 : 0,
    a.intent,
    a.previousAgreementId ?? null,
    a.acceptedMs,
    a.startsMs,
    a.offerId,
    a.offerKind,
    a.partnerAccountId ?? null,
  );
  saveAgreement(world, a);
}

/** Writes what can change of an agreement. A repeat changes nothing. */
export function saveAgreement(world: World, a: Agreement): void {
  world.db.run(
    `UPDATE agreements SET offer_id = ?, term_end_ms = ?, auto_renew = ?, entitlements = ?, provisioned_ms = ?,
       ended_ms = ?, end_status = ?, deprovisioned_ms = ?, suspended = ?, advisory_ms = ?, cancellation_asked_ms = ?
     WHERE agreement_id = ?`,
    a.offerId,
    a.termEndMs ?? null,
    a.autoRenew ? 1 : 0,
    JSON.stringify(a.entitlements),
    a.provisionedMs ?? null,
    a.endedMs ?? null,
    a.endStatus ?? null,
    a.deprovisionedMs ?? null,
    a.suspended ? 1 : 0,
    a.advisoryMs ?? null,
    a.cancellationAskedMs ?? null,
    a.agreementId,
  );
}

function toAgreement(row: Row): Agreement {
  const entitlements = parseJson(textOf(row, 'entitlements'))?.value;
  return {
    agreementId: textOf(row, 'agreement_id'),
    productCode: textOf(row, 'product_code'),
    awsAccountId: textOf(row, 'aws_account_id'),
    customerIdentifier: optionalTextOf(row, 'customer_identifier'),
    licenceArn: textOf(row, 'licence_arn'),
    buyerName: textOf(row, 'buyer_name'),
    offerId: textOf(row, 'offer_id'),
    offerKind: OFFER_KINDS.find((kind) => kind === row['offer_kind']) ?? 'public',
    partnerAccountId: optionalTextOf(row, 'partner_account_id'),
    freeTrial: numberOf(row, 'free_trial') === 1,
    intent: textOf(row, 'intent'),
    previousAgreementId: optionalTextOf(row, 'previous_agreement_id'),
    acceptedMs: numberOf(row, 'accepted_ms'),
    startsMs: numberOf(row, 'starts_ms'),
    // Worlds that were begun before have only the planned end.
    termEndMs: optionalNumberOf(row, row['end_status'] === 'EXPIRED' ? 'ended_ms' : 'term_end_ms'),
    autoRenew: numberOf(row, 'auto_renew') === 1,
    entitlements: Array.isArray(entitlements) ? entitlements.filter(isEntitlement) : [],
    provisionedMs: optionalNumberOf(row, 'provisioned_ms'),
    endedMs: optionalNumberOf(row, 'ended_ms'),
    endStatus: optionalTextOf(row, 'end_status'),
    deprovisionedMs: optionalNumberOf(row, 'deprovisioned_ms'),
    suspended: numberOf(row, 'suspended') === 1,
    advisoryMs: optionalNumberOf(row, 'advisory_ms'),
    cancellationAskedMs: optionalNumberOf(row, 'cancellation_asked_ms'),
  };
}

function isEntitlement(value: unknown): value is Entitlement {
  return isJsonObject(value) && typeof value['dimension'] === 'string' && value['value'] !== undefined;
}
