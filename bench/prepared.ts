// A database that is full from the start, made quickly: the engine imports what DynamoDB would have exported.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type HourStart, hourStartMs } from '../lambdas/domain/hour.ts';
import { shardOf } from '../lambdas/domain/keys.ts';
import { licenceKeyOf } from '../lambdas/domain/licence.ts';
import { toItem } from '../lambdas/stores/dynamo.ts';
import { TABLES, type TableKind, type TableShape } from '../lambdas/stores/tables.ts';
import { toUsageItem } from '../lambdas/stores/usage-store.ts';
import type { Database } from '../local/database.ts';
import { licenceArn, PRODUCT } from './world.ts';

interface PreparedHour {
  readonly hour: HourStart;
  readonly events: number;
  readonly customers: number;
  /** Whether what is imported stays in the temporary folder for the next run. */
  readonly keep: boolean;
}

/**
 * Starts an engine in memory whose usage table holds the events of one hour, spread evenly over customers and
 * dimensions. A million of them take a minute; written through the API they would take five.
 */
export function startPreparedDatabase(prepared: PreparedHour): Promise<Database> {
  const { hour, events, customers, keep } = prepared;
  function* usage(): Generator<object> {
    for (let event = 0; event < events; event++) yield usageItem(hour, event, customers);
  }
  return startImportedDatabase({ name: `${hour}-${events}-${customers}`, keep, tables: { usage } });
}

interface Imported {
  /** Tells what is imported from all else. */
  readonly name: string;
  readonly keep: boolean;
  /** The items of each table; every other table is there, and empty. */
  readonly tables: Partial<Record<TableKind, () => Iterable<object>>>;
}

/** Starts an engine in memory whose tables hold these items from the start. */
export async function startImportedDatabase({ name, keep, tables }: Imported): Promise<Database> {
  const folder = join(tmpdir(), `fulfillment-bench-${name}`);
  if (!existsSync(folder)) writeExport(folder, tables);
  const port = await freePort();
  const argv = ['import', '--source', join(folder, 'export'), '--schema', join(folder, 'schema.json')];
  const child = spawn(engine(), [...argv, '--serve', '--port', String(port)], { stdio: 'ignore' });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(child, endpoint);
  if (!keep) rmSync(folder, { recursive: true });
  const close = async () => {
    process.off('exit', kill);
    kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  return { endpoint, close };
}

const LINES_A_FILE = 50_000;

function writeExport(folder: string, tables: Imported['tables']): void {
  const unfinished = `${folder}-unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const kinds = Object.keys(tables) as TableKind[];
  for (const kind of kinds) {
    const data = join(unfinished, 'export', kind, 'data');
    mkdirSync(data, { recursive: true });
    let [lines, files]: [string[], number] = [[], 0];
    const write = () => {
      writeFileSync(join(data, `${files++}.json.gz`), gzipSync(`${lines.join('\n')}\n`, { level: 1 }));
      lines = [];
    };
    for (const item of tables[kind]?.() ?? []) {
      lines.push(JSON.stringify({ Item: toItem(item) }));
      if (lines.length === LINES_A_FILE) write();
    }
    if (lines.length > 0) write();
  }
  const schemas = kinds.map((kind) => ({ Table: schemaOf(kind) }));
  writeFileSync(join(unfinished, 'schema.json'), JSON.stringify(schemas));
  renameSync(unfinished, folder);
}

/** The event of a number. Customers take turns, and each turn has another dimension. */
function usageItem(hour: HourStart, event: number, customers: number): object {
  const licenceKey = licenceKeyOf({ style: 'licence', licenceArn: licenceArn(event % customers) });
  const dimension = PRODUCT.dimensions[Math.floor(event / customers) % PRODUCT.dimensions.length] ?? '';
  const atMs = hourStartMs(hour) + (event % 3_600_000);
  const where = { hour, shard: shardOf(licenceKey), licenceKey, dimension };
  return toUsageItem({ ...where, eventId: `event-${event}`, quantity: 3, atMs });
}

function schemaOf(kind: TableKind): object {
  const { key, indexes }: TableShape = TABLES[kind];
  const names = [key, ...indexes].flatMap(({ partition, sort }) =>
    sort === undefined ? [partition] : [partition, sort],
  );
  return {
    TableName: kind,
    TableStatus: 'ACTIVE',
    ItemCount: 0,
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    KeySchema: keysOf(key),
    AttributeDefinitions: [...new Set(names)].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
    ...(indexes.length === 0
      ? {}
      : {
          GlobalSecondaryIndexes: indexes.map((index) => ({
            IndexName: index.name,
            KeySchema: keysOf(index),
            Projection:
              index.carries.length === 0
                ? { ProjectionType: 'KEYS_ONLY' }
                : { ProjectionType: 'INCLUDE', NonKeyAttributes: index.carries },
          })),
        }),
  };
}

function keysOf({ partition, sort }: TableShape['key']): object[] {
  return [
    { AttributeName: partition, KeyType: 'HASH' },
    ...(sort === undefined ? [] : [{ AttributeName: sort, KeyType: 'RANGE' }]),
  ];
}

function engine(): string {
  const name = `@dynoxide/${process.platform}-${process.arch}/package.json`;
  return join(dirname(createRequire(import.meta.url).resolve(name)), 'dynoxide');
}

/** It answers once everything is imported. */
async function answering(child: ChildProcess, endpoint: string): Promise<void> {
  while (child.exitCode === null) {
    const isUp = await fetch(endpoint, { method: 'POST', body: '{}' }).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await delay(250);
  }
  throw new Error('The engine did not import the events.');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port on loopback.');
  return address.port;
}
