// The whole system on one machine: database, simulator, handlers, gateway, and their data in one folder.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Log } from '../lambdas/runtime/log.ts';
import { dynamoClient } from '../lambdas/stores/dynamo.ts';
import { type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { type Backend, createBackend } from './backend.ts';
import { ControlClient } from './control-client.ts';
import { startDatabase } from './database.ts';
import { lockFolder } from './folder-lock.ts';
import { startGateway } from './gateway.ts';
import { startSecrets } from './secrets.ts';
import { createTables, type TableNames } from './tables.ts';
import { WorldClock } from './world-clock.ts';

interface LaptopOptions {
  /** Where the data is kept between starts. */
  readonly folder: string;
  /** Forgets what earlier starts left. */
  readonly isFresh: boolean;
  readonly appPort?: number;
  readonly simulator: Omit<SimulatorOptions, 'dataPath'>;
  readonly products: readonly object[];
  readonly policy?: object;
  readonly log: Log;
}

export interface Laptop {
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly control: ControlClient;
  readonly clock: WorldClock;
  readonly backend: Backend;
  readonly appUrl: string;
  readonly marketplaceUrl: string;
  readonly controlSecret: string;
  close(): Promise<void>;
}

const DATABASE = 'database.sqlite';
const MARKETPLACE = 'marketplace.sqlite';

function forget(folder: string): void {
  for (const file of [DATABASE, MARKETPLACE]) {
    for (const part of ['', '-wal', '-shm', '-journal']) rmSync(join(folder, `${file}${part}`), { force: true });
  }
}

/** Starts everything, or nothing: what was started is stopped again where a later part fails. */
export async function startLaptop(options: LaptopOptions): Promise<Laptop> {
  const closers: (() => Promise<void> | void)[] = [lockFolder(options.folder)];
  // Only what is ours, and only once nobody else uses it.
  if (options.isFresh) forget(options.folder);
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const database = await startDatabase({ dataPath: join(options.folder, DATABASE) });
    closers.push(() => database.close());
    const client = dynamoClient({
      region: 'us-east-1',
      endpoint: database.endpoint,
      credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' },
    });
    closers.push(() => client.destroy());
    const tables = await createTables(client);
    const simulator = await startSimulator({
      ...options.simulator,
      dataPath: join(options.folder, MARKETPLACE),
    });
    closers.push(() => simulator.close());
    const secrets = await startSecrets();
    closers.push(() => secrets.close());
    const control = new ControlClient(simulator.url, simulator.controlSecret);
    const clock = new WorldClock(control);
    await clock.follow();
    const backend = createBackend({
      databaseEndpoint: database.endpoint,
      tables,
      marketplaceUrl: simulator.url,
      secretsUrl: secrets.url,
      clock: clock.now,
      log: options.log,
      products: options.products,
      ...(options.policy === undefined ? {} : { policy: options.policy }),
    });
    const gateway = await startGateway(backend, options.appPort);
    closers.push(() => gateway.close());
    return {
      client,
      tables,
      control,
      clock,
      backend,
      appUrl: gateway.url,
      marketplaceUrl: simulator.url,
      controlSecret: simulator.controlSecret,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
