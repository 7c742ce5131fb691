// Sends of the old stack that its table does not tell: its sender died after AWS's answer and before its own note.
import { type HourStart, hourEndMs, hourOf } from '../hour.ts';
import type { ReportedUsage } from '../operations/reported-usage.ts';
import type { OldAnswer, OldKey, PendingRecord } from './old-record.ts';

export type Doubt = 'sentUntold' | 'doubtful';

/** Amounts that the old table tells as honoured, by licence, dimension and hour. One call stands on many records. */
export class ToldSends {
  readonly #quantities = new Map<string, number>();

  add(licenceKey: string, { dimension, status, quantity, sentAtMs }: OldAnswer): void {
    if (status !== 'Success' || sentAtMs === undefined) return;
    const place = placeOf(licenceKey, dimension, hourOf(sentAtMs));
    // AWS keeps the first amount of an hour, and bills no second.
    if (!this.#quantities.has(place)) this.#quantities.set(place, quantity);
  }

  has(licenceKey: string, dimension: string, hour: HourStart): boolean {
    return this.#quantities.has(placeOf(licenceKey, dimension, hour));
  }
}

function placeOf(licenceKey: string, dimension: string, hour: HourStart): string {
  return `${licenceKey}\n${dimension}\n${hour}`;
}

export type Pending = PendingRecord & { readonly licenceKey: string };

/**
 * Which pending records AWS's own log shows as sent. The sender sums up all records of a buyer that are pending, so that
 * an untold amount is that of the oldest ones up to some record: where it is, they are `'sentUntold'`; where no such sum
 * fits, every record that could be in it is `'doubtful'`, and a person decides.
 */
export function untoldSends(
  pending: readonly Pending[],
  told: ToldSends,
  reported: Iterable<ReportedUsage>,
): ReadonlyMap<string, Doubt> {
  const shown = new Map(pending.map((record) => [record, { sent: new Set<string>(), isDoubtful: false }]));
  const byBuyer = Map.groupBy(pending, ({ licenceKey }) => licenceKey);
  // In order of time: what an earlier send took is in no later one.
  const sends = [...reported].sort((one, other) => (one.hour < other.hour ? -1 : 1));
  for (const { licenceKey, dimension, hour, quantity, remark } of sends) {
    if (licenceKey === undefined || told.has(licenceKey, dimension, hour)) continue;
    const candidates = (byBuyer.get(licenceKey) ?? [])
      .filter((record) => {
        const isNamed = record.amounts.some((amount) => amount.dimension === dimension);
        return isNamed && record.atMs < hourEndMs(hour) && !shown.get(record)?.sent.has(dimension);
      })
      .sort((one, other) => one.atMs - other.atMs);
    const sent = remark === undefined ? oldestOf(candidates, dimension, quantity) : undefined;
    for (const record of sent ?? candidates) {
      const mark = shown.get(record);
      if (mark && sent) mark.sent.add(dimension);
      else if (mark) mark.isDoubtful = true;
    }
  }
  const doubts = [...shown].flatMap(([{ key, amounts }, { sent, isDoubtful }]) => {
    if (sent.size === 0 && !isDoubtful) return [];
    // One call has all dimensions of a record: where the log shows some, the others are in doubt.
    const isWhole = !isDoubtful && amounts.every(({ dimension }) => sent.has(dimension));
    return [[nameOf(key), isWhole ? 'sentUntold' : 'doubtful'] as const];
  });
  return new Map(doubts);
}

/** The oldest records whose amounts of a dimension come to a quantity; undefined where none do. */
function oldestOf(ordered: readonly Pending[], dimension: string, quantity: number): readonly Pending[] | undefined {
  let sum = 0;
  for (const [index, { amounts }] of ordered.entries()) {
    for (const amount of amounts) if (amount.dimension === dimension) sum += amount.quantity;
    if (sum === quantity) return ordered.slice(0, index + 1);
  }
  return undefined;
}

export function nameOf({ customerIdentifier, createTimestamp }: OldKey): string {
  return `${customerIdentifier}\n${createTimestamp}`;
}
