// Reads:       how many dead letters a queue has
// Writes:      the audit line, then asks the queue to bring them back
// Once per:    action id; what is brought back is handled once however often it comes
// If it stops: the same act, under the same id, asks again
import { type Act, actProblem, auditOf, type Refused, refuse } from '../../domain/operations/act.ts';
import type { DeadLetters } from '../dead-letter-ports.ts';
import type { LedgerStore } from '../ports.ts';
import type { Doing } from './amend-record.ts';

export interface RedrivePorts {
  readonly ledger: Pick<LedgerStore, 'action' | 'noteAction'>;
  /** By the queue's name. */
  readonly deadLetters: Readonly<Record<string, DeadLetters>>;
  readonly clock: () => number;
}

export type RedriveOutcome = Refused | { readonly kind: 'planned' | 'done' | 'already'; readonly letters: number };

/** Has what a queue gave up handled again, once the cause is mended. */
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
  const count = await letters.count();
  if (count === 0) {
    if (noted) return { kind: 'already', letters: 0 };
    return refuse(
      'nothingDead',
      `The queue '${queue}' has no dead letters. SQS counts with a delay: look again in a minute.`,
    );
  }
  if (await letters.isRedriving()) {
    if (noted) return { kind: 'already', letters: count };
    return refuse(
      'redriveRuns',
      `The dead letters of '${queue}' are being brought back already. Look again in a minute.`,
    );
  }
  if (dryRun) return { kind: 'planned', letters: count };
  await ledger.noteAction(auditOf(act, 'redrive', {}, clock(), { queue, letters: count }));
  await letters.redrive();
  return { kind: noted ? 'already' : 'done', letters: count };
}
