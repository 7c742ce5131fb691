// The publishing account's side, where the deployment stands in another: what AWS Marketplace lets only the account that
// published the products do. Deployed with that account's credentials.
import { Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { EventBus as BusTarget } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSubscription } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { NOTICE_SOURCE } from '../lambdas/contracts/marketplace-notice.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { encryptNotices } from './constructs/sellers-key.ts';
import { type Deployment, noticesQueueName } from './deployment.ts';
import {
  type MarketplaceAction,
  marketplaceStatement,
  marketplaceWildcard,
  publishingRoleName,
} from './marketplace-actions.ts';

/** The stacks whose functions call each action. */
const CALLERS: Readonly<Record<MarketplaceAction, string>> = {
  ResolveCustomer: 'registration',
  BatchMeterUsage: 'metering',
  GetEntitlements: 'lifecycle',
};

/** A role's name has 64 characters: of a longer one CloudFormation keeps this many of the stack's name at least. */
const KEPT_OF_STACK_NAME = 24;

function keptOf(stackName: string): string {
  return stackName.slice(0, KEPT_OF_STACK_NAME);
}

export interface PublishingAccountStackProps extends StackProps {
  readonly deployment: Deployment & { readonly publishingAccount: NonNullable<Deployment['publishingAccount']> };
}

export class PublishingAccountStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, ...props }: PublishingAccountStackProps) {
    super(scope, id, props);
    encryptNotices(this, deployment);
    for (const [action, stack] of Object.entries(CALLERS)) {
      this.#addRole(action as MarketplaceAction, stack, deployment);
    }
    this.#forwardNotices(deployment);
    this.#subscribeHome(deployment);
  }

  /** For the functions of one of our stacks alone, and only with the id that both sides know. */
  #addRole(
    action: MarketplaceAction,
    stack: string,
    { stage, publishingAccount: { homeAccountId, externalId } }: PublishingAccountStackProps['deployment'],
  ): void {
    const role = new Role(this, `${action}Role`, {
      roleName: publishingRoleName(stage, action),
      description: `Lets fulfillment-${stage}-${stack} of account ${homeAccountId} call ${action}`,
      externalIds: [externalId],
      assumedBy: new AccountPrincipal(homeAccountId).withConditions({
        ArnLike: {
          'aws:PrincipalArn': `arn:aws:iam::${homeAccountId}:role/${keptOf(`fulfillment-${stage}-${stack}-`)}*`,
        },
      }),
    });
    role.addToPolicy(marketplaceStatement(action));
    Validations.of(role).acknowledge(marketplaceWildcard(action));
  }

  #forwardNotices({
    homeRegion,
    publishingAccount: { homeAccountId },
  }: PublishingAccountStackProps['deployment']): void {
    const deadLetters = new DeadLetters(this, 'Unforwarded');
    deadLetters.raiseAlarm({
      name: 'notices',
      impact: `Some of AWS's notices did not reach account ${homeAccountId}: the product is not told who may use it, and the last usage of buyers who leave may not be billed in time`,
      remedy: 'docs/runbook.md#notices-that-were-not-forwarded',
    });
    const role = new Role(this, 'ForwardingRole', {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
      description: `Lets the rule put AWS's notices on the bus of account ${homeAccountId}`,
    });
    const bus = `arn:aws:events:${homeRegion}:${homeAccountId}:event-bus/default`;
    new Rule(this, 'NoticesOfAws', {
      description: `Hands AWS's notices on to account ${homeAccountId}`,
      eventPattern: { source: [NOTICE_SOURCE] },
      targets: [
        new BusTarget(EventBus.fromEventBusArn(this, 'HomeBus', bus), { role, deadLetterQueue: deadLetters.queue }),
      ],
    });
  }

  /** SNS asks the queue's owner about each: apply-notice confirms those of the settings. */
  #subscribeHome(deployment: PublishingAccountStackProps['deployment']): void {
    const { homeRegion, publishingAccount, legacyTopics } = deployment;
    const queueName = noticesQueueName(deployment);
    if (queueName === undefined) return;
    const endpoint = `arn:aws:sqs:${homeRegion}:${publishingAccount.homeAccountId}:${queueName}`;
    for (const [index, topicArn] of legacyTopics.entries()) {
      // Raw delivery, which loses AWS's id and time, stays off.
      new CfnSubscription(this, `LegacyTopic${index}`, { topicArn, protocol: 'sqs', endpoint });
    }
  }
}
