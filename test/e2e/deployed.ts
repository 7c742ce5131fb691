// What stands in the emulator's account: the resources of the stacks, the items of the tables, the messages given up.
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Aws } from './aws.ts';
import { CREDENTIALS, REGION } from './emulator.ts';
import { eventually } from './steps.ts';

export interface DeployedResource {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
}

/** Whoever uses another's outputs comes before it. */
const RUNNING = ['watch', 'mail', 'lifecycle', 'access', 'metering', 'registration'];
const STACKS = ['storage', ...RUNNING];

export const stackName = (name: string) => `fulfillment-e2e-${name}`;

export async function resourcesOf(aws: Aws): Promise<readonly DeployedResource[]> {
  const found = await Promise.all(
    STACKS.map(async (name) => {
      const stack = stackName(name);
      const xml = await aws.query('cloudformation', 'DescribeStackResources', { StackName: stack });
      return [...xml.matchAll(/<member>(.*?)<\/member>/gs)].map(
        ([, member = '']): DeployedResource => ({
          stack,
          logicalId: elementOf(member, 'LogicalResourceId'),
          type: elementOf(member, 'ResourceType'),
          physicalId: elementOf(member, 'PhysicalResourceId'),
        }),
      );
    }),
  );
  return found.flat();
}

function elementOf(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
}

/** How many of each type, the most frequent first. */
export function typesOf(resources: readonly DeployedResource[]): string {
  const counts = Map.groupBy(resources, ({ type }) => type);
  return [...counts]
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([type, members]) => `${String(members.length).padStart(4)}  ${type}`)
    .join('\n');
}

/** Every item of every table, as JSON by table and key. */
export class Tables {
  readonly #client: DynamoDBClient;
  readonly #names: readonly string[];

  constructor(resources: readonly DeployedResource[], endpoint: string) {
    this.#client = new DynamoDBClient({ region: REGION, endpoint, credentials: CREDENTIALS });
    this.#names = resources.filter(({ type }) => type === 'AWS::DynamoDB::Table').map(({ physicalId }) => physicalId);
  }

  async items(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const scanned = await Promise.all(
      this.#names.map(async (name) => [kindOf(name), new Set(await this.#scan(name))] as const),
    );
    return new Map(scanned);
  }

  close(): void {
    this.#client.destroy();
  }

  async #scan(TableName: string): Promise<string[]> {
    const { Items = [] } = await this.#client.send(new ScanCommand({ TableName, ConsistentRead: true }));
    return Items.map((item) => JSON.stringify(item));
  }
}

function kindOf(tableName: string): string {
  return /-([A-Z][a-z]+)Table/.exec(tableName)?.[1]?.toLowerCase() ?? tableName;
}

/** How many messages lie in queues of dead letters, by queue. */
export async function deadLettersOf(aws: Aws, resources: readonly DeployedResource[]): Promise<readonly string[]> {
  const queues = resources.filter(
    ({ type, logicalId }) => type === 'AWS::SQS::Queue' && /DeadLetters|FailedRuns/.test(logicalId),
  );
  const counted = await Promise.all(
    queues.map(async ({ logicalId, physicalId }) => {
      const QueueUrl = physicalId;
      const AttributeNames = ['ApproximateNumberOfMessages'];
      const { text } = await aws.json('sqs', 'AmazonSQS.GetQueueAttributes', { QueueUrl, AttributeNames });
      const count = Number(JSON.parse(text).Attributes?.ApproximateNumberOfMessages);
      return count === 0 ? [] : [`${logicalId}: ${count}`];
    }),
  );
  return counted.flat();
}

/** Deletes the stacks that run, and waits until they are gone. */
export async function takeDown(aws: Aws): Promise<void> {
  for (const name of RUNNING) {
    const StackName = stackName(name);
    await aws.query('cloudformation', 'DeleteStack', { StackName });
    await eventually(`the end of ${StackName}`, 30, async () => {
      const xml = await aws.query('cloudformation', 'DescribeStacks', { StackName });
      return xml.includes('does not exist') ? true : undefined;
    });
  }
}
