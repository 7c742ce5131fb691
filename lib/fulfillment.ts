// The whole deployment: the stacks and what goes for all of them.
import type { App } from 'aws-cdk-lib';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Deployment } from './deployment.ts';
import { MeteringStack } from './metering-stack.ts';
import { RegistrationStack } from './registration-stack.ts';
import { StorageStack } from './storage-stack.ts';

export interface Fulfillment {
  readonly storage: StorageStack;
  readonly registration: RegistrationStack;
  readonly metering: MeteringStack;
}

/** Puts a deployment's stacks into an app. */
export function addFulfillment(app: App, deployment: Deployment): Fulfillment {
  const named = (name: string) => ({
    stackName: `fulfillment-${deployment.stage}-${name}`,
    // A region without an account: enough to synthesize, and whose account it is shows when it is deployed.
    env: { region: deployment.homeRegion },
    deployment,
  });
  const storage = new StorageStack(app, 'Storage', { ...named('storage'), terminationProtection: true });
  const registration = new RegistrationStack(app, 'Registration', { ...named('registration'), storage });
  const metering = new MeteringStack(app, 'Metering', { ...named('metering'), storage });
  for (const stack of [storage, registration, metering]) {
    if (deployment.alarmTopicArn === undefined) continue;
    const action = new SnsAction(Topic.fromTopicArn(stack, 'AlarmTopic', deployment.alarmTopicArn));
    for (const construct of stack.node.findAll()) {
      if (construct instanceof Alarm) construct.addAlarmAction(action);
    }
  }
  return { storage, registration, metering };
}
