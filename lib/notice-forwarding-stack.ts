// Where the home is not us-east-1: AWS tells of agreements there alone, and this hands it on to the bus at home.
import { Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { EventBus as BusTarget } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { NOTICE_SOURCE } from '../lambdas/contracts/marketplace-notice.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { encryptNotices } from './constructs/sellers-key.ts';
import type { Deployment } from './deployment.ts';

export interface NoticeForwardingStackProps extends StackProps {
  readonly deployment: Deployment;
}

export class NoticeForwardingStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, ...props }: NoticeForwardingStackProps) {
    super(scope, id, props);
    encryptNotices(this, deployment);
    const { homeRegion } = deployment;
    const deadLetters = new DeadLetters(this, 'Unforwarded');
    deadLetters.raiseAlarm({
      name: 'notices',
      impact: `Some of AWS's notices did not reach ${homeRegion}: the product is not told who may use it, and the last usage of buyers who leave may not be billed in time`,
      remedy: 'docs/runbook.md#notices-that-were-not-forwarded',
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
      description: `Lets the rule put AWS's notices on the bus in ${homeRegion}`,
    });
    const bus = this.formatArn({
      service: 'events',
      region: homeRegion,
      resource: 'event-bus',
      resourceName: 'default',
    });
    new Rule(this, 'NoticesOfAws', {
      description: `Hands AWS's notices on to ${homeRegion}`,
      eventPattern: { source: [NOTICE_SOURCE] },
      targets: [
        new BusTarget(EventBus.fromEventBusArn(this, 'HomeBus', bus), { role, deadLetterQueue: deadLetters.queue }),
      ],
    });
  }
}
