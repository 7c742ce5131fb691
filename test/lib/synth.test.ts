// `npm run synth` as a person runs it: a process of its own, without an account, credentials or a home. Every shape of a
// deployment is synthesized in shapes.test.ts, without its bundles.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EVERYTHING, exampleSettings } from './synthesized.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const TOOLS = join(ROOT, 'node_modules/.bin');

function synthesize(...args: string[]) {
  const home = mkdtempSync(join(tmpdir(), 'synth-test-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const output = join(home, 'cdk.out');
  const run = spawnSync(join(TOOLS, 'cdk'), ['synth', '--quiet', '--output', output, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    // Nothing of AWS and no Docker.
    env: { PATH: [TOOLS, '/usr/bin', '/bin'].join(delimiter), HOME: home, CI: 'true' },
  });
  return { status: run.status, said: `${run.stdout}${run.stderr}`, output };
}

const AT_HOME = ['Access', 'Lifecycle', 'Metering', 'Registration', 'Storage', 'Watch'];

test.each([
  { what: 'cdk.json as it is', args: [], stacks: AT_HOME },
  {
    what: 'another home, a contract, a legacy product with its topics, webhooks, and mail',
    args: ['--context', `fulfillment=${JSON.stringify(exampleSettings(EVERYTHING))}`],
    stacks: ['Access', 'Lifecycle', 'Mail', 'Metering', 'NoticeForwarding', 'Registration', 'Storage', 'Watch'],
  },
])('synthesizes $what without an account and without a finding of cdk-nag', { timeout: 60_000 }, ({ args, stacks }) => {
  const { status, said, output } = synthesize(...args);

  expect(said).not.toMatch(/ERROR|WARNING/);
  expect(status).toBe(0);
  const templates = readdirSync(output).filter((file) => file.endsWith('.template.json'));
  expect(templates).toEqual(stacks.map((name) => `${name}.template.json`));
});

test('fails with the settings named, where they are wrong', { timeout: 60_000 }, () => {
  const { status, said } = synthesize('--context', 'fulfillment={"stage":"prod","colour":"blue"}');

  expect(status).not.toBe(0);
  expect(said).toContain('colour is unknown');
  expect(said).toContain('products is missing: add it');
});
