// fulfillment notices ls, webhooks ls: what AWS told that is nobody's yet, and what receivers did not take.
import type { Delivery } from '../../lambdas/domain/delivery.ts';
import { subjectOf } from '../../lambdas/domain/notice.ts';
import type { WaitingThread } from '../../lambdas/flow/notice-ports.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit.ts';
import { value } from '../options.ts';
import { counted, spanOf, tableOf, timeOf } from '../table.ts';

const SHARED = { ...DEPLOYMENT, ...JSON_OUTPUT };

const noticesLs = defineCommand({
  name: 'notices ls',
  about: `Agreements of which AWS has told, and which are no customer's yet: each waits for a registration, a further notice, or
an operator's link. Dead letters are notices, webhooks and mails that were given up. Exit code 1 where there are any.
`,
  options: SHARED,
  examples: ['fulfillment notices ls', 'fulfillment notices ls --stage prod --json'],
  run: ({ values }, terminal) =>
    atDesk(values, terminal, async ({ notices, deadLetters, clock }) => {
      const waiting = [...(await notices.waiting())].sort((one, other) => one.since - other.since);
      const dead = await Promise.all(
        Object.entries(deadLetters).map(async ([queue, letters]) => [queue, await letters.count()] as const),
      );
      const hasDead = dead.some(([, count]) => count > 0);
      if (values.json) {
        const told = waiting.map(({ thread, waitsFor, since }) => ({
          ...subjectOf(thread),
          waitsFor,
          since: new Date(since).toISOString(),
        }));
        terminal.stdout.write(`${JSON.stringify({ waiting: told, deadLetters: Object.fromEntries(dead) })}\n`);
      } else {
        const columns = [
          { title: 'agreement or buyer', of: ({ thread }: WaitingThread) => nameOf(thread) },
          { title: 'waits for', of: ({ waitsFor }: WaitingThread) => waitsFor },
          { title: 'since', of: ({ since }: WaitingThread) => timeOf(since) },
          { title: 'for', of: ({ since }: WaitingThread) => spanOf(clock() - since) },
        ];
        terminal.stdout.write(waiting.length === 0 ? 'No notice waits.\n' : tableOf(columns, waiting, terminal));
        for (const [queue, count] of dead) terminal.stdout.write(`${counted(count, 'dead letter')} of ${queue}\n`);
      }
      return hasDead ? EXIT.refused : EXIT.done;
    }),
});

function nameOf(thread: string): string {
  const subject = subjectOf(thread);
  return 'agreementId' in subject ? subject.agreementId : subject.licenceKey;
}

const STATUSES = ['givenUp', 'stopped', 'pending'] as const;

const webhooksLs = defineCommand({
  name: 'webhooks ls',
  about: `givenUp: tried for a day. stopped: trying again would change nothing. pending: to be tried. Exit code 1 where any was
given up or stopped.
`,
  options: { status: value('STATUS', 'those alone', STATUSES), ...SHARED },
  examples: ['fulfillment webhooks ls', 'fulfillment webhooks ls --stage prod --status givenUp --json'],
  run: ({ values }, terminal) =>
    atDesk(values, terminal, async ({ deliveries, webhooks }) => {
      const rows: Delivery[] = [];
      for (const { name } of webhooks) {
        for (const status of STATUSES.filter((each) => (values.status ?? each) === each)) {
          for await (const page of deliveries.undelivered(name, status, () => {})) rows.push(...page);
        }
      }
      const isBad = rows.some(({ status }) => status !== 'pending');
      if (values.json) terminal.stdout.write(`${JSON.stringify({ deliveries: rows.map(withoutBody) })}\n`);
      else if (rows.length === 0) {
        terminal.stdout.write(webhooks.length === 0 ? 'The settings name no webhooks.\n' : 'Every event was taken.\n');
      } else terminal.stdout.write(tableOf(COLUMNS, rows, terminal));
      return isBad ? EXIT.refused : EXIT.done;
    }),
});

const COLUMNS = [
  { title: 'endpoint', of: ({ endpoint }: Delivery) => endpoint },
  { title: 'customer', of: ({ customerId }: Delivery) => customerId },
  { title: 'number', of: ({ sequence }: Delivery) => sequence },
  { title: 'event', of: ({ type }: Delivery) => type },
  { title: 'status', of: ({ status }: Delivery) => status },
  { title: 'tries', of: ({ tries }: Delivery) => tries },
  { title: 'last answer', of: ({ attempts }: Delivery) => attempts.at(-1)?.outcome ?? '' },
  { title: 'since', of: ({ since }: Delivery) => timeOf(since) },
];

function withoutBody({ body: _, ...delivery }: Delivery) {
  return delivery;
}

export const commands = [noticesLs, webhooksLs];
