// A row of the usage table as the close reads it. Sellers may write rows themselves, so each is checked here.
import { hourOf, hourStartMs, parseHour } from './hour.ts';
import { decodeKeyPart, hourShardKey, KEY_SEPARATOR, MAX_ENCODED_DIMENSION_BYTES, shardOf } from './keys.ts';
import { LICENCE_KEY_PATTERN } from './licence.ts';
import { isQuantity } from './quantity.ts';
import { type TagSet, type Tags, tagProblem, tagSetOf } from './tag-set.ts';
import { EVENT_ID_PATTERN, type UsageEvent } from './usage-event.ts';

interface GoodRow {
  readonly kind: 'good';
  readonly sortKey: string;
  /** `licence#dimension`, the group that the row belongs to. */
  readonly meter: string;
  readonly licenceKey: string;
  readonly dimension: string;
  readonly quantity: number;
  readonly tagSet: TagSet;
  readonly atMs: number;
}

/** A row that can't be billed. It is copied to the rejects and never spoils its neighbours. */
export interface BadRow {
  readonly kind: 'bad';
  readonly sortKey: string;
  /** Undefined where the key is not of our making: it may sort between the rows of a meter and is part of none. */
  readonly meter: string | undefined;
  /** Its amount where that much can be read, so that the books can name it; else 0. */
  readonly quantity: number;
  readonly code: string;
  readonly problem: string;
}

export type UsageRow = GoodRow | BadRow;

/** Reads one stored row. Never throws: whatever a writer of rows may have put there comes back as a bad row. */
export function parseUsageRow(item: Readonly<Record<string, unknown>>): UsageRow {
  const partition = typeof item['pk'] === 'string' ? item['pk'] : '';
  const sortKey = typeof item['sk'] === 'string' ? item['sk'] : '';
  const parts = sortKey.split(KEY_SEPARATOR);
  const [licenceKey = '', dimensionPart = '', eventPart = ''] = parts;
  const dimension = decodeKeyPart(dimensionPart);
  const isNamed = LICENCE_KEY_PATTERN.test(licenceKey) && dimensionPart.length <= MAX_ENCODED_DIMENSION_BYTES;
  const isOurs = parts.length > 2 && isNamed && dimension;
  const meter = `${licenceKey}${KEY_SEPARATOR}${dimensionPart}`;
  const quantity = item['quantity'];
  const bad = (code: string, problem: string): BadRow => ({
    kind: 'bad',
    sortKey,
    meter: isOurs ? meter : undefined,
    quantity: isQuantity(quantity) ? quantity : 0,
    code,
    problem,
  });

  const eventId = decodeKeyPart(eventPart);
  if (!isOurs || parts.length !== 3 || eventId === undefined || !EVENT_ID_PATTERN.test(eventId)) {
    return bad('keyMalformed', 'The sort key is not licence#dimension#event in encoded form.');
  }
  if (!isQuantity(quantity)) return bad('quantityNotWhole', 'quantity is not a whole number of 0 or more.');
  const atMs = item['time'];
  const hour = parseHour(partition.slice(0, 13));
  if (!isQuantity(atMs) || hour === undefined || atMs - hourStartMs(hour) >= 3_600_000 || atMs < hourStartMs(hour)) {
    return bad('timeOutsideHour', 'time is not an instant, in epoch milliseconds, of the hour that the row stands in.');
  }
  if (partition !== hourShardKey(hourOf(atMs), shardOf(licenceKey))) {
    return bad('shardWrong', 'The row stands in another shard than its licence belongs to.');
  }
  const tags = item['tags'];
  if (tags !== undefined && !isTags(tags)) return bad('tagsInvalid', 'tags is not a map of text to text.');
  const problem = tags && tagProblem(tags);
  if (problem) return bad('tagsInvalid', `tags ${problem}.`);
  return { kind: 'good', sortKey, meter, licenceKey, dimension, quantity, tagSet: tagSetOf(tags), atMs };
}

function isTags(value: unknown): value is Tags {
  // Lists and sets of DynamoDB are objects, too, but none of them names its texts.
  const isMap = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isMap && Object.values(value).every((each) => typeof each === 'string');
}

/** Whether a stored row says the same as an event of its identity: a repeat, not a conflict. */
export function isSameUsage(row: UsageRow, event: UsageEvent): boolean {
  return (
    row.kind === 'good' &&
    row.quantity === event.quantity &&
    row.atMs === event.atMs &&
    row.tagSet === tagSetOf(event.tags)
  );
}
