// Settling a disputed record: AWS holds another amount for its hour than ours, and keeps what it has.
import { type SealedHour, standingQuantity } from '../ledger.ts';
import { isQuantity } from '../quantity.ts';
import { UNTAGGED } from '../tag-set.ts';
import { type Act, amendTo, auditOf, type Decision, type Refused, refuse, withoutWaiting } from './act.ts';
import { carryInto, carryTargetOf, type Surroundings } from './carry-target.ts';

export type DisputeDecision =
  /** AWS's record stands. What it holds less than ours is given up, where its quantity is told. */
  | { readonly kind: 'accept'; readonly awsQuantity?: number }
  /** AWS's record stands, and what it holds less is carried into a later hour, untagged. */
  | { readonly kind: 'carryDifference'; readonly awsQuantity: number };

/** The reason of a record whose dispute a person settled in favour of AWS's record. */
export const ACCEPTED = 'accepted';

export function decideSettlement(
  record: SealedHour,
  decision: DisputeDecision,
  act: Act,
  around: Surroundings,
): Decision {
  if (record.status !== 'disputed') {
    return refuse(
      'notDisputed',
      `The record is ${record.status}; only a disputed one is settled. Nothing is to be done.`,
    );
  }
  const { awsQuantity } = decision;
  if (awsQuantity !== undefined && !isQuantity(awsQuantity)) {
    return refuse(
      'quantityInvalid',
      `AWS's quantity was given as ${awsQuantity}; it is a whole number of 0 or more. Take it from CloudTrail.`,
    );
  }
  return decision.kind === 'accept'
    ? accept(record, awsQuantity, act, around)
    : carryDifference(record, decision.awsQuantity, act, around);
}

function accept(record: SealedHour, awsQuantity: number | undefined, act: Act, { nowMs }: Surroundings): Decision {
  const ours = standingQuantity(record);
  const givenUp = Math.max(0, ours - (awsQuantity ?? ours));
  const after: SealedHour = {
    ...withoutWaiting(record),
    ...presumed(ACCEPTED, nowMs),
    ...(givenUp === 0
      ? {}
      : { settledQuantity: ours - givenUp, withheldQuantity: (record.withheldQuantity ?? 0) + givenUp }),
  };
  const facts = { ours, givenUp, ...(awsQuantity === undefined ? {} : { aws: awsQuantity }) };
  const over = (awsQuantity ?? ours) - ours;
  const advice = `AWS billed ${over} units more than were used, and takes nothing back. A credit of ${over} makes good for them in later hours.`;
  return amendTo(after, auditOf(act, 'accept', record, nowMs, facts), over > 0 ? advice : undefined);
}

function carryDifference(record: SealedHour, aws: number, act: Act, around: Surroundings): Decision {
  const ours = standingQuantity(record);
  if (aws >= ours) return noDifference(ours, aws);
  const target = carryTargetOf(record, around);
  if (target.kind === 'refused') return target;
  const { nowMs } = around;
  const after: SealedHour = {
    ...withoutWaiting(record),
    ...presumed('differenceCarried', nowMs),
    settledQuantity: aws,
    carriedOut: record.carriedOut + ours - aws,
  };
  return {
    kind: 'amend',
    amendment: {
      after,
      // Which tags AWS counted nobody knows, so that no tag can be said to be missing.
      carries: [carryInto(record, target.hour, [UNTAGGED, ours - aws], act, nowMs)],
      onlyInto: target.onlyInto,
      audit: auditOf(act, 'accept', record, nowMs, { ours, aws, carried: ours - aws, into: target.hour }),
    },
  };
}

function noDifference(ours: number, aws: number): Refused {
  return refuse(
    'noDifference',
    aws === ours
      ? `AWS holds ${aws}, as much as is ours: nothing is left to carry. Accept it.`
      : `AWS holds ${aws}, which is more than our ${ours}: nothing is left to carry. Accept it, and grant a credit of ${aws - ours}.`,
  );
}

function presumed(reason: string, nowMs: number): Pick<SealedHour, 'status' | 'reason' | 'settledAt'> {
  return { status: 'presumed', reason, settledAt: nowMs };
}
