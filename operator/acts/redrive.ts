// Redrive: what a queue gave up is handled again, once the cause is mended.
import { redrive } from '../../lambdas/flow/operations/redrive.ts';
import { QUEUE_NAMES } from '../deployment.ts';
import { defineAct } from './act.ts';
import { choiceField } from './field.ts';
import { alreadyDone } from './record-act.ts';

export const redriveAct = defineAct({
  name: 'redrive',
  title: 'Redrive dead letters',
  help: 'What a queue gave up is brought back to it and handled again. Mend the cause first, or it ends there again.',
  fields: { queue: choiceField('the queue', QUEUE_NAMES) },
  perform: async (desk, { queue }, { act, dryRun }) => {
    const outcome = await redrive(desk, queue, act, { dryRun });
    if (outcome.kind === 'refused') return outcome;
    if (outcome.kind === 'already') return alreadyDone(outcome.audit);
    const { letters } = outcome;
    const told = {
      summary:
        letters === 1
          ? `1 dead letter of ${queue} is brought back and handled again.`
          : `${letters.toLocaleString('en-US')} dead letters of ${queue} are brought back and handled again.`,
      changes: [{ what: `dead letters of ${queue}`, before: letters, after: 0 }],
      notes: ['SQS counts roughly, and brings them back in the background.'],
    };
    return outcome.kind === 'planned'
      ? { kind: 'planned', ...told }
      : { kind: 'done', actionId: act.actionId, ...told };
  },
});
