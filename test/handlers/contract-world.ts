// A seller's world with contracts: the backend world, and the handlers of entitlements before a counting database.
import { createServer } from 'node:http';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { onTestFinished } from 'vitest';
import { createReadCustomerHandler } from '../../lambdas/read-customer.handler.ts';
import { createRefreshEntitlementsHandler } from '../../lambdas/refresh-entitlements.handler.ts';
import { backendEnvironment, lambdaContext } from '../../local/backend.ts';
import { PRODUCT, startBackendWorld, type useServices } from '../backend-world.ts';
import { anEvent, type Call } from '../doubles/registration-world.ts';

const TITLE = 'Metrics Cloud';

/** Passes calls on to the database and notes which they were. */
async function startCounter(databaseUrl: string) {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const target = String(request.headers['x-amz-target']);
    calls.push(target.split('.')[1] ?? target);
    const { 'content-type': type = '', authorization = '', 'x-amz-date': date } = request.headers;
    const headers = { 'x-amz-target': target, 'content-type': type, authorization, 'x-amz-date': String(date) };
    const answer = await fetch(databaseUrl, { method: 'POST', headers, body: Buffer.concat(chunks) });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { calls, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
}

export async function startContractWorld(services: ReturnType<typeof useServices>) {
  const { database, secrets } = services();
  const world = await startBackendWorld(services(), { product: { pricingModel: 'contractWithConsumption' } });
  await world.control.put(`/control/products/${PRODUCT}`, {
    title: TITLE,
    pricing: 'contractWithConsumption',
    dimensions: [{ key: 'requests' }, { key: 'seats', types: ['Entitled'] }],
  });
  const counter = await startCounter(database.endpoint);
  const environment = {
    ...backendEnvironment({
      databaseEndpoint: counter.url,
      tables: world.tables,
      marketplaceUrl: world.simulator.url,
      secretsUrl: secrets.url,
      clock: world.clock.now,
      log: { info() {}, warn() {}, error() {} },
      products: [{ productCode: PRODUCT, title: TITLE, pricingModel: 'contractWithConsumption' }],
    }),
    AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE: world.simulator.url,
  };
  const logged: { level: string; code: string; facts: unknown }[] = [];
  const note = (level: string) => (code: string, facts?: unknown) => void logged.push({ level, code, facts });
  const log = { info: note('info'), warn: note('warn'), error: note('error') };
  const surroundings = { environment, clock: world.clock.now, log };
  const [read, refresh] = [createReadCustomerHandler(surroundings), createRefreshEntitlementsHandler(surroundings)];
  return {
    ...world,
    logged,
    /** Commands that reached the database from the two handlers. */
    databaseCalls: counter.calls,
    refresh: () => refresh({}, lambdaContext(300_000)),
    read: (path: string, call: Omit<Call, 'path'> = {}): Promise<APIGatewayProxyResult> =>
      read(anEvent({ path, ...call }), lambdaContext(10_000)),
    seats: (value: number) => [
      { dimension: 'seats', value },
      { dimension: 'requests', value: 1_000 },
    ],
  };
}
