// Ledger entries and audit lines as flat rows with columns that stay.
import type { AuditEntry } from '../amendment.ts';
import type { LedgerEntry } from '../ledger.ts';
import { standingQuantity } from '../ledger.ts';

/** A cell of a row: text, a whole number, or empty. */
type Cell = string | number;

export const LEDGER_COLUMNS = [
  'kind',
  'hour',
  'licenceKey',
  'customerId',
  'productCode',
  'dimension',
  'status',
  'reason',
  'recordQuantity',
  'standingQuantity',
  'accounted',
  'carriedOut',
  'heldLate',
  'heldReasons',
  'withheldQuantity',
  'creditedQuantity',
  'rehearsal',
  'identityStyle',
  'meteringRegion',
  'attempts',
  'refusals',
  'meteringRecordId',
  'sealedAt',
  'settledAt',
  'deadlineAt',
  'carryQuantity',
  'carryOriginHour',
  'carryTags',
  'carriedAt',
  'actionId',
] as const;

export const AUDIT_COLUMNS = [
  'actionId',
  'at',
  'who',
  'why',
  'action',
  'licenceKey',
  'dimension',
  'hour',
  'facts',
] as const;

export type LedgerRow = Readonly<Record<(typeof LEDGER_COLUMNS)[number], Cell>>;
export type AuditRow = Readonly<Record<(typeof AUDIT_COLUMNS)[number], Cell>>;

/** A sealed hour, or a carry into an hour. Instants are ISO texts; what an entry does not have is empty. */
export function ledgerRow(entry: LedgerEntry): LedgerRow {
  const empty = Object.fromEntries(LEDGER_COLUMNS.map((column) => [column, ''])) as Record<keyof LedgerRow, Cell>;
  const { kind, hour, licenceKey, dimension } = entry;
  const named = { ...empty, kind, hour, licenceKey, dimension };
  if (entry.kind === 'carry') {
    return {
      ...named,
      carryQuantity: entry.quantity,
      carryOriginHour: entry.originHour,
      carryTags: entry.tagSet,
      actionId: entry.actionId ?? '',
      carriedAt: timeText(entry.carriedAt),
    };
  }
  return {
    ...named,
    customerId: entry.customerId,
    productCode: entry.productCode,
    status: entry.status,
    reason: entry.reason ?? '',
    recordQuantity: entry.record.quantity,
    standingQuantity: entry.status === 'carried' ? 0 : standingQuantity(entry),
    accounted: entry.accounted,
    carriedOut: entry.carriedOut,
    heldLate: entry.heldLate,
    heldReasons: entry.heldReasons.join(' '),
    withheldQuantity: entry.withheldQuantity ?? 0,
    creditedQuantity: entry.creditedQuantity ?? 0,
    rehearsal: entry.rehearsal ?? '',
    identityStyle: entry.identityStyle,
    meteringRegion: entry.meteringRegion,
    attempts: Object.keys(entry.attempts).length,
    refusals: entry.refusals.map(({ code }) => code).join(' '),
    meteringRecordId: entry.meteringRecordId ?? '',
    sealedAt: timeText(entry.sealedAt),
    settledAt: timeText(entry.settledAt),
    deadlineAt: timeText(entry.deadlineAt),
  };
}

export function auditRow(entry: AuditEntry): AuditRow {
  const { actionId, at, who, why, action, licenceKey = '', dimension = '', hour = '', facts } = entry;
  return {
    actionId,
    at: timeText(at),
    who,
    why,
    action,
    licenceKey,
    dimension,
    hour,
    facts: Object.entries(facts)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  };
}

function timeText(atMs: number | undefined): string {
  return atMs === undefined ? '' : new Date(atMs).toISOString();
}

/** The first line of a file of rows. */
export function csvHeader(columns: readonly string[]): string {
  return columns.join(',');
}

/** One row as a line of comma-separated values, without its end. */
export function csvLine<C extends string>(columns: readonly C[], row: Readonly<Record<C, Cell>>): string {
  return columns.map((column) => csvCell(row[column])).join(',');
}

/** Text that a spreadsheet would run as a formula is made plain by a quote in front of it (OWASP, CSV injection). */
function csvCell(cell: Cell): string {
  if (typeof cell === 'number') return String(cell);
  const plain = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
