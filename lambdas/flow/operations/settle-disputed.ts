// Reads:       a disputed record and its licence
// Writes:      the record, where the difference is carried its carry, and the audit line
// Once per:    action id
// If it stops: the same act, under the same id, is done once
import type { Act } from '../../domain/operations/act.ts';
import { type DisputeDecision, decideSettlement } from '../../domain/operations/settle-disputed.ts';
import {
  type ActOutcome,
  type AmendPorts,
  amendRecord,
  type Doing,
  type RecordName,
  surroundingsOf,
} from './amend-record.ts';

/** Lets AWS's record of an hour stand instead of ours. What it holds less is given up or carried on. */
export async function settleDisputed(
  ports: AmendPorts,
  name: RecordName,
  decision: DisputeDecision,
  act: Act,
  doing: Doing = {},
): Promise<ActOutcome> {
  const around = await surroundingsOf(ports, name.licenceKey);
  return amendRecord(ports, name, { act, action: 'accept', ...doing }, (record) =>
    decideSettlement(record, decision, act, around),
  );
}
