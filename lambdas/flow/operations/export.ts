// Reads:       the ledger of a range of hours, or the audit lines of months
// Writes:      nothing
// Once per:    ledger entry or audit line, in order
// If it stops: nothing is left behind
import { type AuditRow, auditRow, type LedgerRow, ledgerRow } from '../../domain/operations/export-rows.ts';
import type { LedgerStore } from '../ports.ts';
import { entriesOf, type HourRange } from './ledger-range.ts';

/** Every sealed hour and carry of a range as a flat row. Memory holds a page. */
export async function* exportLedger(
  { ledger }: { readonly ledger: Pick<LedgerStore, 'entries'> },
  range: HourRange,
): AsyncGenerator<LedgerRow> {
  for await (const entry of entriesOf(ledger, range)) yield ledgerRow(entry);
}

/** Every audit line from one month (`2026-11`) up to and including another, oldest first. */
export async function* exportAudit(
  { ledger }: { readonly ledger: Pick<LedgerStore, 'audit'> },
  firstMonth: string,
  lastMonth: string,
): AsyncGenerator<AuditRow> {
  for (const month of monthsBetween(firstMonth, lastMonth)) {
    for await (const page of ledger.audit(month)) for (const entry of page) yield auditRow(entry);
  }
}

/** Months such as `2026-11`, both ends included. */
export function monthsBetween(first: string, last: string): string[] {
  const months: string[] = [];
  for (let month = first; month <= last; ) {
    months.push(month);
    const [year = 0, number = 1] = month.split('-').map(Number);
    month = new Date(Date.UTC(year, number)).toISOString().slice(0, 7);
  }
  return months;
}
