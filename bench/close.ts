// Closing a full hour, against the bare reads and writes that any close has to make.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, PutItemCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import { hourStartMs } from '../lambdas/domain/hour.ts';
import { SHARD_COUNT } from '../lambdas/domain/keys.ts';
import { licencePartition } from '../lambdas/stores/customer-items.ts';
import { toItem } from '../lambdas/stores/dynamo.ts';
import { toSealedItem } from '../lambdas/stores/ledger-items.ts';
import { DynamoLedgerStore } from '../lambdas/stores/ledger-store.ts';
import { partitionQuery } from '../lambdas/stores/usage-store.ts';
import { CLOSE_HOUR, closeAll, eachShard } from './close-all.ts';
import { median, type Took, timed } from './measure.ts';
import { startPreparedDatabase } from './prepared.ts';
import { type BenchWorld, ENGINE_CREDENTIALS, ledgerTable, licenceArn, PRODUCT, startBenchWorld } from './world.ts';

interface CloseBench {
  readonly events: number;
  readonly customers: number;
  readonly records: number;
  readonly rounds: number;
  readonly firstCloseMs: number;
  readonly secondCloseMs: number;
  readonly bareReadMs: number;
  readonly bareWriteMs: number;
  /** First close ÷ (bare read of the same partitions + bare conditional puts of the same records). */
  readonly firstRatio: number;
  /** Second close ÷ bare read. */
  readonly secondRatio: number;
  /** The same by the time on the processor of the closing process, the database left out. */
  readonly firstCpuRatio: number;
  readonly secondCpuRatio: number;
  /** Largest heap of a process that closes the hour first, and of one that looks again, under the cap. */
  readonly capMiB: number;
  readonly firstHeapMiB: number;
  readonly secondHeapMiB: number;
}

interface CloseOptions {
  readonly events: number;
  readonly customers: number;
  readonly rounds: number;
  readonly keep: boolean;
}

/** The heap that a closing process is given, whatever the number of events. */
const HEAP_CAP_MIB = 128;

/** Closes one hour of many events twice, in rounds that alternate with the bare reads and writes. */
export async function benchClose({ events, customers, rounds, keep }: CloseOptions): Promise<CloseBench> {
  const database = startPreparedDatabase({ hour: CLOSE_HOUR, events, customers, keep });
  await using world = await startBenchWorld(() => hourStartMs(CLOSE_HOUR) + 75 * 60_000, database);
  await register(world, customers);
  const bare = new DynamoDBClient({ region: 'us-east-1', endpoint: world.endpoint, credentials: ENGINE_CREDENTIALS });
  const runs: Record<'read' | 'first' | 'write' | 'second' | 'readAgain', Took>[] = [];
  let records = 0;
  for (let round = 0; round < rounds; round++) {
    console.log(`round ${round + 1} of ${rounds}`);
    const ours = await ledgerTable(world.client, `round-${round}`);
    const theirs = await ledgerTable(world.client, `bare-${round}`);
    const ports = { ...world.ports, ledger: new DynamoLedgerStore(world.client, ours) };
    const read = await timed(() => bareRead(bare, world, ours));
    const first = await timed(() => closeAll(ports));
    const items = await sealedItems(ports.ledger);
    records = items.length;
    const write = await timed(() => bareWrite(bare, theirs, items));
    const second = await timed(() => closeAll(ports));
    runs.push({ read, first, write, second, readAgain: await timed(() => bareRead(bare, world, ours)) });
  }
  bare.destroy();
  const middle = (pick: (run: (typeof runs)[number]) => number) => median(runs.map(pick));
  const capped = await ledgerTable(world.client, 'capped');
  return {
    events,
    customers,
    records,
    rounds,
    firstCloseMs: middle(({ first }) => first.wallMs),
    secondCloseMs: middle(({ second }) => second.wallMs),
    bareReadMs: middle(({ read }) => read.wallMs),
    bareWriteMs: middle(({ write }) => write.wallMs),
    firstRatio: middle(({ first, read, write }) => first.wallMs / (read.wallMs + write.wallMs)),
    secondRatio: middle(({ second, readAgain }) => second.wallMs / readAgain.wallMs),
    firstCpuRatio: middle(({ first, read, write }) => first.cpuMs / (read.cpuMs + write.cpuMs)),
    secondCpuRatio: middle(({ second, readAgain }) => second.cpuMs / readAgain.cpuMs),
    capMiB: HEAP_CAP_MIB,
    firstHeapMiB: heapOfClose(world.endpoint, capped),
    secondHeapMiB: heapOfClose(world.endpoint, capped),
  };
}

async function register({ ports }: BenchWorld, customers: number): Promise<void> {
  const registered = Array.from({ length: customers }, (_, customer) => {
    const buyer = {
      productCode: PRODUCT.productCode,
      licenceArn: licenceArn(customer),
      customerAwsAccountId: String(100_000_000_000 + customer),
    };
    return ports.limit(() => ports.customers.upsert(buyer, PRODUCT, hourStartMs(CLOSE_HOUR) - 1));
  });
  await Promise.all(registered);
}

/** Both sides of every partition, and the licences: the reads that a close makes, their pages thrown away. */
function bareRead(client: DynamoDBClient, { tables }: BenchWorld, ledger: string): Promise<void> {
  const read = async (input: QueryCommandInput) => {
    let start: QueryCommandInput['ExclusiveStartKey'];
    do {
      const page = await client.send(new QueryCommand({ ...input, ConsistentRead: true, ExclusiveStartKey: start }));
      start = page.LastEvaluatedKey;
    } while (start);
  };
  return eachShard(async (shard) => {
    await read({ TableName: ledger, ...partitionQuery(CLOSE_HOUR, shard, {}) });
    await read({ TableName: tables.usage, ...partitionQuery(CLOSE_HOUR, shard, {}) });
    await read({
      TableName: tables.customers,
      KeyConditionExpression: 'pk = :shard',
      ExpressionAttributeValues: { ':shard': { S: licencePartition(shard) } },
    });
  });
}

async function sealedItems(ledger: DynamoLedgerStore) {
  const items: ReturnType<typeof toItem>[] = [];
  for (let shard = 0; shard < SHARD_COUNT; shard++) {
    for await (const page of ledger.entries(CLOSE_HOUR, shard)) {
      for (const entry of page) if (entry.kind === 'sealed') items.push(toItem(toSealedItem(entry)));
    }
  }
  return items;
}

const WRITES_AT_ONCE = 32;

/** The same records into another table of the same shape, each put under a condition. */
async function bareWrite(
  client: DynamoDBClient,
  table: string,
  items: readonly ReturnType<typeof toItem>[],
): Promise<void> {
  const limit = pLimit(WRITES_AT_ONCE);
  const put = (Item: ReturnType<typeof toItem>) =>
    client.send(new PutItemCommand({ TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
  await Promise.all(items.map((item) => limit(put, item)));
}

const CLOSE_ONCE = fileURLToPath(import.meta.resolve('./close-once.ts'));

/** Closes the hour in a process whose heap is capped; its peak in MiB. Throws where the cap does not hold. */
function heapOfClose(endpoint: string, ledger: string): number {
  const argv = [`--max-old-space-size=${HEAP_CAP_MIB}`, CLOSE_ONCE, endpoint, ledger];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The close ended with ${status} under the heap cap: ${stderr.slice(-2_000)}`);
  return Number(stdout);
}
