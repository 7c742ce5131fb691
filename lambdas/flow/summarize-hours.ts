// Reads:       the hours that were touched and those whose fixed look is due; of each, all usage and the whole ledger
//              at the end, what needs a person and takes a query a partition to find
// Writes:      what of its meters has changed; then the hour's totals; then the mark is taken off, or the look noted; the pulse
// Once per:    hour and reading: older never stands over newer; a mark goes only if none was made since it was read
// If it stops: the mark is still there, and the hour is read anew
import { booksOf } from '../domain/books.ts';
import { asFailure, Unavailable } from '../domain/failure.ts';
import { addHours, HOUR_MS, type HourStart, hourOf, hourStartMs, hoursBetween, MINUTE_MS } from '../domain/hour.ts';
import { SHARD_COUNT } from '../domain/keys.ts';
import {
  type Difference,
  dayOf,
  type HourSummary,
  type MeterTotals,
  type RecordCounts,
  sumOf,
  unitsOf,
} from '../domain/summary.ts';
import type { Outbox } from './access-ports.ts';
import type { CustomerStore, LedgerStore, UsageStore, WorkStore } from './ports.ts';
import { type MeterReading, readMeters } from './read-meters.ts';
import type { MeterOfHour, RefusedUsage, RejectReader, SummaryStore, UntoldEvents } from './read-ports.ts';
import { type BackgroundPorts, readBackground } from './reads/read-background.ts';

export interface SummarizePorts extends BackgroundPorts {
  readonly usage: Pick<UsageStore, 'rows'>;
  readonly ledger: BackgroundPorts['ledger'] & Pick<LedgerStore, 'entries'>;
  readonly customers: Pick<CustomerStore, 'licence'>;
  readonly work: BackgroundPorts['work'] &
    Pick<
      WorkStore,
      | 'takeLease'
      | 'dropLease'
      | 'markTouched'
      | 'touchedHours'
      | 'clearTouched'
      | 'summarizedBefore'
      | 'noteSummarized'
    >;
  readonly summaries: Pick<SummaryStore, 'writeMeters' | 'writeHour' | 'writePulse'>;
  readonly rejects: RejectReader;
  readonly outbox: Pick<Outbox, 'shards' | 'pending'>;
  readonly clock: () => number;
  readonly newId: () => string;
  readonly log: { error(code: string, facts?: Readonly<Record<string, string | number>>): void };
}

export interface SummarizeResult {
  /** Hours that were read, and what was written of their meters. */
  hours: number;
  metersWritten: number;
  /** Meters of those hours whose books do not balance. */
  unbalanced: number;
  /** Hours that a fault, or a later reading, left to the next run. */
  failed: number;
  leaseTaken: boolean;
}

const LEASE = 'summarize-hours';
/** Longer than a run may take: two at once would do no harm, and everything twice. */
const LEASE_MS = 10 * MINUTE_MS;

/**
 * Ages of an hour at which it is summarised whether it was touched or not, so that a mark which was lost costs a day at
 * most: once AWS takes nothing more of it, and a day later, when what was left undone has been seen to.
 */
const FIXED_LOOKS_MS = [25 * HOUR_MS, 49 * HOUR_MS] as const;

/** After an outage the looks catch up in a few runs; what was touched does not wait for them. */
const HOURS_A_LOOK = 12;

/** Usage is kept for 400 days; of an hour whose usage is gone, nothing true could be said. */
const OLDEST_MS = 395 * 24 * HOUR_MS;

