// What `cdk` runs: reads the deployment's settings and builds its stacks.
import { App } from 'aws-cdk-lib';
import { parseDeployment } from './deployment.ts';
import { addFulfillment } from './fulfillment.ts';

const app = new App();
addFulfillment(app, parseDeployment(app.node.tryGetContext('fulfillment')));
app.synth();
