// Trying the records of a range again now, instead of when their time comes.
import { hash } from 'node:crypto';
import type { Amendment } from '../amendment.ts';
import type { RecordStatus, SealedHour } from '../ledger.ts';
import { identityOf } from '../metering-batch.ts';
import { type Act, auditOf, instant, partOf } from './act.ts';
import { decideRelease, groupsAround } from './release.ts';

/** What trying again means for one record. */
export type ResubmitStep =
  /** It waited for its time, and is due at once. */
  | { readonly kind: 'tryNow'; readonly amendment: Amendment }
  /** Quarantined, and let out. */
  | { readonly kind: 'release'; readonly amendment: Amendment }
  /** It is due already: the sender's next run takes it. */
  | { readonly kind: 'due' }
  /** Quarantined: it stays so unless its release is asked for. */
  | { readonly kind: 'needsRelease'; readonly message: string }
  /** It is not to be sent again, or can't be. */
  | { readonly kind: 'locked'; readonly message: string };

export interface ResubmitTerms {
  readonly releaseQuarantined: boolean;
  /** Keys of the groups that are held. */
  readonly heldGroups: Iterable<string>;
}

export function decideResubmit(record: SealedHour, terms: ResubmitTerms, act: Act, nowMs: number): ResubmitStep {
  const { status, deadlineAt, nextAttemptAt, reason } = record;
  const why = lockOf(status);
  if (why !== undefined) return { kind: 'locked', message: why };
  if (nowMs >= deadlineAt) {
    return { kind: 'locked', message: `AWS took it until ${instant(deadlineAt)}; the sender ends it in its next run.` };
  }
  const groups = groupsAround(record, terms.heldGroups).filter((key) => !key.startsWith('suspect '));
  if (groups.length > 0) {
    return {
      kind: 'locked',
      message: `It shares a fault with others: release the group '${groups.join("', '")}' first.`,
    };
  }
  const own = partOf(act, hash('sha256', identityOf(record)).slice(0, 16));
  if (status === 'quarantined') {
    if (!terms.releaseQuarantined) {
      return {
        kind: 'needsRelease',
        message: `AWS refused it (${reason ?? 'no reason kept'}). Mend the cause, then release it.`,
      };
    }
    const released = decideRelease(record, own, nowMs);
    return released.kind === 'refused'
      ? { kind: 'locked', message: released.message }
      : { kind: 'release', amendment: released.amendment };
  }
  if (nextAttemptAt === undefined || nextAttemptAt <= nowMs) return { kind: 'due' };
  const { nextAttemptAt: _next, ...after } = record;
  const audit = auditOf(own, 'resubmit', record, nowMs, { from: status, waitedFor: nextAttemptAt });
  return { kind: 'tryNow', amendment: { after, carries: [], onlyInto: 'any', audit } };
}

/** Why a record of this status is not sent again; undefined where it is still to be. */
function lockOf(status: RecordStatus): string | undefined {
  switch (status) {
    case 'open':
    case 'held':
    case 'quarantined':
      return undefined;
    case 'honoured':
      return 'AWS has it.';
    case 'presumed':
      return 'AWS most likely has it. Confirm it from CloudTrail.';
    case 'disputed':
      return 'AWS holds another amount. Settle it.';
    case 'withheld':
      return 'It is withheld on purpose.';
    case 'uncertain':
      return 'Its deadline has passed, and AWS may have it. Confirm it from CloudTrail.';
    case 'expired':
      return 'Its deadline has passed, and AWS refuses it. Carry it on.';
    case 'carried':
      return 'Nothing of it is left to send.';
  }
}
