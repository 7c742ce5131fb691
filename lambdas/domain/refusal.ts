// Usage that was not taken, and why: said to the caller, and kept where an operator finds it.

import type { HourStart } from './hour.ts';

export type RefusalCode =
  | 'quantityNotWhole'
  | 'dimensionUnknown'
  | 'timeTooOld'
  | 'timeTooFarAhead'
  | 'monthClosed'
  | 'licenceEnded'
  | 'beforeLicence'
  | 'tagsInvalid'
  | 'customerUnknown'
  | 'productUnknown'
  | 'identityStyleWrong'
  | 'quantityTooLarge'
  | 'noLicence'
  | 'malformed'
  | 'conflict'
  | 'keyMalformed'
  | 'timeOutsideHour'
  | 'shardWrong';

export interface Refusal {
  readonly at: number;
  /** The hour of a row that the close refused. It finds the row at every look, on two days, and keeps it once. */
  readonly hour?: HourStart;
  /** Who was refused: the door, or the close on a row that was written past it. */
  readonly source: 'door' | 'close';
  readonly code: RefusalCode | string;
  /** What was wrong, what was expected, and what to do. */
  readonly message: string;
  /** The licence key, customer id or whatever named the buyer, as far as it could be read. */
  readonly subject: string;
  readonly dimension: string;
  readonly eventId: string;
  readonly quantity: number;
  /** The refused event as it came, cut to a few kilobytes. */
  readonly received: string;
}
