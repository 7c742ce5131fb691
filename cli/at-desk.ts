// Opens the deployment that a command is about.
import { type Desk, openDesk } from '../operator/desk.ts';
import { findDeployment } from '../operator/find-deployment.ts';
import type { Terminal } from './command.ts';
import { UsageMistake } from './exit.ts';
import { flag, type ValuesOf, value } from './options.ts';

/** Options of every command that is about a deployment. */
export const DEPLOYMENT = {
  local: flag('what npm start runs on this machine; also where no stage is named'),
  stage: value('STAGE', 'a deployment on AWS, such as prod; FULFILLMENT_STAGE where absent'),
  region: value('REGION', 'where it is deployed; AWS_REGION where absent, else us-east-1'),
};

export type DeploymentValues = ValuesOf<typeof DEPLOYMENT>;

/** Options of every command that answers a program as well. */
export const JSON_OUTPUT = { json: flag('the answer as JSON, as docs/cli describes it') };

/** The facts of the deployment that is meant. */
export function deploymentFacts({ local, stage, region }: DeploymentValues, { environment }: Terminal) {
  if (local && stage !== undefined) throw new UsageMistake('Name one deployment: --local or --stage.');
  return findDeployment({ isLocal: local, stage, region, environment });
}

/** Does something at the desk of the deployment that is meant, and closes it. */
export async function atDesk<T>(
  values: DeploymentValues,
  terminal: Terminal,
  work: (desk: Desk) => Promise<T>,
): Promise<T> {
  const desk = await openDesk(await deploymentFacts(values, terminal));
  try {
    return await work(desk);
  } finally {
    desk.close();
  }
}