/** Keeps the summaries in step: touched hours first, the latest of them before the others. */
export async function summarizeHours(ports: SummarizePorts, hasTime: () => boolean): Promise<SummarizeResult> {
  const result: SummarizeResult = { hours: 0, metersWritten: 0, unbalanced: 0, failed: 0, leaseTaken: false };
  const holder = ports.newId();
  const nowMs = ports.clock();
  if (!(await ports.work.takeLease(LEASE, holder, nowMs, nowMs + LEASE_MS))) return result;
  result.leaseTaken = true;
  try {
    await summarizeTouched(ports, hasTime, result);
    for (const [look, ageMs] of FIXED_LOOKS_MS.entries()) await makeFixedLook(ports, hasTime, result, look, ageMs);
    await takePulse(ports);
  } finally {
    await ports.work.dropLease(LEASE, holder);
  }
  if (result.failed === 0) return result;
  throw new Unavailable('SummariesIncomplete', 'Some hours could not be summarised; the log names each.', {
    facts: { ...result },
  });
}

async function summarizeTouched(ports: SummarizePorts, hasTime: () => boolean, result: SummarizeResult): Promise<void> {
  const touched = [...(await ports.work.touchedHours())].sort((one, other) => (one.hour < other.hour ? 1 : -1));
  for (const mark of touched) {
    if (!hasTime()) return;
    const isTooOld = ports.clock() - hourStartMs(mark.hour) > OLDEST_MS;
    if (isTooOld || (await summarized(ports, mark.hour, result))) await ports.work.clearTouched(mark);
  }
}

async function makeFixedLook(
  ports: SummarizePorts,
  hasTime: () => boolean,
  result: SummarizeResult,
  look: number,
  ageMs: number,
): Promise<void> {
  const end = hourOf(ports.clock() - ageMs);
  // Where none was ever made, nothing was used before either: hours have their first look as they come of age.
  const from = await ports.work.summarizedBefore(look);
  if (from === undefined) await ports.work.noteSummarized(look, end);
  const due = from === undefined ? [] : hoursBetween(from, end);
  for (const hour of due.slice(0, HOURS_A_LOOK)) {
    if (!hasTime()) return;
    // What can't be summarised keeps those behind it waiting no longer than this: it is tried again as a touched hour.
    if (!(await summarized(ports, hour, result))) await ports.work.markTouched([hour]);
    await ports.work.noteSummarized(look, addHours(hour, 1));
  }
}

/** Whether the hour's summary now tells all that stood when it was read. A fault at one hour leaves the others alone. */
async function summarized(ports: SummarizePorts, hour: HourStart, result: SummarizeResult): Promise<boolean> {
  try {
    const { written, isWhole, unbalanced } = await summarizeHour(ports, hour);
    result.hours += 1;
    result.metersWritten += written;
    result.unbalanced += unbalanced;
    return isWhole;
  } catch (error) {
    result.failed += 1;
    const fault = error instanceof Error ? error.name : 'Unknown';
    ports.log.error('SummaryFailed', { hour, failureCode: asFailure(error).code, fault });
    return false;
  }
}

/** Partitions side by side; each is two queries for most hours. */
const SIDE_BY_SIDE = 16;
/** As many items as DynamoDB gives in one read, two a meter. */
const METERS_AT_ONCE = 50;
/** Of an hour, so many differences are named. */
const DIFFERENCES_KEPT = 20;

