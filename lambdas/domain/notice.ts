// What AWS Marketplace tells of an agreement or licence, whichever channel brought it.
import { createHash } from 'node:crypto';
import { decodeKeyPart, encodeKeyPart } from './keys.ts';
import { licenceKeyOf } from './licence.ts';

/**
 * What a notice says, in words that both channels share. `recorded` stands for every type that moves nothing, those
 * that AWS adds later among them.
 */
export const NOTICE_KINDS = [
  'agreementCreated',
  'agreementAmended',
  'replacementLinked',
  'licenceUpdated',
  'subscribed',
  'entitlementsUpdated',
  'advisoryIssued',
  'advisoryResolved',
  'cancellationRequested',
  'cancellationDropped',
  'spendVetFailed',
  'spendVetPassed',
  'recorded',
  'subscribeFailed',
  'agreementEnded',
  'unsubscribePending',
  'agreementSucceeded',
  'licenceDeprovisioned',
  'unsubscribed',
] as const;

export type NoticeKind = (typeof NOTICE_KINDS)[number];

export interface Notice {
  /** AWS's own id, so that a repeat is known; unique across the channels. */
  readonly noticeId: string;
  readonly channel: 'eventBridge' | 'sns' | 'operator';
  readonly kind: NoticeKind;
  /** AWS's name of it: a detail-type or an action. */
  readonly type: string;
  /** When it happened, as AWS says. */
  readonly atMs: number;
  readonly agreementId?: string;
  readonly previousAgreementId?: string;
  /** `NEW`, `RENEW`, `REPLACE` or `AMEND`. */
  readonly intent?: string;
  /** `ACTIVE`, `CANCELLED`, `EXPIRED`, …. */
  readonly status?: string;
  readonly startsAt?: number;
  /** Absent where the agreement has no end. */
  readonly endsAt?: number;
  readonly licenceArn?: string;
  readonly productCode?: string;
  readonly customerAwsAccountId?: string;
  /** Legacy channel only. */
  readonly customerIdentifier?: string;
  readonly offerId?: string;
  readonly isFreeTrial?: boolean;
}

/**
 * Where a notice is kept: with all others of its agreement, or of its buyer where the legacy channel names no
 * agreement. What names neither is kept by day and moves nothing.
 */
export function threadOf(notice: Notice): string {
  const { agreementId, productCode, customerIdentifier, atMs } = notice;
  if (agreementId !== undefined) return agreementThread(agreementId);
  if (productCode !== undefined && customerIdentifier !== undefined) {
    return buyerThread(licenceKeyOf({ style: 'legacy', productCode, customerIdentifier }));
  }
  return `unplaced#${new Date(atMs).toISOString().slice(0, 10)}`;
}

const AGREEMENT = 'agreement#';
const BUYER = 'buyer#';

export function agreementThread(agreementId: string): string {
  return `${AGREEMENT}${encodeKeyPart(agreementId)}`;
}

export function buyerThread(licenceKey: string): string {
  return `${BUYER}${licenceKey}`;
}

/** Whose thread it is, by the name that an operator and the acts know. */
export function subjectOf(thread: string): { readonly agreementId: string } | { readonly licenceKey: string } {
  if (thread.startsWith(BUYER)) return { licenceKey: thread.slice(BUYER.length) };
  const part = thread.startsWith(AGREEMENT) ? thread.slice(AGREEMENT.length) : thread;
  return { agreementId: decodeKeyPart(part) ?? part };
}

export function isUnplaced(thread: string): boolean {
  return !thread.startsWith(AGREEMENT) && !thread.startsWith(BUYER);
}

/** By time; then a beginning before what follows from it; then by id, so that any order of arrival ends the same. */
export function byTime(one: Notice, other: Notice): number {
  return one.atMs - other.atMs || rank(one) - rank(other) || (one.noticeId < other.noticeId ? -1 : 1);
}

function rank({ kind }: Notice): number {
  return NOTICE_KINDS.indexOf(kind);
}

/** A raw delivery carries no id of AWS: the same content of the same instant is the same message. */
export function rawMessageId(body: string, sentAtMs: number): string {
  return createHash('sha256').update(`${sentAtMs}\n${body}`).digest('hex').slice(0, 32);
}
