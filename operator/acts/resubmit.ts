// Resubmit: records are tried now instead of when their time comes.
import { rangeProblem } from '../../lambdas/flow/operations/ledger-range.ts';
import { planResubmit, resubmit } from '../../lambdas/flow/operations/resubmit.ts';
import type { Change, Plan } from './act.ts';
import { defineAct, units } from './act.ts';
import { flagField, hourField, licenceField, optional, textField } from './field.ts';

/** Records that a plan names one by one; the counts are of all. */
const SHOWN = 100;

const MOST_HOURS = { all: 48, licence: 744 };

const WORDS = {
  tryNow: 'tried now instead of when their time comes',
  release: 'released from quarantine',
  due: 'due already',
  needsRelease: 'quarantined: to be released first',
  locked: 'not to be sent, or locked',
} as const;

type Counts = Readonly<Record<keyof typeof WORDS, number>>;

export const resubmitAct = defineAct({
  name: 'resubmit',
  title: 'Resubmit',
  help: 'Something outside was mended: open and held records of a range are tried now, and its hours looked at again.',
  fields: {
    first: hourField('the first hour, UTC'),
    end: hourField('the hour after the last, UTC'),
    licenceKey: optional(licenceField('one licence alone: its key, or its ARN')),
    dimension: optional(textField('one dimension alone', 'requests')),
    releaseQuarantined: flagField('lets quarantined records out as well'),
  },
  perform: async (desk, { first, end, licenceKey, dimension, releaseQuarantined }, { act, dryRun }) => {
    const range = {
      first,
      end,
      ...(licenceKey === undefined ? {} : { licenceKey }),
      ...(dimension === undefined ? {} : { dimension }),
    };
    const terms = { range, releaseQuarantined };
    if (!dryRun) {
      const outcome = await resubmit(desk, terms, act);
      if (outcome.kind === 'refused') return outcome;
      return {
        kind: 'done',
        actionId: act.actionId,
        summary: summaryOf(outcome.counts),
        changes: [],
        notes: linesOf(outcome.counts),
      };
    }
    const problem = rangeProblem(range, licenceKey === undefined ? MOST_HOURS.all : MOST_HOURS.licence);
    if (problem) return problem;
    return planOf(planResubmit(desk, terms, act));
  },
});

async function planOf(lines: ReturnType<typeof planResubmit>): Promise<Plan> {
  const counts: Record<keyof Counts, number> = { tryNow: 0, release: 0, due: 0, needsRelease: 0, locked: 0 };
  const changes: Change[] = [];
  for await (const { record, step } of lines) {
    counts[step.kind] += 1;
    if ((step.kind !== 'tryNow' && step.kind !== 'release') || changes.length === SHOWN) continue;
    const { hour, licenceKey, dimension, status } = record;
    const what = `${hour} ${licenceKey} ${units(record.record.quantity, dimension)}`;
    changes.push({ what, before: status, after: WORDS[step.kind] });
  }
  const isSent = counts.tryNow + counts.release > 0;
  const plan: Plan = { kind: 'planned', summary: summaryOf(counts), changes, notes: linesOf(counts) };
  return isSent ? { ...plan, confirmation: `resubmit ${counts.tryNow + counts.release}` } : plan;
}

function summaryOf({ tryNow, release }: Counts): string {
  const records = `${(tryNow + release).toLocaleString('en-US')} ${tryNow + release === 1 ? 'record is' : 'records are'}`;
  return `${records} tried in the sender's next run, and the hours are looked at again.`;
}

function linesOf(counts: Counts): string[] {
  return Object.entries(WORDS).flatMap(([kind, words]) => {
    const count = counts[kind as keyof Counts];
    return count === 0 ? [] : [`${count.toLocaleString('en-US')} ${words}`];
  });
}
