// Which mail an access event causes, and what becomes of one that is sent: SES knows no repeat, so that we have to.
import type { BuyerDetails } from './buyer-details.ts';
import type { Customer } from './customer.ts';
import { type Delivery, type DeliveryName, waitingAgain } from './delivery.ts';
import { MINUTE_MS } from './hour.ts';
import type { ToldEvent } from './usage-trouble.ts';

interface MailCause {
  readonly to: 'buyer' | 'seller';
  readonly on: ToldEvent['type'];
}

export const MAIL_KINDS = {
  buyerRegistered: { to: 'buyer', on: 'customerRegistered' },
  buyerGranted: { to: 'buyer', on: 'accessGranted' },
  buyerRevoked: { to: 'buyer', on: 'accessRevoked' },
  sellerRegistered: { to: 'seller', on: 'customerRegistered' },
  sellerRevoked: { to: 'seller', on: 'accessRevoked' },
  sellerUsageHeld: { to: 'seller', on: 'usageHeld' },
  sellerUsageAboutToExpire: { to: 'seller', on: 'usageAboutToExpire' },
} as const satisfies Readonly<Record<string, MailCause>>;

export type MailKind = keyof typeof MAIL_KINDS;

/** The texts there are. A confirmation has two: whether access is open already changes what a buyer should do next. */
export type MailTemplateName = MailKind | 'buyerRegisteredActive';

/** Of those that are wanted, the mails that an event of this type causes. */
export function mailsOn(type: string, wanted: readonly MailKind[]): readonly MailKind[] {
  return wanted.filter((kind) => MAIL_KINDS[kind].on === type);
}

/** The log of deliveries keeps a mail as that of an event to this endpoint; no webhook's name has a full stop. */
export function mailEndpoint(kind: MailKind): string {
  return `${MAIL_ENDPOINTS}${kind}`;
}

export function isMailEndpoint(endpoint: string): boolean {
  return endpoint.startsWith(MAIL_ENDPOINTS);
}

const MAIL_ENDPOINTS = 'mail.';

/** What a mail is made of. */
export interface MailParts {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MailContent extends MailParts {
  /** Whose name it comes under, and where answers to it go. */
  readonly fromName: string;
  readonly replyTo: string;
}

/** What a mail is filled with. */
export interface MailFacts {
  readonly customer: Customer;
  /** Absent where the buyer never registered or was erased. */
  readonly buyer?: BuyerDetails;
  readonly usage?: MailedUsage;
}

/** The usage that an event is about, as the event words it. */
export interface MailedUsage {
  readonly hour: string;
  readonly dimension: string;
  readonly quantity: number;
  readonly reason?: string | undefined;
  readonly deadlineAt: string;
}

export type MailOutcome =
  | { readonly kind: 'taken' }
  /** Trying again would change nothing: the address, or the mail. */
  | { readonly kind: 'refused'; readonly code: string }
  /** It was certainly not taken: a throttle, a fault that SES told of, no connection. */
  | { readonly kind: 'failed'; readonly code: string }
  /** It may have been taken. */
  | { readonly kind: 'unanswered' };

/** Of an attempt that was begun, and of which nothing is known. */
const UNANSWERED = 'unanswered';

/** A try of which nothing is known is made once more: a buyer with two copies is better off than one with none. */
const MOST_UNANSWERED = 2;

/** Long enough for the function that began the try to be over, and for a short outage. */
const UNANSWERED_WAIT_MS = 15 * MINUTE_MS;

/** Whether no further try may be made: each could be a further copy. */
export function isUncertain({ attempts }: Pick<Delivery, 'attempts'>): boolean {
  return attempts.filter(({ outcome }) => outcome === UNANSWERED).length >= MOST_UNANSWERED;
}

/** The mail with the intent of a try: to be noted before the call. */
export function intended(mail: Delivery, nowMs: number): Delivery {
  return {
    ...mail,
    tries: mail.tries + 1,
    attempts: [...mail.attempts, { at: nowMs, outcome: UNANSWERED }],
    nextTryAt: nowMs + UNANSWERED_WAIT_MS,
  };
}

/** The mail after the call that its intent was noted for. `sent` says which text it had. */
export function answered(
  intent: Delivery,
  outcome: MailOutcome,
  sent: MailTemplateName,
  nowMs: number,
  chance: number,
): Delivery {
  switch (outcome.kind) {
    case 'taken':
      return settled(intent, 'delivered', sent);
    case 'refused':
      return settled(intent, 'stopped', outcome.code);
    case 'failed':
      return waitingAgain(settled(intent, 'pending', outcome.code), nowMs, chance);
    case 'unanswered':
      return isUncertain(intent) ? uncertain(intent) : intent;
  }
}

/** The mail as if the try had not been begun: what kept it back was a fault of ours. */
export function withdrawn(mail: Delivery, intent: Delivery): Delivery {
  return { ...mail, nextTryAt: intent.attempts.at(-1)?.at ?? mail.since };
}

/** Nobody knows whether it was taken, and no further try is made. */
export function uncertain({ nextTryAt: _none, ...mail }: Delivery): Delivery {
  return { ...mail, status: 'stopped' };
}

/** A mail that waited for a further try and is not to be sent any more. */
export function dropped({ nextTryAt: _none, ...mail }: Delivery, reason: string, nowMs: number): Delivery {
  return { ...mail, status: 'stopped', attempts: [...mail.attempts, { at: nowMs, outcome: reason }] };
}

/** Whether a confirmation has told the buyer already that access, granted at `grantedAt`, is open. */
export function hasToldOfAccess(deliveries: readonly Delivery[], grantedAt: number): boolean {
  const active: MailTemplateName = 'buyerRegisteredActive';
  return deliveries.some(({ attempts }) => attempts.some(({ outcome, at }) => outcome === active && at >= grantedAt));
}

export function mailName(kind: MailKind, { customerId, sequence }: Omit<DeliveryName, 'endpoint'>): DeliveryName {
  return { endpoint: mailEndpoint(kind), customerId, sequence };
}

function settled({ nextTryAt: _none, ...mail }: Delivery, status: Delivery['status'], outcome: string): Delivery {
  return {
    ...mail,
    status,
    attempts: mail.attempts.map((each, index, all) => (index === all.length - 1 ? { ...each, outcome } : each)),
  };
}
