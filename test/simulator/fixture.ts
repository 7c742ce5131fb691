// A simulated world for one test: a simulator on a free port, the real SDK client, and the control API.
import { MarketplaceMeteringClient, type UsageRecord } from '@aws-sdk/client-marketplace-metering';
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
