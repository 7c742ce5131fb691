// Usage in, through POST /usage and through the direct writer, against bare conditional puts of as many items.
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import pLimit from 'p-limit';
import { createUsageRecorder, type UsageEvent } from '../client/usage-recorder.ts';
import { type HourStart, hourStartMs, parseHour } from '../lambdas/domain/hour.ts';
import { shardOf } from '../lambdas/domain/keys.ts';
import { licenceKeyOf } from '../lambdas/domain/licence.ts';
import { createRecordUsageHandler } from '../lambdas/record-usage.handler.ts';
import { toItem } from '../lambdas/stores/dynamo.ts';
import { toUsageItem } from '../lambdas/stores/usage-store.ts';
import { backendEnvironment, lambdaContext } from '../local/backend.ts';
import { median, type Took, timed } from './measure.ts';
import { type BenchWorld, ENGINE_CREDENTIALS, licenceArn, PRODUCT, startBenchWorld } from './world.ts';

interface IntakeBench {
  readonly way: string;
  readonly events: number;
  readonly eventsPerSecond: number;
  /** To bare puts of the same round. */
  readonly ratio: number;
  /** The same by the time on the processor of this process, the database left out. */
  readonly cpuRatio: number;
}

const EVENTS = 2_000;
const EVENTS_A_REPORT = 500;
const CUSTOMERS = 100;
/** As the deployed function bounds its writes. */
const WRITES_AT_ONCE = 32;

/** Takes usage in by each way, in rounds that alternate. */
export async function benchIntake(rounds: number): Promise<IntakeBench[]> {
  const hour = parseHour('2026-09-21T10');
  if (!hour) throw new Error('The hour of the bench is not an hour.');
  const nowMs = hourStartMs(hour) + 30 * 60_000;
  await using world = await startBenchWorld(() => nowMs);
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const buyer = {
      productCode: PRODUCT.productCode,
      licenceArn: licenceArn(customer),
      customerAwsAccountId: '111122223333',
    };
    await world.ports.customers.upsert(buyer, PRODUCT, nowMs);
  }
  const bareClient = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: world.endpoint,
    credentials: ENGINE_CREDENTIALS,
  });
  const ways = {
    bare: (events: readonly UsageEvent[]) => putAll(bareClient, world.tables.usage, hour, events),
    'POST /usage': throughHandler(world, nowMs),
    'direct writer': throughRecorder(world, nowMs),
  };
  const runs: Record<keyof typeof ways, Took>[] = [];
  // The first round is not counted: connections are made and code is compiled in it.
  for (let round = 0; round <= rounds; round++) {
    const took = async (way: keyof typeof ways) => {
      const events = eventsOf(`${way.replaceAll(' ', '-')}-${round}`, nowMs);
      return timed(() => ways[way](events));
    };
    const run = {
      bare: await took('bare'),
      'POST /usage': await took('POST /usage'),
      'direct writer': await took('direct writer'),
    };
    if (round > 0) runs.push(run);
  }
  bareClient.destroy();
  return (Object.keys(ways) as (keyof typeof ways)[]).map((way) => ({
    way,
    events: EVENTS,
    eventsPerSecond: median(runs.map((run) => (EVENTS / run[way].wallMs) * 1_000)),
    ratio: median(runs.map((run) => run.bare.wallMs / run[way].wallMs)),
    cpuRatio: median(runs.map((run) => run.bare.cpuMs / run[way].cpuMs)),
  }));
}

function eventsOf(prefix: string, nowMs: number): UsageEvent[] {
  return Array.from({ length: EVENTS }, (_, index) => ({
    id: `${prefix}-${index}`,
    licenseArn: licenceArn(index % CUSTOMERS),
    dimension: PRODUCT.dimensions[index % PRODUCT.dimensions.length] ?? '',
    quantity: 3,
    time: new Date(nowMs - index).toISOString(),
  }));
}

/** The items that the events come to, put by the SDK as it comes. */
async function putAll(
  client: DynamoDBClient,
  table: string,
  hour: HourStart,
  events: readonly UsageEvent[],
): Promise<void> {
  const items = events.map((event) => {
    const licenceKey = licenceKeyOf({
      style: 'licence',
      licenceArn: 'licenseArn' in event ? event.licenseArn : '',
    });
    const { id: eventId, dimension, quantity, time } = event;
    const where = { hour, shard: shardOf(licenceKey), licenceKey, dimension, eventId };
    return toItem(toUsageItem({ ...where, quantity, atMs: Date.parse(String(time)) }));
  });
  const limit = pLimit(WRITES_AT_ONCE);
  const put = (Item: (typeof items)[number]) =>
    client.send(new PutItemCommand({ TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
  await Promise.all(items.map((item) => limit(put, item)));
}

const SILENT = { info: () => {}, warn: () => {}, error: console.error };

/** Reports of 500 events, two side by side, as `client/usage-api` makes them; the handler bounds its writes itself. */
function throughHandler(world: BenchWorld, nowMs: number) {
  const environment = backendEnvironment({
    databaseEndpoint: world.endpoint,
    tables: world.tables,
    marketplaceUrl: '',
    secretsUrl: '',
    products: [PRODUCT],
    clock: () => nowMs,
    log: SILENT,
  });
  const handler = createRecordUsageHandler({ environment, clock: () => nowMs, log: SILENT });
  return async (events: readonly UsageEvent[]) => {
    const limit = pLimit(2);
    const reports = Array.from({ length: EVENTS / EVENTS_A_REPORT }, (_, report) =>
      JSON.stringify({ events: events.slice(report * EVENTS_A_REPORT, (report + 1) * EVENTS_A_REPORT) }),
    );
    await Promise.all(
      reports.map((body) =>
        limit(async () => {
          const { statusCode } = await handler(proxyEvent(body), lambdaContext(29_000));
          if (statusCode !== 200) throw new Error(`POST /usage answered ${statusCode}.`);
        }),
      ),
    );
  };
}

function throughRecorder({ endpoint, tables }: BenchWorld, nowMs: number) {
  const dynamo = new DynamoDBClient({ region: 'us-east-1', endpoint, credentials: ENGINE_CREDENTIALS });
  const recorder = createUsageRecorder({
    usageTable: tables.usage,
    workTable: tables.work,
    customersTable: tables.customers,
    dynamo,
    maxInFlight: WRITES_AT_ONCE,
    clock: () => nowMs,
  });
  return (events: readonly UsageEvent[]) => recorder.record(events);
}

/** As much of API Gateway's event as the handler reads. */
function proxyEvent(body: string): APIGatewayProxyEvent {
  return {
    resource: '/usage',
    path: '/usage',
    httpMethod: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    isBase64Encoded: false,
    requestContext: { requestId: 'bench', path: '/usage' },
  } as unknown as APIGatewayProxyEvent;
}
