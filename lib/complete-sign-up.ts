// The seller's own sign-up page as a caller: the function that takes a buyer over from it, and who may call it.
import { CfnOutput, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { PRODUCT_PAGES_FILE } from '../lambdas/contracts/registration-settings.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { TIME_TO_ANSWER } from './constructs/regional-api.ts';
import { type Deployment, productPagesFile, productsSetting } from './deployment.ts';
import { standingAccess } from './standing-access.ts';
import type { StorageStack } from './storage-stack.ts';
import { readable } from './usage-writers.ts';

export const HAND_OFFS_ROUTE = '/hand-offs';
export const REGISTRATION_ROUTE = '/customers/{customerId}/registration';

export function addCompleteSignUp(
  scope: Construct,
  deployment: Deployment,
  storage: StorageStack,
): HandlerFunction<'complete-sign-up'> {
  return new HandlerFunction(scope, 'CompleteSignUp', {
    handler: 'complete-sign-up',
    description: 'POST /hand-offs, POST /customers/{customerId}/registration: buyers of your own sign-up page',
    settings: {
      ...standingAccess(storage, ['GetItem', 'PutItem']),
      BUYERS_TABLE: storage.buyers.access(['PutItem', 'GetItem']),
      PRODUCTS: productsSetting(deployment.products),
      REGISTRATION: JSON.stringify(deployment.registration),
      SESSION_KEYS_SECRET: storage.sessionKeys.read(),
      STAGE: deployment.stage,
    },
    files: { [PRODUCT_PAGES_FILE]: productPagesFile(deployment.products) },
    impact: 'buyers who have subscribed cannot sign up on your own page',
    remedy: 'docs/runbook.md#requestfailed',
    timeout: TIME_TO_ANSWER,
    logRetention: deployment.logRetentionDays,
  });
}

export interface SignUpCallersProps {
  /** The ARNs of the routes, for any customer. */
  readonly methodArns: readonly string[];
}

/** What the seller attaches to the role of the sign-up page's server. */
export class SignUpCallers extends Construct {
  constructor(scope: Construct, id: string, { methodArns }: SignUpCallersProps) {
    super(scope, id);
    const caller = new ManagedPolicy(this, 'Caller', {
      description: 'Lets your own sign-up page redeem hand-offs and register their buyers',
      statements: [new PolicyStatement({ actions: ['execute-api:Invoke'], resources: [...methodArns] })],
    });
    Validations.of(caller).acknowledge(
      ...methodArns
        .filter((arn) => readable(this, arn).includes('*'))
        .map((arn) => ({
          id: `AwsSolutions-IAM5[Resource::${readable(this, arn)}]`,
          reason: 'Any customer may come to sign up; none but this route is behind the wildcard.',
        })),
    );
    new CfnOutput(this, 'SignUpPolicy', { value: caller.managedPolicyArn });
  }
}
