// A simulated world for one test: a simulator on a free port, the real SDK client, and the control API.
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { MarketplaceMeteringClient, type UsageRecord } from '@aws-sdk/client-marketplace-metering';
import { SignatureV4 } from '@smithy/signature-v4';
import { onTestFinished } from 'vitest';
import { type SimulatorOptions, startSimulator } from '../../simulator/simulator.ts';

export const NOW = '2026-09-21T14:30:00.000Z';
export const HOUR = '2026-09-21T13:00:00.000Z';
export const PRODUCT = 'metrics-cloud';
export const LEGACY_PRODUCT = 'old-search';

export interface Agreement {
  agreementId: string;
  licenceArn: string;
  awsAccountId: string;
  customerIdentifier?: string;
}

interface BillLine {
  productCode: string;
  licenceArn: string;
  customerIdentifier?: string;
  awsAccountId: string;
  dimension: string;
  hour: string;
  timestamp: string;
  quantity: number;
  meteringRecordId: string;
  region: string;
  allocations?: unknown;
}

export interface TestWorld {
  readonly url: string;
  readonly secret: string;
  readonly aws: MarketplaceMeteringClient;
  close(): Promise<void>;
  client(region: string, accessKeyId?: string): MarketplaceMeteringClient;
  /** Calls the control API and answers its body, whatever its status. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted on, member by member
  control(method: string, path: string, body?: unknown): Promise<any>;
  subscribe(wanted?: object): Promise<Agreement>;
  bill(): Promise<BillLine[]>;
}

/** Starts a world at NOW with one product of each identity style, and ends it with the test. */
export async function startTestWorld(options: SimulatorOptions = {}): Promise<TestWorld> {
  const simulator = await startSimulator({ clock: { mode: 'set', at: NOW }, ...options });
  const clients: MarketplaceMeteringClient[] = [];
  const close = async (): Promise<void> => {
    for (const client of clients) client.destroy();
    await simulator.close();
  };
  onTestFinished(close);
  const client = (region: string, accessKeyId = 'AKIDSELLER'): MarketplaceMeteringClient => {
    const made = new MarketplaceMeteringClient({
      endpoint: simulator.url,
      region,
      credentials: { accessKeyId, secretAccessKey: 'not-checked' },
      maxAttempts: 1,
    });
    clients.push(made);
    return made;
  };
  const control: TestWorld['control'] = async (method, path, body) => {
    const response = await fetch(`${simulator.url}${path}`, {
      method,
      headers: { 'x-control-secret': simulator.controlSecret },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return response.json();
  };
  const dimensions = [{ key: 'requests', unitPriceUsd: '0.0004' }, { key: 'gb_stored' }, { key: 'kib_sent' }];
  await control('PUT', `/control/products/${PRODUCT}`, { title: 'Metrics Cloud', dimensions });
  await control('PUT', `/control/products/${LEGACY_PRODUCT}`, {
    title: 'Old Search',
    identityStyle: 'legacy',
    dimensions,
  });
  return {
    url: simulator.url,
    secret: simulator.controlSecret,
    aws: client('us-east-1'),
    close,
    client,
    control,
    subscribe: (wanted = {}) =>
      control('POST', '/control/agreements', {
        productCode: PRODUCT,
        startAt: '2026-08-01T00:00:00Z',
        ...wanted,
      }),
    bill: async () => (await control('GET', '/control/bill')).lines,
  };
}

/** A record metered by licence for the hour before NOW; what matters to a test is overridden. */
export function recordOf(agreement: Agreement, overrides: Partial<UsageRecord> = {}): UsageRecord {
  return {
    Timestamp: new Date(HOUR),
    Dimension: 'requests',
    Quantity: 5,
    CustomerAWSAccountId: agreement.awsAccountId,
    LicenseArn: agreement.licenceArn,
    ...overrides,
  };
}

/** A call that no SDK would make: any target, any body, signed by AKIDRAW with nothing. */
export async function rawCall(
  world: TestWorld,
  target: string,
  body: string | Uint8Array,
): Promise<{ status: number; text: string; error: string | undefined; headers: Headers }> {
  const response = await fetch(world.url, {
    method: 'POST',
    headers: {
      'x-amz-target': target,
      'content-type': 'application/x-amz-json-1.1',
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIDRAW/20260921/us-east-1/aws-marketplace/aws4_request, Signature=0',
    },
    body,
  });
  const text = await response.text();
  const type: unknown = JSON.parse(text).__type;
  return {
    status: response.status,
    text,
    error: typeof type === 'string' ? type.split('#').at(-1) : undefined,
    headers: response.headers,
  };
}

/** Node's own SHA-256 in the form that the signer asks for. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

export const CONTRACT_PRODUCT = 'backup';
export const YEAR_ON = '2027-09-21T14:30:00.000Z';

/** Lists a contract product with one dimension of each kind of value. */
export function listContract(world: TestWorld, product: object = {}): Promise<unknown> {
  return world.control('PUT', `/control/products/${CONTRACT_PRODUCT}`, {
    title: 'Backup',
    productId: 'prod-backup',
    pricing: 'contract',
    dimensions: [
      { key: 'seats' },
      { key: 'ratio', valueType: 'Double' },
      { key: 'pro', valueType: 'Boolean' },
      { key: 'tier', valueType: 'String' },
    ],
    ...product,
  });
}

interface Entitlement {
  readonly Dimension: string;
  readonly LicenseArn: string;
  readonly Value: object;
}

interface EntitlementAnswer {
  readonly status: number;
  readonly Entitlements?: readonly Entitlement[];
  readonly NextToken?: string;
  readonly __type?: string;
  readonly message?: string;
}

/** GetEntitlements as an SDK without CBOR would send it: JSON 1.1, signed for us-east-1 and aws-marketplace. */
export async function getEntitlements(
  world: TestWorld,
  request: object = {},
  scope: { region?: string; service?: string } = {},
): Promise<EntitlementAnswer> {
  const body = JSON.stringify({ ProductCode: CONTRACT_PRODUCT, ...request });
  const { hostname, host, protocol } = new URL(world.url);
  const signer = new SignatureV4({
    service: scope.service ?? 'aws-marketplace',
    region: scope.region ?? 'us-east-1',
    credentials: { accessKeyId: 'AKIDSELLER', secretAccessKey: 'not-checked' },
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    path: '/',
    query: {},
    headers: {
      host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSMPEntitlementService.GetEntitlements',
    },
    body,
  });
  const { host: _, ...sent } = headers;
  const response = await fetch(world.url, { method: 'POST', headers: sent, body });
  return { status: response.status, ...((await response.json()) as object) };
}

export interface SeenNotice {
  readonly seq: number;
  readonly at: string;
  readonly channel: string;
  readonly name: string;
  readonly agreementId: string;
  readonly body: string;
}

/** The notices that went out after a number. */
export async function noticesAfter(world: TestWorld, after = 0): Promise<SeenNotice[]> {
  return (await world.control('GET', `/control/notices?after=${after}`)).notices;
}
