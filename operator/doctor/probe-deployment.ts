// Looks at a deployment in AWS, from the stacks outward: nothing is changed, and nothing is metered.
import type { TableKind } from '../../lambdas/stores/tables.ts';
import { TABLES } from '../../lambdas/stores/tables.ts';
import type { Deployment } from '../../lib/deployment.ts';
import type { Aws } from '../aws.ts';
import { expectedHandlers, expectedStacks } from './expected.ts';
import type { Facts, Keyed, StackFacts } from './facts.ts';
import { PASSED_OVER } from './probed.ts';
import { probeAccount, probeGateway, probeMail, probeSecrets } from './probes/account.ts';
import { probeAlarms, probeAlarmTopics, probeUndelivered } from './probes/alarms.ts';
import { probeConcurrency, probeDecisions, probeFunctions, probeRuns } from './probes/functions.ts';
import { probeCatalog, probeMetering } from './probes/marketplace.ts';
import { probeFeeds, probeQueues, probeRules, probeSchedules, probeTopics } from './probes/messages.ts';
import { missingFrom, outputOf, probeStacks, resourcesOf } from './probes/stacks.ts';
import { probeTables } from './probes/tables.ts';
import { probeCertificate, probeClock, probePages, probeSignUps, probeUsage } from './probes/web.ts';

interface Wanted {
  readonly stage: string;
  readonly settings: Facts['settings'];
  readonly clock: () => number;
}

/** Throws where AWS does not know who asks; whatever else goes wrong is part of the facts. */
export async function probeDeployment(aws: Aws, { stage, settings, clock }: Wanted): Promise<Facts> {
  const deployment = 'deployment' in settings ? settings.deployment : undefined;
  const [stacks, account] = await Promise.all([
    probeStacks(aws, expectedStacks(stage, aws.region, deployment)),
    probeAccount(aws),
  ]);
  const missing = missingFrom(stacks);
  // AWS Marketplace answers the account that published the products, by whose roles the functions ask it.
  const isPublisher = deployment?.publishingAccount === undefined;
  const functions = await probeFunctions(aws, stacks, handlersOf(deployment, stacks));
  const alarms = await probeAlarms(aws, stacks);
  const topics = alarms.kind === 'seen' ? alarms.value.flatMap(({ actions }) => actions) : [];
  const [{ tables, recovery, expiry }, ...seen] = await Promise.all([
    probeTables(aws, tableNames(stacks), { isLaptop: false, missing }),
    probeRules(aws, stacks),
    // The publishing account's subscriptions are not ours to read.
    probeTopics(aws, stacks, isPublisher ? (deployment?.legacyTopics ?? []) : []),
    probeQueues(aws, stacks),
    probeFeeds(aws, stacks),
    probeSchedules(aws, stacks),
    probeRuns(aws, functions, clock()),
    probeDecisions(aws, functions, account, isPublisher),
    probeUndelivered(aws, stacks, clock()),
    probeAlarmTopics(aws, [...new Set(topics.filter((arn) => arn.includes(':sns:')))]),
    probeSecrets(aws, stacks, deployment?.webhooks.map(({ secretArn }) => secretArn) ?? []),
    probeMetering(aws, isPublisher ? (deployment?.products ?? []) : []),
    deployment && isPublisher ? probeCatalog(aws) : PASSED_OVER,
    probeClock(aws, clock),
    probePages(outputOf(stacks, 'FulfillmentUrl'), missing),
    probeCertificate(outputOf(stacks, 'FulfillmentUrl'), clock),
    probeSignUps(deployment?.products.flatMap(({ signUp }) => signUp?.url ?? []) ?? []),
    probeUsage(outputOf(stacks, 'UsageUrl'), missing),
    probeConcurrency(aws),
    probeGateway(aws),
    deployment?.mail ? probeMail(aws, deployment.mail.identityArn) : { identity: PASSED_OVER, account: PASSED_OVER },
  ]);
  const [rules, legacyTopics, queues, feeds, schedules, runs, decisions, undelivered, ...rest] = seen;
  const [alarmTopics, secrets, metering, catalog, clockAheadMs, pages, certificateLeftMs, signUps, ...others] = rest;
  const [usage, concurrency, gateway, mail] = others;
  return {
    stage,
    region: aws.region,
    isLaptop: false,
    account,
    settings,
    stacks,
    tables,
    recovery,
    expiry,
    rules,
    topics: legacyTopics,
    queues,
    feeds,
    schedules,
    functions,
    runs,
    decisions,
    alarms,
    alarmTopics,
    undelivered,
    secrets,
    metering,
    catalog,
    clockAheadMs,
    pages,
    certificateLeftMs,
    signUps,
    usage,
    mail,
    concurrency,
    gateway,
  };
}

/** Where no stack could be read there is nothing to say of each function. */
function handlersOf(deployment: Deployment | undefined, stacks: readonly Keyed<StackFacts>[]): readonly string[] {
  const isSeen = stacks.some(({ probed }) => probed.kind === 'seen');
  return deployment && isSeen ? expectedHandlers(deployment) : [];
}

function tableNames(stacks: readonly Keyed<StackFacts>[]): Partial<Record<TableKind, string>> {
  const made = resourcesOf(stacks, 'AWS::DynamoDB::Table');
  return Object.fromEntries(
    (Object.keys(TABLES) as TableKind[]).flatMap((kind) => {
      const construct = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}Table`;
      const found = made.find(({ logicalId }) => logicalId.startsWith(construct));
      return found ? [[kind, found.physicalId]] : [];
    }),
  );
}