/** Reads one hour of every customer and writes what it comes to. Memory grows with dimensions, not with customers. */
async function summarizeHour(
  ports: SummarizePorts,
  hour: HourStart,
): Promise<{ readonly written: number; readonly isWhole: boolean; readonly unbalanced: number }> {
  const asOf = ports.clock();
  const sums = new HourSums();
  let [written, refused] = [0, 0];
  const write = async (meters: readonly MeterOfHour[]) => {
    const outcome = await ports.summaries.writeMeters(hour, asOf, meters);
    written += outcome.written;
    refused += outcome.refused;
  };
  const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).values();
  const worker = async () => {
    for (const shard of shards) {
      let meters: MeterOfHour[] = [];
      for await (const reading of readMeters(ports, { hour, shard })) {
        meters.push(sums.add(hour, reading, await holderOf(ports, reading)));
        if (meters.length < METERS_AT_ONCE) continue;
        await write(meters);
        meters = [];
      }
      if (meters.length > 0) await write(meters);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  // Last: whoever finds the hour's totals finds those of its meters, too.
  const summary = sums.summary(hour, asOf);
  const isLatest = await ports.summaries.writeHour(summary);
  return { written, isWhole: isLatest && refused === 0, unbalanced: summary.unbalanced };
}

type Holder = Pick<MeterOfHour, 'customerId' | 'productCode'>;

/** As it was sealed; else as the licence stands now, if anybody has told us of it. */
async function holderOf({ customers }: SummarizePorts, { sealed, licenceKey }: MeterReading): Promise<Holder> {
  const known = sealed ?? (await customers.licence(licenceKey));
  return { customerId: known?.customerId ?? '', productCode: known?.productCode ?? '' };
}

/** An hour's totals by product and dimension. */
class HourSums {
  readonly #meters = new Map<string, MeterTotals>();
  readonly #differences: Difference[] = [];
  #unbalanced = 0;

  add(hour: HourStart, { licenceKey, dimension, tally, sealed }: MeterReading, holder: Holder): MeterOfHour {
    const books = booksOf({ hour, licenceKey, dimension }, tally, sealed);
    const units = unitsOf(books);
    if (books.difference !== 0) {
      this.#unbalanced += 1;
      if (this.#differences.length < DIFFERENCES_KEPT) {
        this.#differences.push({ licenceKey, dimension, difference: books.difference });
      }
    }
    const { productCode } = holder;
    const key = JSON.stringify([productCode, dimension]);
    const before = this.#meters.get(key) ?? { productCode, dimension, units: {}, records: {}, events: 0 };
    this.#meters.set(key, {
      ...before,
      units: sumOf([before.units, units]),
      records: sumOf([before.records, { [sealed?.status ?? 'notYetSealed']: 1 } as RecordCounts]),
      events: before.events + tally.seen.count,
    });
    return { licenceKey, dimension, ...holder, units };
  }

  summary(hour: HourStart, asOf: number): HourSummary {
    const meters: MeterTotals[] = [...this.#meters]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, totals]) => totals);
    return { hour, asOf, meters, unbalanced: this.#unbalanced, differences: this.#differences };
  }
}

/** Counts what would cost too many queries at each question. */
async function takePulse(ports: SummarizePorts): Promise<void> {
  const { summaries, rejects, outbox, clock } = ports;
  const asOf = clock();
  const days = [asOf, asOf - 24 * HOUR_MS].map((atMs) => dayOf(hourOf(atMs)));
  const refused = await Promise.all(days.map((day) => rejects.refusedOn(day)));
  const [untold, background] = await Promise.all([untoldEvents(outbox), readBackground(ports)]);
  await summaries.writePulse({ asOf, refused: byCode(refused.flat()), untold, background });
}

function byCode(refused: readonly RefusedUsage[]): readonly RefusedUsage[] {
  return [...Map.groupBy(refused, ({ code }) => code).values()].flatMap((parts) => {
    const [latest] = [...parts].sort((one, other) => other.lastAt - one.lastAt);
    const sum = (name: 'times' | 'events') => parts.reduce((total, part) => total + part[name], 0);
    return latest ? [{ ...latest, times: sum('times'), events: sum('events') }] : [];
  });
}

async function untoldEvents(outbox: SummarizePorts['outbox']): Promise<UntoldEvents> {
  let count = 0;
  let oldestAt = Infinity;
  const shards = Array.from({ length: outbox.shards }, (_, shard) => shard);
  await Promise.all(
    shards.map(async (shard) => {
      for await (const page of outbox.pending(shard, () => {})) {
        count += page.length;
        for (const { at } of page) oldestAt = Math.min(oldestAt, at);
      }
    }),
  );
  return { count, ...(count === 0 ? {} : { oldestAt }) };
}
