// API Gateway's part on a laptop: HTTP in, proxy events to the handlers, their answers out.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { LambdaContext } from '../lambdas/runtime/handler.ts';
import { type Backend, lambdaContext } from './backend.ts';

export interface Gateway {
  readonly url: string;
  close(): Promise<void>;
}

type ProxyHandler = (event: APIGatewayProxyEvent, context: LambdaContext) => Promise<APIGatewayProxyResult>;

/** API Gateway refuses larger bodies itself. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const TIMEOUT_MS = 29_000;

/** Serves the routes of the REST API on loopback. */
export async function startGateway(backend: Backend, port = 0): Promise<Gateway> {
  const routes = routesOf(backend);
  let origin = '';
  const server = createServer((request, response) => {
    answer(routes, origin, request, response).catch((error: unknown) => {
      console.error(JSON.stringify({ level: 'error', code: 'GatewayFailed', cause: String(error) }));
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  origin = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`;
  return {
    url: `http://${origin}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function routesOf(backend: Backend): ReadonlyMap<string, ProxyHandler> {
  return new Map<string, ProxyHandler>([
    ['/register', backend.resolveBuyer],
    ['/registration', backend.registerCustomer],
    ['/registration/done', backend.registerCustomer],
    ['/registration/style.css', backend.registerCustomer],
    ['/usage', backend.recordUsage],
  ]);
}

async function answer(
  routes: ReadonlyMap<string, ProxyHandler>,
  origin: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A page elsewhere could point a name of its own at this machine; only our own names are answered.
  const host = request.headers.host ?? '';
  const port = origin.split(':')[1];
  if (![origin, `localhost:${port}`].includes(host)) return plain(response, 403, 'This address is not served here.');
  const url = new URL(request.url ?? '/', `http://${origin}`);
  if (request.method === 'POST' && url.pathname === '/usage' && request.headers['sec-fetch-site'] !== undefined) {
    // On AWS this route wants a signature, which no web page can make.
    return plain(response, 403, 'Usage is reported by programs, not by web pages.');
  }
  const body = await readBody(request);
  if (body === undefined) return plain(response, 413, 'The body is larger than API Gateway takes.');
  const handler = routes.get(url.pathname);
  if (!handler) return plain(response, 404, `There is nothing at ${url.pathname} here. ${ROUTES_TOLD}`);
  if (url.pathname === '/usage' && request.method !== 'POST') {
    response.setHeader('allow', 'POST');
    return plain(response, 405, `Usage is reported by POST. ${ROUTES_TOLD}`);
  }
  const result = await handler(proxyEvent(request, url, body), lambdaContext(TIMEOUT_MS));
  response.writeHead(result.statusCode, result.headers as Record<string, string> | undefined);
  response.end(result.body);
}

const ROUTES_TOLD =
  'The backend serves POST /usage for your product, and /register and /registration for buyers who come from the marketplace.';

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The event that a REST API's Lambda proxy integration would hand over. */
function proxyEvent(request: IncomingMessage, url: URL, body: Buffer): APIGatewayProxyEvent {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
  const httpMethod = request.method ?? 'GET';
  return {
    resource: url.pathname,
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
      resourcePath: url.pathname,
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
