// What the first released version stored is read by today's code as it was meant then.
//
// A new kind of item, or a new layout, is frozen once, before its release; what is frozen stays as it is:
//   FREEZE_ITEMS=v1 npx vitest run test/layout/frozen-items.test.ts
import { describe, expect, test } from 'vitest';
import { useServices } from '../backend-world.ts';
import { useEngine } from '../stores/engine-tables.ts';
import {
  fewOfEachKind,
  freeze,
  frozenItems,
  frozenValues,
  restore,
  TABLE_KINDS,
  valuesOf,
  withNewKinds,
} from './frozen-items.ts';
import { ITEM_KINDS, keyOf, kindsOf } from './item-kinds.ts';
import { type ItemsByTable, itemsOfEveryKind } from './worlds-of-items.ts';

const services = useServices();
const engine = useEngine();

const ALL_KINDS = TABLE_KINDS.flatMap((table) => ITEM_KINDS[table].map(({ kind }) => `${table}: ${kind}`)).sort();

function kindsIn(items: ItemsByTable): string[] {
  const kinds = TABLE_KINDS.flatMap((table) =>
    items[table].map((item) => `${table}: ${kindsOf(table, keyOf(item)).join(' or ')}`),
  );
  return [...new Set(kinds)].sort();
}

const TO_FREEZE = process.env['FREEZE_ITEMS'] ?? '';

test.runIf(TO_FREEZE)('freezes what today’s code writes', { timeout: 240_000 }, async () => {
  const items = withNewKinds(frozenItems(TO_FREEZE), fewOfEachKind(await itemsOfEveryKind(services)));
  const tables = await engine();
  await restore(tables, items);

  const frozen = frozenValues(TO_FREEZE);
  freeze(TO_FREEZE, items, { ...frozen, ...(await valuesOf(tables, items)), ...frozen });

  expect(kindsIn(items)).toEqual(ALL_KINDS);
});

test('every kind of item that today’s code writes is known by its key, and is among the frozen ones', {
  timeout: 240_000,
}, async () => {
  const written = kindsIn(await itemsOfEveryKind(services));

  expect(written).toEqual(ALL_KINDS);
  expect(kindsIn(frozenItems('v1'))).toEqual(ALL_KINDS);
});

describe.each(['v1'])('items of layout %s', (version) => {
  test('stand for what they stood for when they were written', async () => {
    const items = frozenItems(version);
    const tables = await engine();
    await restore(tables, items);

    expect(await valuesOf(tables, items)).toEqual(frozenValues(version));
  });
});
