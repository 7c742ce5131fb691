import { beforeAll, describe, expect, test } from 'vitest';
import { parseDeployment } from '../../lib/deployment.ts';
import { addFulfillment } from '../../lib/fulfillment.ts';
import {
  allowed,
  EVERYTHING,
  exampleSettings,
  permittedTo,
  synthesize,
  WITHOUT_BUNDLES,
  withApp,
} from './synthesized.ts';

const publishingAccount = { id: '111122223333', homeAccountId: '444455556666', externalId: 'fulfillment-of-example' };
const { homeRegion, products } = EVERYTHING;

let stacks: ReturnType<typeof synthesize>;

beforeAll(() => {
  stacks = synthesize({ homeRegion, products, publishingAccount });
});

describe('a deployment in another account than the one that published the products', () => {
  test('may do nothing of AWS Marketplace itself, and each function may take the role of its own action alone', () => {
    const policies = stacks.all.filter(({ Type, id }) => /IAM::.*Policy$/.test(Type) && !id.startsWith('Publishing'));

    expect(allowed(policies).filter((line) => line.startsWith('aws-marketplace:'))).toEqual([]);
    const mayTake = (name: string) => permittedTo(stacks, name).filter((line) => line.startsWith('sts:'));
    expect(mayTake('ResolveBuyer')).toEqual([
      expect.stringMatching(/111122223333:role\/fulfillment-prod-ResolveCustomer/),
    ]);
    expect(mayTake('SendMetering')).toEqual([expect.stringMatching(/role\/fulfillment-prod-BatchMeterUsage/)]);
    expect(mayTake('RefreshEntitlements')).toEqual([expect.stringMatching(/role\/fulfillment-prod-GetEntitlements/)]);
    expect(mayTake('ApplyNotice')).toEqual([expect.stringMatching(/role\/fulfillment-prod-GetEntitlements/)]);
    expect(mayTake('CloseHours')).toEqual([]);
  });

  test('gives its callers, and no other function, the names that the roles there trust, with room for the longest stage', () => {
    const roles = synthesize({ homeRegion, products, publishingAccount, stage: 'a'.repeat(20) }).ofType(
      'AWS::IAM::Role',
    );
    const names = roles
      .filter(({ id }) => !id.startsWith('Publishing'))
      .map(({ Properties }) => Properties['RoleName']);
    const named = names.filter((name): name is string => typeof name === 'string').sort();
    const trusted = roles
      .filter(({ id, Properties }) => id.startsWith('Publishing') && Properties['RoleName'] !== undefined)
      .map(({ Properties }) => JSON.stringify(Properties['AssumeRolePolicyDocument']))
      .flatMap((policy) => [...policy.matchAll(/:iam::444455556666:role\/([^"]+)"/g)].map(([, name]) => name));

    expect(named).toEqual(
      ['apply-notice', 'refresh-entitlements', 'resolve-buyer', 'send-metering'].map(
        (handler) => `fulfillment-${'a'.repeat(20)}-${handler}`,
      ),
    );
    expect(trusted.sort()).toEqual(named);
    for (const name of named) expect(name.length).toBeLessThanOrEqual(64);
  });

  test('tells its functions which role that is', () => {
    const variables = (name: string) => {
      const [found] = stacks.ofType('AWS::Lambda::Function').filter(({ id }) => id.includes(`/${name}Function`));
      return found?.Properties['Environment'] as { Variables: Record<string, string> } | undefined;
    };

    expect(JSON.parse(variables('SendMetering')?.Variables['MARKETPLACE_ACCESS'] ?? '')).toEqual({
      roleArn: 'arn:aws:iam::111122223333:role/fulfillment-prod-BatchMeterUsage',
      externalId: publishingAccount.externalId,
    });
  });

  test('takes AWS’s notices from that account’s bus, and nothing else of it', () => {
    expect(stacks.ofType('AWS::Events::EventBusPolicy').map(({ Properties }) => Properties)).toMatchObject([
      {
        EventBusName: 'default',
        Statement: {
          Principal: { AWS: 'arn:aws:iam::111122223333:root' },
          Action: 'events:PutEvents',
          Condition: { StringEquals: { 'events:source': 'aws.agreement-marketplace' } },
        },
      },
    ]);
    expect(stacks.named('NoticeForwarding')).toEqual([]);
  });
});

describe('the publishing account’s side', () => {
  test('has a role for each action, for the functions of that stack with the external id and for nobody else', () => {
    const roles = stacks
      .ofType('AWS::IAM::Role')
      .filter(({ id, Properties }) => id.startsWith('PublishingAccount/') && Properties['RoleName'] !== undefined);

    expect(roles.map(({ Properties }) => Properties['RoleName'])).toEqual([
      'fulfillment-prod-ResolveCustomer',
      'fulfillment-prod-BatchMeterUsage',
      'fulfillment-prod-GetEntitlements',
    ]);
    expect(roles[1]?.Properties['AssumeRolePolicyDocument']).toMatchObject({
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { AWS: expect.objectContaining({}) },
          Condition: {
            StringEquals: { 'sts:ExternalId': publishingAccount.externalId },
            ArnEquals: { 'aws:PrincipalArn': ['arn:aws:iam::444455556666:role/fulfillment-prod-send-metering'] },
          },
        },
      ],
    });
    const policies = stacks.ofType('AWS::IAM::Policy').filter(({ id }) => id.startsWith('PublishingAccount/'));
    expect(allowed(policies).filter((line) => line.startsWith('aws-marketplace:'))).toEqual([
      'aws-marketplace:BatchMeterUsage on *',
      'aws-marketplace:GetEntitlements on *',
      'aws-marketplace:ResolveCustomer on *',
    ]);
  });

  test('hands AWS’s notices on to the bus at home, with dead letters', () => {
    const [rule] = stacks.ofType('AWS::Events::Rule').filter(({ id }) => id.startsWith('PublishingAccount/'));

    expect(rule?.Properties).toMatchObject({
      EventPattern: { source: ['aws.agreement-marketplace'] },
      Targets: [{ Arn: `arn:aws:events:${homeRegion}:444455556666:event-bus/default`, DeadLetterConfig: {} }],
    });
  });
});

