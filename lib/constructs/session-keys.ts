// The secret that signs registration sessions. Secrets Manager makes its first key and has it replaced in time.
import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnRotationSchedule, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { keyOf, mayUseKey } from './encryption.ts';
import { type Access, HandlerFunction } from './handler-function.ts';

/** The id of the key that a new deployment begins with. */
const FIRST_KEY = 'k1';

const ROTATED_EVERY_DAYS = 30;

export interface SessionKeysProps {
  readonly logRetention: RetentionDays;
}

export class SessionKeys extends Construct {
  readonly #secret: Secret;

  constructor(scope: Construct, id: string, { logRetention }: SessionKeysProps) {
    super(scope, id);
    const key = keyOf(this);
    this.#secret = new Secret(this, 'Secret', {
      description: 'Keys that sign the sessions of the registration page',
      ...(key ? { encryptionKey: key } : {}),
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ current: FIRST_KEY }),
        generateStringKey: FIRST_KEY,
        passwordLength: 64,
        excludePunctuation: true,
      },
    });
    const rotation = new HandlerFunction(this, 'Rotation', {
      handler: 'rotate-session-keys',
      description: 'Gives the registration sessions a new signing key every 30 days',
      settings: { SESSION_KEYS_SECRET: this.#access('GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage') },
      impact: 'sessions of the registration page go on being signed with an old key; buyers notice nothing',
      severity: 'low',
      remedy: 'docs/runbook.md#rotationfailed',
      timeout: Duration.seconds(30),
      memoryMb: 256,
      logRetention,
    });
    const secretArn = this.#secret.secretArn;
    rotation.lambda.addPermission('FromSecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceArn: secretArn,
      sourceAccount: Stack.of(this).account,
    });
    // Not by Secret.addRotationSchedule, which lets the function make passwords of every secret there is.
    const schedule = new CfnRotationSchedule(this, 'Schedule', {
      secretId: secretArn,
      rotationLambdaArn: rotation.lambda.functionArn,
      rotationRules: { automaticallyAfterDays: ROTATED_EVERY_DAYS },
      // The first key is as random as any that follows.
      rotateImmediatelyOnUpdate: false,
    });
    schedule.node.addDependency(rotation);
  }

  /** Where the keys are, with leave to read them. */
  read(): Access {
    return this.#access('GetSecretValue');
  }

  #access(...actions: readonly ('GetSecretValue' | 'PutSecretValue' | 'UpdateSecretVersionStage')[]): Access {
    const { secretArn } = this.#secret;
    const statement = new PolicyStatement({
      actions: actions.map((action) => `secretsmanager:${action}`),
      resources: [secretArn],
    });
    const keyActions = actions.includes('PutSecretValue')
      ? (['Decrypt', 'GenerateDataKey'] as const)
      : (['Decrypt'] as const);
    return { value: secretArn, statements: [statement, ...mayUseKey(this, 'secretsmanager', keyActions)] };
  }
}
