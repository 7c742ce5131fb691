// What an operator does to the ledger: each act a change of one record with its carries and its line in the audit.
import type { HourStart } from './hour.ts';
import type { Carry, SealedHour } from './ledger.ts';

export type ActionKind =
  | 'release'
  | 'accept'
  | 'carryOn'
  | 'withhold'
  | 'credit'
  | 'confirm'
  | 'resubmit'
  | 'releaseGroup'
  | 'cutOver'
  | 'eraseBuyer'
  | 'setPrice'
  | 'setListingUrl'
  | 'link'
  | 'resend'
  | 'redrive'
  | 'migrate';

/** Who did what to what, and why. Kept for ever; written with what it tells of, or not at all. */
export interface AuditEntry {
  /** Made by `newActionId`: the same act again, under the same id, is done once. */
  readonly actionId: string;
  readonly at: number;
  readonly who: string;
  readonly why: string;
  readonly action: ActionKind;
  readonly licenceKey?: string;
  readonly dimension?: string;
  readonly hour?: HourStart;
  /** How things stood, and how they stand now: counts and codes, no personal data. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** A change of one sealed hour, written only while the record stands as it was read. */
export interface Amendment {
  /** The record as it is to stand. Its key, `accounted`, `seen` and attempts stay. */
  readonly after: SealedHour;
  readonly carries: readonly Carry[];
  /** `'unsealed'` where the carries may only go into an hour that is not sealed. They all go into one hour. */
  readonly onlyInto: 'any' | 'unsealed';
  readonly audit: AuditEntry;
}

/** An act's id: its instant, so that ids sort by time, and something that tells two acts of one instant apart. */
export function newActionId(nowMs: number, distinct: string): string {
  return `${new Date(nowMs).toISOString()}.${distinct}`;
}
