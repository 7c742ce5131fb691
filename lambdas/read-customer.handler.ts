// GET /customers/{customerId} and GET /customers/{customerId}/entitlements: the seller's product asks how a buyer stands.
import { createHash } from 'node:crypto';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { parseProducts } from './contracts/product-settings.ts';
import { readEntitlements, readStanding } from './flow/read-standing.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { type HttpResponse, httpHandler, JSON_HEADERS, jsonFault } from './runtime/http.ts';
import type { HttpRequest } from './runtime/http-request.ts';
import { readSettings } from './runtime/settings.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { DynamoEntitlementStore } from './stores/entitlement-store.ts';
import { DynamoLedgerStore } from './stores/ledger-store.ts';

/** At the end of a path, behind a stage or a custom domain's base path. */
const ROUTE = /(?:^|\/)customers\/([\w-]{1,64})(\/entitlements)?$/;

export function createReadCustomerHandler({ environment, clock, log }: Surroundings) {
  const settings = readSettings('read-customer', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const ports = {
    standing: new DynamoEntitlementStore(client, settings.CUSTOMERS_TABLE),
    ledger: new DynamoLedgerStore(client, settings.LEDGER_TABLE),
    products: parseProducts(settings.PRODUCTS),
    clock,
  };
  return httpHandler({ log, clock, headers: JSON_HEADERS, fault: jsonFault }, async (request) => {
    if (request.method !== 'GET') return refusal(request, 405, 'MethodUnknown', 'Customers are read by GET.');
    const [, customerId, part] = ROUTE.exec(request.path) ?? [];
    const read = part === undefined ? readStanding : readEntitlements;
    const found = customerId === undefined ? undefined : await read(ports, customerId);
    if (found) return unlessUnchanged(request, JSON.stringify(found));
    return refusal(
      request,
      404,
      'CustomerUnknown',
      'There is no customer of this id. Use the id that registration told.',
    );
  });
}

/** The answer, or only that it is the one which the caller has. */
function unlessUnchanged(request: HttpRequest, body: string): HttpResponse {
  const tag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  // To be kept by the caller alone, and asked about each time: what a buyer may do can change at any moment.
  const headers = { ETag: tag, 'Cache-Control': 'private, no-cache' };
  const known = (request.header('if-none-match') ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  if (known.includes(tag) || known.includes('*'))
    return { status: 304, headers, body: '', outcome: 'CustomerUnchanged' };
  return { status: 200, headers: { ...headers, 'Content-Type': 'application/json' }, body, outcome: 'CustomerRead' };
}

function refusal({ requestId }: HttpRequest, status: number, code: string, message: string): HttpResponse {
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...(status === 405 ? { Allow: 'GET, HEAD' } : {}) },
    body: JSON.stringify({ error: { code, message, retryable: false, requestId } }),
    outcome: code,
  };
}

export const handler = built<APIGatewayProxyEvent, unknown>(createReadCustomerHandler);
