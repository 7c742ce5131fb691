// Leave to call AWS Marketplace, ourselves or by a role of the account that published the products; and what either
// account has to know of the other by name.
import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { HandlerName } from '../lambdas/runtime/settings.ts';
import type { HandlerFunction } from './constructs/handler-function.ts';
import type { Deployment } from './deployment.ts';

export type MarketplaceAction = 'ResolveCustomer' | 'BatchMeterUsage' | 'GetEntitlements';

/** The functions that call each action. */
export const CALLERS = {
  ResolveCustomer: ['resolve-buyer'],
  BatchMeterUsage: ['send-metering'],
  GetEntitlements: ['apply-notice', 'refresh-entitlements'],
} as const satisfies Readonly<Record<MarketplaceAction, readonly HandlerName[]>>;

/** The name of a caller's own role, by which the publishing account knows it. */
export function callerRoleName(stage: string, handler: (typeof CALLERS)[MarketplaceAction][number]): string {
  return `fulfillment-${stage}-${handler}`;
}

/** Names a caller's role where another account has to know it; elsewhere CloudFormation does. */
export function callerRole(
  { stage, publishingAccount }: Deployment,
  handler: Parameters<typeof callerRoleName>[1],
): { readonly roleName?: string } {
  return publishingAccount ? { roleName: callerRoleName(stage, handler) } : {};
}

/** The role in the publishing account, one for each action: a function can do there only what it is for. */
export function publishingRoleName(stage: string, action: MarketplaceAction): string {
  return `fulfillment-${stage}-${action}`;
}

/**
 * What the queue of notices is called where the publishing account subscribes it to topics, and has to know its name
 * before it exists. Elsewhere CloudFormation names it.
 */
export function noticesQueueName({
  stage,
  publishingAccount,
  legacyTopics,
}: Pick<Deployment, 'stage' | 'publishingAccount' | 'legacyTopics'>): string | undefined {
  return publishingAccount && legacyTopics.length > 0 ? `fulfillment-${stage}-notices` : undefined;
}

/** The MARKETPLACE_ACCESS setting of a function in a stack that calls this action. */
export function marketplaceAccess(stack: Stack, deployment: Deployment, action: MarketplaceAction): string {
  const roleArn = publishingRoleArn(stack, deployment, action);
  if (roleArn === undefined) return '{}';
  return JSON.stringify({ roleArn, externalId: deployment.publishingAccount?.externalId });
}

/** Lets a function call one action of AWS Marketplace. */
export function allowMarketplace(
  { role }: HandlerFunction<HandlerName>,
  action: MarketplaceAction,
  deployment: Deployment,
): void {
  const roleArn = publishingRoleArn(role, deployment, action);
  if (roleArn !== undefined) {
    role.addToPolicy(new PolicyStatement({ actions: ['sts:AssumeRole'], resources: [roleArn] }));
    return;
  }
  role.addToPolicy(marketplaceStatement(action));
  Validations.of(role).acknowledge(marketplaceWildcard(action));
}

export function marketplaceStatement(action: MarketplaceAction): PolicyStatement {
  return new PolicyStatement({ actions: [`aws-marketplace:${action}`], resources: ['*'] });
}

/** Why a role may do it on everything. */
export function marketplaceWildcard(action: MarketplaceAction): { readonly id: string; readonly reason: string } {
  return {
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: `AWS Marketplace knows no resources: aws-marketplace:${action} can only be allowed on all of them.`,
  };
}

/** Undefined where the account that published the products is the one that is deployed into. */
function publishingRoleArn(
  scope: IConstruct,
  { stage, publishingAccount }: Deployment,
  action: MarketplaceAction,
): string | undefined {
  if (!publishingAccount) return undefined;
  const [account, resourceName] = [publishingAccount.id, publishingRoleName(stage, action)];
  return Stack.of(scope).formatArn({ service: 'iam', region: '', account, resource: 'role', resourceName });
}
