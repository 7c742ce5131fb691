// Withholding a record, or a part of it, before it is sent.
import { type Allocation, isLive, type SealedHour, type WireRecord } from '../ledger.ts';
import { isQuantity } from '../quantity.ts';
import { type Act, amendTo, auditOf, type Decision, type Refused, refuse, withoutWaiting } from './act.ts';
import { tooLate } from './release.ts';

/**
 * Takes units off a record that AWS can't have. All of them at any time before an attempt stands; a part only where
 * the record was never tried: each attempt has to be the same to the byte.
 */
export function decideWithhold(record: SealedHour, quantity: number | 'all', act: Act, nowMs: number): Decision {
  const ours = record.record.quantity;
  const refused = refusalOf(record, quantity, nowMs);
  if (refused) return refused;
  const units = quantity === 'all' ? ours : quantity;
  const isWhole = units === ours;
  const facts = { from: record.status, units, left: ours - units };
  const audit = auditOf(act, 'withhold', record, nowMs, facts);
  if (isWhole) {
    return amendTo({ ...withoutWaiting(record), status: 'withheld', reason: 'operator', settledAt: nowMs }, audit);
  }
  const withheldQuantity = (record.withheldQuantity ?? 0) + units;
  return amendTo({ ...record, record: reduced(record.record, units), withheldQuantity }, audit);
}

function refusalOf(record: SealedHour, quantity: number | 'all', nowMs: number): Refused | undefined {
  const ours = record.record.quantity;
  if (!isLive(record.status)) {
    return refuse(
      'notLive',
      `The record is ${record.status} and is not to be sent any more. If it was billed too high, grant a credit instead.`,
    );
  }
  if (nowMs >= record.deadlineAt) return tooLate(record);
  if (quantity !== 'all' && (!isQuantity(quantity) || quantity === 0 || quantity > ours)) {
    return refuse(
      'nothingToWithhold',
      `${quantity} units were to be withheld of a record of ${ours}; expected is a whole number from 1 to ${ours}, or all.`,
    );
  }
  const isPart = quantity !== 'all' && quantity < ours;
  const attempted = Object.keys(record.attempts).length > 0;
  if (!attempted && !(isPart && record.refusals.length > 0)) return undefined;
  return refuse(
    'attempted',
    attempted
      ? 'The record has been sent and AWS may hold it: it can not be withheld any more. Grant a credit, which later hours are billed less by.'
      : 'AWS has been shown the whole record, and each attempt has to be the same. Withhold all of it, or grant a credit once it is billed.',
  );
}

/** The last units go first: the untagged allocation stands behind the tagged ones. */
function reduced(record: WireRecord, units: number): WireRecord {
  const { allocations, ...rest } = record;
  const quantity = record.quantity - units;
  if (!allocations) return { ...rest, quantity };
  let left = quantity;
  const kept: Allocation[] = [];
  for (const { quantity: own, tags } of allocations) {
    const taken = Math.min(own, left);
    if (taken > 0) kept.push({ quantity: taken, tags });
    left -= taken;
  }
  return { ...rest, quantity, allocations: kept };
}
