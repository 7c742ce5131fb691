// What the benchmarks run on: the real engine with tables of their own, and the real SDK client, its writes counted.
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
import { startDatabase } from '../local/database.ts';
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
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly ports: BenchPorts;
  /** Calls made so far, by `Command table`. */
  readonly calls: Map<string, number>;
}

export async function startBenchWorld(clock: () => number): Promise<BenchWorld> {
  const database = await startDatabase();
  const client = dynamoClient({
    region: 'us-east-1',
    endpoint: database.endpoint,
    credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' },
  });
  const tables = await createTables(client);
  const calls = new Map<string, number>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const table = 'TableName' in args.input ? String(args.input.TableName) : 'several';
      const name = `${context.commandName?.replace('Command', '') ?? 'Unknown'} ${table}`;
      calls.set(name, (calls.get(name) ?? 0) + 1);
      return next(args);
    },
    { step: 'initialize' },
  );
  const ports = {
    customers: new DynamoCustomerStore(client, tables.customers),
    usage: new DynamoUsageStore(client, tables.usage),
    ledger: new DynamoLedgerStore(client, tables.ledger),
    work: new DynamoWorkStore(client, tables.work),
    rejects: new DynamoRejectStore(client, tables.rejects),
    clock,
    limit: pLimit(32),
    log: console,
    products: new Map([[PRODUCT.productCode, PRODUCT]]),
    policy: DEFAULT_METERING_POLICY,
  };
  const close = async () => {
    client.destroy();
    await database.close();
  };
  return { client, tables, ports, calls, [Symbol.asyncDispose]: close };
}

/** A licence of the bench's product, by number. */
export function licenceArn(index: number): string {
  return `arn:aws:license-manager::294406891311:license:l-${String(index).padStart(32, '0')}`;
}
