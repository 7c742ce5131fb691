// Tags of vendor-metered usage: a buyer splits its bill by them.
import { hash } from 'node:crypto';
import { MAX_TAG_KEY_LENGTH, MAX_TAG_VALUE_LENGTH, MAX_TAGS } from './marketplace-limits.ts';

export type Tags = Readonly<Record<string, string>>;

/** A set of tags in its one canonical spelling: JSON of its pairs in order of key; empty for no tags. */
export type TagSet = string;

export const UNTAGGED: TagSet = '';

/** Stands for all tag sets of an hour that has too many to be told apart. */
export const ANY_TAGS: TagSet = '*';

/** Letters, digits, space and `+ - = . _ : / @`: what both AWS's guide and its API model let through. */
const TAG_TEXT = /^[a-zA-Z0-9+\-=._:/@ ]+$/;

/** What is wrong with a set of tags, in words for the caller; undefined where nothing is. */
export function tagProblem(tags: Tags): string | undefined {
  const pairs = Object.entries(tags);
  if (pairs.length > MAX_TAGS) return `has ${pairs.length} tags; at most ${MAX_TAGS} are allowed`;
  for (const [key, value] of pairs) {
    // No map of JavaScript, and so no item, can hold it.
    if (key === '__proto__') return 'has a key __proto__, which can not be stored';
    if (key.length > MAX_TAG_KEY_LENGTH) return `has a key of ${key.length} characters; at most ${MAX_TAG_KEY_LENGTH}`;
    if (value.length > MAX_TAG_VALUE_LENGTH) {
      return `has a value of ${value.length} characters; at most ${MAX_TAG_VALUE_LENGTH}`;
    }
    if (!TAG_TEXT.test(key) || !TAG_TEXT.test(value)) {
      return 'has a key or value that is empty or holds characters other than letters, digits, space and + - = . _ : / @';
    }
  }
  return undefined;
}

export function tagSetOf(tags: Tags | undefined): TagSet {
  const pairs = Object.entries(tags ?? {});
  if (pairs.length === 0) return UNTAGGED;
  return JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The pairs of a canonical tag set, in its order. */
export function tagPairs(tagSet: TagSet): readonly (readonly [string, string])[] {
  return tagSet === UNTAGGED ? [] : (JSON.parse(tagSet) as [string, string][]);
}

/** A short name for a tag set, fit for a map key in an item; 64 bits, so that thousands never collide. */
export function tagSetDigest(tagSet: TagSet): string {
  if (tagSet === ANY_TAGS) return ANY_TAGS;
  return tagSet === UNTAGGED ? 'untagged' : hash('sha256', tagSet).slice(0, 16);
}
