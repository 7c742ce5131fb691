// A metering record of AWS's serverless sample, and of what shares its tables, as far as it can be read.
import { createHash } from 'node:crypto';
import type { HourStart } from '../hour.ts';

/** The key of a record: both parts as they stand, since a number may have more digits than a double holds. */
export interface OldKey {
  /** A customer identifier, or, in later forms of the sample, a licence's ARN or an AWS account. */
  readonly customerIdentifier: string;
  readonly createTimestamp: string;
}

export interface OldAmount {
  readonly dimension: string;
  readonly quantity: number;
}

/** What AWS answered to one dimension of the call that a record was part of. */
export interface OldAnswer {
  readonly dimension: string;
  /** `Success`, another status, or `Unprocessed`. */
  readonly status: string;
  /** What the call named: the sum of all records that it was made of. */
  readonly quantity: number;
  /** When the sender sent, which is the time that it told AWS. */
  readonly sentAtMs?: number;
}

interface Read {
  readonly key: OldKey;
  /** When the usage was recorded. */
  readonly atMs: number;
  readonly amounts: readonly OldAmount[];
}

export type PendingRecord = Read & { readonly kind: 'pending' };

/** Taken from the old stack by us, for the hour that was written onto it. */
export type TakenRecord = Read & {
  readonly kind: 'taken';
  readonly hour: HourStart;
  /** Whether the old sender has written an answer onto it since. */
  readonly isAnswered: boolean;
};

/** The old sender is done with it, whatever AWS said. */
export interface ClosedRecord {
  readonly kind: 'closed';
  readonly key: OldKey;
  readonly amounts: readonly OldAmount[];
  readonly answers: readonly OldAnswer[];
  /** What the call ended with, where it brought no answers. */
  readonly fault?: string;
}

/** One that can't be taken over as it stands. It is left as it is. */
export interface MalformedRecord {
  readonly kind: 'malformed';
  readonly key: OldKey;
  readonly code: string;
  readonly message: string;
  /** What of it can be read. */
  readonly amounts: readonly OldAmount[];
}

export type OldRecord = PendingRecord | TakenRecord | ClosedRecord | MalformedRecord;

/** The id of a record's amount as an event of ours: made of the old key, so that the same amount is the same event. */
export function takenEventId({ customerIdentifier, createTimestamp }: OldKey, index: number): string {
  const digest = createHash('sha256').update(`${customerIdentifier}\n${createTimestamp}`).digest('hex').slice(0, 32);
  return `sample-${digest}-${index}`;
}

/** The dimensions of a closed record for which AWS did not say that it holds the usage, with what it said. */
export function unbilledOf({ amounts, answers, fault }: ClosedRecord): ReadonlyMap<string, string> {
  const unbilled = new Map<string, string>();
  for (const { dimension } of amounts) {
    const own = answers.filter((answer) => answer.dimension === dimension);
    const wrong = own.find(({ status }) => status !== 'Success');
    if (wrong) unbilled.set(dimension, wrong.status);
    else if (own.length === 0) unbilled.set(dimension, fault ?? 'NoAnswer');
  }
  return unbilled;
}
