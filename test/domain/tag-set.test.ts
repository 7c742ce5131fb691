import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tagPairs, tagProblem, tagSetDigest, tagSetOf, UNTAGGED } from '../../lambdas/domain/tag-set.ts';

const someTags = fc.dictionary(fc.stringMatching(/^[a-z0-9]{1,8}$/), fc.stringMatching(/^[A-Z]{1,8}$/), {
  maxKeys: 5,
  noNullPrototype: true,
});

describe('tag sets', () => {
  test('are the same for the same tags in any order', () => {
    fc.assert(
      fc.property(someTags, (tags) => {
        const reversed = Object.fromEntries(Object.entries(tags).reverse());

        expect(tagSetOf(reversed)).toBe(tagSetOf(tags));
      }),
    );
  });

  test('give back their pairs, in order of their keys', () => {
    expect(tagPairs(tagSetOf({ team: 'core', env: 'live' }))).toEqual([
      ['env', 'live'],
      ['team', 'core'],
    ]);
    expect(tagPairs(UNTAGGED)).toEqual([]);
  });

  test('of no tags are the untagged one', () => {
    expect(tagSetOf(undefined)).toBe(UNTAGGED);
    expect(tagSetOf({})).toBe(UNTAGGED);
    expect(tagSetDigest(UNTAGGED)).toBe('untagged');
  });

  test('have digests of their own, for tags that only look alike, too', () => {
    const alike = [{ ab: 'c' }, { a: 'bc' }, { a: 'b', c: 'd' }, { a: 'b,c' }].map((tags) => tagSetOf(tags));

    expect(new Set(alike.map(tagSetDigest)).size).toBe(alike.length);
    expect(alike.map(tagSetDigest).every((digest) => /^[0-9a-f]{16}$/.test(digest))).toBe(true);
  });

  test.each([
    ['five tags at the limits of length', { ['k'.repeat(100)]: 'v'.repeat(256), b: '1', c: '1', d: '1', e: '1' }],
    ['every character that guide and model allow', { 'aZ09 +-=._:/@': 'aZ09 +-=._:/@' }],
  ])('take %s', (_claim, tags) => {
    expect(tagProblem(tags)).toBeUndefined();
  });

  test.each([
    ['has 6 tags; at most 5', { a: '1', b: '1', c: '1', d: '1', e: '1', f: '1' }],
    ['a key of 101 characters; at most 100', { ['k'.repeat(101)]: '1' }],
    ['a value of 257 characters; at most 256', { a: 'v'.repeat(257) }],
    ['empty', { a: '' }],
    ['empty', { '': 'a' }],
    ['other than letters', { a: 'b\\c' }],
    ['other than letters', { a: 'b;c' }],
    ['other than letters', { a: 'line\nbreak' }],
    ['other than letters', { ä: 'b' }],
  ])('say "%s" of what AWS would refuse', (words, tags) => {
    expect(tagProblem(tags)).toContain(words);
  });
});
