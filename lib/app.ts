// What `cdk` runs: reads the deployment's settings, builds its stacks and has them checked.
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { parseDeployment } from './deployment.ts';
import { addFulfillment } from './fulfillment.ts';

const app = new App();
addFulfillment(app, parseDeployment(app.node.tryGetContext('fulfillment')));
// A finding without a stated reason fails the synthesis.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
