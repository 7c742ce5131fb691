// Reads:       the ledger of a range of hours, of one licence where named
// Writes:      nothing
// Once per:    ledger entry, in order of hour, shard and key
// If it stops: nothing is left behind
import { HOUR_MS, type HourStart, hourStartMs, hoursBetween } from '../../domain/hour.ts';
import { SHARD_COUNT, shardOf } from '../../domain/keys.ts';
import type { LedgerEntry, SealedHour } from '../../domain/ledger.ts';
import { type Refused, refuse } from '../../domain/operations/act.ts';
import type { LedgerStore } from '../ports.ts';

/** Hours from `first` up to, not including, `end`. */
export interface HourRange {
  readonly first: HourStart;
  readonly end: HourStart;
  readonly licenceKey?: string;
  readonly dimension?: string;
}

type Ledger = Pick<LedgerStore, 'entries'>;

/** What is wrong with a range of at most so many hours; undefined where nothing is. */
export function rangeProblem({ first, end }: HourRange, mostHours: number): Refused | undefined {
  const hours = (hourStartMs(end) - hourStartMs(first)) / HOUR_MS;
  if (hours > 0 && hours <= mostHours) return undefined;
  return refuse(
    'rangeTooLong',
    `The range from ${first} up to ${end} has ${Math.max(0, hours)} hours; expected are 1 to ${mostHours}. Do it in several parts.`,
  );
}

export function shardsOf({ licenceKey }: HourRange): readonly number[] {
  return licenceKey === undefined ? ALL_SHARDS : [shardOf(licenceKey)];
}

const ALL_SHARDS = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);

/** Sealed hours and carries of a range. Memory holds a page. */
export async function* entriesOf(ledger: Ledger, range: HourRange): AsyncGenerator<LedgerEntry> {
  for (const hour of hoursBetween(range.first, range.end)) {
    for (const shard of shardsOf(range)) {
      for await (const page of ledger.entries(hour, shard, range.licenceKey)) {
        for (const entry of page) {
          if (range.dimension === undefined || entry.dimension === range.dimension) yield entry;
        }
      }
    }
  }
}

export async function* sealedHoursOf(ledger: Ledger, range: HourRange): AsyncGenerator<SealedHour> {
  for await (const entry of entriesOf(ledger, range)) if (entry.kind === 'sealed') yield entry;
}
