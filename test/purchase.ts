// The notices of a purchase as AWS would give them, in order of time; a test shuffles, repeats or leaves out.
import type { Notice, NoticeKind } from '../lambdas/domain/notice.ts';
import { at, LICENCE_ARN } from './builders.ts';

export const ACCOUNT = '111122223333';
export const BUYER = 'X01EXAMPLEX';
export const BOUGHT_AT = at('2026-09-21T10:00:00Z');
export const MINUTE = 60_000;

/** Another licence than that of the builders. */
export const NEXT_ARN = LICENCE_ARN.replace('0123', '9999');

/** A notice about agreement `agmt-a`, so many minutes after the purchase. */
export function aNotice(kind: NoticeKind, minutes: number, overrides: Partial<Notice> = {}): Notice {
  const agreementId = overrides.agreementId ?? 'agmt-a';
  const isOfLicence = kind === 'licenceUpdated' || kind === 'licenceDeprovisioned';
  return {
    noticeId: `eb-${agreementId}-${kind}-${minutes}`,
    channel: 'eventBridge',
    kind,
    type: kind,
    atMs: BOUGHT_AT + minutes * MINUTE,
    agreementId,
    customerAwsAccountId: ACCOUNT,
    ...(isOfLicence ? { licenceArn: LICENCE_ARN, productCode: 'metrics-cloud' } : {}),
    ...(kind === 'agreementCreated' ? { intent: 'NEW', startsAt: BOUGHT_AT } : {}),
    ...overrides,
  };
}

/** The same by the legacy channel, which names no agreement. */
export function aMessage(kind: NoticeKind, minutes: number, overrides: Partial<Notice> = {}): Notice {
  return {
    noticeId: `sns-${kind}-${minutes}`,
    channel: 'sns',
    kind,
    type: kind,
    atMs: BOUGHT_AT + minutes * MINUTE,
    productCode: 'metrics-cloud',
    customerIdentifier: BUYER,
    ...overrides,
  };
}

/** Bought, used for two hours, cancelled. */
export const PURCHASE: readonly Notice[] = [
  aNotice('agreementCreated', 0),
  aNotice('licenceUpdated', 1),
  aNotice('agreementEnded', 120, { status: 'CANCELLED' }),
  aNotice('licenceDeprovisioned', 121),
];

export const MESSAGES: readonly Notice[] = [
  aMessage('subscribed', 2),
  aMessage('unsubscribePending', 122),
  aMessage('unsubscribed', 180),
];

/** Renewed after two hours, under another agreement and another licence. */
export const RENEWAL: readonly Notice[] = [
  aNotice('agreementCreated', 0),
  aNotice('licenceUpdated', 1),
  aNotice('agreementCreated', 120, { agreementId: 'agmt-b', intent: 'RENEW', previousAgreementId: 'agmt-a' }),
  aNotice('agreementSucceeded', 121, { status: 'RENEWED' }),
  aNotice('licenceDeprovisioned', 122),
  aNotice('licenceUpdated', 123, { agreementId: 'agmt-b', licenceArn: NEXT_ARN }),
];
