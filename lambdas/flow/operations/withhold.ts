// Reads:       a record that is to be sent
// Writes:      the record and the audit line, while no attempt stands
// Once per:    action id
// If it stops: the same act, under the same id, is done once
import type { Act } from '../../domain/operations/act.ts';
import { decideWithhold } from '../../domain/operations/withhold.ts';
import { type ActOutcome, type AmendPorts, amendRecord, type Doing, type RecordName } from './amend-record.ts';

/** Takes all or some units off a record before AWS has them. A sender that read it before can't send it any more. */
export function withhold(
  ports: AmendPorts,
  name: RecordName,
  quantity: number | 'all',
  act: Act,
  doing: Doing = {},
): Promise<ActOutcome> {
  return amendRecord(ports, name, { act, action: 'withhold', ...doing }, (record) =>
    decideWithhold(record, quantity, act, ports.clock()),
  );
}
