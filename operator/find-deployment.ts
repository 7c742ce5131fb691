// Which deployment a person means, and where it is.
import { join, resolve } from 'node:path';
import { AwsStackReader } from './aws-stacks.ts';
import { deployedFacts } from './deployed-stacks.ts';
import type { DeploymentFacts } from './deployment.ts';
import { readDeploymentFile } from './deployment-file.ts';

/** What a person says of the deployment, by options and environment. */
export interface DeploymentWish {
  readonly isLocal?: boolean | undefined;
  readonly stage?: string | undefined;
  readonly region?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Where `npm start` leaves its file, from the package's own folder. */
const LAPTOP_FILE = join(resolve(import.meta.dirname, '..'), '.local/start/deployment.json');

const DEFAULT_REGION = 'us-east-1';

/**
 * The facts of a deployment: of a stage where one is named, by option or as FULFILLMENT_STAGE; else of the file that
 * FULFILLMENT_DEPLOYMENT names; else of what `npm start` runs here. Throws Misconfigured, which says what to do.
 */
export async function findDeployment(wish: DeploymentWish): Promise<DeploymentFacts> {
  const { environment } = wish;
  const file = environment['FULFILLMENT_DEPLOYMENT'];
  const stage = wish.isLocal ? undefined : (wish.stage ?? (file ? undefined : environment['FULFILLMENT_STAGE']));
  if (!stage) return readDeploymentFile(file || LAPTOP_FILE);
  const region = wish.region ?? environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? DEFAULT_REGION;
  const reader = new AwsStackReader({ region });
  try {
    return await deployedFacts(reader, stage, region);
  } finally {
    reader.close();
  }
}
