// What the archive of the audit trail holds, line by line. docs/audit-trail.md is its reader's side.
import { createHash } from 'node:crypto';
import type { AuditEntry } from './amendment.ts';
import { DAY_MS, HOUR_MS, type HourStart, hourEndMs, hourOf, hoursBetween, laterHour } from './hour.ts';
import type { Carry, LedgerEntry, SealedHour } from './ledger.ts';
import { lastLookMs, type MeteringPolicy } from './metering-policy.ts';

/** Raised when a reader of the lines would have to change. */
const TRAIL_SCHEMA = 'fulfillment-audit-1';

/** The sender expires what has passed its deadline within minutes; the rest is for one that stood still. */
const SETTLED_WITHIN_MS = 2 * HOUR_MS;

/** What has not been archived for so long is left to the exports of the CLI. */
const LOOKED_BACK_MS = 40 * DAY_MS;

/** What is older than this at the first run was there before the archive was. */
const BEGINS_BEFORE_MS = 3 * DAY_MS;

/** A file of the archive. */
export type TrailFile =
  | { readonly kind: 'records'; readonly hour: HourStart }
  /** The acts of the seven days that end with this one. */
  | { readonly kind: 'acts'; readonly day: string };

/** Its name, which is once for ever: `records#2026-11-23T07`, `acts#2026-11-23`. */
export function trailName(file: TrailFile): string {
  return file.kind === 'records' ? `records#${file.hour}` : `acts#${file.day}`;
}

/** Whether nothing of metering changes an hour any more: it has had its last look, and no record can be sent. */
function isFinal(hour: HourStart, nowMs: number, policy: MeteringPolicy): boolean {
  const looked = hourEndMs(hour) + lastLookMs(policy);
  const closed = hourEndMs(hour) - HOUR_MS + policy.meteringWindowMs;
  return nowMs >= Math.max(looked, closed) + SETTLED_WITHIN_MS;
}

/** The first hour of an archive that begins now. */
export function archiveBegin(nowMs: number): HourStart {
  return hourOf(nowMs - BEGINS_BEFORE_MS);
}

/** The files that are due and not archived, oldest first, of an archive that begins with an hour. */
export function filesDue(
  begin: HourStart,
  archived: ReadonlySet<string>,
  nowMs: number,
  policy: MeteringPolicy,
): TrailFile[] {
  const first = laterHour(begin, hourOf(nowMs - LOOKED_BACK_MS));
  const hours = hoursBetween(first, hourOf(nowMs)).filter((hour) => isFinal(hour, nowMs, policy));
  const records = hours.map((hour) => ({ kind: 'records', hour }) as const);
  // An act stands in seven files, so that one whose id is older than its write is in one of them.
  const days = new Set(hoursBetween(first, hourOf(nowMs - DAY_MS)).map(dayOf));
  const acts = [...days].map((day) => ({ kind: 'acts', day }) as const);
  return [...records, ...acts].filter((file) => !archived.has(trailName(file)));
}

function dayOf(hour: HourStart): string {
  return hour.slice(0, '2026-11-23'.length);
}

/** The seven days, oldest first, whose acts the file of a day holds. */
export function daysOfActs(day: string): readonly string[] {
  const lastMs = Date.parse(`${day}T00:00:00Z`);
  return [6, 5, 4, 3, 2, 1, 0].map((before) => dayOf(hourOf(lastMs - before * DAY_MS)));
}

/** A sealed hour with everything that was tried and answered, or a carry into an hour. */
export function ledgerLine(entry: LedgerEntry): object {
  return entry.kind === 'carry' ? carryLine(entry) : recordLine(entry);
}

function recordLine(sealed: SealedHour): object {
  const { kind: _, shard: __, attempts, refusals, refusalCount, sealedAt, settledAt, deadlineAt, ...rest } = sealed;
  return {
    kind: 'record',
    ...rest,
    attempts: Object.entries(attempts).map(([id, { at }]) => ({ id, at: timeText(at) })),
    refusals: refusals.map(({ at, ...refusal }) => ({ at: timeText(at), ...refusal })),
    /** The latest are named; this is how many there have been. */
    refusalsInAll: refusalCount ?? refusals.length,
    sealedAt: timeText(sealedAt),
    ...(settledAt === undefined ? {} : { settledAt: timeText(settledAt) }),
    deadlineAt: timeText(deadlineAt),
  };
}

function carryLine({ shard: _, carriedAt, ...rest }: Carry): object {
  return { ...rest, carriedAt: timeText(carriedAt) };
}

export function actLine({ at, ...rest }: AuditEntry): object {
  return { kind: 'act', at: timeText(at), ...rest };
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}

/**
 * A file's lines, each with its end: first what the file is, last how many lines stand between and their digest, so
 * that a file which was cut short shows.
 */
export async function* trailLines(head: object, lines: AsyncIterable<object>): AsyncGenerator<string> {
  yield `${JSON.stringify({ kind: 'trail', schema: TRAIL_SCHEMA, ...head })}\n`;
  const hash = createHash('sha256');
  let count = 0;
  for await (const line of lines) {
    const text = `${JSON.stringify(line)}\n`;
    hash.update(text);
    count += 1;
    yield text;
  }
  yield `${JSON.stringify({ kind: 'end', lines: count, sha256: hash.digest('hex') })}\n`;
}
