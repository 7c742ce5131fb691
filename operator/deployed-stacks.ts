// Finds a deployment on AWS: its resources from its stacks, its settings from its functions.
import { Misconfigured } from '../lambdas/domain/failure.ts';
import type { HandlerName } from '../lambdas/runtime/settings.ts';
import { TABLES, type TableKind } from '../lambdas/stores/tables.ts';
import {
  DEPLOYED_SETTINGS,
  type DeployedSettings,
  type DeploymentFacts,
  QUEUE_NAMES,
  type QueueName,
} from './deployment.ts';

interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  /** The name of a table or function, the address of a queue. */
  readonly physicalId: string;
}

interface StackFacts {
  readonly resources: readonly StackResource[];
  readonly outputs: Readonly<Record<string, string>>;
}

export interface StackReader {
  /** Undefined where there is no such stack. */
  stack(name: string): Promise<StackFacts | undefined>;
  /** The environment of a deployed function. */
  environment(functionName: string): Promise<Readonly<Record<string, string>>>;
  /** The stages of which there is a deployment. */
  stages(): Promise<readonly string[]>;
}

/** The stacks that every deployment has, by the ends of their names; see lib/fulfillment.ts. */
const STACKS = ['storage', 'registration', 'metering', 'access', 'lifecycle', 'watch'] as const;

/** Those that some settings bring along. */
const FURTHER_STACKS = ['mail'] as const;

/** Functions whose settings, taken together, are all of the deployment's. */
const TELLING: readonly HandlerName[] = ['resolve-buyer', 'record-usage', 'tell-product', 'deliver-webhooks'];

/** What a deployment without the function of webhooks goes by. */
const WITHOUT_FUNCTION: Partial<DeployedSettings> = { WEBHOOKS: '[]' };

/** Throws Misconfigured where there is no such deployment, or where it is one of another version. */
export async function deployedFacts(reader: StackReader, stage: string, region: string): Promise<DeploymentFacts> {
  const names = STACKS.map((name) => `fulfillment-${stage}-${name}`);
  const stacks = await Promise.all(names.map((name) => reader.stack(name)));
  const missing = names.filter((_, index) => stacks[index] === undefined);
  if (missing.length > 0) throw await notDeployed(reader, stage, region, missing);
  const further = FURTHER_STACKS.map((name) => reader.stack(`fulfillment-${stage}-${name}`));
  const found = [...stacks, ...(await Promise.all(further))].filter((stack) => stack !== undefined);
  const parts = new Parts(
    stage,
    found.flatMap(({ resources }) => resources),
  );
  const outputs = Object.assign({}, ...found.map((stack) => stack.outputs)) as Readonly<Record<string, string>>;
  const functions = parts.functions();
  const told = TELLING.flatMap((handler) => functions[handler] ?? []);
  const environments = await Promise.all(told.map((name) => reader.environment(name)));
  const kinds = Object.keys(TABLES) as TableKind[];
  const tables = kinds.map((kind) => [kind, parts.named(`${capital(kind)}Table`, 'AWS::DynamoDB::Table')]);
  return {
    stage,
    region,
    tables: Object.fromEntries(tables) as DeploymentFacts['tables'],
    queues: Object.assign({}, ...QUEUE_NAMES.map((name) => parts.queue(name))),
    eventBus: parts.named('AccessEvents', 'AWS::Events::EventBus'),
    urls: {
      fulfillment: outputs['FulfillmentUrl'] ?? parts.lacks('the output FulfillmentUrl'),
      usage: outputs['UsageUrl'] ?? parts.lacks('the output UsageUrl'),
    },
    settings: settingsOf(environments, parts),
    functions,
    endpoints: {},
  };
}

/** The resources of all stacks of a deployment, found by the ids that CDK makes of the constructs' names. */
class Parts {
  readonly #stage: string;
  readonly #resources: readonly StackResource[];

  constructor(stage: string, resources: readonly StackResource[]) {
    this.#stage = stage;
    this.#resources = resources;
  }

  named(construct: string, type: string): string {
    return this.#find(construct, type) ?? this.lacks(`a ${type} of the name ${construct}`);
  }

  functions(): DeploymentFacts['functions'] {
    const found = this.#resources
      .filter(({ type }) => type === 'AWS::Lambda::Function')
      .flatMap(({ logicalId, physicalId }) => {
        const [, construct] = /^(\w+)Function[0-9A-F]{8}$/.exec(logicalId) ?? [];
        return construct === undefined ? [] : [[handlerOf(construct), physicalId] as const];
      });
    return Object.fromEntries(found);
  }

  /** A queue and its dead letters; none where the deployment has no such queue. */
  queue(name: QueueName): DeploymentFacts['queues'] {
    const type = 'AWS::SQS::Queue';
    const url = this.#find(`${capital(name)}Queue`, type);
    const deadLettersUrl = this.#find(`${capital(name)}DeadLettersQueue`, type);
    return url === undefined || deadLettersUrl === undefined ? {} : { [name]: { url, deadLettersUrl } };
  }

  lacks(what: string): never {
    throw new Misconfigured(
      'DeploymentOfAnotherVersion',
      `The deployment ${this.#stage} lacks ${what}: it is of another version than this command. Use the version that deployed it, or deploy this one.`,
      { facts: { stage: this.#stage } },
    );
  }

  #find(construct: string, type: string): string | undefined {
    const id = new RegExp(`^${construct}[0-9A-F]{8}$`);
    return this.#resources.find((each) => each.type === type && id.test(each.logicalId))?.physicalId;
  }
}

function settingsOf(environments: readonly Readonly<Record<string, string>>[], parts: Parts): DeployedSettings {
  const environment = Object.assign({ ...WITHOUT_FUNCTION }, ...environments) as Readonly<Record<string, string>>;
  const settings = DEPLOYED_SETTINGS.map((name) => [name, environment[name] ?? parts.lacks(`the setting ${name}`)]);
  return Object.fromEntries(settings) as DeployedSettings;
}

/** `CloseHours` is close-hours; the function that rotates the keys stands in a construct of another name. */
function handlerOf(construct: string): string {
  if (construct === 'SessionKeysRotation') return 'rotate-session-keys';
  return construct.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

async function notDeployed(
  reader: StackReader,
  stage: string,
  region: string,
  missing: readonly string[],
): Promise<Misconfigured> {
  const facts = { stage, region };
  if (missing.length < STACKS.length) {
    const message = `The deployment ${stage} in ${region} lacks the stacks ${missing.join(', ')}. Deploy all of them: npx cdk deploy --all.`;
    return new Misconfigured('DeploymentIncomplete', message, { facts });
  }
  const stages = await reader.stages();
  const others = stages.length === 0 ? 'There is none at all' : `There are: ${stages.join(', ')}`;
  const message = `No deployment of stage ${stage} is in ${region} of this account. ${others}. Name another --stage or --region, or use another profile (AWS_PROFILE).`;
  return new Misconfigured('NotDeployed', message, { facts });
}
