// What AWS tells a seller, in AWS's shapes: EventBridge events, and the messages of a product's two SNS topics.
import { randomUUID } from 'node:crypto';
import { isoInstant } from '../clock.ts';
import type { JsonObject } from '../json.ts';
import type { Agreement } from './agreements.ts';
import { cancellationRequestIdOf, resaleAuthorizationIdOf } from './new-ids.ts';
import type { Product } from './products.ts';

/** A notice without the ids and times of its envelope. */
export interface NoticeDraft {
  readonly channel: 'eventbridge' | 'sns';
  /** The detail-type, or the message's action. */
  readonly name: string;
  readonly body: JsonObject;
}

/** Whose agreement a notice is about. */
export interface Parties {
  readonly agreement: Agreement;
  readonly product: Product;
}

const DAY_MS = 86_400_000;
// AWS: what an agreement without an end shows as its end.
const NO_END = '9999-01-01T00:00:00Z';
// AWS: seen in samples, renewal is locked 30 days before the end.
const LOCKOUT_DAYS = 30;
// AWS's own account, which owns the topics.
const TOPIC_ACCOUNT = '287250355862';

/** Whether the seller gets the proposer's copies: a channel partner proposes in the seller's place. */
export function isProposer({ offerKind }: Agreement): boolean {
  return offerKind !== 'channelPartner';
}

export function createdEvent({ agreement, product }: Parties): NoticeDraft {
  const { intent, previousAgreementId } = agreement;
  // AWS: a replacement does not say what it replaces.
  const previous = intent === 'RENEW' && previousAgreementId !== undefined && { previousAgreementId };
  const named = intent === 'RENEW' && isProposer(agreement);
  return ours('Purchase Agreement Created', agreement, product, {
    agreement: { ...termsOf(agreement, intent), ...previous },
    ...(named ? { product: titled(product) } : resale(agreement)),
    acceptor: acceptor(agreement),
    proposer: named ? namedProposer(product) : proposer(agreement, product),
    offer: { id: agreement.offerId },
  });
}

/** `disabledBy`: who turned the renewal off, where it is off. */
export function amendedEvent({ agreement, product }: Parties, disabledBy: 'ACCEPTOR' | 'PROPOSER'): NoticeDraft {
  const renewal = isProposer(agreement) && agreement.termEndMs !== undefined;
  return ours('Purchase Agreement Amended', agreement, product, {
    agreement: { ...termsOf(agreement, 'AMEND'), ...(renewal && { autoRenewalEnabled: agreement.autoRenew }) },
    ...(renewal && { renewalSummary: renewalSummary(agreement, disabledBy) }),
    ...(isProposer(agreement) && { product: titled(product) }),
    ...resale(agreement),
    acceptor: acceptor(agreement),
    proposer: proposer(agreement, product),
    offer: { id: agreement.offerId },
  });
}

export function endedEvent({ agreement, product }: Parties): NoticeDraft {
  return ours('Purchase Agreement Ended', agreement, product, {
    agreement: { id: agreement.agreementId, status: agreement.endStatus ?? 'CANCELLED' },
    ...resale(agreement),
    acceptor: acceptor(agreement),
    proposer: proposer(agreement, product),
    // AWS: seen in the field, the proposer's copy has no offer.
    ...(!isProposer(agreement) && { offer: { id: agreement.offerId } }),
  });
}

export function licenceEvent({ agreement, product }: Parties, what: 'Updated' | 'Deprovisioned'): NoticeDraft {
  return event(`License ${what} - Manufacturer`, agreement, product, {
    agreement: { id: agreement.agreementId },
    product: { code: product.productCode, id: product.productId },
    license: { arn: agreement.licenceArn },
    acceptor: acceptor(agreement),
    proposer: proposer(agreement, product),
    offer: { id: agreement.offerId },
  });
}

export function advisoryEvent({ agreement, product }: Parties, what: 'Issued' | 'Resolved', atMs: number): NoticeDraft {
  return event(`Purchase Agreement Advisory ${what} - Manufacturer`, agreement, product, {
    agreement: { id: agreement.agreementId },
    product: { id: product.productId },
    acceptor: acceptor(agreement),
    proposer: proposer(agreement, product),
    offer: { id: agreement.offerId },
    advisory: what === 'Issued' ? { issuedAt: stamp(atMs) } : { resolvedAt: stamp(atMs) },
  });
}

