// Sends of the old stack that its records do not tell: its sender died after AWS's answer and before its own notes.
import { type HourStart, hourEndMs, hourOf } from '../hour.ts';
import type { ReportedUsage } from '../operations/reported-usage.ts';
import type { OldAnswer, OldKey, PendingRecord } from './old-record.ts';

export type Doubt = 'sentUntold' | 'doubtful';

export type Pending = PendingRecord & { readonly licenceKey: string };

/** An answer of AWS as it stands on closed records of one buyer, and what of its dimension those come to. */
export type NotedAnswer = OldAnswer & { readonly licenceKey: string; readonly notedQuantity: number };

/** Units that AWS holds, and no record tells of. */
interface UntoldSend {
  readonly licenceKey: string;
  readonly dimension: string;
  /** Records that were made by then can be in it. */
  readonly untilMs: number;
  /** Undefined where AWS's log shows a send, and not how much of it counts. */
  readonly quantity: number | undefined;
}

/**
 * Which pending records AWS holds already. The sender sums up all records of a buyer that are pending, so that units of
 * which no record tells are those of the oldest ones: where some of these come to just that many they are
 * `'sentUntold'`; where none do, every record that could be in the send is `'doubtful'`, and a person decides.
 */
export function untoldRecords(
  pending: readonly Pending[],
  answers: readonly NotedAnswer[],
  reported: readonly ReportedUsage[],
): ReadonlyMap<string, Doubt> {
  const shown = new Map(pending.map((record) => [record, { sent: new Set<string>(), isDoubtful: false }]));
  const byBuyer = Map.groupBy(pending, ({ licenceKey }) => licenceKey);
  // In order of time: what an earlier send took is in no later one.
  const sends = [...halfNoted(answers), ...neverNoted(answers, reported)].sort((a, b) => a.untilMs - b.untilMs);
  for (const { licenceKey, dimension, untilMs, quantity } of sends) {
    const candidates = (byBuyer.get(licenceKey) ?? [])
      .filter((record) => {
        const isNamed = record.amounts.some((amount) => amount.dimension === dimension);
        return isNamed && record.atMs < untilMs && !shown.get(record)?.sent.has(dimension);
      })
      .sort((one, other) => one.atMs - other.atMs);
    const sent = quantity === undefined ? undefined : oldestOf(candidates, dimension, quantity);
    for (const record of sent ?? candidates) {
      const mark = shown.get(record);
      if (mark && sent) mark.sent.add(dimension);
      else if (mark) mark.isDoubtful = true;
    }
  }
  const doubts = [...shown].flatMap(([{ key, amounts }, { sent, isDoubtful }]) => {
    if (sent.size === 0 && !isDoubtful) return [];
    // One call has all dimensions of a record: where only some are shown as sent, the others are in doubt.
    const isWhole = !isDoubtful && amounts.every(({ dimension }) => sent.has(dimension));
    return [[nameOf(key), isWhole ? 'sentUntold' : 'doubtful'] as const];
  });
  return new Map(doubts);
}

/** The sender died between its notes: AWS took more than the records come to that have its answer. */
function halfNoted(answers: readonly NotedAnswer[]): UntoldSend[] {
  return answers.filter(isHeld).flatMap(({ licenceKey, dimension, quantity, notedQuantity, sentAtMs }) => {
    const missing = quantity - notedQuantity;
    return missing > 0 ? [{ licenceKey, dimension, untilMs: sentAtMs + 1, quantity: missing }] : [];
  });
}

/** The sender died before its first note: AWS's log alone shows the send. */
function neverNoted(answers: readonly NotedAnswer[], reported: readonly ReportedUsage[]): UntoldSend[] {
  const noted = new Set(answers.filter(isHeld).map(placeOfAnswer));
  return reported.flatMap(({ licenceKey, dimension, hour, quantity, remark }) => {
    if (licenceKey === undefined || noted.has(placeOf(licenceKey, dimension, hour))) return [];
    const amount = remark === undefined ? quantity : undefined;
    return [{ licenceKey, dimension, untilMs: hourEndMs(hour), quantity: amount }];
  });
}

/** Amounts since an instant that the records tell as billed and AWS's log lacks: what it lacks it can't rule out. */
export function lackingInLog(
  answers: readonly NotedAnswer[],
  reported: readonly ReportedUsage[],
  sinceMs: number,
): number {
  const shown = new Set(reported.map(({ licenceKey = '', dimension, hour }) => placeOf(licenceKey, dimension, hour)));
  return answers.filter(isHeld).filter((each) => each.sentAtMs >= sinceMs && !shown.has(placeOfAnswer(each))).length;
}

type Held = NotedAnswer & { readonly sentAtMs: number };

function isHeld(answer: NotedAnswer): answer is Held {
  return answer.status === 'Success' && answer.sentAtMs !== undefined;
}

function placeOfAnswer({ licenceKey, dimension, sentAtMs }: Held): string {
  return placeOf(licenceKey, dimension, hourOf(sentAtMs));
}

function placeOf(licenceKey: string, dimension: string, hour: HourStart): string {
  return `${licenceKey}\n${dimension}\n${hour}`;
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
