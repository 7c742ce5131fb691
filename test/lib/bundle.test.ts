// What is deployed is the bundle, so the bundle is run: as Lambda would, against a real database engine.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LambdaContext } from '../../lambdas/runtime/handler.ts';
import { BUNDLE_FILE, bundleHandler, handlerNames } from '../../lib/constructs/bundle.ts';
import { backendEnvironment, lambdaContext } from '../../local/backend.ts';
import { type Database, startDatabase } from '../../local/database.ts';
import { createTables } from '../../local/tables.ts';
import { localClient } from '../backend-world.ts';

interface Bundle {
  handler(event: unknown, context: LambdaContext): Promise<APIGatewayProxyResult>;
}

/** Four clients of the SDK at most, that of the publishing account's roles among them, and all of ours. */
const MAX_KIB = 360;
const folder = mkdtempSync(join(tmpdir(), 'bundle-test-'));
const fileOf = (name: string) => join(folder, name, BUNDLE_FILE);

beforeAll(() => {
  for (const name of handlerNames()) bundleHandler(name, fileOf(name));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

test.each(handlerNames())(`the bundle of %s has at most ${MAX_KIB} KiB and loads with nothing set`, async (name) => {
  expect(statSync(fileOf(name)).size / 1024).toBeLessThanOrEqual(MAX_KIB);

  const bundle: Bundle = await import(pathToFileURL(fileOf(name)).href);
  expect(bundle.handler).toBeTypeOf('function');
});

describe('the bundled record-usage', () => {
  let database: Database;

  beforeAll(async () => {
    database = await startDatabase();
  });

  afterAll(() => database.close());

  test('takes usage with the credentials that Lambda puts into the environment, and refuses what is broken', async () => {
    const client = localClient(database.endpoint);
    const environment = backendEnvironment({
      databaseEndpoint: database.endpoint,
      tables: await createTables(client),
      marketplaceUrl: 'http://127.0.0.1:1',
      secretsUrl: 'http://127.0.0.1:1',
      clock: Date.now,
      log: { info() {}, warn() {}, error() {} },
      products: [{ productCode: 'code', title: 'Metrics Cloud', meteringRegion: 'us-east-1' }],
    });
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.spyOn(console, 'info').mockImplementation(() => {});
    const { handler }: Bundle = await import(pathToFileURL(fileOf('record-usage')).href);
    const post = (body: string) =>
      handler(
        { httpMethod: 'POST', path: '/usage', headers: {}, body, requestContext: { path: '/usage' } },
        lambdaContext(25_000),
      );
    const licenseArn = 'arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef';
    const time = new Date(Date.now() - 60_000).toISOString();

    const taken = await post(
      JSON.stringify({ events: [{ id: 'e1', licenseArn, dimension: 'requests', quantity: 3, time }] }),
    );
    // The answer depends on the name of a failure's class, which minifying would change if it were let.
    const broken = await post('{');

    expect(JSON.parse(taken.body)).toMatchObject({ counts: { recorded: 1 } });
    expect(broken.statusCode).toBe(400);
    expect((await client.send(new ScanCommand({ TableName: environment['USAGE_TABLE'] }))).Count).toBe(1);
    client.destroy();
  });
});
