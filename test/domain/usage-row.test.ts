import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hourShardKey, meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import { TallyBuilder } from '../../lambdas/domain/tally.ts';
import { parseUsageRow, usageRowReader } from '../../lambdas/domain/usage-row.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { anHour, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';

const METER = meterKey(LICENCE_KEY, 'requests');

function anItem(overrides: object = {}): Record<string, unknown> {
  return { ...toUsageItem(aUsageEvent()), ...overrides };
}

describe('a row of the usage table', () => {
  test('comes back as the event that it stands for', () => {
    const item = toUsageItem(aUsageEvent({ dimension: 'gb stored/ü', tags: { team: 'core' } }));

    expect(parseUsageRow(item)).toMatchObject({
      kind: 'good',
      licenceKey: LICENCE_KEY,
      dimension: 'gb stored/ü',
      quantity: 250,
      atMs: at('2026-09-21T10:05:00Z'),
      tagSet: '[["team","core"]]',
    });
  });

  test.each<[string, string, object]>([
    ['keyMalformed', 'with no event', { sk: METER }],
    ['keyMalformed', 'with four parts', { sk: `${METER}#a#b` }],
    ['keyMalformed', 'with an empty event', { sk: `${METER}#` }],
    ['keyMalformed', 'with an empty dimension', { sk: `${LICENCE_KEY}##e1` }],
    ['keyMalformed', 'with an empty licence', { sk: '#requests#e1' }],
    ['keyMalformed', 'with an event id that is not encoded', { sk: `${METER}#a b` }],
    ['keyMalformed', 'with an event id of ours', { sk: `${METER}#~2026-09-21T09.untagged.0` }],
    ['keyMalformed', 'with a dimension that is not encoded', { sk: `${LICENCE_KEY}#gb stored#e1` }],
    ['keyMalformed', 'without any key', { sk: undefined }],
    ['quantityNotWhole', 'with a fraction', { quantity: 0.5 }],
    ['quantityNotWhole', 'with a negative quantity', { quantity: -1 }],
    ['quantityNotWhole', 'with a quantity as text', { quantity: '3' }],
    ['quantityNotWhole', 'with a quantity beyond exact numbers', { quantity: 1e30 }],
    ['quantityNotWhole', 'without a quantity', { quantity: undefined }],
    ['timeOutsideHour', 'with a time in the hour before', { time: at('2026-09-21T09:59:59.999Z') }],
    ['timeOutsideHour', 'with a time in the hour after', { time: at('2026-09-21T11:00:00Z') }],
    ['timeOutsideHour', 'with a time in seconds', { time: at('2026-09-21T10:05:00Z') / 1_000 }],
    ['timeOutsideHour', 'with a time as text', { time: '2026-09-21T10:05:00Z' }],
    ['timeOutsideHour', 'in a partition of no hour', { pk: 'yesterday#05' }],
    ['shardWrong', 'in another shard', { pk: hourShardKey(anHour(), (shardOf(LICENCE_KEY) + 1) % 64) }],
    ['tagsInvalid', 'with tags as a list', { tags: ['team'] }],
    ['tagsInvalid', 'with tags as a set', { tags: new Set(['team']) }],
    ['tagsInvalid', 'with a tag that is a number', { tags: { team: 7 } }],
    ['tagsInvalid', 'with a character that AWS refuses', { tags: { team: 'a;b' } }],
    ['tagsInvalid', 'with tags as null', { tags: null }],
  ])('is %s %s', (code, _claim, overrides) => {
    expect(parseUsageRow(anItem(overrides))).toMatchObject({ kind: 'bad', code });
  });

  test('keeps its readable quantity where something else is wrong, so that the books can name it', () => {
    expect(parseUsageRow(anItem({ tags: ['team'], quantity: 77 }))).toMatchObject({ quantity: 77, meter: METER });
    expect(parseUsageRow(anItem({ quantity: -77 }))).toMatchObject({ quantity: 0 });
  });

  test.each([
    [METER],
    [`${LICENCE_KEY}#gb stored#e1`],
    [`${LICENCE_KEY}!#requests#e1`],
    [`${LICENCE_KEY}#requests!#e1`],
    [`${LICENCE_KEY}##e1`],
    [''],
  ])('with the key %j is part of no meter, since nobody knows where it sorts', (sk) => {
    expect(parseUsageRow(anItem({ sk }))).toMatchObject({ kind: 'bad', meter: undefined });
  });
});

describe('rows that stand next to each other', () => {
  test('are read as each of them alone is, whatever stood before it', () => {
    const other = 'l-00000000000000000000000000000001';
    const hour = anHour();
    const sortKeys = [
      `${METER}#event-1`,
      `${METER}#event%2F2`,
      `${METER}#a b`,
      `${METER}#a#b`,
      `${METER}#`,
      METER,
      `${METER}2#event-1`,
      `${LICENCE_KEY}#gb%20stored#event-1`,
      `${LICENCE_KEY}##event-1`,
      `${LICENCE_KEY}#`,
      `${meterKey(other, 'requests')}#event-1`,
      'no-licence#requests#event-1',
      'no-licence##',
      '',
    ];
    const partitions = [
      hourShardKey(hour, shardOf(LICENCE_KEY)),
      hourShardKey(hour, shardOf(other)),
      hourShardKey(anHour('2026-09-21T11'), shardOf(LICENCE_KEY)),
      'no hour',
    ];
    const row = fc.record({
      pk: fc.constantFrom(...partitions),
      sk: fc.constantFrom(...sortKeys),
      quantity: fc.constantFrom(1, 0.5),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        const items = rows.map((each) => anItem(each));

        expect(items.map(usageRowReader())).toEqual(items.map((item) => parseUsageRow(item)));
      }),
    );
  });
});

describe('a tally', () => {
  const rows = ['a', 'b', 'c'].map((eventId, index) =>
    parseUsageRow(
      toUsageItem(aUsageEvent({ eventId, quantity: 10 ** index, atMs: at('2026-09-21T10:05:00Z') + index })),
    ),
  );

  function tallyOf(list: typeof rows) {
    const builder = new TallyBuilder();
    for (const row of list) builder.addRow(row);
    return builder.tally();
  }

  test('is the same for the same rows in any order', () => {
    expect(tallyOf(rows.toReversed())).toEqual(tallyOf(rows));
    expect(tallyOf(rows)).toMatchObject({ used: 111, seen: { recorded: 111, carriedIn: 0, count: 3 } });
  });

  test('has another hash when a row was overwritten with the sum unchanged', () => {
    const [first, ...others] = rows;
    const moved = first?.kind === 'good' ? [{ ...first, atMs: first.atMs + 1 }, ...others] : others;

    expect(tallyOf(moved).seen.rowsHash).not.toBe(tallyOf(rows).seen.rowsHash);
    expect(tallyOf(moved).used).toBe(tallyOf(rows).used);
  });

  test('counts bad rows as recorded and rejected, and uses none of them', () => {
    const bad = parseUsageRow(anItem({ tags: ['team'], quantity: 40 }));

    expect(tallyOf([...rows, bad])).toMatchObject({
      used: 111,
      rejectedQuantity: 40,
      seen: { recorded: 151, count: 4 },
    });
  });

  test('says that a sum left the exact numbers instead of throwing, since others stand beside it', () => {
    const huge = parseUsageRow(toUsageItem(aUsageEvent({ eventId: 'z', quantity: Number.MAX_SAFE_INTEGER })));

    expect(tallyOf([huge]).isOverflown).toBe(false);
    expect(tallyOf([...rows, huge]).isOverflown).toBe(true);
  });
});