export function endingEvent({ agreement, product }: Parties, daysBeforeEndTime: number): NoticeDraft {
  return event('Purchase Agreement Ending - Proposer', agreement, product, {
    agreement: {
      ...periodOf(agreement),
      status: 'ACTIVE',
      daysBeforeEndTime,
      autoRenewalEnabled: agreement.autoRenew,
    },
    renewalSummary: renewalSummary(agreement, 'ACCEPTOR'),
    product: titled(product),
    acceptor: acceptor(agreement),
    proposer: namedProposer(product),
    offer: { id: agreement.offerId },
  });
}

/** The two notices of a renewal to come. The contract's value is made up: a simulated contract has no price. */
export function renewalEvent(
  { agreement, product }: Parties,
  what: 'Terms Finalized' | 'Upcoming',
  atMs: number,
): NoticeDraft {
  const money = { tcv: '105000.00', currency: 'USD' };
  const finalized = {
    ...money,
    termsFinalizedTime: stamp(atMs),
    lockoutReached: false,
    lockoutStartTime: lockoutStart(agreement),
  };
  return event(`Purchase Agreement Renewal ${what} - Proposer`, agreement, product, {
    agreement: periodOf(agreement),
    renewalSummary: what === 'Upcoming' ? { lockoutReached: true, ...money } : finalized,
    product: titled(product),
    acceptor: acceptor(agreement),
    proposer: namedProposer(product),
  });
}

const CANCELLATION_STATUS = {
  'Pending Approval': 'PENDING_APPROVAL',
  Approved: 'APPROVED',
  Rejected: 'REJECTED',
  Cancelled: 'CANCELLED',
  'Validation Failed': 'VALIDATION_FAILED',
} as const;

export type CancellationStep = keyof typeof CANCELLATION_STATUS;

export function cancellationRequestEvent(
  { agreement, product }: Parties,
  step: CancellationStep,
  askedMs: number,
  nowMs: number,
): NoticeDraft {
  const body = {
    agreement: {
      id: agreement.agreementId,
      acceptorId: agreement.awsAccountId,
      productId: product.productId,
      offerId: agreement.offerId,
    },
    agreementCancellationRequest: {
      id: cancellationRequestIdOf(agreement.agreementId),
      reasonCode: 'INCORRECT_TERMS_ACCEPTED',
      reasonMessage: '',
      statusCode: CANCELLATION_STATUS[step],
      statusMessage: '',
      createdAt: stamp(askedMs),
      updatedAt: stamp(nowMs),
    },
  };
  return event(`Agreement Cancellation Request ${step} - Proposer`, undefined, product, body);
}

export function billingAdjustmentEvent({ agreement, product }: Parties, what: 'Completed' | 'Failed'): NoticeDraft {
  return event(`Purchase Agreement Billing Adjustment ${what} - Proposer`, undefined, product, {
    agreement: { id: agreement.agreementId },
    billingAdjustmentRequest: {
      id: `ba-${agreement.agreementId.slice(-13)}`,
      adjustmentAmount: '-100.00',
      currencyCode: 'USD',
      adjustmentReasonCode: 'INCORRECT_TERMS_ACCEPTED',
    },
    invoice: { originalInvoiceId: '2000000001' },
  });
}

type SubscriptionAction = 'subscribe-success' | 'subscribe-fail' | 'unsubscribe-pending' | 'unsubscribe-success';

export function subscriptionMessage({ agreement, product }: Parties, action: SubscriptionAction): NoticeDraft {
  return message('aws-mp-subscription-notification', product, {
    action,
    'customer-identifier': agreement.customerIdentifier,
    'product-code': product.productCode,
    ...(action.startsWith('subscribe') && { 'offer-identifier': agreement.offerId }),
    isFreeTrialTermPresent: String(agreement.freeTrial),
  });
}

export function entitlementMessage({ agreement, product }: Parties): NoticeDraft {
  return message('aws-mp-entitlement-notification', product, {
    action: 'entitlement-updated',
    'customer-identifier': agreement.customerIdentifier,
    'product-code': product.productCode,
  });
}

