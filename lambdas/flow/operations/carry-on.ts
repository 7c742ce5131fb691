// Reads:       a record that expired or holds late usage, and its licence
// Writes:      the record, a carry a tag set, and the audit line, fifty tag sets at a time
// Once per:    action id and tag set; the act's own id stands on its last step
// If it stops: the same act, under the same id, goes on with what is left
import type { Carry, SealedHour } from '../../domain/ledger.ts';
import { type Act, actProblem, type Decision } from '../../domain/operations/act.ts';
import { decideCarryOn } from '../../domain/operations/carry-on.ts';
import {
  type ActOutcome,
  type AmendPorts,
  amendRecord,
  type Doing,
  type RecordName,
  surroundingsOf,
} from './amend-record.ts';

/** AWS allows 2,500 allocations a record, of which fifty go at a time. */
const STEPS = 51;

/** Carries what was lost or held into a later hour that AWS still takes. A plan shows its first step. */
export async function carryOn(ports: AmendPorts, name: RecordName, act: Act, doing: Doing = {}): Promise<ActOutcome> {
  const problem = actProblem(act);
  if (problem) return problem;
  const carries: Carry[] = [];
  let first: SealedHour | undefined;
  for (let step = 1; ; step++) {
    const around = await surroundingsOf(ports, name.licenceKey);
    const decide = (record: SealedHour): Decision => decideCarryOn(record, act, around);
    const outcome = await amendRecord(ports, name, { act, action: 'carryOn', ...doing }, decide);
    if (outcome.kind !== 'done') return outcome;
    first ??= outcome.before;
    carries.push(...outcome.carries);
    const { after } = outcome;
    if (outcome.carries.some(({ actionId }) => actionId === act.actionId) || step === STEPS) {
      return { ...outcome, before: first, after, carries };
    }
  }
}
