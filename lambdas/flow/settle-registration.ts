// Reads:       a customer whom a request of its buyer changes, and what waits for such a buyer
// Writes:      before the change, that the customer is due; after it, what follows from it
// Once per:    request; everything in it follows from what stands and may be done any number of times
// If it stops: settleDue does it, a minute after the request
import { asFailure, type SafeFacts } from '../domain/failure.ts';
import { MINUTE_MS } from '../domain/hour.ts';
import { settleRegistered } from './apply-notice.ts';
import type { DueCustomer, NoticePorts } from './notice-ports.ts';

export interface RegistrationPorts extends NoticePorts {
  readonly log: { warn(code: string, facts?: SafeFacts): void };
}

/** By then the request is over: the schedule must not settle what is not written yet, and forget it. */
const AFTER_REQUEST_MS = MINUTE_MS;

/** Notes that a customer is to be settled, whatever becomes of the request. Throws like any write of it. */
export async function expectRegistration(
  { notices }: Pick<RegistrationPorts, 'notices'>,
  customerId: string,
  nowMs: number,
): Promise<DueCustomer> {
  const due = { customerId, changesAt: nowMs + AFTER_REQUEST_MS };
  await notices.noteDue(due);
  return due;
}

/** Settles a customer at once. A fault is no reason for the request to fail: the customer is due. */
export async function settleRegistration(ports: RegistrationPorts, due: DueCustomer, nowMs: number): Promise<void> {
  try {
    await settleRegistered(ports, due, nowMs);
  } catch (fault) {
    ports.log.warn('RegistrationUnsettled', { customerId: due.customerId, failureCode: asFailure(fault).code });
  }
}
