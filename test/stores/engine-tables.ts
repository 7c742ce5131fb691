// Tables of its own for each test, in one engine a file.
import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { type Database, startDatabase } from '../../local/database.ts';
import { createTables, type TableNames } from '../../local/tables.ts';
import { localClient } from '../backend-world.ts';

export interface EngineTables {
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
}

/** Starts the engine for the tests of a file; gives empty tables at each call. */
export function useEngine(): () => Promise<EngineTables> {
  let engine: { database: Database; client: DynamoDBClient } | undefined;
  beforeAll(async () => {
    const database = await startDatabase();
    engine = { database, client: localClient(database.endpoint) };
  });
  afterAll(async () => {
    engine?.client.destroy();
    await engine?.database.close();
  });
  return async () => {
    if (!engine) throw new Error('The engine starts before the first test of a file, not before.');
    const { client } = engine;
    return { client, tables: await createTables(client, `${randomBytes(6).toString('hex')}-`) };
  };
}
