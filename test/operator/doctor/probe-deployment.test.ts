// The doctor's questions over the wire: each service in its own protocol, the real stacks, a real database.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { TABLES } from '../../../lambdas/stores/tables.ts';
import { parseDeployment } from '../../../lib/deployment.ts';
import { type Database, startDatabase } from '../../../local/database.ts';
import { createTables } from '../../../local/tables.ts';
import { examine } from '../../../operator/doctor/examine.ts';
import { probeDeployment } from '../../../operator/doctor/probe-deployment.ts';
import { localClient } from '../../backend-world.ts';
import { closed, listening, named } from '../../doubles/aws-services.ts';
import { EVERYTHING, exampleSettings } from '../../lib/synthesized.ts';
import { healthyOperations, type Operations, startStandIn } from './stand-in.ts';

let database: Database;
beforeAll(async () => {
  database = await startDatabase();
  // The stacks are synthesized here, which takes its time on a busy machine.
  healthyOperations('', '');
}, 240_000);
afterAll(() => database.close());

const HEADERS = {
  'content-type': 'text/html',
  'content-security-policy': "default-src 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** Pages as the functions answer them, and usage behind IAM. */
async function startPages(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    const status = request.url?.startsWith('/closed') ? 403 : request.method === 'POST' ? 400 : 200;
    response.writeHead(status, HEADERS).end('<p>page</p>');
  });
  onTestFinished(() => closed(server));
  return listening(server);
}

async function examined(broken: Operations | ((healthy: Operations) => Operations) = {}, overrides: object = {}) {
  const prefix = `${randomBytes(4).toString('hex')}-`;
  const client = localClient(database.endpoint);
  await createTables(client, prefix);
  client.destroy();
  const healthy = healthyOperations(await startPages(), prefix);
  const operations = { ...healthy, ...(typeof broken === 'function' ? broken(healthy) : broken) };
  const endpoint = await startStandIn(operations, database.endpoint);
  const aws = { region: 'us-east-1', endpoint, credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'test' } };
  const settings = exampleSettings(overrides);
  const facts = await probeDeployment(aws, {
    stage: 'prod',
    settings: { deployment: parseDeployment(settings) },
    clock: Date.now,
  });
  return { facts, found: examine(facts) };
}

/** The name of one of the stacks' alarms, as CloudFormation gives it. */
function nameOfAnAlarm({ ListStackResources }: Operations): string {
  const listed = String(ListStackResources?.({ StackName: 'fulfillment-prod-watch' }));
  return (
    /<PhysicalResourceId>([^<]*)<\/PhysicalResourceId><ResourceType>AWS::CloudWatch::Alarm</.exec(listed)?.[1] ?? ''
  );
}

/** The settings of cdk.json are an example's, and its pages stand at a test's plain address. */
const OF_THE_TEST = new Set(['SettingsExample', 'PagesInsecure']);

