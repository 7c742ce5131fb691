// Reads:       one notice of AWS, then all that is kept of its agreement and of its customer's others
// Writes:      the notice; whose its agreement is; that customer's standing, events and metering's notes
// Once per:    notice id; everything after it follows from all notices and may be done any number of times
// If it stops: the queue delivers the notice again; it is found kept, and the rest is done anew
import type { AccessEvent } from '../domain/access-event.ts';
import type { Customer } from '../domain/customer.ts';
import { asFailure, Unavailable } from '../domain/failure.ts';
import { agreementThread, buyerThread, isUnplaced, type Notice, threadOf } from '../domain/notice.ts';
import type { WaitsFor } from '../domain/placement.ts';
import type { DueCustomer, NoticePorts } from './notice-ports.ts';
import { placeThread } from './place-thread.ts';
import { type SettlePorts, settleStanding } from './settle-standing.ts';

export type Applied =
  | { readonly kind: 'applied'; readonly customerId: string; readonly events: readonly AccessEvent['type'][] }
  /** Kept; a further notice, a registration or an operator tells whose it is. */
  | { readonly kind: 'waits'; readonly for: WaitsFor }
  /** Kept, and of no agreement. */
  | { readonly kind: 'recorded' };

/** Keeps a notice and brings its customer's standing up to date. A repeat changes nothing. */
export async function applyNotice(
  ports: NoticePorts,
  notice: Notice,
  received: string,
  nowMs: number,
): Promise<Applied> {
  await ports.notices.keep(notice, received);
  const thread = threadOf(notice);
  return isUnplaced(thread) ? { kind: 'recorded' } : bring(ports, thread, nowMs);
}

/**
 * Tells what a registration adds: whose licence a notice waited for, and that the buyer has registered. To be called
 * after each change of a customer by registration; a repeat changes nothing.
 */
export async function noteRegistration(ports: NoticePorts, customer: Customer, nowMs: number): Promise<void> {
  const { notices } = ports;
  const { customerId, customerAwsAccountId: account, productCode, licenceKeys } = customer;
  const named = await Promise.all(licenceKeys.map((key) => notices.threadsOfLicence(key)));
  const ofAccount = account === undefined ? [] : await notices.threadsOfAccount(account, productCode);
  const ofLicence = new Set([...licenceKeys.map(buyerThread), ...named.flat()]);
  for (const key of new Set([...ofLicence, ...ofAccount])) {
    const { notices: told, customerId: owner } = await notices.thread(key);
    // An agreement of this licence that is another's takes the licence with it.
    const isOpen = owner === undefined || (ofLicence.has(key) && owner !== customerId);
    if (told.length > 0 && isOpen) await bring(ports, key, nowMs);
  }
  await settleStanding(ports, customerId, nowMs);
}

export interface ReplacementLink {
  readonly agreementId: string;
  readonly previousAgreementId: string;
}

/**
 * An operator's word on which agreement another replaces, where AWS gave none. It is kept like a notice; a later one
 * wins. What stood as a customer of its own until then is joined into the other.
 */
export async function linkReplacement(
  ports: NoticePorts,
  { agreementId, previousAgreementId }: ReplacementLink,
  nowMs: number,
  /** When it was said: the same word again, said at the same time, is kept once. */
  saidAt = nowMs,
): Promise<Applied | { readonly kind: 'unknownAgreement' | 'toldByAws' }> {
  const { notices } = ports;
  const thread = await notices.thread(agreementThread(agreementId));
  const previous = await notices.thread(agreementThread(previousAgreementId));
  if (thread.notices.length === 0 || previous.customerId === undefined || agreementId === previousAgreementId) {
    return { kind: 'unknownAgreement' };
  }
  const isTold = thread.notices.some((each) => each.channel !== 'operator' && each.previousAgreementId !== undefined);
  if (isTold) return { kind: 'toldByAws' };
  const notice: Notice = {
    noticeId: `link-${agreementId}-${previousAgreementId}-${saidAt}`,
    channel: 'operator',
    kind: 'replacementLinked',
    type: 'replacementLinked',
    atMs: saidAt,
    agreementId,
    previousAgreementId,
  };
  return applyNotice(ports, notice, '', nowMs);
}

/**
 * Folds the customers again whose agreements have begun since, whose agreement or licence became another's in a run
 * that stopped there, or whose registration was not settled. To be called on a schedule; gives their number. One that
 * fails keeps no other waiting: throws Unavailable at the end, so that somebody is woken.
 */
export async function settleDue(ports: NoticePorts, nowMs: number, hasTime = () => true): Promise<number> {
  const due = await ports.notices.due(nowMs);
  const faults: { readonly customerId: string; readonly fault: unknown }[] = [];
  for (const each of due) {
    if (!hasTime()) break;
    try {
      await settleRegistered(ports, each, nowMs);
    } catch (fault) {
      faults.push({ customerId: each.customerId, fault });
    }
  }
  const [first] = faults;
  if (!first) return due.length;
  const { customerId, fault } = first;
  throw new Unavailable('SettlingIncomplete', 'Some customers who were due could not be settled.', {
    cause: fault,
    facts: { failed: faults.length, customerId, failedBy: asFailure(fault).code },
  });
}

/** Does what follows on a registration, and takes the customer off the list of those who are due. */
export async function settleRegistered(ports: NoticePorts, due: DueCustomer, nowMs: number): Promise<void> {
  const read = await ports.notices.folded(due.customerId);
  if (read) await noteRegistration(ports, read.customer, nowMs);
  await ports.notices.finishDue(due);
}

async function settleOne(ports: SettlePorts, due: DueCustomer, nowMs: number): Promise<void> {
  await settleStanding(ports, due.customerId, nowMs);
  await ports.notices.finishDue(due);
}

async function bring(
  ports: NoticePorts,
  key: string,
  nowMs: number,
  seen: ReadonlySet<string> = new Set(),
): Promise<Applied> {
  const placed = await placeThread(ports, key, nowMs);
  if (placed.kind === 'waits') return placed;
  const { customerId, leftCustomers } = placed;
  const events = await settleStanding(ports, customerId, nowMs);
  for (const left of leftCustomers) await settleOne(ports, { customerId: left, changesAt: 0 }, nowMs);
  // After the link: an agreement that names this one as the one before it found it unlinked, or finds it linked.
  const { successors } = await ports.notices.thread(key);
  for (const successor of successors) {
    const { customerId: owner } = await ports.notices.thread(successor);
    if (owner !== customerId && !seen.has(successor)) await bring(ports, successor, nowMs, new Set([...seen, key]));
  }
  return { kind: 'applied', customerId, events: events.map(({ type }) => type) };
}
