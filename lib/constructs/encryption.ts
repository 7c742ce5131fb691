// By which key things are encrypted: the seller's where the settings name or make one, else those of AWS.
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IConstruct } from 'constructs';

export interface Encryption {
  readonly key: IKey;
  /** Whether leave is given, and nothing encrypted yet. */
  readonly isOnlyPrepared: boolean;
}

const CHOICES = new WeakMap<IConstruct, Encryption>();

/** Has everything that comes to stand below a scope encrypted by a key. */
export function encryptBelow(scope: IConstruct, encryption: Encryption): void {
  CHOICES.set(scope, encryption);
}

function choiceOf(scope: IConstruct): Encryption | undefined {
  for (const each of scope.node.scopes.reverse()) {
    const choice = CHOICES.get(each);
    if (choice) return choice;
  }
  return undefined;
}

/** The seller's key for what stands here; undefined where AWS's are used. */
export function keyOf(scope: IConstruct): IKey | undefined {
  const choice = choiceOf(scope);
  return choice?.isOnlyPrepared ? undefined : choice?.key;
}

/** What holds something that is encrypted. */
export type KeyUser = 'dynamodb' | 'secretsmanager' | 's3' | 'sqs';

export type KeyAction = 'Decrypt' | 'DescribeKey' | 'Encrypt' | 'GenerateDataKey' | 'ReEncryptFrom' | 'ReEncryptTo';

/** Leave to use the key of a construct through the service that holds it, and in no other way. None where there is no key. */
export function mayUseKey(holder: IConstruct, service: KeyUser, actions: readonly KeyAction[]): PolicyStatement[] {
  const choice = choiceOf(holder);
  if (!choice) return [];
  return [
    new PolicyStatement({
      actions: actions.map((action) => `kms:${action}`),
      resources: [choice.key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `${service}.${Stack.of(holder).region}.amazonaws.com` } },
    }),
  ];
}
