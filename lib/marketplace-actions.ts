// Leave to call AWS Marketplace.
import { Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { HandlerName } from '../lambdas/runtime/settings.ts';
import type { HandlerFunction } from './constructs/handler-function.ts';

/** Lets a function call one action of AWS Marketplace. */
export function allowMarketplace(
  { role }: HandlerFunction<HandlerName>,
  action: 'ResolveCustomer' | 'BatchMeterUsage' | 'GetEntitlements',
): void {
  role.addToPolicy(new PolicyStatement({ actions: [`aws-marketplace:${action}`], resources: ['*'] }));
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: `AWS Marketplace knows no resources: aws-marketplace:${action} can only be allowed on all of them.`,
  });
}
