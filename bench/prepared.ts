// A database with one hour of usage in it, made quickly: the engine imports what DynamoDB would have exported.
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
import { TABLES } from '../lambdas/stores/tables.ts';
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
export async function startPreparedDatabase(prepared: PreparedHour): Promise<Database> {
  const { hour, events, customers, keep } = prepared;
  const folder = join(tmpdir(), `fulfillment-bench-${hour}-${events}-${customers}`);
  if (!existsSync(folder)) writeExport(folder, prepared);
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

function writeExport(folder: string, { hour, events, customers }: PreparedHour): void {
  const unfinished = `${folder}-unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const data = join(unfinished, 'export', 'usage', 'data');
  mkdirSync(data, { recursive: true });
  for (let from = 0; from < events; from += LINES_A_FILE) {
    const lines = Array.from({ length: Math.min(LINES_A_FILE, events - from) }, (_, index) =>
      JSON.stringify({ Item: toItem(usageItem(hour, from + index, customers)) }),
    );
    writeFileSync(join(data, `${from}.json.gz`), gzipSync(`${lines.join('\n')}\n`, { level: 1 }));
  }
  writeFileSync(join(unfinished, 'schema.json'), JSON.stringify([{ Table: usageSchema() }]));
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

function usageSchema(): object {
  const { partition, sort } = TABLES.usage.key;
  const keys = [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ];
  return {
    TableName: 'usage',
    TableStatus: 'ACTIVE',
    ItemCount: 0,
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    KeySchema: keys,
    AttributeDefinitions: keys.map(({ AttributeName }) => ({ AttributeName, AttributeType: 'S' })),
  };
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
