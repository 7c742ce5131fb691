// Letting a quarantined record be sent again, once its cause is mended.
import type { SealedHour } from '../ledger.ts';
import { groupKeysOf } from '../metering-result.ts';
import { type Act, amendTo, auditOf, type Decision, instant, refuse, withoutWaiting } from './act.ts';

/** A quarantined record becomes open and due at once, with its quantity and its attempts as they are. */
export function decideRelease(record: SealedHour, act: Act, nowMs: number): Decision {
  if (record.status !== 'quarantined') {
    return refuse(
      'notQuarantined',
      `The record is ${record.status}; only a quarantined one is released. What else can be done with it: see the record's status.`,
    );
  }
  if (nowMs >= record.deadlineAt) return tooLate(record);
  const { status, reason = '' } = record;
  const after: SealedHour = { ...withoutWaiting(record), status: 'open' };
  return amendTo(after, auditOf(act, 'release', record, nowMs, { from: status, to: 'open', reason }));
}

export function tooLate({ deadlineAt }: SealedHour) {
  return refuse(
    'deadlinePassed',
    `AWS takes the record until ${instant(deadlineAt)}, which has passed. The sender ends it in its next run; then it can be carried on.`,
  );
}

/** Of the groups that are held, and the suspicions of one, those that keep a record from being sent or would soon. */
export function groupsAround(record: SealedHour, held: Iterable<string>): string[] {
  const own = groupKeysOf(record);
  return [...held].filter((key) => own.some((group) => key === group || key.startsWith(suspicionOf(group))));
}

/** What the keys of a group's suspicions begin with: a first hour that was refused. */
export function suspicionOf(group: string): string {
  return `suspect ${group} `;
}
