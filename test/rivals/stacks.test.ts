// What is deployed: queues, timeouts, regions and filters that lose usage or buyers elsewhere.
import { beforeAll, expect, test } from 'vitest';
import { allowed, synthesize } from '../lib/synthesized.ts';

let stacks: ReturnType<typeof synthesize>;

beforeAll(() => {
  stacks = synthesize();
});

const ofMetering = (type: string) => stacks.ofType(type).filter(({ id }) => id.startsWith('Metering/'));

const alarmNames = () =>
  stacks.ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => String(Properties['AlarmName']));

test('no queue stands between usage and the ledger, so that none can drop it, where the AWS sample’s keeps a message for 50 minutes (M18)', () => {
  const queues = ofMetering('AWS::SQS::Queue');
  const lines = allowed(ofMetering('AWS::IAM::Policy'));

  expect(queues.map(({ id }) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual(['Metering/FailedRunsQueue']);
  expect(ofMetering('AWS::Lambda::EventSourceMapping')).toEqual([]);
  // Failed ticks are put there, and nothing that meters reads any queue.
  expect(lines.filter((line) => line.startsWith('sqs:') && line !== 'sqs:SendMessage on FailedRuns')).toEqual([]);
});

test('failed runs are kept for 14 days, and failures and silence each raise an alarm, where sbt-aws keeps dead letters for 50 minutes and alarms on none (S4, S20)', () => {
  const [queue] = ofMetering('AWS::SQS::Queue');

  expect(queue?.Properties['MessageRetentionPeriod']).toBe(14 * 86_400);
  const names = alarmNames();
  for (const name of ['close-hours', 'send-metering']) {
    for (const kind of ['errors', 'silence'])
      expect(names.some((each) => each.endsWith(`-${name}-${kind}`))).toBe(true);
  }
});

test('both metering functions have five minutes and a gigabyte, and stop in time by themselves, where sbt-aws leaves its own at Lambda’s 3 seconds and 128 MB (S3)', () => {
  for (const name of ['CloseHours', 'SendMetering']) {
    const [found] = stacks.named(`Metering/${name}Function`).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    expect(found?.Properties, name).toMatchObject({ Timeout: 300, MemorySize: 1_024 });
  }
});

test('every function is built from this repository for a supported runtime, where sbt-aws deploys metering code from a bucket outside of its own, for Node.js 18 (S1, S2)', () => {
  const functions = stacks.ofType('AWS::Lambda::Function');

  expect(functions.length).toBeGreaterThan(4);
  for (const { id, Properties } of functions) {
    expect(Properties['Runtime'], id).toBe('nodejs24.x');
    expect(JSON.stringify(Properties['Code']), id).toMatch(/"cdk-[a-z0-9]+-assets-/);
  }
});

test('everything can be deployed outside of us-east-1, where sbt-aws refuses any other region (S5)', () => {
  const elsewhere = synthesize({ homeRegion: 'eu-central-1' });

  // Besides, what forwards AWS's notices, which come in us-east-1 only.
  const count = (of: typeof stacks, type: string) => of.all.filter(({ Type }) => Type === type).length;
  for (const { Type } of stacks.all) expect(count(elsewhere, Type), Type).toBeGreaterThanOrEqual(count(stacks, Type));
});

test('buyers of every country and network are let in unless the seller sets a filter, where sbt-aws lets in the US and Canada and blocks VPNs (S6, S7)', () => {
  const types = new Set(stacks.all.map(({ Type }) => Type.split('::')[1]));

  expect(types).not.toContain('CloudFront');
  // The firewall counts the requests of an address, and asks neither where it is nor whose.
  const rules = stacks.ofType('AWS::WAFv2::WebACL').flatMap(({ Properties }) => Properties['Rules'] as object[]);
  expect(rules).toMatchObject([{ Statement: { RateBasedStatement: { AggregateKeyType: 'IP' } } }]);
  expect(JSON.stringify(rules)).not.toMatch(/Geo|Managed|IPSet|ScopeDown/);
  const restricted = stacks.ofType('AWS::ApiGateway::RestApi').filter(({ Properties }) => Properties['Policy']);
  expect(restricted).toEqual([]);
});

test('no log of the gateway holds a request’s address, query or body, where the AWS sample and sbt-aws log the token with them (R1, S8)', () => {
  const stages = stacks.ofType('AWS::ApiGateway::Stage');

  expect(stages).toHaveLength(2);
  for (const { Properties } of stages) {
    const { Format } = Properties['AccessLogSetting'] as { Format: string };
    const settings = Properties['MethodSettings'] as { DataTraceEnabled?: boolean }[];
    expect(Format).not.toMatch(/\$context\.path|queryString|body|sourceIp/i);
    expect(settings.map(({ DataTraceEnabled }) => DataTraceEnabled)).toEqual(settings.map(() => false));
  }
});

test('no page lets a foreign site call it from a browser, where the AWS sample answers with CORS for everybody (R12)', () => {
  const methods = stacks.ofType('AWS::ApiGateway::Method').map(({ Properties }) => String(Properties['HttpMethod']));

  expect(methods.length).toBeGreaterThan(9);
  expect(methods).not.toContain('OPTIONS');
  expect(JSON.stringify(stacks.all)).not.toContain('Access-Control-Allow-Origin');
});

test('registration sends no mail and so fails with none, where the AWS sample and sbt-aws show an error to a buyer who is registered (R4)', () => {
  const roles = ['ResolveBuyerRole', 'RegisterCustomerRole'].flatMap((name) => stacks.named(`Registration/${name}`));
  const lines = allowed(roles.filter(({ Type }) => Type === 'AWS::IAM::Policy'));

  expect(lines.length).toBeGreaterThan(10);
  expect(lines.filter((line) => /^(ses|sns):/.test(line))).toEqual([]);
});

test('every function’s failures raise an alarm that says who is harmed and what to do, where the AWS sample has no alarm, metric or list (M22)', () => {
  const errors = alarmNames().filter((name) => name.endsWith('-errors') && !name.endsWith('-server-errors'));
  const texts = stacks.ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => String(Properties['AlarmDescription']));

  expect(errors).toHaveLength(stacks.ofType('AWS::Lambda::Function').length);
  expect(texts.filter((text) => !text.includes('What to do: docs/'))).toEqual([]);
});
