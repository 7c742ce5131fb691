// Reads:       one sealed hour, its events and carries, the hours after it that took its carries, its audit lines
// Writes:      nothing
// Once per:    question
// If it stops: nothing is left behind
import type { AuditEntry } from '../../domain/amendment.ts';
import { booksOf, type HourBooks } from '../../domain/books.ts';
import { addHours, type HourStart, hourOf, parseHour } from '../../domain/hour.ts';
import { KEY_SEPARATOR, meterKey, shardOf } from '../../domain/keys.ts';
import type { Carry, Credit, SealedHour } from '../../domain/ledger.ts';
import { EMPTY_TALLY } from '../../domain/tally.ts';
import type { UsageRow } from '../../domain/usage-row.ts';
import type { LedgerStore, UsageStore } from '../ports.ts';
import { readMeters } from '../read-meters.ts';
import type { RecordName } from './amend-record.ts';
import { monthsBetween } from './export.ts';

interface ExplainPorts {
  readonly usage: Pick<UsageStore, 'rows'>;
  readonly ledger: Pick<LedgerStore, 'entries' | 'sealed' | 'credits' | 'audit'>;
  readonly clock: () => number;
}

interface Explanation extends RecordName {
  /** Absent while the hour is not sealed. Holds its status with its reason, every attempt and refusal, what is withheld. */
  readonly sealed?: SealedHour;
  /** Until AWS stops taking the record; negative once it has. */
  readonly timeLeftMs?: number;
  readonly events: { readonly count: number; readonly shown: readonly UsageRow[] };
  readonly carriesIn: readonly Carry[];
  readonly carriesOut: readonly Carry[];
  /** Units carried out whose carries lie farther ahead than was looked. */
  readonly carriedOutElsewhere: number;
  /** What is left to bill later hours of the meter less. */
  readonly credit?: Credit;
  readonly audit: readonly AuditEntry[];
  readonly books: HourBooks;
}

const EVENTS_SHOWN = 100;

/** Most carries lie within the day in which their usage could be reported; an operator's are named by the audit. */
const HOURS_AHEAD = 48;

/** A record is settled within days; operators may come back to it for as long as AWS keeps its log. */
const AUDIT_MONTHS = 6;

/** Everything that is known of one licence's dimension in one hour. */
export async function explain(ports: ExplainPorts, { hour, licenceKey, dimension }: RecordName): Promise<Explanation> {
  const shard = shardOf(licenceKey);
  const name = { hour, licenceKey, dimension };
  const reading = await readingOf(ports, name);
  const sealed = reading?.sealed;
  const audit = sealed ? await auditLines(ports, sealed) : [];
  const carriesOut = sealed ? await carriesOf(ports, sealed, audit) : [];
  const found = carriesOut.reduce((sum, { quantity }) => sum + quantity, 0);
  const credit = (await ports.ledger.credits(shard)).get(meterKey(licenceKey, dimension));
  return {
    ...name,
    ...(sealed === undefined ? {} : { sealed, timeLeftMs: sealed.deadlineAt - ports.clock() }),
    events: await eventsOf(ports, name),
    carriesIn: await carriesInto(ports, hour, name),
    carriesOut,
    carriedOutElsewhere: (sealed?.carriedOut ?? 0) - found,
    ...(credit === undefined ? {} : { credit }),
    audit,
    books: booksOf(name, reading?.tally ?? EMPTY_TALLY, sealed),
  };
}

async function readingOf(ports: ExplainPorts, { hour, licenceKey, dimension }: RecordName) {
  for await (const reading of readMeters(ports, { hour, shard: shardOf(licenceKey), licenceKey })) {
    if (reading.dimension === dimension) return reading;
  }
  return undefined;
}

async function eventsOf({ usage }: ExplainPorts, { hour, licenceKey, dimension }: RecordName) {
  const shown: UsageRow[] = [];
  let count = 0;
  const from = meterKey(licenceKey, dimension);
  // The bound sorts behind every event of the meter, and before any other meter.
  const bounds = { licenceKey, from, before: `${from}${AFTER_SEPARATOR}` };
  for await (const page of usage.rows(hour, shardOf(licenceKey), bounds)) {
    count += page.length;
    shown.push(...page.slice(0, EVENTS_SHOWN - shown.length));
  }
  return { count, shown };
}

const AFTER_SEPARATOR = String.fromCharCode(KEY_SEPARATOR.charCodeAt(0) + 1);

async function carriesInto({ ledger }: ExplainPorts, hour: HourStart, { licenceKey, dimension }: RecordName) {
  const carries: Carry[] = [];
  for await (const page of ledger.entries(hour, shardOf(licenceKey), licenceKey)) {
    for (const entry of page) if (entry.kind === 'carry' && entry.dimension === dimension) carries.push(entry);
  }
  return carries;
}

/** Looks ahead hour by hour until all that was carried out is found. */
async function carriesOf(ports: ExplainPorts, sealed: SealedHour, audit: readonly AuditEntry[]): Promise<Carry[]> {
  const named = audit.flatMap(({ facts }) => parseHour(String(facts['into'] ?? '')) ?? []);
  const hours = new Set<HourStart>(named);
  const last = hourOf(ports.clock());
  for (let ahead = 1; ahead <= HOURS_AHEAD && addHours(sealed.hour, ahead) <= last; ahead++) {
    hours.add(addHours(sealed.hour, ahead));
  }
  const carries: Carry[] = [];
  let missing = sealed.carriedOut;
  for (const hour of hours) {
    if (missing <= 0) break;
    const into = await carriesInto(ports, hour, sealed);
    const own = into.filter(({ originHour }) => originHour === sealed.hour);
    carries.push(...own);
    missing -= own.reduce((sum, { quantity }) => sum + quantity, 0);
  }
  return carries;
}

async function auditLines({ ledger, clock }: ExplainPorts, sealed: SealedHour): Promise<AuditEntry[]> {
  const month = (atMs: number) => new Date(atMs).toISOString().slice(0, 7);
  const months = monthsBetween(month(sealed.sealedAt), month(clock())).slice(0, AUDIT_MONTHS);
  const lines: AuditEntry[] = [];
  for (const each of months) {
    for await (const page of ledger.audit(each)) {
      lines.push(...page.filter((line) => isOf(line, sealed)));
    }
  }
  return lines;
}

/** Acts on the record itself, and on its meter or licence as a whole. */
function isOf(line: AuditEntry, { hour, licenceKey, dimension }: SealedHour): boolean {
  const isMeter = line.licenceKey === licenceKey && (line.dimension ?? dimension) === dimension;
  return isMeter && (line.hour === undefined || line.hour === hour);
}
