// Cut over: a buyer who is metered by customer identifier is metered by licence from an hour on.
import { type CutOverOutcome, cutOver } from '../../lambdas/flow/operations/cut-over.ts';
import { defineAct } from './act.ts';
import { hourField, licenceField, optional, textField } from './field.ts';

export const cutOverAct = defineAct({
  name: 'cutOver',
  title: 'Cut over to a licence',
  help: 'A buyer who is metered by customer identifier is metered by licence from an hour on, so that AWS bills none twice.',
  fields: {
    legacyKey: licenceField('the key of the licence under which the buyer is metered now'),
    licenceArn: textField(
      "the licence's ARN, from the agreement",
      'arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef',
    ),
    hour: hourField('the first hour that is metered by licence, UTC, two hours ahead at least'),
    customerAwsAccountId: optional(textField("the buyer's account, where AWS has not told it yet", '111122223333')),
  },
  perform: async (desk, { customerAwsAccountId, ...wanted }, { act, dryRun }) => {
    const account = customerAwsAccountId === undefined ? {} : { customerAwsAccountId };
    const outcome: CutOverOutcome = await cutOver(desk, { ...wanted, ...account }, act, { dryRun });
    if (outcome.kind === 'refused') return outcome;
    const { hour, legacyKey } = wanted;
    const told = {
      summary: `Usage before ${hour} is metered under ${legacyKey}, usage from it on by licence. This can't be moved.`,
      changes: [],
      notes: ['What is left of a credit stays under the old name: grant it anew to the licence.'],
    };
    if (outcome.kind === 'already') return { kind: 'already', actionId: act.actionId, ...told };
    const { licenceKey } = outcome.licence;
    const changes = [{ what: `metered from ${hour} on under`, before: legacyKey, after: licenceKey }];
    return outcome.kind === 'planned'
      ? { kind: 'planned', ...told, changes, confirmation: `cut over at ${hour}` }
      : { kind: 'done', actionId: act.actionId, ...told, changes };
  },
});
