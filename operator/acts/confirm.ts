// Confirm: AWS's own log of calls says what it holds of records that are presumed, uncertain or disputed.
import { parseCloudTrail } from '../../lambdas/contracts/cloudtrail.ts';
import { confirm } from '../../lambdas/flow/operations/confirm.ts';
import { defineAct, units } from './act.ts';
import { fileField, hourField, instantField, licenceField, optional } from './field.ts';

/** Records that are named one by one; the counts are of all. */
const SHOWN = 200;

export const confirmAct = defineAct({
  name: 'confirm',
  title: 'Confirm from CloudTrail',
  help: "Settles what is presumed or uncertain by AWS's own log of BatchMeterUsage calls, which comes 15 minutes late.",
  fields: {
    first: hourField('the first hour, UTC'),
    end: hourField('the hour after the last, UTC'),
    licenceKey: optional(licenceField('one licence alone: its key, or its ARN')),
    trail: fileField("CloudTrail's events: a file of Records, a list, or one a line"),
    completeFrom: optional(instantField('from when on the log holds every call; goes with the next')),
    completeTo: optional(instantField('until when the log holds every call')),
  },
  perform: async (desk, { first, end, licenceKey, trail, completeFrom, completeTo }, { act, dryRun }) => {
    if ((completeFrom === undefined) !== (completeTo === undefined)) {
      const message = 'The time of which the log holds every call has two ends: give both, or neither.';
      return { kind: 'refused', code: 'windowInvalid', message };
    }
    const parsed = parseCloudTrail(trail);
    const outcome = await confirm(
      desk,
      {
        range: { first, end, ...(licenceKey === undefined ? {} : { licenceKey }) },
        trail: parsed,
        dryRun,
        ...(completeFrom === undefined || completeTo === undefined
          ? {}
          : { window: { from: completeFrom, to: completeTo } }),
      },
      act,
    );
    if (outcome.kind === 'refused') return outcome;
    const { lines, changed } = outcome;
    const told = {
      summary: `${changed} of ${lines.length} records that wait for AWS's word are settled by its log.`,
      changes: lines.slice(0, SHOWN).map(({ before, after, message }) => ({
        what: `${before.hour} ${before.licenceKey} ${units(before.record.quantity, before.dimension)}`,
        before: before.status,
        after: after === undefined ? `${before.status}: ${message}` : statusOf(after),
      })),
      notes: [
        ...(parsed.unread.length === 0 ? [] : [`${parsed.unread.length} entries of the log could not be read.`]),
        ...(lines.length > SHOWN ? [`The first ${SHOWN} are shown.`] : []),
      ],
    };
    return outcome.kind === 'planned'
      ? { kind: 'planned', ...told }
      : { kind: 'done', actionId: act.actionId, ...told };
  },
});

function statusOf({ status, reason }: { readonly status: string; readonly reason?: string }): string {
  return reason === undefined ? status : `${status} (${reason})`;
}
