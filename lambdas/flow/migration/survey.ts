// Reads:       both tables of the old stack
// Writes:      nothing
// Once per:    row
// If it stops: nothing is left behind
import type { LastAnswer, MalformedBuyer, OldBuyer } from '../../domain/migration/old-buyer.ts';
import {
  type ClosedRecord,
  type MalformedRecord,
  type OldAnswer,
  type PendingRecord,
  type TakenRecord,
  unbilledOf,
} from '../../domain/migration/old-record.ts';
import { nameOf } from '../../domain/migration/untold-sends.ts';
import type { OldTables } from './old-tables.ts';
import type { Report } from './report.ts';

interface SurveyedAnswer extends OldAnswer {
  readonly customerIdentifier: string;
  /** What the records that it stands on come to, of its dimension. */
  readonly notedQuantity: number;
}

export interface RecordSurvey {
  readonly pending: readonly PendingRecord[];
  readonly taken: readonly TakenRecord[];
  readonly malformed: readonly MalformedRecord[];
  /** Each answer of AWS that the table tells; one call's stands on many records and is here once. */
  readonly answers: readonly SurveyedAnswer[];
}

/** Reads every record. Those that the old sender is done with are told as they pass, and are not kept. */
export async function surveyRecords(tables: OldTables, report: Report): Promise<RecordSurvey> {
  const pending: PendingRecord[] = [];
  const taken: TakenRecord[] = [];
  const malformed: MalformedRecord[] = [];
  const answers = new Map<string, SurveyedAnswer>();
  for await (const page of tables.records()) {
    for (const record of page) {
      if (record.kind === 'pending') pending.push(record);
      else if (record.kind === 'taken') taken.push(record);
      else if (record.kind === 'malformed') malformed.push(record);
      else {
        noteAnswers(record, answers);
        await tellClosed(record, report);
      }
    }
  }
  return { pending, taken, malformed, answers: [...answers.values()] };
}

function noteAnswers({ key, amounts, answers }: ClosedRecord, known: Map<string, SurveyedAnswer>): void {
  const { customerIdentifier } = key;
  for (const answer of answers) {
    const name = JSON.stringify([customerIdentifier, answer]);
    const own = amounts.filter(({ dimension }) => dimension === answer.dimension);
    const before = known.get(name)?.notedQuantity ?? 0;
    const notedQuantity = own.reduce((sum, { quantity }) => sum + quantity, before);
    known.set(name, { customerIdentifier, ...answer, notedQuantity });
  }
}

async function tellClosed(record: ClosedRecord, report: Report): Promise<void> {
  const unbilled = unbilledOf(record);
  for (const { dimension, quantity } of record.amounts) {
    const code = unbilled.get(dimension);
    const isBilled = code === undefined || quantity === 0;
    await report({
      row: 'record',
      fate: isBilled ? 'billedThere' : 'unbilledThere',
      code: code ?? 'Success',
      message: isBilled
        ? 'The old stack sent it, and AWS took it.'
        : `The old stack closed it, and AWS did not take it: ${code}. It is not taken over.`,
      ...record.key,
      dimension,
      quantity,
    });
  }
}

export interface BuyerSurvey {
  readonly buyers: ReadonlyMap<string, OldBuyer>;
  readonly malformed: readonly MalformedBuyer[];
}

export async function surveyBuyers(tables: OldTables): Promise<BuyerSurvey> {
  const buyers = new Map<string, OldBuyer>();
  const malformed: MalformedBuyer[] = [];
  for await (const page of tables.buyers()) {
    for (const row of page) {
      if (row.kind === 'buyer') buyers.set(row.customerIdentifier, row);
      else malformed.push(row);
    }
  }
  return { buyers, malformed };
}

/** The latest of AWS's answers to a buyer's usage that tells whether it was a customer. */
export function lastAnswers({ answers }: RecordSurvey): ReadonlyMap<string, LastAnswer> {
  const latest = new Map<string, LastAnswer>();
  for (const { customerIdentifier, status, sentAtMs: atMs } of answers) {
    const isTelling = status === 'Success' || status === 'DuplicateRecord' || status === 'CustomerNotSubscribed';
    if (!isTelling || atMs === undefined || atMs < (latest.get(customerIdentifier)?.atMs ?? 0)) continue;
    latest.set(customerIdentifier, { atMs, isSubscribed: status !== 'CustomerNotSubscribed' });
  }
  return latest;
}

/** The earliest sign of a buyer's use: its row may have been written anew since, and say that it came later. */
export function firstUses({ pending, answers }: RecordSurvey): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  const note = (customerIdentifier: string, atMs: number) =>
    first.set(customerIdentifier, Math.min(first.get(customerIdentifier) ?? atMs, atMs));
  for (const { key, atMs } of pending) note(key.customerIdentifier, atMs);
  for (const { customerIdentifier, sentAtMs } of answers)
    if (sentAtMs !== undefined) note(customerIdentifier, sentAtMs);
  return first;
}

/** Records that were pending at a first look and are not at a second: the old sender is at work. */
export function movedSince(first: RecordSurvey, second: RecordSurvey): number {
  const still = new Set([...second.pending, ...second.taken, ...second.malformed].map(({ key }) => nameOf(key)));
  return first.pending.filter(({ key }) => !still.has(nameOf(key))).length;
}
