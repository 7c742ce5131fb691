import { describe, expect, test } from 'vitest';
import { rehearsalOf, zeroDimensions } from '../../lambdas/domain/product.ts';
import { anHour, aProduct } from '../builders.ts';

describe('zero records', () => {
  const of = (zeroRecords: 'off' | 'oneDimension' | 'all', used: readonly string[]) =>
    zeroDimensions(aProduct({ zeroRecords, dimensions: ['requests', 'gb_stored', 'seats'] }), new Set(used));

  test('off: none are owed', () => {
    expect(of('off', [])).toEqual([]);
  });

  test('oneDimension: the first listed one, only where nothing at all was used', () => {
    expect(of('oneDimension', [])).toEqual(['requests']);
    expect(of('oneDimension', ['gb_stored'])).toEqual([]);
  });

  test('all: each listed dimension that was not used', () => {
    expect(of('all', [])).toEqual(['requests', 'gb_stored', 'seats']);
    expect(of('all', ['gb_stored'])).toEqual(['requests', 'seats']);
  });

  test('a product that lists no dimension owes none, whatever the mode', () => {
    expect(zeroDimensions(aProduct({ zeroRecords: 'all', dimensions: [] }), new Set())).toEqual([]);
  });
});

test('hours are rehearsed up to the first billed one, or all where none is named', () => {
  const until = anHour('2026-09-21T10');
  expect(rehearsalOf(aProduct({ rehearsal: { mode: 'shadow', until } }), anHour('2026-09-21T09'))).toBe('shadow');
  expect(rehearsalOf(aProduct({ rehearsal: { mode: 'shadow', until } }), until)).toBeUndefined();
  expect(rehearsalOf(aProduct({ rehearsal: { mode: 'dryRun' } }), until)).toBe('dryRun');
  expect(rehearsalOf(aProduct(), until)).toBeUndefined();
});
