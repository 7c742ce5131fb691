import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  ResolveCustomerCommand,
} from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../simulator/simulator.ts';
import { type Agreement, HOUR, NOW, recordOf } from './fixture.ts';

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
