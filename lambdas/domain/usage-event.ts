// What the seller's product reports: one amount of one dimension, used by one buyer at one time.
import type { HourStart } from './hour.ts';
import type { Tags } from './tag-set.ts';

/**
 * An event that has passed the door. Its identity is licence, dimension, hour and event id: a retry must carry the
 * same time, or it is another event in another hour.
 */
export interface UsageEvent {
  readonly hour: HourStart;
  readonly shard: number;
  readonly licenceKey: string;
  readonly dimension: string;
  readonly eventId: string;
  readonly quantity: number;
  readonly atMs: number;
  readonly tags?: Tags;
}

export const MAX_EVENT_ID_LENGTH = 128;

/** Printable ASCII without space: every client can make it, and its encoded form stays short enough for a key. */
export const EVENT_ID_PATTERN = /^[!-~]{1,128}$/;

/** How long usage rows are kept: longer than anything re-reads an hour. */
export const USAGE_ROW_LIFETIME_DAYS = 400;
