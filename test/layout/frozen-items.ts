// Items as a released version wrote them, and what they stood for then. They stay as they are, whatever comes after.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { TABLES, type TableKind } from '../../lambdas/stores/tables.ts';
import type { EngineTables } from '../stores/engine-tables.ts';
import { keyOf, kindsOf } from './item-kinds.ts';
import { readItem } from './read-items.ts';
import type { ItemsByTable, StoredItem } from './worlds-of-items.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/items');

export const TABLE_KINDS = Object.keys(TABLES) as TableKind[];

/** By table, kind and key, so that what is wrong is named. */
export type Values = Readonly<Record<string, unknown>>;

export function frozenItems(version: string): ItemsByTable {
  const tables = TABLE_KINDS.map((table) => [table, read(version, table) as StoredItem[]]);
  return Object.fromEntries(tables) as ItemsByTable;
}

export function frozenValues(version: string): Values {
  return read(version, 'values') as Values;
}

/** What is frozen stays as it is; of the kinds that are not yet, what is written. */
export function withNewKinds(frozen: ItemsByTable, written: ItemsByTable): ItemsByTable {
  const tables = TABLE_KINDS.map((table) => {
    const kindOf = (item: StoredItem) => kindsOf(table, keyOf(item)).join();
    const known = new Set(frozen[table].map(kindOf));
    return [table, [...frozen[table], ...written[table].filter((item) => !known.has(kindOf(item)))]] as const;
  });
  return Object.fromEntries(tables) as ItemsByTable;
}

export function freeze(version: string, items: ItemsByTable, values: Values): void {
  mkdirSync(join(FOLDER, version), { recursive: true });
  for (const table of TABLE_KINDS) write(version, table, items[table]);
  write(version, 'values', values);
}

function read(version: string, name: string): unknown {
  const file = join(FOLDER, version, `${name}.json`);
  // Of a layout that is frozen for the first time, nothing is there.
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

function write(version: string, name: string, value: unknown): void {
  writeFileSync(join(FOLDER, version, `${name}.json`), `${JSON.stringify(value, undefined, 2)}\n`);
}

/** At most so many of a kind: more of them show nothing new. */
const MOST_OF_A_KIND = 4;

export function fewOfEachKind(items: ItemsByTable): ItemsByTable {
  const few = TABLE_KINDS.map((table) => {
    const byKind = Map.groupBy(items[table] ?? [], (item) => kindsOf(table, keyOf(item)).join());
    return [table, [...byKind.values()].flatMap((each) => each.slice(0, MOST_OF_A_KIND))] as const;
  });
  return Object.fromEntries(few) as ItemsByTable;
}

export async function restore({ client, tables }: EngineTables, items: ItemsByTable): Promise<void> {
  for (const table of TABLE_KINDS) for (const item of items[table]) await put(client, tables[table], item);
}

export async function put(client: DynamoDBClient, table: string, item: StoredItem): Promise<void> {
  await client.send(new PutItemCommand({ TableName: table, Item: item }));
}

/** What the items stand for, as today's stores read them. */
export async function valuesOf({ client, tables }: EngineTables, items: ItemsByTable): Promise<Values> {
  const values: Record<string, unknown> = {};
  for (const table of TABLE_KINDS) {
    for (const item of items[table]) {
      const key = keyOf(item);
      const value = await readItem(client, tables, table, key);
      // As JSON has it: a member that is undefined is as one that is absent.
      values[`${table}: ${kindsOf(table, key).join()}: ${key.pk} ${key.sk}`] = JSON.parse(
        JSON.stringify(value ?? null),
      );
    }
  }
  return values;
}
