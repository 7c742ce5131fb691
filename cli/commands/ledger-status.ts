// fulfillment ledger status: what needs a person, soonest to be lost first.
import type { AttentionEntry } from '../../lambdas/domain/attention.ts';
import { type AttentionView, readAttention } from '../../lambdas/flow/reads/read-attention.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { defineCommand, type Terminal } from '../command.ts';
import { EXIT } from '../exit.ts';
import { counted, spanOf, tableOf } from '../table.ts';

const ledgerStatus = defineCommand({
  name: 'ledger status',
  about: `What can still be lost comes first, by the time left. Exit code 1 where anything needs a person.
`,
  options: { ...DEPLOYMENT, ...JSON_OUTPUT },
  examples: ['fulfillment ledger status', 'fulfillment ledger status --stage prod --json'],
  run: ({ values }, terminal) =>
    atDesk(values, terminal, async (desk) => {
      const view = await readAttention(desk);
      const letters = await Promise.all(
        Object.entries(desk.deadLetters).map(async ([queue, dead]) => ({ queue, count: await dead.count() })),
      );
      const deadLetters = letters.filter(({ count }) => count > 0);
      const isQuiet = view.kinds.length === 0 && deadLetters.length === 0;
      if (values.json) terminal.stdout.write(`${JSON.stringify({ ...view, deadLetters })}\n`);
      else terminal.stdout.write(isQuiet ? 'Nothing needs a person.\n' : told(view, deadLetters, terminal));
      return isQuiet ? EXIT.done : EXIT.refused;
    }),
});

function told(
  { kinds, entries }: AttentionView,
  deadLetters: readonly { readonly queue: string; readonly count: number }[],
  terminal: Terminal,
): string {
  type Kind = (typeof kinds)[number];
  const counts = [
    { title: 'needs a person', of: ({ kind }: Kind) => kind },
    { title: 'how many', of: ({ count, isPartial }: Kind) => `${count}${isPartial ? ' or more' : ''}` },
    { title: 'units', of: ({ units }: Kind) => units },
  ];
  const columns = [
    { title: 'kind', of: ({ kind }: AttentionEntry) => kind },
    { title: 'time left', of: ({ timeLeftMs }: AttentionEntry) => leftOf(timeLeftMs) },
    { title: 'units', of: ({ units }: AttentionEntry) => (units === undefined ? '' : units.toLocaleString('en-US')) },
    { title: 'hour', of: ({ hour }: AttentionEntry) => hour ?? '' },
    { title: 'of', of: subjectOf },
    { title: 'why', of: ({ reason }: AttentionEntry) => reason ?? '' },
    { title: 'what to do', of: ({ acts }: AttentionEntry) => acts.join(', ') },
  ];
  const parts = [
    kinds.length === 0 ? '' : tableOf(counts, kinds, terminal),
    entries.length === 0 ? '' : tableOf(columns, entries, terminal),
    ...deadLetters.map(
      ({ queue, count }) =>
        `${counted(count, 'dead letter')} of ${queue}: fulfillment notices redrive --queue ${queue}\n`,
    ),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function leftOf(ms: number | undefined): string {
  if (ms === undefined) return '';
  return ms > 0 ? spanOf(ms) : 'over';
}

/** By what the acts want named. */
function subjectOf({ name, licenceKey, dimension, customerId, agreementId, sequence }: AttentionEntry): string {
  if (licenceKey !== undefined) return [licenceKey, dimension].filter(Boolean).join(' ');
  const event = sequence === undefined ? undefined : `event ${sequence}`;
  return [name, agreementId, customerId, event].filter(Boolean).join(' ');
}

export const commands = [ledgerStatus];
