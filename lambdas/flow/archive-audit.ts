// Reads:       which files stand in the archive; the ledger of an hour that is final; the acts of seven days
// Writes:      one file of the archive an hour, and one a day; then a note that it stands
// Once per:    file: it is put if absent; the note only saves reading its hour again
// If one fails: it is named and left to the next run; the others go on
// If it stops: what has no note is read and put again, and stands as it was put first
import {
  actLine,
  archiveBegin,
  daysOfActs,
  filesDue,
  ledgerLine,
  type TrailFile,
  trailLines,
  trailName,
} from '../domain/audit-trail.ts';
import { asFailure, Unavailable } from '../domain/failure.ts';
import { addHours, type HourStart } from '../domain/hour.ts';
import type { MeteringPolicy } from '../domain/metering-policy.ts';
import { entriesOf } from './operations/ledger-range.ts';
import type { LedgerStore } from './ports.ts';

export interface AuditArchive {
  /** Puts a file of lines. Once per name: `'exists'` and nothing is changed where one stands. Throws Unavailable. */
  put(file: TrailFile, lines: AsyncIterable<string>): Promise<'archived' | 'exists'>;
}

export interface ArchiveNotes {
  /** The hour with which the archive begins: the one that was noted first, for ever. */
  begin(hour: HourStart): Promise<HourStart>;
  /** The names of the files that are known to stand, of the last weeks. */
  archived(): Promise<ReadonlySet<string>>;
  noteArchived(name: string, nowMs: number): Promise<void>;
}

export interface ArchiveAuditPorts {
  readonly ledger: Pick<LedgerStore, 'entries' | 'audit'>;
  readonly archive: AuditArchive;
  readonly notes: ArchiveNotes;
  readonly clock: () => number;
  readonly policy: MeteringPolicy;
  readonly log: { error(code: string, facts?: Readonly<Record<string, string>>): void };
  /** Told in each file. */
  readonly stage: string;
}

export interface ArchiveResult {
  exported: number;
  failed: number;
  /** Files that are due and not archived, those that failed among them. */
  behind: number;
}

/** An hourly run has one file to write, and after an outage this many: each hour is 64 partitions to read. */
const FILES_PER_RUN = 48;

/** Throws Unavailable at the end where a file failed, so that somebody is told. */
export async function archiveAudit(ports: ArchiveAuditPorts, hasTime: () => boolean): Promise<ArchiveResult> {
  const { notes, clock, policy, log } = ports;
  const nowMs = clock();
  const begin = await notes.begin(archiveBegin(nowMs));
  const due = filesDue(begin, await notes.archived(), nowMs, policy);
  const result: ArchiveResult = { exported: 0, failed: 0, behind: due.length };
  for (const file of due.slice(0, FILES_PER_RUN)) {
    if (!hasTime()) break;
    const name = trailName(file);
    try {
      await exportFile(ports, file);
      await notes.noteArchived(name, clock());
      result.exported += 1;
      result.behind -= 1;
    } catch (fault) {
      result.failed += 1;
      log.error('AuditNotExported', { file: name, failureCode: asFailure(fault).code });
    }
  }
  if (result.failed === 0) return result;
  throw new Unavailable('AuditIncomplete', 'Some files of the audit trail could not be written; the log names each.', {
    facts: { ...result },
  });
}

function exportFile(ports: ArchiveAuditPorts, file: TrailFile): Promise<'archived' | 'exists'> {
  const { archive, clock, stage } = ports;
  const lines = file.kind === 'records' ? recordsOf(ports, file) : actsOf(ports, file);
  const head = { stage, file: trailName(file), exportedAt: new Date(clock()).toISOString() };
  return archive.put(file, trailLines(head, lines));
}

async function* recordsOf(
  { ledger }: ArchiveAuditPorts,
  { hour }: Extract<TrailFile, { kind: 'records' }>,
): AsyncGenerator<object> {
  for await (const entry of entriesOf(ledger, { first: hour, end: addHours(hour, 1) })) yield ledgerLine(entry);
}

async function* actsOf(
  { ledger }: ArchiveAuditPorts,
  { day }: Extract<TrailFile, { kind: 'acts' }>,
): AsyncGenerator<object> {
  for (const each of daysOfActs(day)) {
    for await (const page of ledger.audit(each)) yield* page.map(actLine);
  }
}
