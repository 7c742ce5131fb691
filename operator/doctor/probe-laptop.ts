// Looks at what `npm start` runs: as much of a deployment as there is on one machine.
import type { DeploymentFacts } from '../deployment.ts';
import { LAPTOP_CREDENTIALS } from '../desk.ts';
import type { Facts } from './facts.ts';
import { PASSED_OVER } from './probed.ts';
import { probeMetering } from './probes/marketplace.ts';
import { probeTables } from './probes/tables.ts';
import { probePages, probeUsage } from './probes/web.ts';
import { settingsOf } from './settings.ts';

export async function probeLaptop(facts: DeploymentFacts): Promise<Facts> {
  const { stage, region, endpoints, simulator, urls } = facts;
  const settings = deployedSettings(facts.settings);
  const shared = { region, credentials: LAPTOP_CREDENTIALS };
  const atDatabase = endpoints.DYNAMODB === undefined ? shared : { ...shared, endpoint: endpoints.DYNAMODB };
  const [tables, pages, usage, metering] = await Promise.all([
    probeTables(atDatabase, facts.tables, { isLaptop: true }),
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
    undelivered: PASSED_OVER,
    secrets: [],
    metering,
    catalog: PASSED_OVER,
    clockAheadMs: PASSED_OVER,
    pages,
    certificateLeftMs: PASSED_OVER,
    signUps: [],
    usage,
    mail: { identity: PASSED_OVER, account: PASSED_OVER },
    concurrency: PASSED_OVER,
    gateway: PASSED_OVER,
  };
}

/** The settings as the functions have them, read by the same rules as those of cdk.json. */
function deployedSettings(deployed: DeploymentFacts['settings']): Facts['settings'] {
  return settingsOf({
    products: JSON.parse(deployed.PRODUCTS),
    meteringPolicy: JSON.parse(deployed.METERING_POLICY),
    registration: JSON.parse(deployed.REGISTRATION),
    usageWarningHours: JSON.parse(deployed.USAGE_WARNING_HOURS),
    marketplaceRegion: deployed.MARKETPLACE_REGION,
  });
}
