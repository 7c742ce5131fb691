// Reads:       the customer, and whether a buyer's details stand
// Writes:      the audit line; then the buyer's details are gone, from every index, too
// Once per:    action id
// If it stops: the line stands, and the same act, under the same id, takes the details away
import { type Act, actProblem, auditOf, type Refused, refuse } from '../../domain/operations/act.ts';
import type { BuyerStore, CustomerStore, LedgerStore } from '../ports.ts';
import type { Doing } from './amend-record.ts';

export interface ErasePorts {
  readonly customers: Pick<CustomerStore, 'customer'>;
  readonly buyers: Pick<BuyerStore, 'details' | 'erase'>;
  readonly ledger: Pick<LedgerStore, 'action' | 'noteAction'>;
  readonly clock: () => number;
}

export type EraseOutcome =
  | Refused
  | {
      /** `planned`: nothing was written. Which details stand, by name: `email`, and the fields of the page. */
      readonly kind: 'planned' | 'done';
      readonly names: readonly string[];
      readonly submittedAt: number;
    }
  | { readonly kind: 'already' };

/**
 * Takes away what a buyer told on the registration page. The customer, its usage and its bills stay: they name nobody.
 * It can't be undone, and the page takes no details of the customer again.
 */
export async function eraseBuyer(
  { customers, buyers, ledger, clock }: ErasePorts,
  customerId: string,
  act: Act,
  { dryRun = false }: Doing = {},
): Promise<EraseOutcome> {
  const problem = actProblem(act);
  if (problem) return problem;
  const noted = await ledger.action(act.actionId);
  if (noted && (noted.action !== 'eraseBuyer' || noted.facts['customerId'] !== customerId)) {
    return refuse('actionIdTaken', `The act's id ${act.actionId} stands for another act (${noted.action}).`);
  }
  if (noted) {
    if (!dryRun) await buyers.erase(customerId);
    return { kind: 'already' };
  }
  if (!(await customers.customer(customerId))) {
    return refuse(
      'customerUnknown',
      `No customer '${customerId}' is known. Search for the buyer by e-mail or company.`,
    );
  }
  const details = await buyers.details(customerId);
  if (!details) {
    return refuse(
      'nothingToErase',
      `No details of customer ${customerId} stand: its buyer has not registered, or they are erased. Nothing is to be done.`,
    );
  }
  const names = ['email', ...Object.keys(details.fields)];
  const { submittedAt } = details;
  if (dryRun) return { kind: 'planned', names, submittedAt };
  await ledger.noteAction(auditOf(act, 'eraseBuyer', {}, clock(), { customerId, details: names.length }));
  await buyers.erase(customerId);
  return { kind: 'done', names, submittedAt };
}
