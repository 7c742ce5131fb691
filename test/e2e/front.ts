// What stands before the emulator: hands each call on by its service, notes who called what, and answers the one call
// that the CDK CLI makes and the emulator does not know.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { permissionsOf } from '../lib/dynamo-permissions.ts';

export interface Front {
  readonly url: string;
  /** The permissions that each function's calls took, by the function's name. */
  readonly taken: ReadonlyMap<string, ReadonlySet<string>>;
  /** How often the CDK CLI asked for termination protection. */
  protections(): number;
  close(): Promise<void>;
}

export interface FrontTargets {
  readonly emulatorUrl: string;
  readonly marketplaceUrl: string;
}

export async function startFront({ emulatorUrl, marketplaceUrl }: FrontTargets): Promise<Front> {
  const taken = new Map<string, Set<string>>();
  let protections = 0;
  const server = createServer((incoming, response) => {
    void bodyOf(incoming).then((body) => {
      const service = serviceOf(incoming);
      const caller = incoming.headers['x-amz-security-token'];
      if (typeof caller === 'string' && caller !== '') {
        const before = taken.get(caller) ?? new Set();
        taken.set(caller, new Set([...before, ...permissionsTaken(service, incoming, body)]));
      }
      if (service === 'cloudformation' && body.includes('Action=UpdateTerminationProtection')) {
        protections++;
        response.writeHead(200, { 'content-type': 'text/xml' }).end(PROTECTED);
        return;
      }
      pass(incoming, body, service === 'aws-marketplace' ? marketplaceUrl : emulatorUrl, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    protections: () => protections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const PROTECTED =
  '<UpdateTerminationProtectionResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">' +
  '<UpdateTerminationProtectionResult><StackId>unprotected</StackId></UpdateTerminationProtectionResult>' +
  '</UpdateTerminationProtectionResponse>';

/** The service that a call was signed for: `Credential=<key>/<day>/<region>/<service>/aws4_request`. */
function serviceOf({ headers }: IncomingMessage): string {
  return /Credential=[^/]+\/\d+\/[\w-]+\/([\w-]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** Of the services that speak REST: by method and path, or by method where the path is an object's. */
const REST_ACTIONS: Readonly<Record<string, string>> = {
  'ses POST /v2/email/outbound-emails': 'SendEmail',
  's3 PUT': 'PutObject',
};

function permissionsTaken(service: string, { headers, method, url }: IncomingMessage, body: Buffer): string[] {
  const target = headers['x-amz-target'];
  const asked = service === 's3' ? `s3 ${method}` : `${service} ${method} ${url}`;
  const action = typeof target === 'string' ? (target.split('.')[1] ?? '') : (REST_ACTIONS[asked] ?? asked);
  if (service === 'dynamodb') return permissionsOf(action, JSON.parse(body.toString()), tableKind);
  return [`${service}:${action}`];
}

/** `fulfillment-e2e-storage-UsageTableC91F6939-277B24AF3E70D` is the table `usage`. */
function tableKind(name: unknown): string {
  return /-([A-Z][a-z]+)Table/.exec(String(name))?.[1]?.toLowerCase() ?? String(name);
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function pass(incoming: IncomingMessage, body: Buffer, target: string, response: ServerResponse): void {
  const { hostname, port } = new URL(target);
  const { host: _, connection: __, ...headers } = incoming.headers;
  const onward = request(
    {
      hostname,
      port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, host: `${hostname}:${port}` },
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on('error', () => response.destroy());
  onward.end(body);
}
