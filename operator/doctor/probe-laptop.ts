// Looks at what `npm start` runs: as much of a deployment as there is on one machine.
import { parseDeployment } from '../../lib/deployment.ts';
import type { DeploymentFacts } from '../deployment.ts';
import { LAPTOP_CREDENTIALS } from '../desk.ts';
import type { Facts } from './facts.ts';
import { PASSED_OVER } from './probed.ts';
import { probeMetering } from './probes/marketplace.ts';
import { probeTables } from './probes/tables.ts';
import { probePages, probeUsage } from './probes/web.ts';

export async function probeLaptop(facts: DeploymentFacts): Promise<Facts> {
  const { stage, region, endpoints, simulator, urls } = facts;
  const settings = settingsOf(facts.settings);
  const shared = { region, credentials: LAPTOP_CREDENTIALS };
  const atDatabase = endpoints.DYNAMODB === undefined ? shared : { ...shared, endpoint: endpoints.DYNAMODB };
  const [tables, pages, usage, metering] = await Promise.all([
    probeTables(atDatabase, facts.tables, true),
    probePages(urls.fulfillment),
    probeUsage(urls.usage),
    simulator && 'deployment' in settings
      ? probeMetering({ ...shared, endpoint: simulator.url }, settings.deployment.products)
      : [],
  ]);
  return {
    stage,
    region,
    isLaptop: true,
    account: PASSED_OVER,
    settings,
    stacks: [],
    ...tables,
    rules: [],
    topics: [],
    queues: [],
    feeds: [],
    schedules: [],
    functions: [],
    runs: [],
    decisions: [],
    alarms: PASSED_OVER,
    alarmTopics: [],
    secrets: [],
    metering,
    catalog: PASSED_OVER,
    clockAheadMs: PASSED_OVER,
    pages,
    usage,
    concurrency: PASSED_OVER,
    gateway: PASSED_OVER,
  };
}

/** The settings as the functions have them, read by the same rules as those of cdk.json. */
function settingsOf(deployed: DeploymentFacts['settings']): Facts['settings'] {
  try {
    const deployment = parseDeployment({
      products: JSON.parse(deployed.PRODUCTS),
      meteringPolicy: JSON.parse(deployed.METERING_POLICY),
      registration: JSON.parse(deployed.REGISTRATION),
      usageWarningHours: JSON.parse(deployed.USAGE_WARNING_HOURS),
      marketplaceRegion: deployed.MARKETPLACE_REGION,
    });
    return { deployment };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
