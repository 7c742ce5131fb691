// What `cdk` runs: reads the deployment's settings, builds its stacks and has them checked.
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Misconfigured } from '../lambdas/domain/failure.ts';
import { type Deployment, parseDeployment } from './deployment.ts';
import { addFulfillment } from './fulfillment.ts';

const app = new App();
addFulfillment(app, deploymentOf(app));
// A finding without a stated reason fails the synthesis.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();

/** What is wrong with the settings is for whoever wrote them: in words, without the stack of the code that read them. */
function deploymentOf({ node }: App): Deployment {
  try {
    return parseDeployment(node.tryGetContext('fulfillment'));
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
