// fulfillment doctor: what a person and a program are told.
import { describe, expect, test } from 'vitest';
import { type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';
import { commandsOn } from './deployment.ts';
import { aFile, fulfillment } from './fulfillment.ts';

const services = useServices();

function doctorLocal(facts: BackendWorld['facts'], ...args: readonly string[]) {
  return commandsOn({ facts })(['doctor', '--local', ...args].join(' '));
}

describe('fulfillment doctor', () => {
  test('finds nothing on a healthy laptop, and ends with 0', async () => {
    const { facts } = await startBackendWorld(services());

    const { exitCode, stdout, stderr } = await doctorLocal(facts, '--all');

    expect(stderr).toBe('');
    expect(stdout).toMatch(/^✓ settings in cdk\.json: /m);
    expect(stdout).toMatch(/✓ BatchMeterUsage in us-east-1: .*\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/0 problems, 0 notes, 0 unknown, \d+ well\.$/);
    expect(exitCode).toBe(0);
  });

  test('names what is wrong and what to do, as text and as JSON, and ends with 1', async () => {
    const { facts } = await startBackendWorld(services());
    const broken = { ...facts, tables: { ...facts.tables, ledger: 'no-such-table' } };

    const text = await doctorLocal(broken);
    const json = await doctorLocal(broken, '--json');

    expect(text.stdout).toMatch(
      /^✗ table ledger: It is not there\.\n {4}expected: .*\n {4}do: {7}\S.*\n {4}\[TableMissing\]/m,
    );
    expect(text.exitCode).toBe(1);
    const { stage, region, findings } = JSON.parse(json.stdout) as {
      stage: string;
      region: string;
      findings: object[];
    };
    expect({ stage, region }).toEqual({ stage: facts.stage, region: facts.region });
    expect(findings).toContainEqual({
      code: 'TableMissing',
      level: 'problem',
      subject: 'table ledger',
      seen: 'It is not there.',
      expected: 'table ledger exists',
      remedy: expect.stringContaining('cdk deploy'),
    });
    expect(json.exitCode).toBe(1);
  });

  test('says where it looks, and without credentials only how to sign in, in code 2', { timeout: 60_000 }, async () => {
    const environment = { AWS_EC2_METADATA_DISABLED: 'true' };

    const { exitCode, stdout, stderr } = await fulfillment(['doctor'], { environment });

    expect(stderr).toMatch(
      /^Looking at prod in us-east-1; the laptop: --local\nNo AWS credentials were found\. Sign in \(aws sso login[^\n]*--local\.\n$/,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('says where it finds no settings, and ends with 2', async () => {
    const { exitCode, stderr } = await fulfillment(['doctor', '--settings', '/nowhere/cdk.json']);
    const noJson = await fulfillment(['doctor', '--settings', aFile('cdk.json', '{')]);

    expect(stderr).toContain("can't be read. Run this where your cdk.json is");
    expect([exitCode, noJson.exitCode]).toEqual([2, 2]);
  });
});