describe('looking at a deployment', () => {
  test('finds every part of the real stacks, and nothing wrong with them', async () => {
    const { facts, found } = await examined();

    const troubles = found.filter(({ code, level }) => level !== 'ok' && !OF_THE_TEST.has(code));
    expect(troubles).toEqual([]);
    expect(facts.functions.map(({ probed }) => probed.kind)).toEqual(Array(12).fill('seen'));
    expect(facts.tables.map(({ probed }) => probed.kind)).not.toContain('absent');
    expect(facts.rules).toHaveLength(1);
    expect(facts.schedules.length).toBeGreaterThanOrEqual(3);
    expect(facts.queues.length).toBeGreaterThan(4);
    expect(facts.queues.filter(({ isDeadLetters }) => !isDeadLetters).map(({ name }) => name)).toEqual([
      expect.stringMatching(/^NoticesQueue/),
    ]);
    expect(facts.feeds).toHaveLength(1);
    expect(facts.secrets).toHaveLength(1);
    expect(facts.runs.map(({ handler }) => handler).sort()).toEqual([
      ...['close-hours', 'export-audit', 'send-metering', 'summarize-hours', 'tell-product', 'watch-deadlines'],
    ]);
    expect(facts.decisions.length).toBeGreaterThanOrEqual(9);
    expect(facts.catalog).toMatchObject({ value: [{ dimensions: ['api_calls', 'storage_gb_hours'] }] });
  });

  test('reads what each service says of what is broken', async () => {
    const { found } = await examined({
      DescribeRule: () => ({ State: 'DISABLED', EventPattern: '{"source":["aws.agreement-marketplace"]}' }),
      GetQueueAttributes: () => ({ Attributes: { ApproximateNumberOfMessages: '3' } }),
      DescribeSecret: () => named('ResourceNotFoundException'),
      BatchMeterUsage: () => named('DisabledApiException'),
      DescribeContinuousBackups: () => ({ ContinuousBackupsDescription: { ContinuousBackupsStatus: 'ENABLED' } }),
      DescribeTimeToLive: () => ({ TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } }),
      SimulatePrincipalPolicy: () =>
        '<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults><member><EvalActionName>a</EvalActionName><EvalDecision>explicitDeny</EvalDecision><OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail></member></EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>',
      ListSubscriptionsByTopic: () =>
        '<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions><member><SubscriptionArn>PendingConfirmation</SubscriptionArn></member></Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>',
      GetMetricData: () => ({ MetricDataResults: [] }),
      'GET /schedules': () => ({ State: 'DISABLED', Target: { Arn: 'a:close' } }),
      'GET /2015-03-31/event-source-mappings': () => ({ State: 'Disabled' }),
      'GET /2016-08-19/account-settings': () => ({ AccountLimit: { ConcurrentExecutions: 10 } }),
    });

    const problems = new Set(found.filter(({ level }) => level === 'problem').map(({ code }) => code));
    expect([...problems]).toEqual(
      expect.arrayContaining([
        'NoticeRuleDisabled',
        'DeadLetters',
        'SecretMissing',
        'RegionDisabled',
        'TableNotRecoverable',
        'TableShapeWrong',
        'PermissionMissing',
        'AlarmUnheard',
        'ScheduleSilent',
        'ScheduleDisabled',
        'FeedStopped',
        'ConcurrencyLow',
      ]),
    );
  });

  test('reads of each topic whether the last alarm arrived there, of the deployment’s own alarms alone', async () => {
    const topic = (name: string) => `arn:aws:sns:us-east-1:111122223333:${name}`;
    const refused = (name: string) => `Failed to execute action ${topic(name)}. Received error: "not authorized"`;
    const items = [
      ['prod-watch-no-send', refused('pager')],
      ['prod-watch-no-send', `Successfully executed action ${topic('board')}`],
      ['prod-watch-no-send', refused('board')],
      ['somebody-elses', refused('theirs')],
    ];

    const { facts, found } = await examined((healthy) => ({
      DescribeAlarmHistory: () => ({
        AlarmHistoryItems: items.map(([name, HistorySummary]) => ({
          AlarmName: name?.startsWith('prod-') ? nameOfAnAlarm(healthy) : name,
          HistorySummary,
        })),
      }),
    }));

    expect(facts.undelivered).toEqual({
      kind: 'seen',
      value: [{ topic: topic('pager'), reason: 'Received error: "not authorized"' }],
    });
    expect(found.map(({ code }) => code)).toContain('AlarmUndelivered');
  });

  test('finds an alarm that did not arrive also behind the many of others in the account', async () => {
    const refused =
      'Failed to execute action arn:aws:sns:us-east-1:111122223333:pager. Received error: "not authorized"';

    const { facts } = await examined((healthy) => ({
      DescribeAlarmHistory: ({ NextToken }) =>
        NextToken === undefined
          ? { AlarmHistoryItems: [{ AlarmName: 'somebody-elses', HistorySummary: refused }], NextToken: 'more' }
          : { AlarmHistoryItems: [{ AlarmName: nameOfAnAlarm(healthy), HistorySummary: refused }] },
    }));

    expect(facts.undelivered).toMatchObject({ kind: 'seen', value: [{ reason: 'Received error: "not authorized"' }] });
  });

  test('notes a role for logs that API Gateway names and IAM does not know', async () => {
    const { facts, found } = await examined({ GetRole: () => named('NoSuchEntityException') });

    expect(facts.gateway).toMatchObject({ value: { isLogsRoleGone: true } });
    expect(found).toContainEqual(expect.objectContaining({ code: 'GatewayLogless', level: 'note' }));
  });

  test('leaves alone the subscriptions of another account that published the products', async () => {
    const { products, legacyTopics } = EVERYTHING;
    const publishingAccount = { id: '111122223333', homeAccountId: '444455556666', externalId: 'fulfillment-of-us' };

    const own = await examined({}, { products, legacyTopics });
    const others = await examined({}, { products, legacyTopics, publishingAccount });

    expect(own.facts.topics.map(({ name }) => name)).toEqual(legacyTopics);
    expect(own.found.map(({ code }) => code)).toContain('TopicUnsubscribed');
    expect(others.facts.topics).toEqual([]);
    expect(others.found.map(({ code }) => code)).not.toContain('TopicUnsubscribed');
  });

  test('asks SES where the settings have mail', async () => {
    const { mail } = {
      mail: { ...EVERYTHING.mail, identityArn: EVERYTHING.mail.identityArn.replace('eu-central-1', 'us-east-1') },
    };

    const { facts, found } = await examined({ 'GET /v2/email/account': () => ({ SendingEnabled: true }) }, { mail });

    expect(facts.mail).toMatchObject({ identity: { value: true }, account: { value: { isProduction: false } } });
    expect(found).toContainEqual(expect.objectContaining({ code: 'MailSandboxed', level: 'problem' }));
  });

  test('goes on where it is denied everything, and says which permission each look takes', async () => {
    const denied = () => named('AccessDeniedException');
    const names = Object.keys(healthyOperations('http://127.0.0.1', '')).filter(
      (name) => !/^(DescribeStacks|ListStackResources|GetCallerIdentity)$/.test(name),
    );
    const { found } = await examined(Object.fromEntries(names.map((name) => [name, denied])));

    const unknown = found.filter(({ level }) => level === 'unknown');
    const said = unknown.map(({ seen }) => seen).join('\n');
    for (const action of [
      'events:DescribeRule',
      'sqs:GetQueueAttributes',
      'scheduler:GetSchedule',
      'lambda:GetFunctionConfiguration',
      'aws-marketplace:BatchMeterUsage',
      'aws-marketplace:ListEntities',
      'cloudwatch:DescribeAlarms',
      'dynamodb:DescribeContinuousBackups',
    ])
      expect(said).toContain(action);
    expect(found.filter(({ level, code }) => level === 'problem' && !OF_THE_TEST.has(code))).toEqual([]);
  });

  test.each([
    ['denied', () => named('AccessDenied')],
    ['not answered', () => named('InternalFailure')],
  ])('knows nothing of tables, functions and addresses where the stacks are %s', async (_what, answer) => {
    const { found } = await examined({ DescribeStacks: answer });

    const of = (...codes: string[]) => found.filter(({ code }) => codes.includes(code)).map(({ level }) => level);
    expect(of('TableMissing')).toEqual(Object.keys(TABLES).map(() => 'unknown'));
    expect(of('PagesMissing', 'UsageMissing')).toEqual(['unknown', 'unknown']);
    expect(found.filter(({ level, code }) => level === 'problem' && !OF_THE_TEST.has(code))).toEqual([]);
  });

  test('knows nothing of what may stand in a stack that it may not read', async () => {
    const { found } = await examined(({ DescribeStacks }) => ({
      DescribeStacks: (input) =>
        /-(storage|metering)$/.test(String(input['StackName']))
          ? named('AccessDenied')
          : (DescribeStacks?.(input) ?? named('UnknownOperationException')),
    }));

    expect(found.filter(({ level, code }) => level === 'problem' && !OF_THE_TEST.has(code))).toEqual([]);
    expect(found).toContainEqual(
      expect.objectContaining({
        code: 'TableMissing',
        level: 'unknown',
        seen: 'You may not look: cloudformation:DescribeStacks is denied.',
      }),
    );
  });

  test.each(['ExpiredToken', 'InvalidClientTokenId'])(
    'ends where AWS does not know who asks, since each look would end so: %s',
    async (name) => {
      await expect(examined({ GetCallerIdentity: () => named(name) })).rejects.toThrow(
        expect.objectContaining({ name }),
      );
    },
  );

  test('says where nothing is deployed', async () => {
    const absent = Object.assign(new Error('Stack with id fulfillment-prod-storage does not exist'), {
      name: 'ValidationError',
    });

    const { found } = await examined({ DescribeStacks: () => absent });

    const missing = found.filter(({ code }) => code === 'StackMissing');
    expect(missing.map(({ level }) => level)).toEqual(Array(6).fill('problem'));
    expect(missing[0]?.remedy).toContain('cdk deploy');
  });
});
