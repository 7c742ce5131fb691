// The ledger and the audit as files, streamed: however long, they are never in memory at once.

import { addHours, hourOf, hoursBetween } from '../../lambdas/domain/hour.ts';
import { AUDIT_COLUMNS, LEDGER_COLUMNS, type LedgerRow } from '../../lambdas/domain/operations/export-rows.ts';
import { exportAudit, exportLedger } from '../../lambdas/flow/operations/export.ts';
import { readHours } from '../../lambdas/flow/reads/read-hours.ts';
import { csvFile } from '../parts/csv.ts';
import { otherMonth, parseMonth } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

/** Hours so young may not have been summed up yet, or are looked at again. */
const YOUNG_HOURS = 50;

/** Every sealed hour and carry of a month. */
export async function exportLedgerFile({ desk }: Site, { url }: PageRequest): Promise<Reply> {
  const month = monthOf(url, desk.clock());
  return { kind: 'download', fileName: `ledger-${month}.csv`, lines: csvFile(LEDGER_COLUMNS, ledgerRows(desk, month)) };
}

/** Hour by hour, those that hold anything: the summaries know them, so that no empty partition is asked for nothing. */
async function* ledgerRows(desk: Site['desk'], month: string): AsyncGenerator<LedgerRow> {
  const known = new Set((await readHours(desk, { month })).hours.map(({ hour }) => hour));
  const startOf = (each: string) => hourOf(Date.parse(`${each}-01T00:00:00Z`));
  const young = addHours(hourOf(desk.clock()), -YOUNG_HOURS);
  const last = addHours(hourOf(desk.clock()), 1);
  for (const hour of hoursBetween(startOf(month), startOf(otherMonth(month, 1)))) {
    const isYoung = hour >= young && hour <= last;
    if (known.has(hour) || isYoung) yield* exportLedger(desk, { first: hour, end: addHours(hour, 1) });
  }
}

/** Every line of a month's audit. */
export async function exportAuditFile({ desk }: Site, { url }: PageRequest): Promise<Reply> {
  const month = monthOf(url, desk.clock());
  return {
    kind: 'download',
    fileName: `audit-${month}.csv`,
    lines: csvFile(AUDIT_COLUMNS, exportAudit(desk, month, month)),
  };
}

function monthOf(url: URL, nowMs: number): string {
  return parseMonth(url.searchParams.get('month')) ?? new Date(nowMs).toISOString().slice(0, 7);
}
