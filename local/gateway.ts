// API Gateway's part on a laptop: HTTP in, proxy events to the handlers, their answers out.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { LambdaContext } from '../lambdas/runtime/handler.ts';
import { type Backend, lambdaContext } from './backend.ts';
import { type LoopbackServer, plain, readBody, serveOnLoopback } from './loopback.ts';

export type ProxyHandler = (event: APIGatewayProxyEvent, context: LambdaContext) => Promise<APIGatewayProxyResult>;

/** The functions that the REST API leads to. */
type Served = Pick<Backend, 'resolveBuyer' | 'registerCustomer' | 'completeSignUp' | 'recordUsage' | 'readCustomer'>;

/** API Gateway refuses larger bodies itself. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const TIMEOUT_MS = 29_000;

/** Serves the routes of the REST API on loopback, and `more` beside them. */
export function startGateway(
  backend: Served,
  port = 0,
  more: ReadonlyMap<string, ProxyHandler> = new Map(),
): Promise<LoopbackServer> {
  const routes = new Map([...routesOf(backend), ...more]);
  return serveOnLoopback((request, response, origin) => answer(routes, origin, request, response), port);
}

function routesOf(backend: Served): ReadonlyMap<string, ProxyHandler> {
  return new Map<string, ProxyHandler>([
    ['/register', backend.resolveBuyer],
    ['/registration', backend.registerCustomer],
    ['/registration/done', backend.registerCustomer],
    ['/registration/style.css', backend.registerCustomer],
    ['/.well-known/jwks.json', backend.registerCustomer],
    ['/hand-offs', backend.completeSignUp],
    ['/customers/{customerId}/registration', backend.completeSignUp],
    ['/usage', backend.recordUsage],
    ['/customers/{customerId}', backend.readCustomer],
    ['/customers/{customerId}/entitlements', backend.readCustomer],
  ]);
}

/** The resource that a path is of, as API Gateway names it. */
function resourceOf(path: string): string {
  return path.replace(/^\/customers\/[^/]+/, '/customers/{customerId}');
}

async function answer(
  routes: ReadonlyMap<string, ProxyHandler>,
  origin: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', origin);
  const isForPrograms = /^\/(usage|hand-offs|customers\/.*)$/.test(url.pathname);
  if (request.method === 'POST' && isForPrograms && request.headers['sec-fetch-site'] !== undefined) {
    // On AWS this route wants a signature, which no web page can make.
    return plain(response, 403, 'Usage is reported, and buyers are registered, by programs, not by web pages.');
  }
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body === undefined) return plain(response, 413, 'The body is larger than API Gateway takes.');
  const resource = resourceOf(url.pathname);
  const handler = routes.get(resource);
  if (!handler) return plain(response, 404, `There is nothing at ${url.pathname} here. ${ROUTES_TOLD}`);
  if (url.pathname === '/usage' && request.method !== 'POST') {
    response.setHeader('allow', 'POST');
    return plain(response, 405, `Usage is reported by POST. ${ROUTES_TOLD}`);
  }
  const result = await handler(proxyEvent(request, { url, resource }, body), lambdaContext(TIMEOUT_MS));
  response.writeHead(result.statusCode, result.headers as Record<string, string> | undefined);
  response.end(result.body);
}

const ROUTES_TOLD =
  'The backend serves POST /usage and GET /customers/{customerId} for your product, and /register and /registration for buyers who come from the marketplace.';

/** The event that a REST API's Lambda proxy integration would hand over. */
function proxyEvent(
  request: IncomingMessage,
  { url, resource }: { readonly url: URL; readonly resource: string },
  body: Buffer,
): APIGatewayProxyEvent {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
  const httpMethod = request.method ?? 'GET';
  return {
    resource,
    path: url.pathname,
    httpMethod,
    headers,
    multiValueHeaders: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === undefined ? undefined : [value]]),
    ),
    queryStringParameters: Object.fromEntries(url.searchParams),
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    body: body.length === 0 ? null : body.toString('base64'),
    isBase64Encoded: body.length > 0,
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      authorizer: null,
      protocol: 'HTTP/1.1',
      httpMethod,
      path: url.pathname,
      stage: 'local',
      requestId: randomUUID(),
      requestTimeEpoch: Date.now(),
      resourceId: 'local',
      resourcePath: resource,
      identity: {
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: '127.0.0.1',
        user: null,
        userAgent: headers['user-agent'] ?? null,
        userArn: null,
      },
    },
  };
}
