// What the emulator cannot do. Each is tried: where it can after all, the run fails, so that this list stays true.
import type { Aws } from './aws.ts';
import type { Cdk } from './cdk.ts';
import { type DeployedResource, stackName } from './deployed.ts';
import { probeAddedIndex, probeUnknownResource } from './probe-stacks.ts';
import { settings } from './settings.ts';
import { UNKNOWN_RESOURCES } from './unknown-resources.ts';

interface Deployed {
  readonly aws: Aws;
  readonly cdk: Cdk;
  readonly resources: readonly DeployedResource[];
  /** The addresses of the APIs, with their stage, as the emulator serves them by path. */
  readonly pagesUrl: string;
  readonly usageApiUrl: string;
}

export interface Limit {
  readonly cannot: string;
  /** What the run does instead, or where else it is tested. */
  readonly instead: string;
  /** What was seen; undefined where the emulator can. */
  readonly seen: (deployed: Deployed) => Promise<string | undefined>;
}

/** Above the burst of 40 that the stage allows. */
const MANY_REQUESTS = 100;

/** In this order: the last one takes a stack away. */
export const LIMITS: readonly Limit[] = [
  {
    cannot: 'protect a stack from deletion',
    instead: 'the front answers the CLI; the property is tested in test/lib/stacks.test.ts',
    async seen({ aws }) {
      const StackName = stackName('storage');
      const asked = { StackName, EnableTerminationProtection: 'true' };
      return matched(await aws.query('cloudformation', 'UpdateTerminationProtection', asked), /Unknown action: \w+/);
    },
  },
  ...UNKNOWN_RESOURCES.map(
    ({ type, property, instead }): Limit => ({
      cannot: property === undefined ? `make an ${type}` : `make an ${type} with ${property}`,
      instead: `it is taken out of its stack (test/e2e/app.ts); ${instead}`,
      seen: ({ aws }) => probeUnknownResource(aws, type, property),
    }),
  ),
  {
    cannot: 'rotate a secret by its function',
    instead: 'the four steps of a rotation are invoked through the Lambda API',
    async seen({ aws, resources }) {
      const name = 'probe-rotation';
      await aws.json('secretsmanager', 'secretsmanager.CreateSecret', { Name: name, SecretString: 'before' });
      const rotation = resources.find(({ logicalId }) => logicalId.startsWith('SessionKeysRotationFunction'));
      await aws.json('secretsmanager', 'secretsmanager.RotateSecret', {
        SecretId: name,
        RotationLambdaARN: `arn:aws:lambda:us-east-1:111122223333:function:${rotation?.physicalId}`,
      });
      const { text } = await aws.json('secretsmanager', 'secretsmanager.ListSecretVersionIds', { SecretId: name });
      const { Versions } = JSON.parse(text) as { readonly Versions: readonly { VersionStages?: readonly string[] }[] };
      // The function refuses secrets that are not its own, so no rotation by it could have come to an end.
      const isDone =
        Versions.length === 2 && Versions.every(({ VersionStages = [] }) => !VersionStages.includes('AWSPENDING'));
      return isDone ? 'a new version was in use at once, though the function refuses that secret' : undefined;
    },
  },
  {
    cannot: 'enforce IAM: signatures, roles, policies of queues and APIs',
    instead: 'the actions that each function took are compared with its role',
    async seen({ usageApiUrl }) {
      const headers = { authorization: 'unsigned' };
      const { status } = await fetch(`${usageApiUrl}/usage`, { method: 'POST', body: '{"events":[]}', headers });
      return status === 200 ? 'POST /usage with the signature "unsigned" was answered 200' : undefined;
    },
  },
  {
    cannot: 'answer in our words where no function is reached',
    instead: 'the answers are tested in the templates (test/lib)',
    async seen({ usageApiUrl }) {
      const response = await fetch(`${usageApiUrl}/usage`, { method: 'POST', body: '{}' });
      const text = await response.text();
      return text.includes('"error"') ? undefined : `POST /usage without a signature: ${response.status} ${text}`;
    },
  },
  {
    cannot: 'throttle a route',
    instead: 'the throttles are tested in the templates (test/lib)',
    async seen({ pagesUrl }) {
      const asked = Array.from({ length: MANY_REQUESTS }, () => fetch(`${pagesUrl}/register`));
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      return statuses.includes(429) ? undefined : `${MANY_REQUESTS} requests at once where 40 may be: none was a 429`;
    },
  },
  {
    cannot: 'compress an answer',
    instead: 'nothing',
    async seen({ pagesUrl }) {
      const response = await fetch(`${pagesUrl}/registration/style.css`, { headers: { 'accept-encoding': 'gzip' } });
      const { length } = await response.text();
      return response.headers.has('content-encoding') ? undefined : `a style sheet of ${length} bytes came as it is`;
    },
  },
  {
    cannot: 'write access logs of an API',
    instead: 'what would stand in them is tested in test/lib/stacks.test.ts',
    async seen({ aws, resources }) {
      const group = resources.find(({ logicalId }) => logicalId.startsWith('PagesAccessLog'))?.physicalId;
      const { text } = await aws.json('logs', 'Logs_20140328.FilterLogEvents', { logGroupName: group });
      return JSON.parse(text).events?.length === 0 ? 'the log is empty after every request of this run' : undefined;
    },
  },
  {
    cannot: 'let items expire as the template says',
    instead: 'the setting is tested in the templates (test/lib)',
    seen: (deployed) => tableSetting(deployed, 'UsageTable', 'DescribeTimeToLive', /"TimeToLiveStatus": "DISABLED"/),
  },
  {
    cannot: 'switch on restoring a table to any second',
    instead: 'the setting is tested in the templates (test/lib)',
    seen: (deployed) =>
      tableSetting(deployed, 'UsageTable', 'DescribeContinuousBackups', /"PointInTimeRecoveryStatus": "DISABLED"/),
  },
  {
    cannot: 'keep a table whose stack gives it another index',
    instead: 'the second version leaves the tables as they are',
    seen: ({ aws }) => probeAddedIndex(aws),
  },
  {
    cannot: 'raise alarms',
    instead: 'the alarms are tested in the templates (test/lib)',
    async seen({ aws }) {
      const xml = await aws.query('cloudwatch', 'DescribeAlarms', {});
      const states = [...xml.matchAll(/<StateValue>(\w+)</g)].map(([, state]) => state);
      const isSilent = states.length > 0 && states.every((state) => state === 'INSUFFICIENT_DATA');
      return isSilent ? `${states.length} alarms, all of them INSUFFICIENT_DATA at the end of this run` : undefined;
    },
  },
  {
    cannot: 'take a stack away by `cdk destroy`',
    instead: 'the stacks are deleted through the CloudFormation API',
    seen: ({ cdk }) =>
      cdk.destroy('Registration', settings(2)).then(
        () => undefined,
        (error: unknown) => matched(String(error), /Failed to destroy [\w-]+: \w+/),
      ),
  },
];

async function tableSetting(
  { aws, resources }: Deployed,
  table: string,
  action: string,
  off: RegExp,
): Promise<string | undefined> {
  const TableName = resources.find(({ logicalId }) => logicalId.startsWith(table))?.physicalId;
  const { text } = await aws.json('dynamodb', `DynamoDB_20120810.${action}`, { TableName });
  return matched(text, off);
}

function matched(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[0];
}
