// fulfillment groups ls: what is not sent since AWS has shown a fault on one of its kind.
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit.ts';
import { spanOf, tableOf, timeOf } from '../table.ts';

const groupsLs = defineCommand({
  name: 'groups ls',
  about: `Records that share a fault which AWS has shown on one of them: none of a group is sent until it is released.
A suspicion (suspect …) becomes a group by the next refusal, and ends by the next success.
`,
  options: { ...DEPLOYMENT, ...JSON_OUTPUT },
  examples: ['fulfillment groups ls', 'fulfillment groups ls --stage prod --json'],
  run: ({ values }, terminal) =>
    atDesk(values, terminal, async ({ work, clock }) => {
      const groups = [...(await work.heldGroups()).values()].sort((one, other) => one.since - other.since);
      if (values.json) {
        const shown = groups.map(({ since, ...group }) => ({ ...group, since: new Date(since).toISOString() }));
        terminal.stdout.write(`${JSON.stringify({ groups: shown })}\n`);
        return EXIT.done;
      }
      if (groups.length === 0) terminal.stdout.write('No group is held.\n');
      else {
        const columns = [
          { title: 'group', of: ({ key }: (typeof groups)[number]) => key },
          { title: 'AWS said', of: ({ code }: (typeof groups)[number]) => code },
          { title: 'since', of: ({ since }: (typeof groups)[number]) => timeOf(since) },
          { title: 'for', of: ({ since }: (typeof groups)[number]) => spanOf(clock() - since) },
        ];
        terminal.stdout.write(tableOf(columns, groups, terminal));
      }
      return EXIT.done;
    }),
});

export const commands = [groupsLs];
