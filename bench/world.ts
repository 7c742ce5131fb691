// What the benchmarks run on: the real engine with tables of their own and the deployed stores.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import { DEFAULT_METERING_POLICY } from '../lambdas/domain/metering-policy.ts';
import type { Product } from '../lambdas/domain/product.ts';
import type { ClosePorts } from '../lambdas/flow/close-hour.ts';
import { DynamoCustomerStore } from '../lambdas/stores/customer-store.ts';
import { dynamoClient } from '../lambdas/stores/dynamo.ts';
import { DynamoLedgerStore } from '../lambdas/stores/ledger-store.ts';
import { DynamoRejectStore } from '../lambdas/stores/reject-store.ts';
import { DynamoUsageStore } from '../lambdas/stores/usage-store.ts';
import { DynamoWorkStore } from '../lambdas/stores/work-store.ts';
import { type Database, startDatabase } from '../local/database.ts';
import { createTables, type TableNames } from '../local/tables.ts';

export const PRODUCT: Product = {
  productCode: 'bench-product',
  title: 'Bench',
  pricingModel: 'subscription',
  identityStyle: 'licence',
  meteringRegion: 'us-east-1',
  dimensions: ['requests', 'kib_sent', 'gb_stored'],
  zeroRecords: 'off',
  lateUsage: 'carry',
};

interface BenchPorts extends ClosePorts {
  readonly customers: DynamoCustomerStore;
  readonly usage: DynamoUsageStore;
  readonly ledger: DynamoLedgerStore;
  readonly log: Console;
}

export interface BenchWorld extends AsyncDisposable {
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly ports: BenchPorts;
}

export const ENGINE_CREDENTIALS = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' };

export async function startBenchWorld(
  clock: () => number,
  starting: Promise<Database> = startDatabase(),
): Promise<BenchWorld> {
  const database = await starting;
  const { endpoint } = database;
  const client = dynamoClient({ region: 'us-east-1', endpoint, credentials: ENGINE_CREDENTIALS });
  const tables = await createTables(client);
  const close = async () => {
    client.destroy();
    await database.close();
  };
  return { endpoint, client, tables, ports: benchPorts(client, tables, clock), [Symbol.asyncDispose]: close };
}

/** What the flow needs, with the bounds of the deployed functions. */
export function benchPorts(client: DynamoDBClient, tables: TableNames, clock: () => number): BenchPorts {
  return {
    customers: new DynamoCustomerStore(client, tables.customers),
    usage: new DynamoUsageStore(client, tables.usage),
    ledger: new DynamoLedgerStore(client, tables.ledger),
    work: new DynamoWorkStore(client, tables.work),
    rejects: new DynamoRejectStore(client, tables.rejects),
    entitlements: { entitlements: async () => undefined },
    clock,
    limit: pLimit(32),
    log: console,
    products: new Map([[PRODUCT.productCode, PRODUCT]]),
    policy: DEFAULT_METERING_POLICY,
  };
}

/** A further, empty ledger in the same database: closing an hour anew needs one that knows nothing of it. */
export async function ledgerTable(client: DynamoDBClient, name: string): Promise<string> {
  return (await createTables(client, `${name}-`)).ledger;
}

/** A licence of the bench's product, by number. */
export function licenceArn(index: number): string {
  return `arn:aws:license-manager::294406891311:license:l-${String(index).padStart(32, '0')}`;
}
