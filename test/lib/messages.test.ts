// How AWS's notices come in, and how the product's events go out: rules, queues, and who may put something there.
import { beforeAll, describe, expect, test } from 'vitest';
import { readDispatch } from '../../lambdas/contracts/access-event.ts';
import { NOTICE_SOURCE } from '../../lambdas/contracts/marketplace-notice.ts';
import { EVERYTHING, type Found, synthesize } from './synthesized.ts';

let stacks: ReturnType<typeof synthesize>;
let atHome: ReturnType<typeof synthesize>;

beforeAll(() => {
  stacks = synthesize(EVERYTHING);
  atHome = synthesize();
});

interface Statement {
  readonly Effect: string;
  readonly Principal: unknown;
  readonly Action: unknown;
  readonly Condition: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Whom a queue's policy lets put something there, and from where. */
function putters(policies: readonly Found[]): string[] {
  return policies.flatMap(({ Properties }) => {
    const { Statement } = Properties['PolicyDocument'] as { Statement: readonly Statement[] };
    return Statement.filter(({ Effect }) => Effect === 'Allow').map(({ Principal, Action, Condition }) => {
      const source = JSON.stringify(Condition['ArnEquals']?.['aws:SourceArn']);
      return `${(Principal as { Service: string }).Service} ${Action} ${/Notices\w+|Webhook\w+|MailWanted|[\w-]+-notification/.exec(source)?.[0]}`;
    });
  });
}

function policyOf(each: typeof stacks, queue: string): Found[] {
  return each.ofType('AWS::SQS::QueuePolicy').filter(({ id }) => id.includes(queue));
}

function rules(each: typeof stacks, stack: string): Found[] {
  return each.ofType('AWS::Events::Rule').filter(({ id }) => id.startsWith(`${stack}/`));
}

function targetOf({ Properties }: Found): Readonly<Record<string, unknown>> {
  const [target, ...others] = Properties['Targets'] as Readonly<Record<string, unknown>>[];
  expect(others).toEqual([]);
  return target ?? {};
}

describe('queues', () => {
  test('take nothing unencrypted, keep all for two weeks, and are encrypted', () => {
    const queues = stacks.ofType('AWS::SQS::Queue');

    expect(queues).toHaveLength(12);
    for (const { id, Properties } of queues) {
      expect(Properties, id).toMatchObject({ MessageRetentionPeriod: 14 * 86_400, SqsManagedSseEnabled: true });
    }
    const policies = stacks.ofType('AWS::SQS::QueuePolicy');
    expect(policies).toHaveLength(queues.length);
    for (const policy of policies) expect(JSON.stringify(policy)).toContain('aws:SecureTransport');
  });

  test('before a function hide a message for six times its time, and hand on what comes back too often', () => {
    const fed = stacks.ofType('AWS::Lambda::EventSourceMapping');

    expect(fed.map(({ Properties }) => Properties['FunctionResponseTypes'])).toEqual(
      Array(3).fill(['ReportBatchItemFailures']),
    );
    const before = stacks.ofType('AWS::SQS::Queue').filter(({ Properties }) => Properties['RedrivePolicy']);
    expect(before.map(({ Properties }) => Properties['VisibilityTimeout'])).toEqual([360, 360, 360]);
    expect(before.map(({ Properties }) => Properties['RedrivePolicy'])).toMatchObject([
      { maxReceiveCount: 200 },
      { maxReceiveCount: 10 },
      { maxReceiveCount: 250 },
    ]);
  });

  test('raise an alarm on what waits and on what was given up', () => {
    const names = stacks
      .ofType('AWS::CloudWatch::Alarm')
      .map(({ Properties }) => String(Properties['AlarmName']))
      .filter((name) => /-(waiting|dead-letters)$/.test(name));

    expect(names.sort()).toEqual([
      'fulfillment-prod-access-webhooks-dead-letters',
      'fulfillment-prod-access-webhooks-waiting',
      'fulfillment-prod-lifecycle-notices-dead-letters',
      'fulfillment-prod-lifecycle-notices-waiting',
      'fulfillment-prod-mail-mails-dead-letters',
      'fulfillment-prod-mail-mails-waiting',
      'fulfillment-prod-notice-forwarding-notices-dead-letters',
    ]);
  });
});

describe('AWS’s notices', () => {
  test('of every type go from the default bus to the queue, tried for a day, and to the dead letters then', () => {
    const [rule, ...others] = rules(stacks, 'Lifecycle');

    expect(others).toEqual([]);
    expect(rule?.Properties['EventPattern']).toEqual({ source: [NOTICE_SOURCE] });
    expect(rule?.Properties['EventBusName']).toBeUndefined();
    expect(rule && targetOf(rule)).toMatchObject({
      DeadLetterConfig: { Arn: { 'Fn::GetAtt': [expect.stringContaining('NoticesDeadLetters'), 'Arn'] } },
      RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
    });
    expect(rule && targetOf(rule)).not.toHaveProperty('InputTransformer');
  });

  test('are put there by that rule alone, and by the topics that are set', () => {
    expect(putters(policyOf(atHome, 'NoticesQueue'))).toEqual([
      expect.stringMatching(/^events\.amazonaws\.com sqs:SendMessage NoticesOfAws\w+$/),
    ]);
    expect(putters(policyOf(stacks, 'NoticesQueue'))).toEqual([
      expect.stringMatching(/^events\.amazonaws\.com sqs:SendMessage NoticesOfAws\w+$/),
      'sns.amazonaws.com sqs:SendMessage aws-mp-subscription-notification',
      'sns.amazonaws.com sqs:SendMessage aws-mp-entitlement-notification',
    ]);
  });

  test('come from the legacy topics in their envelope, from the topics’ region', () => {
    const subscriptions = stacks.ofType('AWS::SNS::Subscription');

    expect(subscriptions.map(({ Properties }) => Properties['TopicArn'])).toEqual(EVERYTHING.legacyTopics);
    for (const { Properties } of subscriptions) {
      expect(Properties).toMatchObject({ Protocol: 'sqs', Region: 'us-east-1' });
      expect(Properties).not.toHaveProperty('RawMessageDelivery');
    }
  });

  test('are handed on from us-east-1 to the bus at home, where that is elsewhere, and nowhere else', () => {
    const [rule] = rules(stacks, 'NoticeForwarding');

    expect(atHome.named('NoticeForwarding')).toEqual([]);
    expect(rule?.Properties['EventPattern']).toEqual({ source: [NOTICE_SOURCE] });
    const target = rule ? targetOf(rule) : {};
    expect(JSON.stringify(target['Arn'])).toMatch(/arn:aws:events:eu-central-1:.*:event-bus\/default/);
    expect(target).toMatchObject({ RoleArn: expect.anything(), DeadLetterConfig: expect.anything() });
    const [policy] = stacks.ofType('AWS::IAM::Policy').filter(({ id }) => id.startsWith('NoticeForwarding/'));
    expect(policy?.Properties['PolicyDocument']).toMatchObject({
      Statement: [{ Action: 'events:PutEvents', Resource: target['Arn'] }],
    });
  });
});

describe('the product’s events', () => {
  test('have a bus that is named after the stage', () => {
    const names = synthesize({ stage: 'test' })
      .ofType('AWS::Events::EventBus')
      .map(({ Properties }) => Properties['Name']);

    expect(names).toEqual(['fulfillment-test-access-events']);
  });

  test('go to each webhook by a rule of its own, with its name, in the form that the function reads', () => {
    const found = rules(stacks, 'Access');
    const event = { version: 1, id: 'cus_1_3', type: 'accessGranted', customerId: 'cus_1', sequence: 3, data: {} };

    expect(found.map(({ Properties }) => Properties['EventPattern'])).toEqual([
      { source: ['marketplace-fulfillment'], 'detail-type': ['accessGranted', 'accessRevoked'] },
      { source: ['marketplace-fulfillment'] },
    ]);
    const bodies = found.map((rule) => {
      const { InputPathsMap, InputTemplate } = targetOf(rule)['InputTransformer'] as {
        InputPathsMap: object;
        InputTemplate: string;
      };
      expect(InputPathsMap).toEqual({ detail: '$.detail' });
      return InputTemplate.replace('<detail>', JSON.stringify(event));
    });
    expect(bodies.map(readDispatch)).toMatchObject([
      { kind: 'read', dispatch: { endpoint: 'crm', customerId: 'cus_1', sequence: 3 } },
      { kind: 'read', dispatch: { endpoint: 'audit' } },
    ]);
    expect(putters(policyOf(stacks, 'WebhooksQueue'))).toEqual([
      expect.stringMatching(/^events\.amazonaws\.com sqs:SendMessage Webhookcrm/),
      expect.stringMatching(/^events\.amazonaws\.com sqs:SendMessage Webhookaudit/),
    ]);
  });

  test('pass through no queue where no webhook is set', () => {
    expect(atHome.named('Webhook')).toEqual([]);
  });
});

describe('mail', () => {
  test('is caused by the events that any of its mails is about, as the bus has them, and by no others', () => {
    const [rule, ...others] = rules(stacks, 'Mail');

    expect(others).toEqual([]);
    expect(rule?.Properties['EventPattern']).toEqual({
      source: ['marketplace-fulfillment'],
      'detail-type': ['accessGranted', 'accessRevoked', 'customerRegistered'],
    });
    expect(rule && targetOf(rule)).toMatchObject({ InputPath: '$.detail' });
    expect(putters(policyOf(stacks, 'MailQueue'))).toEqual(['events.amazonaws.com sqs:SendMessage MailWanted']);
  });

  test('leaves from the one address, by the one identity and set', () => {
    const [policy] = stacks.ofType('AWS::IAM::Policy').filter(({ id }) => id.includes('SendMailRole'));
    const { Statement } = (policy?.Properties['PolicyDocument'] ?? { Statement: [] }) as {
      Statement: { Action: unknown }[];
    };

    expect(Statement.filter(({ Action }) => String(Action).startsWith('ses:'))).toEqual([
      {
        Effect: 'Allow',
        Action: 'ses:SendEmail',
        Resource: [
          'arn:aws:ses:eu-central-1:111122223333:configuration-set/buyers',
          'arn:aws:ses:eu-central-1:111122223333:identity/seller.example',
        ],
        Condition: { StringEquals: { 'ses:FromAddress': 'marketplace@seller.example' } },
      },
    ]);
  });

  test('has no stack, no function and no permission where it is not set', () => {
    expect(atHome.named('Mail')).toEqual([]);
    expect(JSON.stringify(atHome.ofType('AWS::IAM::Policy'))).not.toContain('ses:');
  });
});
