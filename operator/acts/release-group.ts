// Release a group: records that share a fault which AWS has shown on one of them, and whose cause is mended.
import { releaseGroup } from '../../lambdas/flow/operations/release.ts';
import { defineAct } from './act.ts';
import { textField } from './field.ts';

export const releaseGroupAct = defineAct({
  name: 'releaseGroup',
  title: 'Release a group',
  help: 'AWS refused a record for a cause that others share, and it is mended: the others are sent again.',
  fields: {
    group: textField("the group's key, as the list of held groups has it", 'dimension us-east-1 prod-a novel'),
  },
  perform: async (desk, { group }, { act, dryRun }) => {
    const outcome = await releaseGroup(desk, group, act, { dryRun });
    if (outcome.kind === 'refused') return outcome;
    const { groups, waiting, quarantined } = outcome;
    const told = {
      changes: groups.map(({ key, code }) => ({ what: key, before: `held (${code})`, after: 'released' })),
      notes:
        quarantined === 0
          ? []
          : [`${quarantined} quarantined records of the group stay as they are: release them one by one.`],
    };
    const records = `${waiting.toLocaleString('en-US')} ${waiting === 1 ? 'record' : 'records'}`;
    const summary = `${records} of the group are sent in the sender's next run.`;
    if (outcome.kind === 'planned') return { kind: 'planned', summary, ...told, confirmation: `send ${records}` };
    if (outcome.kind === 'done') return { kind: 'done', actionId: act.actionId, summary, ...told };
    const again = 'This was done before; what was held again since is released.';
    return { kind: 'already', actionId: act.actionId, summary: again, ...told };
  },
});
