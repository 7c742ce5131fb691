// Carrying on what was lost or held: units that AWS never took, into a later hour that it still takes.
import { type SealedHour, standingQuantity } from '../ledger.ts';
import { type TagSet, UNTAGGED } from '../tag-set.ts';
import { type Act, auditOf, type Decision, partOf, type Refused, refuse } from './act.ts';
import { carryInto, carryTargetOf, rehearsedRecord, type Surroundings } from './carry-target.ts';
import { ABSENT_AT_AWS } from './confirm.ts';

/** DynamoDB takes 100 writes a transaction. A record of more tag sets goes on in several. */
const CARRIES_AT_ONCE = 50;

/** Why the closer held units that belong to an agreement which is over. */
const ENDED_REASONS: ReadonlySet<string> = new Set(['afterEnd', 'licenceEnding', 'lastHourSealed']);

const MAY_BE_INCLUDED =
  'The units were held because nobody knew what the contract includes. Carried on, all of them are billed: compare them with the entitlement first.';

/**
 * Carries the units of an expired record, by their tag sets, and those that are held as late, untagged: which tags
 * those had is not kept. A record of many tag sets takes several steps; the last leaves nothing to carry.
 */
export function decideCarryOn(record: SealedHour, act: Act, around: Surroundings): Decision {
  if (record.rehearsal) return rehearsedRecord(record.rehearsal);
  const lost = lostByTagSet(record);
  const isLateEnded = record.heldReasons.some((reason) => ENDED_REASONS.has(reason));
  const late = isLateEnded ? 0 : record.heldLate;
  const refused = lost.length === 0 && late === 0 ? nothingToCarry(record) : undefined;
  if (refused) return refused;
  const target = carryTargetOf(record, around);
  if (target.kind === 'refused') return target;
  const taken = new Map(lost.slice(0, CARRIES_AT_ONCE));
  const isLast = taken.size === lost.length;
  const sent = sumOf(taken);
  const lateNow = isLast ? late : 0;
  if (lateNow > 0) taken.set(UNTAGGED, (taken.get(UNTAGGED) ?? 0) + lateNow);
  const step = isLast ? act : partOf(act, record.carriedOut);
  const { nowMs } = around;
  const facts = {
    from: record.status,
    units: sent,
    late: lateNow,
    into: target.hour,
    left: sumOf(new Map(lost)) - sent,
  };
  const isUncounted = lateNow > 0 && record.heldReasons.includes('entitlementUnknown');
  return {
    kind: 'amend',
    ...(isUncounted ? { advice: MAY_BE_INCLUDED } : {}),
    amendment: {
      after: carriedOn(record, { sent, late: lateNow }, nowMs),
      carries: [...taken].map((units) => carryInto(record, target.hour, units, step, nowMs)),
      onlyInto: target.onlyInto,
      audit: auditOf(step, 'carryOn', record, nowMs, facts),
    },
  };
}

function carriedOn(record: SealedHour, { sent, late }: { sent: number; late: number }, nowMs: number): SealedHour {
  const moved: SealedHour = {
    ...record,
    carriedOut: record.carriedOut + sent + late,
    heldLate: record.heldLate - late,
    heldReasons: late > 0 ? [] : record.heldReasons,
  };
  if (sent === 0) return moved;
  const left = standingQuantity(record) - sent;
  // The record stays as evidence of what was to be sent; that nothing of it stands is told beside it.
  return { ...moved, settledQuantity: left, settledAt: nowMs, status: left === 0 ? 'carried' : record.status };
}

/** What of an expired record has not been carried yet, in the order of its allocations. */
function lostByTagSet(record: SealedHour): [TagSet, number][] {
  if (record.status !== 'expired' || isUnconfirmed(record)) return [];
  const { quantity, allocations } = record.record;
  const all = allocations ?? [{ quantity, tags: [] }];
  let gone = quantity - standingQuantity(record);
  return all.flatMap(({ quantity: units, tags }): [TagSet, number][] => {
    const before = Math.min(gone, units);
    gone -= before;
    return units === before ? [] : [[tags.length === 0 ? UNTAGGED : JSON.stringify(tags), units - before]];
  });
}

/** Whether AWS may hold the record after all. */
function isUnconfirmed({ attempts, reason }: SealedHour): boolean {
  return Object.keys(attempts).length > 0 && reason !== ABSENT_AT_AWS;
}

function nothingToCarry(record: SealedHour): Refused {
  if (record.status === 'uncertain' || (record.status === 'expired' && isUnconfirmed(record))) {
    return refuse(
      'uncertain',
      'An attempt of the record may have reached AWS; carried on, it could be billed twice. Confirm it from CloudTrail first.',
    );
  }
  if (record.heldLate > 0) {
    return refuse(
      'licenceEnded',
      `The units are held because the licence ended (${record.heldReasons.join(', ')}); no later hour of it may bill them. Bill them in another way.`,
    );
  }
  return refuse(
    'nothingToCarry',
    `The record is ${record.status} and holds no late usage. Only what expired, or is held as late, is carried on.`,
  );
}

function sumOf(units: ReadonlyMap<TagSet, number>): number {
  return [...units.values()].reduce((sum, quantity) => sum + quantity, 0);
}
