// The world's SQLite file: one connection, prepared statements kept, rows read without casts.
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { ADDED_COLUMNS, ADDED_INDEXES, SCHEMA } from './schema.ts';

export type Row = Record<string, SQLOutputValue>;

/** What the nouns of the world need of SQLite: statements by their text, prepared once each. */
export interface Database {
  all(sql: string, ...values: SQLInputValue[]): Row[];
  one(sql: string, ...values: SQLInputValue[]): Row | undefined;
  /** Returns the number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number;
  transaction<T>(work: () => T): T;
  close(): void;
}

/**
 * Opens the file (made if missing), or a world that lives in memory only.
 * A commit survives the death of the process (WAL, synchronous=NORMAL); a power cut may lose the last commits.
 */
export function openDatabase(path: string | undefined): Database {
  const connection = new DatabaseSync(path ?? ':memory:');
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000');
  connection.exec(SCHEMA);
  for (const [table, column, kind] of ADDED_COLUMNS) {
    const known = connection.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column);
    if (known === undefined) connection.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${kind}`);
  }
  connection.exec(ADDED_INDEXES);
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = connection.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  let depth = 0;
  return {
    all: (sql, ...values) => prepared(sql).all(...values),
    one: (sql, ...values) => prepared(sql).get(...values),
    run: (sql, ...values) => Number(prepared(sql).run(...values).changes),
    transaction: (work) => {
      // A transaction inside another one joins it: the outer one decides.
      if (depth > 0) return work();
      connection.exec('BEGIN IMMEDIATE');
      depth += 1;
      try {
        const result = work();
        connection.exec('COMMIT');
        return result;
      } catch (error) {
        connection.exec('ROLLBACK');
        throw error;
      } finally {
        depth -= 1;
      }
    },
    close: () => connection.close(),
  };
}

/** A column that always holds text; anything else is a broken promise of the schema. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`column ${column} should hold text`);
  return value;
}

/** A column that always holds a number that a double can hold exactly. */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new Error(`column ${column} should hold a number`);
  return value;
}

/** A column that holds text or NULL. */
export function optionalTextOf(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/** A column that holds a number or NULL. */
export function optionalNumberOf(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : numberOf(row, column);
}
