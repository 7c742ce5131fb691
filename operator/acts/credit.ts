// Credit: AWS has billed too much and takes nothing back, so that later hours are billed less.
import { grantCredit } from '../../lambdas/flow/operations/grant-credit.ts';
import { defineAct, units } from './act.ts';
import { unitsField } from './field.ts';
import { alreadyDone, RECORD_FIELDS } from './record-act.ts';

const { licenceKey, dimension } = RECORD_FIELDS;

export const creditAct = defineAct({
  name: 'credit',
  title: 'Grant a credit',
  help: 'AWS has billed too much, and takes nothing back: later hours are billed less, down to zero and no further.',
  fields: { licenceKey, dimension, units: unitsField('how many units later hours are billed less') },
  perform: async (desk, { units: wanted, ...meter }, { act, dryRun }) => {
    const outcome = await grantCredit(desk, meter, wanted, act, { dryRun });
    if (outcome.kind === 'refused') return outcome;
    if (outcome.kind === 'already') return alreadyDone(outcome.audit);
    const { remainingBefore, remaining } = outcome;
    const told = {
      summary: `Hours that are sealed from now on are billed ${units(wanted, meter.dimension)} less.`,
      changes: [{ what: 'units of credit that are not used up', before: remainingBefore, after: remaining }],
      notes: [],
    };
    return outcome.kind === 'planned'
      ? { kind: 'planned', ...told, confirmation: `credit ${units(wanted, meter.dimension)}` }
      : { kind: 'done', actionId: act.actionId, ...told };
  },
});
