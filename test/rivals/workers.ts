// A second backend over a world's tables: what it says to the database and to AWS can be watched, refused or cut off.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AttributeValue, BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { onTestFinished } from 'vitest';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { UsageEvent } from '../../lambdas/domain/usage-event.ts';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { type Backend, createBackend } from '../../local/backend.ts';
import { type BackendWorld, PRODUCT, type Subscription, type useServices } from '../backend-world.ts';
import { aUsageEvent } from '../builders.ts';

/** One request to an AWS service: `UpdateItem`, its members, and its body as it was sent. */
export interface WireCall {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly text: string;
}

interface WireHooks {
  /** The code to refuse a call with, before it reaches the service. */
  readonly refuse?: (call: WireCall) => string | undefined;
  /** When the service has done its work, before the caller hears of it. */
  readonly answered?: (call: WireCall) => void | Promise<void>;
}

/** Headers of one connection, which the next makes anew. */
const HOP = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'expect', 'upgrade']);

/** Stands on the wire before a service of AWS's JSON protocol. */
async function startWire(upstream: string, { refuse, answered }: WireHooks = {}) {
  const calls: WireCall[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const target = String(request.headers['x-amz-target'] ?? '');
    const call = { operation: target.slice(target.indexOf('.') + 1), input: JSON.parse(text), text };
    calls.push(call);
    const type = { 'content-type': String(request.headers['content-type'] ?? '') };
    const code = refuse?.(call);
    if (code !== undefined) {
      const status = code === 'InternalServiceErrorException' ? 500 : 400;
      response.writeHead(status, type).end(JSON.stringify({ __type: code, message: 'Refused on the way.' }));
      return;
    }
    const signed = Object.entries(request.headers).filter(([name]) => !HOP.has(name));
    const headers = Object.fromEntries(signed.map(([name, value]) => [name, String(value)]));
    const answer = await fetch(upstream, { method: 'POST', headers, body: text });
    const body = await answer.text();
    await answered?.(call);
    response.writeHead(answer.status, type).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, calls };
}

type Services = ReturnType<ReturnType<typeof useServices>>;

interface WorkerOptions {
  readonly database?: WireHooks;
  readonly marketplace?: WireHooks;
  readonly products?: readonly object[];
}

/** The world's own product, as its settings name it. */
export const OWN_PRODUCT = {
  productCode: PRODUCT,
  title: 'Metrics Cloud',
  dimensions: ['requests', 'gb_stored'],
  zeroRecords: 'off',
};

/** The deployed handlers once more, with their own way to the same tables and the same AWS. */
export async function startWorker(world: BackendWorld, services: Services, options: WorkerOptions = {}) {
  const database = await startWire(services.database.endpoint, options.database);
  const marketplace = await startWire(world.simulator.url, options.marketplace);
  const logged: { code: string; facts: unknown }[] = [];
  const note = (code: string, facts?: unknown) => void logged.push({ code, facts });
  const settings = {
    databaseEndpoint: database.url,
    tables: world.tables,
    marketplaceUrl: marketplace.url,
    secretsUrl: services.secrets.url,
    clock: world.clock.now,
    log: { info: note, warn: note, error: note },
    products: options.products ?? [OWN_PRODUCT],
    policy: { lingerMs: 0 },
  };
  return { backend: createBackend(settings), settings, database, marketplace, logged };
}

/** One tick of both schedules of a worker, at a time. */
export async function tickOf(world: BackendWorld, backend: Backend, at: string): Promise<void> {
  await world.clock.set(Date.parse(at));
  await backend.closeHours();
  await backend.sendMetering();
}

/** Several buyers, one after the other. */
export async function subscribers(world: BackendWorld, count: number): Promise<Subscription[]> {
  const buyers: Subscription[] = [];
  for (let index = 0; index < count; index++) buyers.push(await world.subscribe());
  return buyers;
}

/** What is on AWS's bill: hour and quantity, in the order of hours. */
export async function billed(world: BackendWorld): Promise<[string, number][]> {
  const lines = (await world.bill()).map(({ hour, quantity }): [string, number] => [hour.slice(0, 13), quantity]);
  return lines.sort(([one, less], [other, more]) => (one === other ? less - more : one < other ? -1 : 1));
}

export async function unitsBilled(world: BackendWorld): Promise<number> {
  return (await world.bill()).reduce((sum, { quantity }) => sum + quantity, 0);
}

/** Usage of a subscription as a row, for sellers who write rows themselves. */
export function rowOf({ licenceKey }: Pick<Subscription, 'licenceKey'>, overrides: Partial<UsageEvent> = {}) {
  return toUsageItem(aUsageEvent({ licenceKey, shard: shardOf(licenceKey), ...overrides }));
}

/** Writes rows past every door and check of ours. */
export async function writeRows(world: BackendWorld, rows: readonly object[]): Promise<void> {
  const ROWS_A_CALL = 25;
  for (let from = 0; from < rows.length; from += ROWS_A_CALL) {
    const requests = rows.slice(from, from + ROWS_A_CALL).map((row) => ({ PutRequest: { Item: asItem(row) } }));
    await world.client.send(new BatchWriteItemCommand({ RequestItems: { [world.tables.usage]: requests } }));
  }
}

function asItem(row: object): Record<string, AttributeValue> {
  return toItem(row);
}

/** Usage that another system of the seller sends to AWS for a licence, past us. */
export async function billElsewhere(world: BackendWorld, of: Subscription, at: string, quantity: number) {
  const record = {
    Timestamp: Date.parse(at) / 1_000,
    Dimension: 'requests',
    Quantity: quantity,
    LicenseArn: of.licenceArn,
    CustomerAWSAccountId: of.awsAccountId,
  };
  const answer = await fetch(world.simulator.url, {
    method: 'POST',
    headers: {
      'x-amz-target': 'AWSMPMeteringService.BatchMeterUsage',
      'content-type': 'application/x-amz-json-1.1',
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/20260921/us-east-1/aws-marketplace/aws4_request',
    },
    body: JSON.stringify({ UsageRecords: [record] }),
  });
  if (!answer.ok) throw new Error(`AWS did not take it: ${await answer.text()}`);
}
