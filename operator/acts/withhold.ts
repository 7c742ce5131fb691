// Withhold: units that must not be billed, before AWS has them.
import { withhold } from '../../lambdas/flow/operations/withhold.ts';
import { defineAct, units } from './act.ts';
import { optional, unitsField } from './field.ts';
import { RECORD_FIELDS, type Telling, toldOf } from './record-act.ts';

export const withholdAct = defineAct({
  name: 'withhold',
  title: 'Withhold',
  help: 'The units must not be billed, and AWS does not have them yet: they are never sent.',
  fields: { ...RECORD_FIELDS, units: optional(unitsField('how many units; all of the record where nothing is given')) },
  perform: async (desk, { units: wanted, ...name }, { act, dryRun }) => {
    const outcome = await withhold(desk, name, wanted ?? 'all', act, { dryRun });
    return toldOf(outcome, act, tellingOf(wanted));
  },
});

function tellingOf(wanted: number | undefined): Telling {
  return {
    summary: ({ hour, dimension, record }) =>
      `${units(wanted ?? record.quantity, dimension)} of ${hour} are withheld: they are never billed.`,
    confirmation: ({ dimension, record }) => `withhold ${units(wanted ?? record.quantity, dimension)}`,
  };
}