test('each stack is of the account that the settings name for it, so that the CLI refuses credentials of the other', () => {
  const accounts = withApp({ context: WITHOUT_BUNDLES }, (app) => {
    addFulfillment(app, parseDeployment(exampleSettings({ homeRegion, products, publishingAccount })));
    const { stacks: made } = app.synth({ skipValidation: true });
    return made.map(({ id, environment }) => [id, environment.account]);
  });

  expect(accounts.length).toBeGreaterThan(6);
  for (const [id, account] of accounts) {
    expect(account, id).toBe(id === 'PublishingAccount' ? publishingAccount.id : publishingAccount.homeAccountId);
  }
});

describe('AWS’s topics of a legacy product', () => {
  const { legacyTopics } = EVERYTHING;
  let told: ReturnType<typeof synthesize>;

  beforeAll(() => {
    told = synthesize({ homeRegion, products, legacyTopics, publishingAccount });
  });

  const queueOf = (found: typeof stacks) =>
    found.ofType('AWS::SQS::Queue').find(({ id }) => id.startsWith('Lifecycle/NoticesQueue'));
  const topicsOf = (found: typeof stacks) => {
    const [apply] = found.ofType('AWS::Lambda::Function').filter(({ id }) => id.includes('/ApplyNoticeFunction'));
    const environment = apply?.Properties['Environment'] as { Variables: Record<string, string> } | undefined;
    return JSON.parse(environment?.Variables['LEGACY_TOPICS'] ?? '');
  };

  test('are subscribed to by the publishing account, with the queue at home by its name, not raw', () => {
    expect(queueOf(told)?.Properties['QueueName']).toBe('fulfillment-prod-notices');
    const subscriptions = told.ofType('AWS::SNS::Subscription');
    expect(subscriptions.map(({ id }) => id.split('/')[0])).toEqual(['PublishingAccount', 'PublishingAccount']);
    expect(subscriptions.map(({ Properties }) => Properties)).toEqual(
      legacyTopics.map((TopicArn) => ({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: `arn:aws:sqs:${homeRegion}:444455556666:fulfillment-prod-notices`,
      })),
    );
  });

  test('may put messages into that queue, each by itself, and nobody besides them and the rule may', () => {
    const [policy, ...others] = told.ofType('AWS::SQS::QueuePolicy').filter(({ id }) => id.includes('NoticesQueue'));
    const { Statement } = (policy?.Properties['PolicyDocument'] ?? { Statement: [] }) as {
      Statement: { Effect: string; Principal: object; Action: string; Condition: object }[];
    };

    expect(others).toEqual([]);
    expect(Statement.filter(({ Effect }) => Effect === 'Allow')).toMatchObject([
      { Principal: { Service: 'events.amazonaws.com' } },
      ...legacyTopics.map((topicArn) => ({
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
      })),
    ]);
  });

  test('are confirmed by the function of the queue alone, which needs no leave of SNS for it', () => {
    expect(topicsOf(told)).toEqual(legacyTopics);
    expect(permittedTo(told, 'ApplyNotice')).toEqual(permittedTo(stacks, 'ApplyNotice'));
    expect(permittedTo(told, 'ApplyNotice').filter((line) => line.startsWith('sns:'))).toEqual([]);
  });

  test('change nothing where either setting is absent: no name, nothing to confirm', () => {
    const alone = synthesize({ homeRegion, products, legacyTopics });

    for (const each of [stacks, alone]) {
      expect(queueOf(each)?.Properties).not.toHaveProperty('QueueName');
      expect(topicsOf(each)).toEqual([]);
    }
    expect(alone.ofType('AWS::SNS::Subscription').map(({ id }) => id.split('/')[0])).toEqual([
      'Lifecycle',
      'Lifecycle',
    ]);
    expect(stacks.ofType('AWS::SNS::Subscription')).toEqual([]);
  });
});

test('settings that contradict a publishing account are named', () => {
  const message = (overrides: object) => {
    try {
      parseDeployment(exampleSettings(overrides));
    } catch (error) {
      return String(error);
    }
    throw new Error('The settings were taken.');
  };

  expect(message({ publishingAccount: { ...publishingAccount, homeAccountId: publishingAccount.id } })).toContain(
    'leave it out where everything stands in one account',
  );
  expect(message({ publishingAccount: { ...publishingAccount, externalId: 'short' } })).toContain(
    '16 characters or more',
  );
});
