// Link: which agreement another replaces, where AWS does not say.
import { link } from '../../lambdas/flow/operations/link.ts';
import { defineAct } from './act.ts';
import { textField } from './field.ts';
import { alreadyDone } from './record-act.ts';

export const linkAct = defineAct({
  name: 'link',
  title: 'Link a replacement',
  help: 'An agreement replaces another and AWS does not say which: both become one customer, who keeps id and access.',
  fields: {
    agreementId: textField('the new agreement', 'agmt-bwcvwcpxbkwgtmrarfr2ofipa'),
    previousAgreementId: textField('the agreement that it replaces', 'agmt-2xg5pjpnuh3wtmrarfr2ofipa'),
  },
  perform: async (desk, wanted, { act, dryRun }) => {
    const outcome = await link(desk, wanted, act, { dryRun });
    if (outcome.kind === 'refused') return outcome;
    if (outcome.kind === 'already') return alreadyDone(outcome.audit);
    const { owner, customerId } = outcome;
    const { agreementId, previousAgreementId } = wanted;
    const isJoined = owner !== undefined && owner !== customerId;
    const told = {
      summary: `${agreementId} replaces ${previousAgreementId}: it is customer ${customerId}'s.`,
      changes: [{ what: `customer of ${agreementId}`, before: owner ?? 'nobody', after: customerId }],
      notes: isJoined
        ? [
            `Where customer ${owner} holds nothing else, it is joined into ${customerId}; usage that names it still counts.`,
          ]
        : [],
    };
    if (outcome.kind === 'done') return { kind: 'done', actionId: act.actionId, ...told };
    return { kind: 'planned', ...told, ...(isJoined ? { confirmation: `join ${owner} into ${customerId}` } : {}) };
  },
});
