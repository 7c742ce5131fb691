// Which notices an action of a lifecycle makes, on which channel, and when.
import type { Agreement } from './agreements.ts';
import {
  amendedEvent,
  createdEvent,
  endedEvent,
  endingEvent,
  entitlementMessage,
  isProposer,
  licenceEvent,
  type NoticeDraft,
  type Parties,
  subscriptionMessage,
} from './notice-bodies.ts';
import {
  hastenNotices,
  type Occasion,
  type PlannedNotice,
  planNotices,
  withdrawMessage,
  withdrawNotices,
} from './notices.ts';
import { type Delivery, findProduct, isContract } from './products.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
// AWS: "Purchase Agreement Ending" comes 180, 120, 90, 60 and 30 days before the end.
const REMINDER_DAYS = [180, 120, 90, 60, 30];

/** A beginning: Created, then License Updated, with their messages; reminders of the end; a failure where it fails. */
export function announceStart(
  world: World,
  agreement: Agreement,
  fails: boolean,
  delivery: Delivery | undefined,
): void {
  const { provisionedMs, startsMs } = agreement;
  const createdMs = world.switches.futureDatedCreated === 'start' ? startsMs : agreement.acceptedMs;
  const licenceMs = (provisionedMs ?? startsMs) + licenceDelayMs(world);
  announce(world, agreement, delivery, (parties) => [
    notice(createdMs, 'created', createdEvent(parties)),
    ...(fails
      ? [notice(licenceMs, 'created', subscriptionMessage(parties, 'subscribe-fail'))]
      : licenceNotices(parties, licenceMs, 'licence')),
  ]);
  announceReminders(world, agreement);
}

/**
 * A change: Amended, then License Updated with its messages, unless the licence is still to come and told of then. `disabledBy` says who turned the renewal off, where it
 * is off.
 */
export function announceChange(
  world: World,
  agreement: Agreement,
  disabledBy: 'ACCEPTOR' | 'PROPOSER',
  delivery: Delivery | undefined,
): void {
  const nowMs = world.now();
  const given = agreement.provisionedMs !== undefined && agreement.provisionedMs <= nowMs;
  announce(world, agreement, delivery, (parties) => [
    notice(nowMs, 'change', amendedEvent(parties, disabledBy)),
    ...(given ? licenceNotices(parties, nowMs + licenceDelayMs(world), 'change') : []),
  ]);
  withdrawNotices(world, agreement.agreementId, 'ending');
  announceReminders(world, agreement);
}

/** An end, now or to come, in place of the end that was planned before: Ended, then License Deprovisioned. */
export function announceEnd(world: World, agreement: Agreement, delivery: Delivery | undefined): void {
  const { agreementId, endedMs, deprovisionedMs, provisionedMs, endStatus } = agreement;
  if (endedMs === undefined) return;
  withdrawNotices(world, agreementId, 'end');
  withdrawNotices(world, agreementId, 'ending', endedMs);
  if (provisionedMs === undefined) withdrawNotices(world, agreementId, 'licence');
  hastenNotices(world, agreementId, endedMs);
  // A buyer whose agreement goes on under another one stays subscribed.
  const leaves = endStatus !== 'RENEWED' && endStatus !== 'REPLACED';
  announce(world, agreement, delivery, (parties) => {
    const ended = notice(endedMs, 'end', endedEvent(parties));
    if (deprovisionedMs === undefined) return [ended];
    const gone = notice(deprovisionedMs, 'end', licenceEvent(parties, 'Deprovisioned'));
    if (!leaves) return [ended, gone];
    return [
      ended,
      gone,
      notice(deprovisionedMs, 'end', subscriptionMessage(parties, 'unsubscribe-pending')),
      ...(isContract(parties.product) ? [notice(deprovisionedMs, 'end', entitlementMessage(parties))] : []),
      notice(deprovisionedMs + HOUR_MS, 'end', subscriptionMessage(parties, 'unsubscribe-success')),
    ];
  });
}

/** Takes back the end of an agreement that goes on after all. */
export function withdrawEnd(world: World, { agreementId }: Agreement): void {
  withdrawNotices(world, agreementId, 'end');
}

/** One notice of something that happens now. */
export function announceNow(
  world: World,
  agreement: Agreement,
  delivery: Delivery | undefined,
  draft: (parties: Parties) => NoticeDraft,
): void {
  announce(world, agreement, delivery, (parties) => [notice(world.now(), 'change', draft(parties))]);
}

/** AWS: who subscribes again right after leaving never hears that leaving succeeded. */
export function forgetLeaving(world: World, agreements: readonly Agreement[]): void {
  for (const { agreementId } of agreements) withdrawMessage(world, agreementId, 'unsubscribe-success');
}

/** Reminders go to the proposer; what has passed already is not made up for. */
function announceReminders(world: World, agreement: Agreement): void {
  const { termEndMs, acceptedMs, startsMs } = agreement;
  if (termEndMs === undefined || !isProposer(agreement)) return;
  const firstMs = Math.max(acceptedMs, startsMs, world.now());
  for (const days of REMINDER_DAYS) {
    const atMs = termEndMs - days * DAY_MS;
    if (atMs <= firstMs) continue;
    announce(world, agreement, undefined, (parties) => [notice(atMs, 'ending', endingEvent(parties, days))]);
  }
}

function announce(
  world: World,
  agreement: Agreement,
  delivery: Delivery | undefined,
  draft: (parties: Parties) => PlannedNotice[],
): void {
  const product = findProduct(world, agreement.productCode);
  if (product === undefined) return;
  const heard = draft({ agreement, product }).filter(({ draft: { channel } }) => {
    // A message without a customer identifier would say nothing: AWS sends none for products that have none.
    if (channel === 'sns' && agreement.customerIdentifier === undefined) return false;
    return product.notices === 'both' || product.notices === channel;
  });
  planNotices(world, agreement.agreementId, heard, delivery ?? product);
}

/** A licence that was given or changed: the event, and the messages that mean the same. */
function licenceNotices(parties: Parties, atMs: number, occasion: Occasion): PlannedNotice[] {
  if (parties.agreement.provisionedMs === undefined) return [];
  return [
    notice(atMs, occasion, licenceEvent(parties, 'Updated')),
    notice(atMs, occasion, subscriptionMessage(parties, 'subscribe-success')),
    ...(isContract(parties.product) ? [notice(atMs, occasion, entitlementMessage(parties))] : []),
  ];
}

function notice(atMs: number, occasion: Occasion, draft: NoticeDraft): PlannedNotice {
  return { atMs, occasion, draft };
}

function licenceDelayMs(world: World): number {
  return world.switches.licenceNoticeAfterSeconds * 1000;
}
