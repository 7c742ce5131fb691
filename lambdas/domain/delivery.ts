// The delivery of one event to one webhook endpoint: what each answer means, and when it is tried again.
import { SECOND_MS } from './hour.ts';
import { WEBHOOK_TRIED_FOR_MS, webhookWaitSeconds } from './webhook.ts';

export type PostOutcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** The address is none that may be reached; trying again changes nothing until somebody changes it. */
  | { readonly kind: 'forbidden'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export const DELIVERY_STATUSES = ['pending', 'delivered', 'givenUp', 'stopped'] as const;

/** `stopped`: trying again would change nothing. `givenUp`: it was tried for as long as any event is. */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What tells a delivery from all others. */
export interface DeliveryName {
  readonly endpoint: string;
  readonly customerId: string;
  readonly sequence: number;
}

interface DeliveryAttempt {
  readonly at: number;
  /** The HTTP status, or why there was none: `timeout`, `ECONNREFUSED`. Of a mail: the text that was sent, or why none was. */
  readonly outcome: string;
}

export interface Delivery extends DeliveryName {
  readonly type: string;
  /** The JSON that is posted, the same at each try. */
  readonly body: string;
  readonly status: DeliveryStatus;
  /** When it was first to be posted, or an operator asked for it again. */
  readonly since: number;
  readonly tries: number;
  /** The latest tries, oldest first. */
  readonly attempts: readonly DeliveryAttempt[];
  /** Not to be posted before; absent until a try has failed. */
  readonly nextTryAt?: number;
}

const KEPT_ATTEMPTS = 10;

/** The same for every try, endpoint and repeat of an event. Without a full stop, at which signed content is parted. */
export function accessEventId({ customerId, sequence }: Pick<DeliveryName, 'customerId' | 'sequence'>): string {
  return `${customerId}_${sequence}`;
}

/** The delivery after a try. Redirects are not followed: they count as any other answer that is not 2xx. */
export function afterTry(delivery: Delivery, outcome: PostOutcome, nowMs: number, chance: number): Delivery {
  const tries = delivery.tries + 1;
  const attempt = { at: nowMs, outcome: outcomeText(outcome) };
  const tried = { ...withoutNextTry(delivery), tries, attempts: [...delivery.attempts, attempt].slice(-KEPT_ATTEMPTS) };
  if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300) {
    return { ...tried, status: 'delivered' };
  }
  // 410: the receiver itself says that it wants nothing more.
  if (outcome.kind === 'forbidden' || (outcome.kind === 'answered' && outcome.status === 410)) {
    return { ...tried, status: 'stopped' };
  }
  return waitingAgain(tried, nowMs, chance);
}

/** After a try that failed: when the next one is, or that the day in which it is tried is over. */
export function waitingAgain(tried: Delivery, nowMs: number, chance: number): Delivery {
  const nextTryAt = nowMs + webhookWaitSeconds(tried.tries, chance) * SECOND_MS;
  const isOver = nextTryAt > tried.since + WEBHOOK_TRIED_FOR_MS;
  return isOver ? { ...withoutNextTry(tried), status: 'givenUp' } : { ...tried, status: 'pending', nextTryAt };
}

/** As if the event were new, its past tries still shown. */
export function reopened(delivery: Delivery, nowMs: number): Delivery {
  return { ...withoutNextTry(delivery), status: 'pending', since: nowMs, tries: 0 };
}

function withoutNextTry({ nextTryAt: _gone, ...delivery }: Delivery): Delivery {
  return delivery;
}

function outcomeText(outcome: PostOutcome): string {
  return outcome.kind === 'answered' ? String(outcome.status) : outcome.reason;
}
