// What became of a record, a customer or a delivery, in a word and a tone.
import type { CustomerListing } from '../../lambdas/domain/customer-listing.ts';
import type { DeliveryStatus } from '../../lambdas/domain/delivery.ts';
import type { RecordStatus } from '../../lambdas/domain/ledger.ts';
import type { Mark } from '../../lambdas/domain/standing.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { pill, type Tone } from './pill.ts';

const RECORD_TONES: Readonly<Record<RecordStatus, Tone>> = {
  open: 'info',
  honoured: 'good',
  presumed: 'good',
  disputed: 'bad',
  held: 'warn',
  quarantined: 'warn',
  withheld: 'quiet',
  uncertain: 'warn',
  expired: 'bad',
  carried: 'quiet',
};

export function recordPill(status: RecordStatus): Html {
  return pill(RECORD_TONES[status], status);
}

export const LISTING_NAMES: Readonly<Record<CustomerListing, string>> = {
  unregistered: 'Awaiting registration',
  awaitingLicence: 'Awaiting licence',
  scheduled: 'Begins later',
  active: 'Active',
  ending: 'Ending',
  ended: 'Ended',
  failed: 'Failed',
  joined: 'Joined into another',
};

const LISTING_TONES: Readonly<Record<CustomerListing, Tone>> = {
  unregistered: 'warn',
  awaitingLicence: 'info',
  scheduled: 'info',
  active: 'good',
  ending: 'warn',
  ended: 'quiet',
  failed: 'bad',
  joined: 'quiet',
};

export function listingPill(listing: CustomerListing): Html {
  return pill(LISTING_TONES[listing], LISTING_NAMES[listing]);
}

const MARK_NAMES: Readonly<Record<Mark, string>> = {
  advisory: 'advisory',
  awaitingSuccessor: 'awaits its successor',
  cancellationRequested: 'cancellation requested',
  freeTrial: 'free trial',
  spendVetFailed: 'spend check failed',
};

export function markPills(marks: readonly Mark[]): Html {
  return html`${marks.map((mark) => html`${pill(mark === 'freeTrial' ? 'info' : 'warn', MARK_NAMES[mark])} `)}`;
}

const DELIVERY_WORDS: Readonly<Record<DeliveryStatus, readonly [Tone, string]>> = {
  pending: ['info', 'on its way'],
  delivered: ['good', 'delivered'],
  givenUp: ['bad', 'given up'],
  stopped: ['bad', 'stopped'],
};

export function deliveryPill(status: DeliveryStatus): Html {
  return pill(...DELIVERY_WORDS[status]);
}
