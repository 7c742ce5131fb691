// Reads:       a delivery
// Writes:      the audit line; the delivery as if it were new; then a message that asks for it
// Once per:    action id; the receiver knows a repeat by the event's id
// If it stops: the same act, under the same id, asks for it again unless it was settled since
import type { AuditEntry } from '../../domain/amendment.ts';
import type { Delivery, DeliveryName } from '../../domain/delivery.ts';
import { isMailEndpoint } from '../../domain/mail.ts';
import { type Act, actProblem, auditOf, type Refused, refuse } from '../../domain/operations/act.ts';
import type { LedgerStore } from '../ports.ts';
import { resendWebhook, type ResendPorts as SendPorts } from '../resend-webhook.ts';
import type { Doing } from './amend-record.ts';

export interface ResendPorts extends SendPorts {
  readonly ledger: Pick<LedgerStore, 'action' | 'noteAction'>;
}

export type ResendOutcome =
  | Refused
  | { readonly kind: 'planned' | 'done'; readonly delivery: Delivery }
  | { readonly kind: 'already'; readonly audit: AuditEntry };

/** Posts an event to an endpoint again, whatever became of it, under the id that it has. */
export async function resend(
  ports: ResendPorts,
  name: DeliveryName,
  act: Act,
  { dryRun = false }: Doing = {},
): Promise<ResendOutcome> {
  const { ledger, deliveries, clock } = ports;
  const problem = actProblem(act);
  if (problem) return problem;
  const { endpoint, customerId, sequence } = name;
  const noted = await ledger.action(act.actionId);
  const isSame = noted?.action === 'resend' && isOf(noted, name);
  if (noted && !isSame) {
    return refuse('actionIdTaken', `The act's id ${act.actionId} stands for another act (${noted.action}).`);
  }
  if (isMailEndpoint(endpoint)) {
    return refuse(
      'deliveryUnknown',
      `'${endpoint}' is mail, and no webhook: it would say what was so then. Write to the recipient by hand.`,
    );
  }
  const delivery = await deliveries.delivery(name);
  if (!delivery) {
    return refuse(
      'deliveryUnknown',
      `No delivery of event ${sequence} of ${customerId} to '${endpoint}' is kept. Deliveries are kept for thirty days.`,
    );
  }
  // Reopened by this very act, and settled since: what it asked for has happened.
  if (noted && delivery.since === noted.at && delivery.status !== 'pending') return { kind: 'already', audit: noted };
  if (dryRun) return { kind: 'planned', delivery };
  const at = noted?.at ?? clock();
  await ledger.noteAction(auditOf(act, 'resend', {}, at, { endpoint, customerId, sequence, from: delivery.status }));
  await resendWebhook({ ...ports, clock: () => at }, name);
  return noted ? { kind: 'already', audit: noted } : { kind: 'done', delivery };
}

function isOf({ facts }: AuditEntry, { endpoint, customerId, sequence }: DeliveryName): boolean {
  return facts['endpoint'] === endpoint && facts['customerId'] === customerId && facts['sequence'] === sequence;
}