/** The text that a consumer gets: the event, or the envelope that SNS puts around its message in an SQS body. */
export function noticeText(notice: NoticeDraft & { readonly noticeId: string; readonly atMs: number }): string {
  const { body, noticeId, atMs } = notice;
  if (notice.channel === 'eventbridge') {
    return JSON.stringify({
      version: '0',
      id: noticeId,
      'detail-type': notice.name,
      source: 'aws.agreement-marketplace',
      account: body['account'],
      // EventBridge tells whole seconds.
      time: `${isoInstant(atMs).slice(0, 19)}Z`,
      region: 'us-east-1',
      resources: body['resources'],
      detail: body['detail'],
    });
  }
  return JSON.stringify({
    Type: 'Notification',
    MessageId: noticeId,
    TopicArn: body['topicArn'],
    Message: JSON.stringify(body['message']),
    Timestamp: isoInstant(atMs),
    SignatureVersion: '1',
    Signature: 'SIMULATED==',
    SigningCertURL: 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-SIMULATED.pem',
    UnsubscribeURL: 'https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=SIMULATED',
  });
}

/** An event of which the proposer and the manufacturer get a copy each: the seller's own. */
function ours(name: string, agreement: Agreement, product: Product, detail: JsonObject): NoticeDraft {
  return event(`${name} - ${isProposer(agreement) ? 'Proposer' : 'Manufacturer'}`, agreement, product, detail);
}

/** `about`: the agreement that the event names as its resource; some events name none. */
function event(name: string, about: Agreement | undefined, product: Product, detail: JsonObject): NoticeDraft {
  const resources = about === undefined ? [] : [`arn:aws:aws-marketplace::aws:agreement:${about.agreementId}`];
  const whole = { requestId: randomUUID(), catalog: 'AWSMarketplace', ...detail };
  return { channel: 'eventbridge', name, body: { account: product.sellerAccountId, resources, detail: whole } };
}

function message(topic: string, product: Product, text: JsonObject & { readonly action: string }): NoticeDraft {
  const topicArn = `arn:aws:sns:us-east-1:${TOPIC_ACCOUNT}:${topic}-${product.productCode}`;
  return { channel: 'sns', name: text.action, body: { topicArn, message: text } };
}

function periodOf(agreement: Agreement): JsonObject {
  const { agreementId: id, startsMs, termEndMs } = agreement;
  return { id, startTime: stamp(startsMs), endTime: termEndMs === undefined ? NO_END : stamp(termEndMs) };
}

function termsOf(agreement: Agreement, intent: string): JsonObject {
  const { id, ...period } = periodOf(agreement);
  return { id, intent, status: 'ACTIVE', acceptanceTime: stamp(agreement.acceptedMs), ...period };
}

function resale(agreement: Agreement): JsonObject {
  const id = isProposer(agreement) ? null : resaleAuthorizationIdOf(agreement.agreementId);
  return { resaleAuthorization: { id } };
}

function acceptor({ awsAccountId }: Agreement): JsonObject {
  return { accountId: awsAccountId };
}

function proposer({ partnerAccountId }: Agreement, { sellerAccountId }: Product): JsonObject {
  return { accountId: partnerAccountId ?? sellerAccountId };
}

function namedProposer({ sellerName, sellerAccountId }: Product): JsonObject {
  return { name: sellerName, accountId: sellerAccountId };
}

function titled({ productId, title }: Product): JsonObject {
  return { id: productId, title };
}

function renewalSummary(agreement: Agreement, disabledBy: 'ACCEPTOR' | 'PROPOSER'): JsonObject {
  return { lockoutStartTime: lockoutStart(agreement), disabledBy: agreement.autoRenew ? null : disabledBy };
}

function lockoutStart({ termEndMs }: Agreement): string {
  return termEndMs === undefined ? NO_END : stamp(termEndMs - LOCKOUT_DAYS * DAY_MS);
}

/** As in AWS's samples: milliseconds only where there are any. */
function stamp(ms: number): string {
  return isoInstant(ms).replace('.000Z', 'Z');
}
