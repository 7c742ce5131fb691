import { beforeAll, describe, expect, test } from 'vitest';
import { parseDeployment } from '../../lib/deployment.ts';
import { SHAPES } from './shapes.ts';
import { exampleSettings, type Found, synthesize } from './synthesized.ts';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Condition?: { readonly StringEquals?: Readonly<Record<string, unknown>> };
  readonly Principal?: unknown;
  readonly Resource: unknown;
}

/** Where each type of resource says by which key it is encrypted. */
const KEY_OF: Readonly<Record<string, (properties: Found['Properties']) => unknown>> = {
  'AWS::DynamoDB::Table': ({ SSESpecification }) => member(SSESpecification, 'KMSMasterKeyId'),
  'AWS::SQS::Queue': ({ KmsMasterKeyId }) => KmsMasterKeyId,
  'AWS::SNS::Topic': ({ KmsMasterKeyId }) => KmsMasterKeyId,
  'AWS::SecretsManager::Secret': ({ KmsKeyId }) => KmsKeyId,
  'AWS::Logs::LogGroup': ({ KmsKeyId }) => KmsKeyId,
  'AWS::S3::Bucket': ({ BucketEncryption }) => {
    const [rule] = member(BucketEncryption, 'ServerSideEncryptionConfiguration') as readonly object[];
    return member(member(rule, 'ServerSideEncryptionByDefault'), 'KMSMasterKeyID');
  },
};

function member(value: unknown, name: string): unknown {
  return (value as Readonly<Record<string, unknown>> | undefined)?.[name];
}

const keeping = (stacks: ReturnType<typeof synthesize>) => stacks.all.filter(({ Type }) => Type in KEY_OF);
const keyOf = ({ Type, Properties }: Found) => JSON.stringify(KEY_OF[Type]?.(Properties) ?? null);

/** What a role of ours may do by the key: `dynamodb: Decrypt DescribeKey`. */
function leaveOf(policy: Found): string[] {
  const { Statement } = policy.Properties['PolicyDocument'] as { Statement: readonly Statement[] };
  return Statement.flatMap(({ Action, Condition }) => {
    const actions = [Action].flat();
    if (!actions.some((action) => action.startsWith('kms:'))) return [];
    const service = String(Condition?.StringEquals?.['kms:ViaService']).replace(/\..*/, '');
    return [`${service}: ${actions.map((action) => action.replace('kms:', '')).join(' ')}`];
  }).sort();
}

function servicesOf(policy: Found): Set<string> {
  const { Statement } = policy.Properties['PolicyDocument'] as { Statement: readonly Statement[] };
  const actions = Statement.flatMap(({ Action }) => [Action].flat());
  return new Set(actions.map((action) => action.split(':')[0] ?? ''));
}

const policiesOf = (stacks: ReturnType<typeof synthesize>) =>
  stacks.all.filter(({ Type }) => Type === 'AWS::IAM::Policy' || Type === 'AWS::IAM::ManagedPolicy');

let made: ReturnType<typeof synthesize>;
let plain: ReturnType<typeof synthesize>;

beforeAll(() => {
  const { encryption: _, ...withoutKey } = SHAPES['all-security'];
  made = synthesize(SHAPES['all-security']);
  plain = synthesize(withoutKey);
});

