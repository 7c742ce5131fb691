import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  ResolveCustomerCommand,
} from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../simulator/simulator.ts';
import { type Agreement, HOUR, NOW, recordOf } from './fixture.ts';

/** The two tables that have grown since, with a row each: an agreement that expires on the 1st of October 2026. */
const FIRST_RELEASE = `
CREATE TABLE products (
  product_code TEXT PRIMARY KEY, product_id TEXT NOT NULL, title TEXT NOT NULL, identity_style TEXT NOT NULL,
  pricing TEXT NOT NULL, fulfillment_url TEXT NOT NULL, dimensions TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE agreements (
  agreement_id TEXT PRIMARY KEY, product_code TEXT NOT NULL, aws_account_id TEXT NOT NULL, customer_identifier TEXT,
  licence_arn TEXT NOT NULL, buyer_name TEXT NOT NULL, offer_id TEXT NOT NULL, free_trial INTEGER NOT NULL,
  intent TEXT NOT NULL, previous_agreement_id TEXT, accepted_ms INTEGER NOT NULL, starts_ms INTEGER NOT NULL,
  provisioned_ms INTEGER, ended_ms INTEGER, end_status TEXT, deprovisioned_ms INTEGER, suspended INTEGER NOT NULL
);
INSERT INTO products VALUES ('old-product', 'prod-old', 'Old', 'licence', 'subscription', 'http://127.0.0.1:3000/',
  '[{"key":"requests","description":"","types":["ExternallyMetered"]}]');
INSERT INTO agreements VALUES ('agmt-1', 'old-product', '111122223333', NULL, 'arn:aws:license-manager::1:license:l-1',
  'Ada', 'offer-1', 0, 'NEW', NULL, 1785542400000, 1785542400000, 1785542400000, 1790812800000, 'EXPIRED',
  1790812831000, 0);
`;

function dataFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'world.db');
}

async function startProcess(data: string): Promise<{ child: ChildProcess; url: string }> {
  const args = ['simulator/main.ts', '--data', data, '--secret', 's', '--clock', NOW];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^AWS endpoint\s+(\S+)/.exec(line)?.[1];
    if (url !== undefined) return { child, url };
  }
  throw new Error('the simulator ended before it was ready');
}

// biome-ignore lint/suspicious/noExplicitAny: answers are asserted on, member by member
async function control(url: string, method: string, path: string, body?: object): Promise<any> {
  const headers = { 'x-control-secret': 's' };
  const response = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return response.json();
}

function clientOf(url: string): MarketplaceMeteringClient {
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'x' };
  const client = new MarketplaceMeteringClient({ endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return client;
}

describe('A world in a file', () => {
  it('keeps everything that was answered when the process is killed', async () => {
    const data = dataFile();
    const { child, url } = await startProcess(data);
    const agreement: Agreement = await control(url, 'POST', '/control/agreements', {
      productCode: 'demo-product',
      startAt: HOUR,
    });
    const { token } = await control(url, 'POST', `/control/agreements/${agreement.agreementId}/tokens`);
    await control(url, 'PUT', '/control/switches', { identicalResend: 'DuplicateRecord' });
    await control(url, 'PUT', '/control/faults', { next: [{ kind: 'acceptThenTimeout', count: 2 }] });
    await control(url, 'POST', '/control/clock/advance', { ms: 7 });
    const UsageRecords = [recordOf(agreement), recordOf(agreement, { Dimension: 'gb_stored' })];
    await expect(clientOf(url).send(new BatchMeterUsageCommand({ UsageRecords }))).rejects.toThrow();
    const before = await control(url, 'GET', '/control/world');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;

    const again = await startSimulator({ dataPath: data, controlSecret: 's', clock: { mode: 'real' } });
    onTestFinished(() => again.close());

    expect(await control(again.url, 'GET', '/control/world')).toEqual(before);
    expect(before).toMatchObject({
      records: [{ quantity: 5 }, { quantity: 5 }],
      calls: 1,
      faults: { next: [{ count: 1 }] },
    });
    await control(again.url, 'DELETE', '/control/faults');
    const resend = await clientOf(again.url).send(new BatchMeterUsageCommand({ UsageRecords }));
    expect(resend.Results?.map((result) => result.Status)).toEqual(['DuplicateRecord', 'DuplicateRecord']);
    const resolved = await clientOf(again.url).send(new ResolveCustomerCommand({ RegistrationToken: token }));
    expect(resolved.LicenseArn).toBe(agreement.licenceArn);
    expect(await control(again.url, 'GET', '/control/calls/count')).toEqual({ count: 3 });
  });

  it('goes on with a world of the first release: its agreements, its ends, and new ones', async () => {
    const data = dataFile();
    const old = new DatabaseSync(data);
    old.exec(FIRST_RELEASE);
    old.close();

    const simulator = await startSimulator({ dataPath: data, controlSecret: 's', clock: { mode: 'set', at: NOW } });
    onTestFinished(() => simulator.close());

    const amended = await control(simulator.url, 'POST', '/control/agreements/agmt-1/amend', { offerId: 'offer-2' });
    expect(amended).toMatchObject({ offer: { id: 'offer-2', kind: 'public' }, termEndsAt: '2026-10-01T00:00:00.000Z' });
    const wanted = { productCode: 'old-product' };
    expect(await control(simulator.url, 'POST', '/control/agreements', wanted)).toHaveProperty('agreementId');
    await control(simulator.url, 'POST', '/control/clock/advance', { to: '2026-10-02T00:00:00Z' });
    const { events } = await control(simulator.url, 'GET', '/control/events');
    expect(events.at(-2)).toMatchObject({ kind: 'agreementEnded', agreementId: 'agmt-1', status: 'EXPIRED' });
    const { notices } = await control(simulator.url, 'GET', '/control/notices');
    expect(notices.at(-1).name).toBe('License Deprovisioned - Manufacturer');
  });

  it('rejects the start on a port that is taken', async () => {
    const simulator = await startSimulator({});
    onTestFinished(() => simulator.close());

    await expect(startSimulator({ port: Number(new URL(simulator.url).port) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await simulator.close();
    await simulator.close();
  });

  it('rejects the start with a clock that makes no sense', async () => {
    await expect(startSimulator({ clock: { mode: 'set', at: 'noon' } })).rejects.toThrow('clock');
  });
});
