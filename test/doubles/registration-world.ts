// Both registration handlers in a world of their own: a real database, the simulator, a secret endpoint on loopback.
import { createServer, type Server } from 'node:http';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createCompleteSignUpHandler } from '../../lambdas/complete-sign-up.handler.ts';
import type { SafeFacts } from '../../lambdas/domain/failure.ts';
import { createRegisterCustomerHandler } from '../../lambdas/register-customer.handler.ts';
import { createResolveBuyerHandler } from '../../lambdas/resolve-buyer.handler.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { dynamoClient, fromItem, type Item } from '../../lambdas/stores/dynamo.ts';
import { startDatabase } from '../../local/database.ts';
import { createTables } from '../../local/tables.ts';
import { startSimulator } from '../../simulator/simulator.ts';

export const NOW = Date.UTC(2026, 10, 23, 7, 30);

const REGISTRATION = {
  sellerName: 'Sample & Söhne',
  supportEmail: 'help@sample.example',
  supportUrl: 'https://sample.example/support',
  privacyUrl: 'https://sample.example/privacy',
  nextSteps: 'We set up your workspace.\n\nA mail with the sign-in link follows within one working day.',
  accessUrl: 'https://app.sample.example',
};

const PRODUCTS = [
  { productCode: 'stream-code', title: 'Stream <Processor>', meteringRegion: 'us-east-1' },
  { productCode: 'legacy-code', title: 'Old Timer', meteringRegion: 'us-east-1', identityStyle: 'legacy' },
];

const KEYS = { current: 'k1', keys: { k1: 'a'.repeat(44) } };

export interface Call {
  readonly method?: string;
  /** With the stage or base path before it. */
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookie?: string;
  readonly query?: Readonly<Record<string, string>>;
}

export interface RegistrationWorld {
  /** Epoch milliseconds that the handlers see. */
  now: number;
  /** What Secrets Manager answers. */
  secret: unknown;
  readonly logged: { code: string; facts: SafeFacts }[];
  readonly customers: DynamoCustomerStore;
  readonly environment: Record<string, string>;
  readonly controlSecret: string;
  register(call: Omit<Call, 'path'> & { path?: string }): Promise<APIGatewayProxyResult>;
  registration(call: Omit<Call, 'path'> & { path?: string }): Promise<APIGatewayProxyResult>;
  /** A call of the seller's server. */
  signUp(call: Call): Promise<APIGatewayProxyResult>;
  /** New handlers, as after a cold start: nothing is kept from before. */
  restart(overrides?: Record<string, string>, productPages?: object): void;
  control(method: string, path: string, body?: unknown): Promise<Item>;
  /** A buyer who has subscribed, with a token. */
  buyer(agreement?: Item): Promise<{ token: string; licenceArn: string; awsAccountId: string; agreementId: string }>;
  /** Every item of every table. */
  items(): Promise<Item[]>;
  close(): Promise<void>;
}