describe('a key of the seller’s account', () => {
  test('encrypts every table, queue, topic, secret, log and bucket, each by the key of its own region', () => {
    const found = keeping(made);

    expect(new Set(found.map(({ Type }) => Type))).toEqual(new Set(Object.keys(KEY_OF)));
    for (const each of found) {
      const isAtHome = !each.id.startsWith('NoticeForwarding/');
      const stands = isAtHome && !each.id.startsWith('Storage/') ? 'fulfillment-prod-storage:' : '"Fn::GetAtt"';
      expect(keyOf(each), each.id).toContain('EncryptionKey');
      expect(keyOf(each), each.id).toContain(stands);
    }
  });

  test('is made in each of the two regions, rotated, and kept when its stack goes', () => {
    const keys = made.ofType('AWS::KMS::Key');

    expect(keys.map(({ id }) => id.split('/')[0]).sort()).toEqual(['NoticeForwarding', 'Storage']);
    for (const key of keys) {
      expect(key).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: { EnableKeyRotation: true },
      });
    }
  });

  test('is used by services for this account alone, save by EventBridge, which names no source', () => {
    const [home] = made.ofType('AWS::KMS::Key').filter(({ id }) => id.startsWith('Storage/'));
    const Statement = member(home?.Properties['KeyPolicy'], 'Statement') as readonly Statement[];
    const unconditional = Statement.filter(({ Condition }) => !Condition).map(({ Principal }) => Principal);

    expect(unconditional).toEqual([
      { AWS: { 'Fn::Join': ['', ['arn:aws:iam::', { Ref: 'AWS::AccountId' }, ':root']] } },
      { Service: 'events.amazonaws.com' },
    ]);
    expect(JSON.stringify(Statement)).not.toContain('"AWS":"*"');
  });

  test('may be used by a role through those services alone of which it has something, and without any other way', () => {
    const holders = ['dynamodb', 's3', 'secretsmanager', 'sqs'];
    let seen = 0;
    for (const policy of policiesOf(made)) {
      const services = servicesOf(policy);
      const leave = leaveOf(policy);
      // A webhook's secret is under whatever key the seller gave it.
      const expected = holders.filter(
        (name) => services.has(name) && !(name === 'secretsmanager' && policy.id.includes('DeliverWebhooks')),
      );
      expect([...new Set(leave.map((line) => line.split(':')[0]))].sort(), policy.id).toEqual(expected);
      seen += leave.length;
    }
    expect(seen).toBeGreaterThan(20);
  });

  test('lets who only reads a table decrypt, and who only takes from a queue, too', () => {
    const leave = (name: string) =>
      made
        .named(`/${name}Role`)
        .filter(({ Type }) => Type === 'AWS::IAM::Policy')
        .flatMap(leaveOf);

    expect(leave('ReadCustomer')).toEqual(['dynamodb: Decrypt DescribeKey']);
    expect(leave('SendMail')).toContain('sqs: Decrypt');
    expect(leave('CloseHours')).toContain('sqs: Decrypt GenerateDataKey');
    expect(leave('SessionKeysRotation')).toEqual(['secretsmanager: Decrypt GenerateDataKey']);
    expect(leave('ResolveBuyer')).toContain('secretsmanager: Decrypt');
    expect(leave('ExportAudit')).toContain('s3: Decrypt GenerateDataKey');
  });

  test('changes nothing else: who may do what to tables, queues and secrets stays', () => {
    const others = (policy: Found) => {
      const { Statement } = policy.Properties['PolicyDocument'] as { Statement: readonly Statement[] };
      return Statement.filter(({ Action }) => ![Action].flat().some((action) => action.startsWith('kms:')));
    };

    const before = new Map(policiesOf(plain).map((policy) => [policy.id, others(policy)]));
    for (const policy of policiesOf(made)) expect(others(policy), policy.id).toEqual(before.get(policy.id));
  });

  test('is made in the publishing account, too, where the deployment stands in another', () => {
    const stacks = synthesize({ ...SHAPES['all-security'], ...SHAPES['cross-account'] });

    expect(stacks.ofType('AWS::KMS::Key').map(({ id }) => id.split('/')[0])).toEqual(['Storage', 'PublishingAccount']);
    for (const each of keeping(stacks)) expect(keyOf(each), each.id).toContain('EncryptionKey');
    // And AWS's topics, to which that account subscribes, may have the queue at home use it.
    const [home] = stacks.ofType('AWS::KMS::Key');
    const Statement = member(home?.Properties['KeyPolicy'], 'Statement') as readonly Statement[];
    const ofTopics = Statement.filter(({ Principal }) => JSON.stringify(Principal).includes('sns.amazonaws.com'));
    expect(ofTopics.map(({ Condition }) => member(member(Condition, 'ArnEquals'), 'aws:SourceArn'))).toEqual(
      SHAPES['all-security'].legacyTopics,
    );
  });
});

test('prepared only, a key encrypts nothing, and everybody has leave to use it', () => {
  const { encryption } = SHAPES['all-security'];
  const stacks = synthesize({ ...SHAPES['all-security'], encryption: { ...encryption, prepareOnly: true } });

  expect(stacks.ofType('AWS::KMS::Key')).toHaveLength(2);
  for (const each of keeping(stacks)) expect(keyOf(each), each.id).toBe('null');
  expect(policiesOf(stacks).map(leaveOf)).toEqual(policiesOf(made).map(leaveOf));
});

test('keys that are named are used where they are, and none is made', () => {
  const { customerManagedKey, noticeKeyArn } = SHAPES['own-keys'].encryption;
  const stacks = synthesize(SHAPES['own-keys']);

  expect(stacks.ofType('AWS::KMS::Key')).toEqual([]);
  for (const each of keeping(stacks)) {
    const expected = each.id.startsWith('NoticeForwarding/') ? noticeKeyArn : customerManagedKey;
    expect(keyOf(each), each.id).toBe(JSON.stringify(expected));
  }
});

test('keys in a wrong place, or too few of them, are named', () => {
  const { customerManagedKey, noticeKeyArn } = SHAPES['own-keys'].encryption;
  const message = (overrides: object) => {
    try {
      parseDeployment(exampleSettings(overrides));
    } catch (error) {
      return String(error);
    }
    throw new Error('The settings were taken.');
  };

  expect(message({ encryption: { customerManagedKey } })).toContain('the key has to be in us-east-1');
  expect(message({ homeRegion: 'eu-central-1', encryption: { customerManagedKey } })).toContain(
    'encryption.noticeKeyArn is missing: name a key in us-east-1',
  );
  expect(message({ encryption: { customerManagedKey: noticeKeyArn, noticeKeyArn } })).toContain(
    'noticeKeyArn: leave it out where AWS’s notices come in at home',
  );
  expect(message({ encryption: { customerManagedKey: 'create', noticeKeyArn } })).toContain(
    'leave it out where keys are created',
  );
  expect(message({ encryption: { customerManagedKey: 'alias/billing' } })).toContain(
    'has to be "create", or the ARN of a key',
  );
  expect(message({ encryption: {} })).toContain('encryption.customerManagedKey is missing: add it');
});
