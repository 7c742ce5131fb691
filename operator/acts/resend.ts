// Resend: a webhook did not get an event, and its receiver is mended.
import { resend } from '../../lambdas/flow/operations/resend.ts';
import { defineAct } from './act.ts';
import { amountField, textField } from './field.ts';
import { alreadyDone } from './record-act.ts';

export const resendAct = defineAct({
  name: 'resend',
  title: 'Resend a webhook',
  help: 'An event is posted to an endpoint again, under the id that it has: a receiver that has it can tell.',
  fields: {
    endpoint: textField('the endpoint, by its name in the settings', 'crm'),
    customerId: textField('the customer that the event is of', 'cus_kBXub44wPtLaEj-pjwQonuSP'),
    sequence: amountField("the event's number among those of the customer"),
  },
  perform: async (desk, name, { act, dryRun }) => {
    const { queue } = desk;
    if (!queue) {
      const message = 'This deployment posts to no webhooks: its settings name none. Nothing is to be done.';
      return { kind: 'refused', code: 'queueUnknown', message };
    }
    const outcome = await resend({ ...desk, queue }, name, act, { dryRun });
    if (outcome.kind === 'refused') return outcome;
    if (outcome.kind === 'already') return alreadyDone(outcome.audit);
    const { type, status, tries } = outcome.delivery;
    const told = {
      summary: `Event ${name.sequence} of ${name.customerId} (${type}) is posted to ${name.endpoint} again.`,
      changes: [
        { what: 'delivery', before: status, after: 'pending' },
        { what: 'tries', before: tries, after: 0 },
      ],
      notes: [],
    };
    return outcome.kind === 'planned'
      ? { kind: 'planned', ...told }
      : { kind: 'done', actionId: act.actionId, ...told };
  },
});