export async function startRegistrationWorld(): Promise<RegistrationWorld> {
  const database = await startDatabase();
  const simulator = await startSimulator({ clock: { mode: 'set', at: new Date(NOW).toISOString() } });
  const client = dynamoClient({
    region: 'us-east-1',
    endpoint: database.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const tables = await createTables(client);
  const secrets = await serveSecret(() => world.secret);
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: simulator.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    MARKETPLACE_REGION: 'us-east-1',
    MARKETPLACE_ACCESS: '{}',
    STAGE: 'test',
    CUSTOMERS_TABLE: tables.customers,
    BUYERS_TABLE: tables.buyers,
    WORK_TABLE: tables.work,
    NOTICES_TABLE: tables.notices,
    PRODUCTS: JSON.stringify(PRODUCTS),
    REGISTRATION: JSON.stringify(REGISTRATION),
    SESSION_KEYS_SECRET: 'session-keys',
  };
  const logged: RegistrationWorld['logged'] = [];
  const keep = (code: string, facts: SafeFacts = {}) => void logged.push({ code, facts });
  const log = { info: keep, warn: keep, error: keep };
  const handlers = (overrides: Record<string, string> = {}, productPages: object = {}) => {
    const pages = JSON.stringify(productPages);
    const surroundings = { environment: { ...environment, ...overrides }, clock: () => world.now, log };
    return {
      register: createResolveBuyerHandler(surroundings, pages),
      registration: createRegisterCustomerHandler(surroundings, pages),
      signUp: createCompleteSignUpHandler(surroundings, pages),
    };
  };
  let running = handlers();
  const world: RegistrationWorld = {
    now: NOW,
    secret: KEYS,
    logged,
    environment,
    customers: new DynamoCustomerStore(client, tables.customers),
    controlSecret: simulator.controlSecret,
    register: (call) => running.register(anEvent({ path: '/register', ...call }), CONTEXT),
    signUp: (call) => running.signUp(anEvent(call), CONTEXT),
    registration: (call) => running.registration(anEvent({ path: '/registration', ...call }), CONTEXT),
    restart: (overrides, productPages) => {
      running = handlers(overrides, productPages);
    },
    control: (method, path, body) => control(simulator, method, path, body),
    buyer: async (agreement = {}) => {
      const subscribed = await world.control('POST', '/control/agreements', {
        productCode: 'stream-code',
        ...agreement,
      });
      const id = String(subscribed['agreementId']);
      const { token } = await world.control('POST', `/control/agreements/${id}/tokens`, {});
      return {
        token: String(token),
        licenceArn: String(subscribed['licenceArn']),
        awsAccountId: String(subscribed['awsAccountId']),
        agreementId: id,
      };
    },
    items: async () => {
      const scans = await Promise.all(
        Object.values(tables).map((TableName) => client.send(new ScanCommand({ TableName }))),
      );
      return scans.flatMap(({ Items = [] }) => Items.map(fromItem));
    },
    close: async () => {
      client.destroy();
      secrets.server.close();
      await Promise.all([database.close(), simulator.close()]);
    },
  };
  for (const product of [...PRODUCTS, { productCode: 'foreign-code', title: 'Not ours' }]) {
    const { productCode, title } = product;
    const identityStyle = 'identityStyle' in product ? product.identityStyle : 'licence';
    await world.control('PUT', `/control/products/${productCode}`, {
      title,
      identityStyle,
      dimensions: [{ key: 'requests' }],
    });
  }
  return world;
}

const CONTEXT = { awsRequestId: 'lambda-request-1', getRemainingTimeInMillis: () => 10_000 };

/** An API Gateway REST proxy event, with the members that handlers read. */
export function anEvent(call: Call): APIGatewayProxyEvent {
  const method = call.method ?? (call.form || call.body ? 'POST' : 'GET');
  const body = call.form ? new URLSearchParams(call.form).toString() : (call.body ?? null);
  const headers: Record<string, string> = {
    ...(body === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    ...(call.cookie ? { Cookie: call.cookie } : {}),
    ...call.headers,
  };
  const event = {
    httpMethod: method,
    path: call.path,
    resource: call.path,
    headers,
    multiValueHeaders: {},
    queryStringParameters: call.query ?? null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    body,
    isBase64Encoded: call.isBase64Encoded ?? false,
    requestContext: { path: call.path, requestId: 'gateway-request-1', stage: 'prod' },
  };
  return event as unknown as APIGatewayProxyEvent;
}

/** The cookie that an answer sets, as a browser would bring it back. */
export function cookieOf(result: APIGatewayProxyResult): string {
  return String(result.headers?.['Set-Cookie'] ?? '').split(';')[0] ?? '';
}

export function formTokenIn(page: string): string {
  return /name="formToken" value="([^"]*)"/.exec(page)?.[1] ?? '';
}

async function control(
  simulator: { url: string; controlSecret: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<Item> {
  const answer = await fetch(`${simulator.url}${path}`, {
    method,
    headers: { 'x-control-secret': simulator.controlSecret, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Item);
}

/** The little of Secrets Manager that GetSecretValue needs. An Error as the secret is answered as its name. */
async function serveSecret(secret: () => unknown): Promise<{ server: Server; url: string }> {
  const server = createServer((_request, response) => {
    const value = secret();
    const failed = value instanceof Error;
    response.writeHead(failed ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(failed ? { __type: value.name } : { SecretString: JSON.stringify(value) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
}
