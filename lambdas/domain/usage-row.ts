// A row of the usage table as the close reads it. Sellers may write rows themselves, so each is checked here.
import { HOUR_MS, hourStartMs, parseHour } from './hour.ts';
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

/**
 * The layout of rows, on each of them. It is a contract with sellers who write rows themselves, so that it has steps of
 * no kind: members may be added to it, and a row that can't be read as before gets a number that older code knows it by.
 */
export const USAGE_ROW_LAYOUT = 1;

/** The code of a row that newer code of ours has written. Its meter waits until that code looks at its hour. */
export const NEWER_ROW = 'layoutNewer';

type StoredRow = Readonly<Record<string, unknown>>;

/** Reads one stored row. Never throws: whatever a writer of rows may have put there comes back as a bad row. */
export function parseUsageRow(item: StoredRow): UsageRow {
  return usageRowReader()(item);
}

/**
 * Reads rows as `parseUsageRow` does. What the rows of a meter share, the shard of its licence above all, is made out
 * once and not once a row: they stand next to each other, by the thousand.
 */
export function usageRowReader(): (item: StoredRow) => UsageRow {
  let place: RowPlace | undefined;
  return (item) => {
    const partition = typeof item['pk'] === 'string' ? item['pk'] : '';
    const sortKey = typeof item['sk'] === 'string' ? item['sk'] : '';
    if (place?.partition !== partition || !sortKey.startsWith(place.prefix)) place = placeOf(partition, sortKey);
    return rowAt(place, item, sortKey);
  };
}

/** Where the rows of a meter stand: the part of their keys that they share, and what it says. */
interface RowPlace {
  readonly partition: string;
  /** `licence#dimension#`. */
  readonly prefix: string;
  readonly meter: string;
  readonly licenceKey: string;
  /** Undefined where the key is not of our making. */
  readonly dimension: string | undefined;
  /** Undefined where the partition is none of an hour. */
  readonly hourStart: number | undefined;
  readonly isRightShard: boolean;
}

function placeOf(partition: string, sortKey: string): RowPlace {
  const [licenceKey = '', dimensionPart = ''] = sortKey.split(KEY_SEPARATOR, 2);
  const meter = `${licenceKey}${KEY_SEPARATOR}${dimensionPart}`;
  const isNamed = LICENCE_KEY_PATTERN.test(licenceKey) && dimensionPart.length <= MAX_ENCODED_DIMENSION_BYTES;
  const hour = parseHour(partition.slice(0, 13));
  return {
    partition,
    prefix: `${meter}${KEY_SEPARATOR}`,
    meter,
    licenceKey,
    dimension: (isNamed && decodeKeyPart(dimensionPart)) || undefined,
    hourStart: hour && hourStartMs(hour),
    isRightShard: hour !== undefined && partition === hourShardKey(hour, shardOf(licenceKey)),
  };
}

/** Ids that stand in a key as they are; most do, and need no decoding. */
const PLAIN_ID = /^[\w.-]{1,128}$/;

function isEventPart(part: string): boolean {
  return PLAIN_ID.test(part) || EVENT_ID_PATTERN.test(decodeKeyPart(part) ?? '');
}

function rowAt(place: RowPlace, item: StoredRow, sortKey: string): UsageRow {
  const { prefix, meter, licenceKey, hourStart } = place;
  const dimension = sortKey.startsWith(prefix) ? place.dimension : undefined;
  const quantity = item['quantity'];
  const bad = (code: string, problem: string): BadRow => ({
    kind: 'bad',
    sortKey,
    meter: dimension === undefined ? undefined : meter,
    quantity: isQuantity(quantity) ? quantity : 0,
    code,
    problem,
  });

  const layout = item['v'];
  if (typeof layout === 'number' && layout > USAGE_ROW_LAYOUT) {
    return bad(NEWER_ROW, `The row has layout ${layout}; this version knows layout ${USAGE_ROW_LAYOUT} alone.`);
  }
  if (dimension === undefined || !isEventPart(sortKey.slice(prefix.length))) {
    return bad('keyMalformed', 'The sort key is not licence#dimension#event in encoded form.');
  }
  if (!isQuantity(quantity)) return bad('quantityNotWhole', 'quantity is not a whole number of 0 or more.');
  const atMs = item['time'];
  if (!isQuantity(atMs) || hourStart === undefined || atMs < hourStart || atMs - hourStart >= HOUR_MS) {
    return bad('timeOutsideHour', 'time is not an instant, in epoch milliseconds, of the hour that the row stands in.');
  }
  if (!place.isRightShard) return bad('shardWrong', 'The row stands in another shard than its licence belongs to.');
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
