// How every queue of ours is encrypted.
import { QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';
import { keyOf } from './encryption.ts';

export function queueEncryption(scope: IConstruct): Pick<QueueProps, 'encryption' | 'encryptionMasterKey'> {
  const key = keyOf(scope);
  return key
    ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key }
    : { encryption: QueueEncryption.SQS_MANAGED };
}
