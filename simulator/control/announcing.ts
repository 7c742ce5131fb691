// Control: what AWS tells of an agreement besides its beginning, its changes and its end.
import type { Agreement } from '../world/agreements.ts';
import { announceNow } from '../world/announcements.ts';
import { advise, stepCancellation } from '../world/lifecycle.ts';
import {
  billingAdjustmentEvent,
  type CancellationStep,
  endingEvent,
  isProposer,
  type NoticeDraft,
  type Parties,
  renewalEvent,
} from '../world/notice-bodies.ts';
import type { Delivery } from '../world/products.ts';
import type { World } from '../world/world.ts';
import { running } from './agreement-input.ts';
import { conflict } from './input.ts';

const DAY_MS = 86_400_000;

type Announcement = (world: World, agreement: Agreement, delivery: Delivery | undefined) => Agreement;

/** What AWS tells besides beginnings, changes and ends. Only an approved cancellation does more than tell. */
export const ANNOUNCEMENTS: ReadonlyMap<string, Announcement> = new Map([
  ['advisoryIssued', (world, agreement, delivery) => advise(world, agreement, 'Issued', delivery)],
  ['advisoryResolved', (world, agreement, delivery) => advise(world, agreement, 'Resolved', delivery)],
  ['cancellationRequestPendingApproval', cancellation('Pending Approval')],
  ['cancellationRequestApproved', cancellation('Approved')],
  ['cancellationRequestRejected', cancellation('Rejected')],
  ['cancellationRequestCancelled', cancellation('Cancelled')],
  ['cancellationRequestValidationFailed', cancellation('Validation Failed')],
  ['ending', toProposer((parties, world) => endingEvent(parties, daysLeft(parties.agreement, world.now())), true)],
  [
    'renewalTermsFinalized',
    toProposer((parties, world) => renewalEvent(parties, 'Terms Finalized', world.now()), true),
  ],
  ['renewalUpcoming', toProposer((parties, world) => renewalEvent(parties, 'Upcoming', world.now()), true)],
  ['billingAdjustmentCompleted', toProposer((parties) => billingAdjustmentEvent(parties, 'Completed'))],
  ['billingAdjustmentFailed', toProposer((parties) => billingAdjustmentEvent(parties, 'Failed'))],
] satisfies [string, Announcement][]);

function cancellation(step: CancellationStep): Announcement {
  return (world, agreement, delivery) => {
    refuseWithoutProposer(agreement);
    return stepCancellation(world, running(world, agreement), step, delivery);
  };
}

function toProposer(draft: (parties: Parties, world: World) => NoticeDraft, needsEnd = false): Announcement {
  return (world, agreement, delivery) => {
    refuseWithoutProposer(agreement);
    if (needsEnd && agreement.termEndMs === undefined) {
      throw conflict('NoAgreedEnd', 'The agreement has no agreed end to tell of: amend it with endAt.');
    }
    announceNow(world, agreement, delivery, (parties) => draft(parties, world));
    return agreement;
  };
}

function refuseWithoutProposer(agreement: Agreement): void {
  if (isProposer(agreement)) return;
  throw conflict('NotProposer', 'A channel partner proposed this agreement, and only the partner is told of this.');
}

function daysLeft({ termEndMs }: Agreement, nowMs: number): number {
  return Math.max(0, Math.ceil(((termEndMs ?? nowMs) - nowMs) / DAY_MS));
}
