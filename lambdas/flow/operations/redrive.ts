// Reads:       the audit line of the act, how many dead letters a queue has, whether they are on their way
// Writes:      the audit line before the queue is asked to bring them back, and after it a line that it was asked
// Once per:    action id, but for a stop between asking and the second line; what is brought back is handled once
// If it stops: the same act, under the same id, asks again unless the second line stands
import type { AuditEntry } from '../../domain/amendment.ts';
import { type Act, actProblem, auditOf, partOf, type Refused, refuse } from '../../domain/operations/act.ts';
import type { DeadLetters } from '../dead-letter-ports.ts';
import type { LedgerStore } from '../ports.ts';
import type { Doing } from './amend-record.ts';

export interface RedrivePorts {
  readonly ledger: Pick<LedgerStore, 'action' | 'noteAction'>;
  /** By the queue's name. */
  readonly deadLetters: Readonly<Record<string, DeadLetters>>;
  readonly clock: () => number;
}

export type RedriveOutcome =
  | Refused
  | { readonly kind: 'planned' | 'done'; readonly letters: number }
  | { readonly kind: 'already'; readonly audit: AuditEntry };

/**
 * Has what a queue gave up handled again, once the cause is mended. The same id again brings nothing that was given up
 * since: that is another act, with a line of its own in the audit.
 */
export async function redrive(
  { ledger, deadLetters, clock }: RedrivePorts,
  queue: string,
  act: Act,
  { dryRun = false }: Doing = {},
): Promise<RedriveOutcome> {
  const problem = actProblem(act);
  if (problem) return problem;
  const letters = deadLetters[queue];
  if (!letters) {
    const names = Object.keys(deadLetters).join(', ') || 'none';
    return refuse('queueUnknown', `This deployment has no queue '${queue}'. It has: ${names}.`);
  }
  const noted = await ledger.action(act.actionId);
  if (noted && (noted.action !== 'redrive' || noted.facts['queue'] !== queue)) {
    return refuse('actionIdTaken', `The act's id ${act.actionId} stands for another act (${noted.action}).`);
  }
  const asked = partOf(act, 'asked');
  if (noted && (await ledger.action(asked.actionId))) return { kind: 'already', audit: noted };
  const count = await letters.count();
  if (count === 0) {
    if (noted) return { kind: 'already', audit: noted };
    return refuse(
      'nothingDead',
      `The queue '${queue}' has no dead letters. SQS counts with a delay: look again in a minute.`,
    );
  }
  if (await letters.isRedriving()) {
    if (noted) return { kind: 'already', audit: noted };
    return refuse(
      'redriveRuns',
      `The dead letters of '${queue}' are being brought back already. Look again in a minute.`,
    );
  }
  if (dryRun) return { kind: 'planned', letters: count };
  await ledger.noteAction(auditOf(act, 'redrive', {}, clock(), { queue, letters: count }));
  await letters.redrive();
  await ledger.noteAction(auditOf(asked, 'redrive', {}, clock(), { queue, letters: count }));
  return { kind: 'done', letters: count };
}
