import { beforeAll, describe, expect, test } from 'vitest';
import { TABLES } from '../../lambdas/stores/tables.ts';
import { handlerNames } from '../../lib/constructs/bundle.ts';
import { allowed, EVERYTHING, type Found, synthesize } from './synthesized.ts';

let stacks: ReturnType<typeof synthesize>;
/** As cdk.json has it: one subscription, at home where AWS's notices are. */
let smallest: ReturnType<typeof synthesize>;

beforeAll(() => {
  stacks = synthesize(EVERYTHING);
  smallest = synthesize();
});

const POLICIES = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'];

describe('tables', () => {
  test('there is one for each that the stores know, with its keys, its indexes and its expiry', () => {
    const found = stacks.ofType('AWS::DynamoDB::Table');

    expect(found).toHaveLength(Object.keys(TABLES).length);
    const usage = found.find(({ id }) => id.includes('UsageTable'));
    expect(usage?.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
    const ledger = found.find(({ id }) => id.includes('LedgerTable'));
    expect(ledger?.Properties['TimeToLiveSpecification']).toBeUndefined();
    expect(ledger?.Properties['GlobalSecondaryIndexes']).toMatchObject([
      {
        IndexName: 'by-state',
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['status', 'nextAttemptAt'] },
      },
      { IndexName: 'by-subject', Projection: { ProjectionType: 'KEYS_ONLY' } },
    ]);
  });

  test('every one is kept, recoverable to any second, protected from deletion and encrypted', () => {
    for (const table of stacks.ofType('AWS::DynamoDB::Table')) {
      expect(table, table.id).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          DeletionProtectionEnabled: true,
          SSESpecification: { SSEEnabled: true },
        },
      });
    }
  });
});

describe('functions', () => {
  test('every handler is deployed, on the newest runtime, on arm64, with a log of its own that ends', () => {
    const functions = stacks.ofType('AWS::Lambda::Function');

    expect(functions).toHaveLength(handlerNames().length);
    const logs = new Set(functions.map(({ Properties }) => JSON.stringify(Properties['LoggingConfig'])));
    expect(logs.size).toBe(functions.length);
    for (const { id, Properties } of functions) {
      expect(Properties, id).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(Properties['LoggingConfig'], id).toMatchObject({ LogFormat: 'JSON', LogGroup: expect.anything() });
    }
    for (const { id, Properties } of stacks.ofType('AWS::Logs::LogGroup')) {
      expect(Properties['RetentionInDays'], id).toBe(90);
    }
  });

  test('every one has an alarm on its errors that says who is harmed', () => {
    const alarms = stacks.ofType('AWS::CloudWatch::Alarm');

    for (const name of handlerNames()) {
      const alarm = alarms.find(({ Properties }) => String(Properties['AlarmName']).endsWith(`-${name}-errors`));
      expect(alarm?.Properties, name).toMatchObject({ MetricName: 'Errors', Namespace: 'AWS/Lambda' });
      expect(alarm?.Properties['AlarmDescription']).toMatch(/^While [\w-]+ fails, .*(buyers|product|seller)/);
    }
  });

  test('those behind an API may not take longer than API Gateway waits', () => {
    const timeouts = stacks.ofType('AWS::Lambda::Function').map(({ Properties }) => Number(Properties['Timeout']));

    expect(timeouts.sort((one, other) => one - other)).toEqual([
      25, 25, 25, 25, 25, 30, 60, 60, 60, 300, 300, 300, 300, 300, 300, 300,
    ]);
  });

  test('what nothing calls is left out: entitlements of no contract, webhooks to nowhere, mail from nobody', () => {
    const names = smallest.ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties['AlarmName']);

    expect(smallest.ofType('AWS::Lambda::Function')).toHaveLength(handlerNames().length - 4);
    expect(names.join()).not.toMatch(/refresh-entitlements|deliver-webhooks|send-mail|complete-sign-up/);
    expect(allowed(smallest.ofType('AWS::IAM::Policy')).join()).not.toMatch(/GetEntitlements|ses:/);
  });
});

