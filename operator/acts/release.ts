// Release: AWS refused a record for itself, and the cause is mended.
import { release } from '../../lambdas/flow/operations/release.ts';
import { defineAct, units } from './act.ts';
import { flagField } from './field.ts';
import { RECORD_FIELDS, type Telling, toldOf } from './record-act.ts';

const FIELDS = {
  ...RECORD_FIELDS,
  withGroups: flagField('releases the groups that the record belongs to as well'),
};

export const releaseAct = defineAct({
  name: 'release',
  title: 'Release',
  help: 'AWS refused the record, and the cause is mended: it is sent again in the next run.',
  fields: FIELDS,
  perform: async (desk, input, { act, dryRun }) => {
    const { withGroups } = input;
    const outcome = await release(desk, input, act, { withGroups, dryRun });
    return toldOf(outcome, act, telling(outcome.groups, withGroups));
  },
});

function telling(groups: readonly string[], withGroups: boolean): Telling {
  const names = groups.map((key) => `'${key}'`).join(', ');
  const still = `It is not sent while a group is held. Held: ${names}. Release it as well, once its cause is mended.`;
  const notes = groups.length === 0 ? [] : [withGroups ? `Released with it: ${names}.` : still];
  return {
    summary: ({ hour, dimension, record }) =>
      `${units(record.quantity, dimension)} of ${hour} are sent to AWS in the sender's next run.`,
    confirmation: ({ dimension, record }) => `bill ${units(record.quantity, dimension)}`,
    notes,
  };
}
