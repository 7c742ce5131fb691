// Settle: AWS holds another amount for the hour than ours, and keeps what it has.
import { standingQuantity } from '../../lambdas/domain/ledger.ts';
import type { DisputeDecision } from '../../lambdas/domain/operations/settle-disputed.ts';
import { settleDisputed } from '../../lambdas/flow/operations/settle-disputed.ts';
import { defineAct, units } from './act.ts';
import { amountField, choiceField, optional } from './field.ts';
import { RECORD_FIELDS, type Telling, toldOf } from './record-act.ts';

const ACCEPT: Telling = {
  summary: (before, after) => {
    const givenUp = standingQuantity(before) - standingQuantity(after);
    const rest = givenUp > 0 ? `, and ${units(givenUp, before.dimension)} are given up` : '';
    return `AWS's record of ${before.hour} stands${rest}.`;
  },
  confirmation: (before, after) => {
    const givenUp = standingQuantity(before) - standingQuantity(after);
    return givenUp > 0 ? `give up ${units(givenUp, before.dimension)}` : 'accept';
  },
};

const CARRY: Telling = {
  summary: ({ hour, dimension }, _after, [carry]) =>
    `AWS's record of ${hour} stands, and ${units(carry?.quantity ?? 0, dimension)} are billed in ${carry?.hour}.`,
  confirmation: ({ dimension }, _after, [carry]) => `bill ${units(carry?.quantity ?? 0, dimension)}`,
};

export const settleAct = defineAct({
  name: 'settle',
  title: 'Settle a dispute',
  help: "AWS holds another amount for the hour than we sent. AWS's record stands either way.",
  fields: {
    ...RECORD_FIELDS,
    decision: choiceField('accept gives up what AWS holds less; carryDifference bills it in a later hour', [
      'accept',
      'carryDifference',
    ]),
    awsQuantity: optional(amountField('the units that AWS holds, from CloudTrail or the seller report')),
  },
  perform: async (desk, { decision, awsQuantity, ...name }, { act, dryRun }) => {
    const wanted = decisionOf(decision, awsQuantity);
    if (!wanted) {
      const message = "To carry the difference, AWS's quantity has to be known. Give it, from CloudTrail.";
      return { kind: 'refused', code: 'quantityInvalid', message };
    }
    const outcome = await settleDisputed(desk, name, wanted, act, { dryRun });
    return toldOf(outcome, act, decision === 'accept' ? ACCEPT : CARRY);
  },
});

function decisionOf(kind: DisputeDecision['kind'], awsQuantity: number | undefined): DisputeDecision | undefined {
  if (kind === 'accept') return { kind, ...(awsQuantity === undefined ? {} : { awsQuantity }) };
  return awsQuantity === undefined ? undefined : { kind, awsQuantity };
}
