// fulfillment ledger export: the ledger of a range, or the audit, as flat rows.
import { once } from 'node:events';
import { AUDIT_COLUMNS, csvHeader, csvLine, LEDGER_COLUMNS } from '../../lambdas/domain/operations/export-rows.ts';
import { exportAudit, exportLedger } from '../../lambdas/flow/operations/export.ts';
import type { Desk } from '../../operator/desk.ts';
import { atDesk, DEPLOYMENT } from '../at-desk.ts';
import { defineCommand, type Terminal } from '../command.ts';
import { EXIT } from '../exit.ts';
import { flag, type ValuesOf, value } from '../options.ts';
import { hoursOf, RANGE } from '../range.ts';

const OPTIONS = {
  ...RANGE,
  audit: flag('the acts of operators instead of the ledger, by whole months'),
  format: value('FORMAT', 'csv where absent', ['csv', 'jsonl']),
  ...DEPLOYMENT,
};

const ledgerExport = defineCommand({
  name: 'ledger export',
  about: `Sealed hours and carries, one a line, with columns that stay. Text that a spreadsheet would run as a formula is quoted.
Memory holds a page, however long the range is. An hour of all licences is 64 queries of the database.
`,
  options: OPTIONS,
  examples: [
    'fulfillment ledger export --from 2026-11 --to 2026-11 > november.csv',
    'fulfillment ledger export --audit --from 2026-10 --to 2026-11 --format jsonl',
  ],
  run: ({ values }, terminal) =>
    atDesk(values, terminal, async (desk) => {
      const isJson = values.format === 'jsonl';
      if (values.audit) await writeRows(AUDIT_COLUMNS, auditRows(desk, values), isJson, terminal);
      else await writeRows(LEDGER_COLUMNS, exportLedger(desk, hoursOf(values, desk.clock())), isJson, terminal);
      return EXIT.done;
    }),
});

function auditRows(desk: Desk, values: ValuesOf<typeof OPTIONS>) {
  const { first, end } = hoursOf(values, desk.clock());
  // The end is not in it: where a month ends, the one after it is not meant.
  const last = new Date(Date.parse(`${end}:00:00Z`) - 1).toISOString();
  return exportAudit(desk, first.slice(0, 7), last.slice(0, 7));
}

async function writeRows<C extends string>(
  columns: readonly C[],
  rows: AsyncIterable<Readonly<Record<C, string | number>>>,
  isJson: boolean,
  { stdout, signal }: Terminal,
): Promise<void> {
  const write = async (line: string) => {
    signal.throwIfAborted();
    if (!stdout.write(`${line}\n`)) await once(stdout, 'drain', { signal });
  };
  if (!isJson) await write(csvHeader(columns));
  for await (const row of rows) await write(isJson ? JSON.stringify(row) : csvLine(columns, row));
}

export const commands = [ledgerExport];
