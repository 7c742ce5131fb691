// fulfillment ledger compare: the ledger beside what another pipeline submitted, before it is replaced.
import { readFileSync } from 'node:fs';
import { parseMeteringTable } from '../../lambdas/contracts/submitted-usage.ts';
import { compare } from '../../lambdas/flow/operations/compare.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { defineCommand, operand } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { value } from '../options.ts';
import { hoursOf, RANGE } from '../range.ts';
import { listOf, tableOf } from '../table.ts';

const ledgerCompare = defineCommand({
  name: 'ledger compare',
  operands: 'FILE',
  about: `For a migration, while both run side by side (rehearsal: shadow): FILE is a scan or an export of the metering table of
AWS's serverless sample. Its rows count for the hour in which they were made. With AWS's own record: fulfillment reconcile.
Exit code 1 where anything differs, or rows could not be read.
`,
  options: {
    product: value('CODE', 'the product that the other pipeline bills'),
    ...RANGE,
    ...DEPLOYMENT,
    ...JSON_OUTPUT,
  },
  examples: [
    'aws dynamodb scan --table-name AWSMarketplaceMeteringRecords > rows.json',
    'fulfillment ledger compare rows.json --product prod-0123456789abc --from 2026-11-22 --to 2026-11-22',
  ],
  run: (call, terminal) => {
    const file = operand(call, 0, 'the file of the other pipeline');
    const { values } = call;
    const { product } = values;
    if (product === undefined) throw new UsageMistake('Say which product the other pipeline bills: --product CODE.');
    const { usage, unread } = parseMeteringTable(textOf(file), product);
    return atDesk(values, terminal, async (desk) => {
      const outcome = await compare(desk, hoursOf(values, desk.clock()), usage);
      if (outcome.kind === 'refused') {
        terminal.stderr.write(`Refused: ${outcome.message}\n`);
        return EXIT.refused;
      }
      const { totals, differences, unitsPending, unitsFailed } = outcome;
      for (const line of unread) terminal.stderr.write(`${line}\n`);
      if (values.json) {
        terminal.stdout.write(`${JSON.stringify({ totals, differences, unitsPending, unitsFailed, unread })}\n`);
      } else {
        terminal.stdout.write(
          listOf([
            ...Object.entries(totals),
            ['units pending there', unitsPending],
            ['units failed there', unitsFailed],
          ]),
        );
        if (differences.length > 0) terminal.stdout.write(`\n${tableOf(COLUMNS, differences, terminal)}`);
      }
      return differences.length + unread.length > 0 ? EXIT.refused : EXIT.done;
    });
  },
});

type Difference = Extract<Awaited<ReturnType<typeof compare>>, { kind: 'compared' }>['differences'][number];

const COLUMNS = [
  { title: 'what', of: ({ kind }: Difference) => kind },
  { title: 'hour', of: ({ hour }: Difference) => hour },
  { title: 'customer', of: ({ customer }: Difference) => customer },
  { title: 'dimension', of: ({ dimension }: Difference) => dimension },
  { title: 'here', of: ({ here }: Difference) => here },
  { title: 'there', of: ({ there }: Difference) => there },
];

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw code === undefined ? error : new UsageMistake(`${file} can't be read (${code}).`);
  }
}

export const commands = [ledgerCompare];