describe('roles', () => {
  const LOGS = (name: string) => [
    expect.stringMatching(`^logs:CreateLogStream on ${name}Logs`),
    expect.stringMatching(`^logs:PutLogEvents on ${name}Logs`),
  ];
  const on = (resource: string, ...actions: string[]) => actions.map((action) => `${action} on ${resource}`);
  const dynamodb = (table: string, ...actions: string[]) => on(table, ...actions.map((each) => `dynamodb:${each}`));

  const STANDING = [
    ...dynamodb('customers', 'ConditionCheckItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
    ...dynamodb('notices', 'ConditionCheckItem', 'DeleteItem', 'PutItem', 'Query', 'UpdateItem'),
    ...dynamodb('work', 'DeleteItem', 'Query', 'UpdateItem'),
  ];
  const takesFrom = (queue: string) => on(queue, 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes');

  const EXPECTED = {
    ResolveBuyer: [
      'aws-marketplace:ResolveCustomer on *',
      ...STANDING,
      ...on('SessionKeysSecret', 'secretsmanager:GetSecretValue'),
    ],
    RegisterCustomer: [
      ...STANDING,
      ...dynamodb('buyers', 'GetItem', 'PutItem'),
      ...on('SessionKeysSecret', 'secretsmanager:GetSecretValue'),
    ],
    RecordUsage: [
      ...dynamodb('customers', 'GetItem'),
      ...dynamodb('usage', 'GetItem', 'PutItem'),
      ...dynamodb('work', 'UpdateItem'),
      ...dynamodb('rejects', 'UpdateItem'),
    ],
    CompleteSignUp: [
      ...STANDING,
      ...dynamodb('work', 'GetItem', 'PutItem'),
      ...dynamodb('buyers', 'GetItem', 'PutItem'),
      ...on('SessionKeysSecret', 'secretsmanager:GetSecretValue'),
    ],
    ReadCustomer: [...dynamodb('customers', 'BatchGetItem', 'GetItem'), ...dynamodb('ledger', 'Query')],
    ApplyNotice: [
      'aws-marketplace:GetEntitlements on *',
      ...STANDING,
      ...on('AccessEvents', 'events:PutEvents'),
      ...takesFrom('NoticesQueue'),
    ],
    RefreshEntitlements: [
      'aws-marketplace:GetEntitlements on *',
      ...dynamodb('customers', 'ConditionCheckItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      ...dynamodb('notices', 'PutItem'),
      ...dynamodb('work', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      ...on('FailedRuns', 'sqs:SendMessage'),
    ],
    TellProduct: [
      ...STANDING,
      ...dynamodb('work', 'BatchGetItem', 'PutItem'),
      ...dynamodb('ledger', 'BatchGetItem'),
      ...dynamodb('ledger/by-state', 'Query'),
      ...on('AccessEvents', 'events:PutEvents'),
      ...on('FailedRuns', 'sqs:SendMessage'),
    ],
    DeliverWebhooks: [
      ...dynamodb('deliveries', 'PutItem', 'UpdateItem'),
      ...takesFrom('WebhooksQueue'),
      ...on('WebhooksQueue', 'sqs:ChangeMessageVisibility'),
      ...on('crm-AbCdEf', 'secretsmanager:GetSecretValue'),
      ...on('audit-AbCdEf', 'secretsmanager:GetSecretValue'),
    ],
    CloseHours: [
      ...dynamodb('customers', 'BatchGetItem', 'ConditionCheckItem', 'DeleteItem', 'GetItem', 'Query'),
      ...dynamodb('usage', 'Query'),
      ...dynamodb('ledger', 'ConditionCheckItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      ...dynamodb('work', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      ...dynamodb('rejects', 'UpdateItem'),
      ...on('FailedRuns', 'sqs:SendMessage'),
    ],
    SendMetering: [
      'aws-marketplace:BatchMeterUsage on *',
      ...dynamodb('ledger', 'BatchGetItem', 'GetItem', 'UpdateItem'),
      ...dynamodb('ledger/by-state', 'Query'),
      ...dynamodb('work', 'DeleteItem', 'PutItem', 'Query', 'UpdateItem'),
      ...on('FailedRuns', 'sqs:SendMessage'),
    ],
    WatchDeadlines: [
      ...dynamodb('ledger', 'BatchGetItem'),
      ...dynamodb('ledger/by-state', 'Query'),
      ...dynamodb('work', 'GetItem', 'Query'),
      ...dynamodb('notices', 'Query'),
      ...on('FailedRuns', 'sqs:SendMessage'),
    ],
    ExportAudit: [
      ...dynamodb('ledger', 'Query'),
      ...dynamodb('work', 'PutItem', 'Query'),
      ...on('AuditBucket', 's3:PutObject'),
      ...on('FailedExports', 'sqs:SendMessage'),
    ],
    SessionKeysRotation: on(
      'SessionKeysSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    ),
  };

  test.each(Object.entries(EXPECTED))('%s may do exactly what it does', (name, expected) => {
    const policies = stacks.named(`/${name}Role`).filter(({ Type }) => Type === 'AWS::IAM::Policy');

    expect(policies).toHaveLength(1);
    const lines = allowed(policies);
    expect(lines).toHaveLength(expected.length + 2);
    expect(lines).toEqual(expect.arrayContaining([...expected, ...LOGS(name)]));
  });

  test('each function has its own, with no policy of AWS', () => {
    const roles = stacks.ofType('AWS::Lambda::Function').map(({ Properties }) => JSON.stringify(Properties['Role']));

    expect(new Set(roles).size).toBe(roles.length);
    const withPolicyOfAws = stacks.ofType('AWS::IAM::Role').filter(({ Properties }) => Properties['ManagedPolicyArns']);
    expect(withPolicyOfAws.map(({ id }) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual(['Storage/ApiGatewayLogsRole']);
  });

  test('no action is a wildcard, and no resource but where AWS Marketplace knows none, and for any customer', () => {
    const lines = allowed(stacks.all.filter(({ Type }) => POLICIES.includes(Type)));

    expect(lines.filter((line) => line.includes('*'))).toEqual([
      'aws-marketplace:BatchMeterUsage on *',
      'aws-marketplace:GetEntitlements on *',
      'aws-marketplace:GetEntitlements on *',
      'aws-marketplace:ResolveCustomer on *',
      expect.stringMatching(/^execute-api:Invoke on .*\/prod\/GET\/customers\/\*/),
      expect.stringMatching(/^execute-api:Invoke on .*\/prod\/HEAD\/customers\/\*/),
      expect.stringMatching(/^execute-api:Invoke on .*\/prod\/POST\/customers\/\*\/registration/),
    ]);
  });
});

describe('schedules', () => {
  test('all run on the minute, and what fails ends in a queue that takes nothing unencrypted', () => {
    const schedules = stacks.ofType('AWS::Scheduler::Schedule');

    expect(schedules.map(({ Properties }) => [Properties['Description'], Properties['ScheduleExpression']])).toEqual([
      ['Starts close-hours every minute', 'rate(1 minute)'],
      ['Starts send-metering every minute', 'rate(1 minute)'],
      ['Starts summarize-hours every 5 minutes', 'rate(5 minutes)'],
      ['Starts tell-product every minute', 'rate(1 minute)'],
      ['Starts refresh-entitlements every 15 minutes', 'rate(15 minutes)'],
      ['Starts watch-deadlines every minute', 'rate(1 minute)'],
      ['Starts export-audit every 60 minutes', 'rate(60 minutes)'],
    ]);
    for (const { Properties } of schedules) {
      expect(Properties).toMatchObject({
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { DeadLetterConfig: expect.anything(), RetryPolicy: { MaximumEventAgeInSeconds: 60 } },
      });
    }
    const invokes = stacks.ofType('AWS::Lambda::EventInvokeConfig');
    expect(invokes).toHaveLength(schedules.length);
    for (const { Properties } of invokes) expect(Properties['DestinationConfig']).toHaveProperty('OnFailure');
  });

  test('silence raises an alarm, because a schedule that is gone makes no errors', () => {
    const silence = stacks
      .ofType('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => String(Properties['AlarmName']).endsWith('-silence'));

    expect(silence).toHaveLength(stacks.ofType('AWS::Scheduler::Schedule').length);
    for (const { Properties } of silence) expect(Properties['TreatMissingData']).toBe('breaching');
  });

  test('no function reserves concurrency, which a new account has none of to give', () => {
    for (const { Properties } of stacks.ofType('AWS::Lambda::Function')) {
      expect(Properties['ReservedConcurrentExecutions']).toBeUndefined();
    }
  });
});

test('the session keys begin with a key that Secrets Manager makes, and are rotated', () => {
  expect(stacks.ofType('AWS::SecretsManager::Secret')[0]?.Properties['GenerateSecretString']).toMatchObject({
    SecretStringTemplate: '{"current":"k1"}',
    GenerateStringKey: 'k1',
    PasswordLength: 64,
  });
  expect(stacks.ofType('AWS::SecretsManager::RotationSchedule')[0]?.Properties).toMatchObject({
    RotationRules: { AutomaticallyAfterDays: 30 },
    RotateImmediatelyOnUpdate: false,
  });
});

test('every alarm goes to the topic where one is set', () => {
  const alarmTopicArn = 'arn:aws:sns:eu-central-1:111122223333:alarms';
  const noticeAlarmTopicArn = 'arn:aws:sns:us-east-1:111122223333:notice-alarms';
  const found = synthesize({ ...EVERYTHING, alarmTopicArn, noticeAlarmTopicArn }).ofType('AWS::CloudWatch::Alarm');
  const [abroad, alarms]: [Found[], Found[]] = [[], []];
  for (const alarm of found) (alarm.id.startsWith('NoticeForwarding/') ? abroad : alarms).push(alarm);

  expect(alarms.length).toBeGreaterThan(20);
  for (const { id, Properties } of alarms) expect(Properties['AlarmActions'], id).toEqual([alarmTopicArn]);
  // CloudWatch reaches topics of its own region only.
  expect(abroad.map(({ Properties }) => Properties['AlarmActions'])).toEqual([[noticeAlarmTopicArn]]);
});
