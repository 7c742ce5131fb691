// The key of the seller's account by which a stack, and those that stand on it, encrypt what they keep.
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Deployment } from '../deployment.ts';
import { encryptBelow } from './encryption.ts';

/** Has what is kept where AWS's notices are handed on encrypted by a key of its own: keys belong to one region. */
export function encryptNotices(stack: Stack, { encryption, stage }: Pick<Deployment, 'encryption' | 'stage'>): void {
  if (!encryption) return;
  const { customerManagedKey, noticeKeyArn, prepareOnly } = encryption;
  const { key } = new SellersKey(stack, 'Encryption', { choice: noticeKeyArn ?? customerManagedKey, stage });
  encryptBelow(stack, { key, isOnlyPrepared: prepareOnly });
}

export interface SellersKeyProps {
  /** `create`, or the ARN of a key whose policy the seller keeps. */
  readonly choice: string;
  /** Names the alias of the key that is made. */
  readonly stage: string;
}

export class SellersKey extends Construct {
  readonly key: IKey;

  constructor(scope: Construct, id: string, { choice, stage }: SellersKeyProps) {
    super(scope, id);
    this.key = choice === 'create' ? this.#made(stage) : Key.fromKeyArn(this, 'Key', choice);
  }

  /** Kept when its stack goes: without it, nothing that it has encrypted can be read again, backups included. */
  #made(stage: string): Key {
    const { account, region, partition } = Stack.of(this);
    const key = new Key(this, 'Key', {
      description: 'Encrypts what the AWS Marketplace fulfillment keeps',
      alias: `fulfillment-${stage}`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const ofServices = [
      new PolicyStatement({
        sid: 'LogsOfThisAccount',
        principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*`,
          },
        },
      }),
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
      // Without a condition: EventBridge names no source to KMS, and would put nothing into any queue. Which rule may
      // is said by the policy of each queue.
      new PolicyStatement({
        sid: 'RulesThatPutIntoQueues',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
      }),
    ];
    for (const statement of ofServices) key.addToResourcePolicy(statement);
    return key;
  }
}
