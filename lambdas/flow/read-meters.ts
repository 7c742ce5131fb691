// Reads:       the ledger and then the usage of one hour and shard, merged range by range
// Writes:      nothing
// Once per:    meter (licence and dimension) of the hour and shard, in key order
// If it stops: nothing is left behind
import type { HourStart } from '../domain/hour.ts';
import { decodeKeyPart, KEY_SEPARATOR, meterKey } from '../domain/keys.ts';
import type { LedgerEntry, SealedHour } from '../domain/ledger.ts';
import { type Tally, TallyBuilder } from '../domain/tally.ts';
import type { BadRow, UsageRow } from '../domain/usage-row.ts';
import { Cursor } from './cursor.ts';
import type { LedgerStore, UsageStore } from './ports.ts';

/** One licence's dimension in one hour: what is accounted for, and what was used. */
export interface MeterReading {
  readonly licenceKey: string;
  readonly dimension: string;
  readonly sealed: SealedHour | undefined;
  readonly tally: Tally;
}

interface ReadPorts {
  readonly usage: Pick<UsageStore, 'rows'>;
  readonly ledger: Pick<LedgerStore, 'entries'>;
}

export interface Partition {
  readonly hour: HourStart;
  readonly shard: number;
  readonly licenceKey?: string;
}

/**
 * Every meter of a partition that has usage or a ledger entry. Memory holds a page of each side and one tally,
 * however many events there are. The ledger's part of each key range is read before the usage's: usage only grows,
 * so that what is accounted for never looks too high.
 */
export async function* readMeters(
  ports: ReadPorts,
  { hour, shard, licenceKey }: Partition,
  onBadRow: (row: BadRow) => Promise<void> = async () => {},
): AsyncGenerator<MeterReading> {
  for await (const range of ledgerRanges(ports.ledger.entries(hour, shard, licenceKey))) {
    const bounds = { ...range.bounds, ...(licenceKey === undefined ? {} : { licenceKey }) };
    const rows = new Cursor(ports.usage.rows(hour, shard, bounds));
    let entry = 0;
    for (;;) {
      const nextEntry = range.entries[entry];
      const nextRow = await nextOfMeter(rows, onBadRow);
      const meter = first(nextEntry && meterOf(nextEntry), nextRow?.meter);
      if (meter === undefined) break;
      const builder = new TallyBuilder();
      let sealed: SealedHour | undefined;
      for (let each = range.entries[entry]; each && meterOf(each) === meter; each = range.entries[++entry]) {
        if (each.kind === 'sealed') sealed = each;
        else builder.addCarry(each);
      }
      await takeRows(rows, meter, builder, onBadRow);
      const [licence = '', dimensionPart = ''] = meter.split(KEY_SEPARATOR);
      const dimension = decodeKeyPart(dimensionPart);
      if (licence && dimension) yield { licenceKey: licence, dimension, sealed, tally: builder.tally() };
    }
  }
}

/** The next row that belongs to a meter. Others are rejected on the way: where they sort says nothing. */
async function nextOfMeter(
  rows: Cursor<UsageRow>,
  onBadRow: (row: BadRow) => Promise<void>,
): Promise<UsageRow | undefined> {
  for (;;) {
    const row = await rows.peek();
    if (row?.kind !== 'bad' || row.meter !== undefined) return row;
    rows.advance();
    await onBadRow(row);
  }
}

async function takeRows(
  rows: Cursor<UsageRow>,
  meter: string,
  builder: TallyBuilder,
  onBadRow: (row: BadRow) => Promise<void>,
): Promise<void> {
  for (;;) {
    // Rows come by the thousand: only a new page is awaited, never a single row.
    const row = rows.ready() ?? (await rows.peek());
    if (row?.meter !== meter) return;
    builder.addRow(row);
    rows.advance();
    if (row.kind === 'bad') await onBadRow(row);
  }
}

interface LedgerRange {
  readonly entries: readonly LedgerEntry[];
  /** Meters from `from` up to, not including, `before`. */
  readonly bounds: { readonly from?: string; readonly before?: string };
}

/** Ledger entries in ranges of keys that follow each other without a gap, each holding whole meters. */
async function* ledgerRanges(pages: AsyncIterable<readonly LedgerEntry[]>): AsyncGenerator<LedgerRange> {
  let kept: LedgerEntry[] = [];
  let from: string | undefined;
  for await (const page of pages) {
    const last = kept.at(-1);
    if (last) {
      // The last meter may go on in this page; it stays for the next range.
      const before = meterOf(last);
      const cut = kept.findIndex((entry) => meterOf(entry) === before);
      yield { entries: kept.slice(0, cut), bounds: { ...(from === undefined ? {} : { from }), before } };
      kept = kept.slice(cut);
      from = before;
    }
    kept.push(...page);
  }
  yield { entries: kept, bounds: from === undefined ? {} : { from } };
}

function meterOf(entry: LedgerEntry): string {
  return meterKey(entry.licenceKey, entry.dimension);
}

function first(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}
