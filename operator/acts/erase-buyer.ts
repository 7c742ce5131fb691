// Erase a buyer: what a person told on the registration page is deleted.
import { eraseBuyer } from '../../lambdas/flow/operations/erase-buyer.ts';
import { defineAct } from './act.ts';
import { textField } from './field.ts';

export const eraseBuyerAct = defineAct({
  name: 'eraseBuyer',
  title: 'Erase a buyer',
  help: 'What a buyer told on the registration page is deleted. Customer, usage and bills stay: they name nobody.',
  fields: { customerId: textField('the customer whose buyer it is', 'cus_kBXub44wPtLaEj-pjwQonuSP') },
  perform: async (desk, { customerId }, { act, dryRun }) => {
    const outcome = await eraseBuyer(desk, customerId, act, { dryRun });
    if (outcome.kind === 'refused') return outcome;
    const summary = `What the buyer of ${customerId} told is deleted; the page takes nothing of this customer again.`;
    const notes = ['Backups hold it for up to 35 days more: whoever restores the table erases again.'];
    if (outcome.kind === 'already') {
      return { kind: 'already', actionId: act.actionId, summary: 'This was done before.', changes: [], notes };
    }
    const changes = outcome.names.map((what) => ({ what, before: 'told', after: 'deleted' }));
    return outcome.kind === 'planned'
      ? { kind: 'planned', summary, changes, notes, confirmation: `erase ${customerId}` }
      : { kind: 'done', actionId: act.actionId, summary, changes, notes };
  },
});
