// What the CDK CLI deploys into the emulator: the stacks of lib/, less the resources that the emulator does not know.
import { App, CfnResource } from 'aws-cdk-lib';
import { parseDeployment } from '../../lib/deployment.ts';
import { addFulfillment } from '../../lib/fulfillment.ts';
import { UNKNOWN_RESOURCES } from './unknown-resources.ts';

const app = new App();
addFulfillment(app, parseDeployment(app.node.tryGetContext('fulfillment')));
for (const construct of app.node.findAll()) {
  if (!CfnResource.isCfnResource(construct)) continue;
  const isUnknown = UNKNOWN_RESOURCES.some(
    ({ type, property }) =>
      type === construct.cfnResourceType && (property === undefined || Reflect.get(construct, property) !== undefined),
  );
  if (isUnknown) construct.node.scope?.node.tryRemoveChild(construct.node.id);
}
app.synth();
