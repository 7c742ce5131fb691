// Where the audit trail is kept: nothing in it can be changed or removed before its time, whoever asks.
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { keyOf, mayUseKey } from './encryption.ts';
import type { Access } from './handler-function.ts';

/** The trail, by the version of its keys. */
const OBJECTS = 'v1/*';

export interface AuditBucketProps {
  /** For how many days each object is locked. */
  readonly retentionDays: number;
  /** `governance` lets whoever has the right to it take the lock off; `compliance` nobody, AWS and the root included. */
  readonly lock: 'governance' | 'compliance';
}

export class AuditBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { retentionDays, lock }: AuditBucketProps) {
    super(scope, id);
    const kept = Duration.days(retentionDays);
    const key = keyOf(this);
    this.bucket = new Bucket(this, 'Bucket', {
      objectLockEnabled: true,
      objectLockDefaultRetention:
        lock === 'compliance' ? ObjectLockRetention.compliance(kept) : ObjectLockRetention.governance(kept),
      versioned: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      ...(key
        ? { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // Not even emptied when its stack goes.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'One function writes here, and what it wrote is locked. Who reads is for CloudTrail’s data events, which cost money for each and are the seller’s to switch on.',
    });
  }

  /** The bucket's name, with leave to put objects of the trail and nothing else. */
  put(): Access {
    const statement = new PolicyStatement({
      actions: ['s3:PutObject'],
      resources: [this.bucket.arnForObjects(OBJECTS)],
    });
    // Decrypt, too: S3 checks its own key of the bucket by it.
    const statements = [statement, ...mayUseKey(this, 's3', ['Decrypt', 'GenerateDataKey'])];
    return { value: this.bucket.bucketName, statements };
  }

  /** What `put` allows to write, as cdk-nag names it in another stack. */
  objectsAbroad(): string {
    const stack = Stack.of(this);
    const imported: { readonly 'Fn::ImportValue': string } = stack.resolve(stack.exportValue(this.bucket.bucketArn));
    return `${imported['Fn::ImportValue']}/${OBJECTS}`;
  }
}
