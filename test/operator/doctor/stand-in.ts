// AWS's side of the doctor's questions, over the wire: each service in its own protocol, about the stacks as synthesized.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { onTestFinished } from 'vitest';
import { TABLES, type TableKind, type TableShape } from '../../../lambdas/stores/tables.ts';
import { bodyOf, closed, listening, named } from '../../doubles/aws-services.ts';
import { synthesize } from '../../lib/synthesized.ts';

type Input = Readonly<Record<string, unknown>>;
type Answer = object | string | Error;
type Operation = (input: Input) => Answer;

/** Operations by name: JSON where they give an object, XML where they give a text, an error by its name. */
export type Operations = Record<string, Operation>;

interface Resource {
  readonly id: string;
  readonly Type: string;
}

/** Made once: it takes a second. */
let stacks: ReturnType<typeof synthesize> | undefined;

const KIND_OF_TABLE = new RegExp(`^(${Object.keys(TABLES).join('|')})table`, 'i');

/** The physical id of a resource; tables have the names that they have in the embedded database. */
function physicalIdOf({ id, Type }: Resource, tablePrefix: string): string {
  const logicalId = id.split('/')[1] ?? '';
  switch (Type) {
    case 'AWS::DynamoDB::Table':
      return `${tablePrefix}${KIND_OF_TABLE.exec(logicalId)?.[1]?.toLowerCase()}`;
    case 'AWS::SQS::Queue':
      return `https://sqs.us-east-1.amazonaws.com/111122223333/${logicalId}`;
    case 'AWS::SecretsManager::Secret':
      return `arn:aws:secretsmanager:us-east-1:111122223333:secret:${logicalId}`;
    default:
      return logicalId;
  }
}

/** What a healthy deployment answers; a test replaces what is to be broken. */
export function healthyOperations(pagesUrl: string, tablePrefix: string): Operations {
  stacks ??= synthesize();
  const { all } = stacks;
  const inStack = (name: unknown) => {
    const stack = String(name).split('-').at(-1);
    return all.filter(({ id }) => id.split('/')[0]?.toLowerCase() === stack);
  };
  const environments = new Map(
    all.map(({ id, Properties }) => [
      id.split('/')[1] ?? '',
      (Properties?.['Environment'] ?? {}) as { Variables?: Input },
    ]),
  );
  return {
    DescribeStacks: ({ StackName }) =>
      xml(
        'DescribeStacks',
        `<Stacks><member><StackName>${StackName}</StackName><CreationTime>2026-09-01T00:00:00Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>${output('FulfillmentUrl', `${pagesUrl}/register`)}${output('UsageUrl', `${pagesUrl}/closed/usage`)}</Outputs></member></Stacks>`,
      ),
    ListStackResources: ({ StackName }) =>
      xml(
        'ListStackResources',
        `<StackResourceSummaries>${inStack(StackName)
          .map((each) => summary(each, tablePrefix))
          .join('')}</StackResourceSummaries>`,
      ),
    GetCallerIdentity: () =>
      xml('GetCallerIdentity', '<Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/kim</Arn>'),
    SimulatePrincipalPolicy: (input) =>
      xml(
        'SimulatePrincipalPolicy',
        `<EvaluationResults><member><EvalActionName>${input['ActionNames.member.1']}</EvalActionName><EvalDecision>allowed</EvalDecision></member></EvaluationResults><IsTruncated>false</IsTruncated>`,
      ),
    ListSubscriptionsByTopic: () =>
      xml(
        'ListSubscriptionsByTopic',
        '<Subscriptions><member><SubscriptionArn>arn:aws:sns:us-east-1:111122223333:alarms:1</SubscriptionArn></member></Subscriptions>',
      ),
    DescribeRule: () => ({ Name: 'r', State: 'ENABLED', EventPattern: '{"source":["aws.agreement-marketplace"]}' }),
    ListTargetsByRule: () => ({ Targets: [{ Id: 't', Arn: 'arn:aws:sqs:us-east-1:111122223333:notices' }] }),
    GetQueueAttributes: () => ({
      Attributes: { ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' },
    }),
    DescribeSecret: () => ({ RotationEnabled: true }),
    DescribeAlarms: (input) => ({
      MetricAlarms: (input['AlarmNames'] as string[]).map((AlarmName) => ({
        AlarmName,
        StateValue: 'OK',
        ActionsEnabled: true,
        AlarmActions: ['arn:aws:sns:us-east-1:111122223333:alarms'],
      })),
    }),
    DescribeAlarmHistory: () => ({ AlarmHistoryItems: [] }),
    GetRole: ({ RoleName }) =>
      xml(
        'GetRole',
        `<Role><RoleName>${RoleName}</RoleName><RoleId>A</RoleId><Path>/</Path><Arn>a</Arn><CreateDate>2026-09-01T00:00:00Z</CreateDate></Role>`,
      ),
    GetMetricData: () => ({
      MetricDataResults: [
        { Id: 'invocations', Values: [5, 5] },
        { Id: 'errors', Values: [0] },
        { Id: 'throttles', Values: [] },
      ],
    }),
    BatchMeterUsage: () => ({ Results: [], UnprocessedRecords: [] }),
    DescribeContinuousBackups: () => ({
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' },
      },
    }),
    DescribeTimeToLive: ({ TableName }) => {
      const kind = String(TableName).slice(tablePrefix.length) as TableKind;
      const shape: TableShape = TABLES[kind];
      return shape.expiry === undefined
        ? { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } }
        : { TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: shape.expiry } };
    },
    'GET /2015-03-31/functions': ({ name }) => ({
      State: 'Active',
      LastUpdateStatus: 'Successful',
      Role: `arn:aws:iam::111122223333:role/${name}`,
      Environment: { Variables: texts(environments.get(String(name))?.Variables ?? {}) },
    }),
    'GET /2015-03-31/event-source-mappings': () => ({ State: 'Enabled' }),
    'GET /2016-08-19/account-settings': () => ({ AccountLimit: { ConcurrentExecutions: 1_000 } }),
    'GET /schedules': ({ name }) => ({
      State: 'ENABLED',
      ScheduleExpression: 'rate(1 minute)',
      Target: { Arn: `arn:aws:lambda:::function:${name}` },
    }),
    'GET /account': () => ({
      throttleSettings: { rateLimit: 10_000 },
      cloudwatchRoleArn: 'arn:aws:iam::111122223333:role/logs',
    }),
    'GET /v2/email/identities': () => ({ VerifiedForSendingStatus: true }),
    'GET /v2/email/account': () => ({ ProductionAccessEnabled: true, SendingEnabled: true }),
    'POST /ListEntities': () => ({ EntitySummaryList: [{ EntityId: 'prod-1', EntityType: 'SaaSProduct' }] }),
    'GET /DescribeEntity': () => ({
      EntityType: 'SaaSProduct@1.0',
      Details: JSON.stringify({
        Description: { ProductCode: 'examplecode1234567890', Visibility: 'Limited' },
        Versions: [{ DeliveryOptions: [{ Type: 'SaaSUrl', FulfillmentUrl: `${pagesUrl}/register` }] }],
        Dimensions: [
          { Key: 'api_calls', Types: ['ExternallyMetered'] },
          { Key: 'storage_gb_hours', Types: ['ExternallyMetered'] },
        ],
      }),
    }),
  };
}

function summary(resource: Resource, tablePrefix: string): string {
  const logicalId = resource.id.split('/')[1] ?? '';
  return `<member><LogicalResourceId>${logicalId}</LogicalResourceId><PhysicalResourceId>${physicalIdOf(resource, tablePrefix)}</PhysicalResourceId><ResourceType>${resource.Type}</ResourceType><LastUpdatedTimestamp>2026-09-01T00:00:00Z</LastUpdatedTimestamp><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`;
}

function output(key: string, value: string): string {
  return `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`;
}

function xml(operation: string, result: string): string {
  return `<${operation}Response><${operation}Result>${result}</${operation}Result><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></${operation}Response>`;
}

/** Names of resources are known to CloudFormation alone; here they stand for themselves. */
function texts(variables: Input): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : 'made-by-the-stack']),
  );
}

/** Serves the operations; what is asked of the tables themselves goes on to the database. */
export async function startStandIn(operations: Operations, databaseUrl: string): Promise<string> {
  const server: Server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const call = callOf(request, body);
    if (call.name === 'DescribeTable') {
      const { host: _, connection: __, ...headers } = request.headers;
      const answer = await fetch(databaseUrl, { method: 'POST', headers: headers as Record<string, string>, body });
      const described = (await answer.json()) as { Table?: object };
      // The engine keeps no such promise.
      const table = described.Table ? { Table: { ...described.Table, DeletionProtectionEnabled: true } } : described;
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(table));
      return;
    }
    const answer = operations[call.name]?.(call.input) ?? named('UnknownOperationException');
    response.writeHead(answer instanceof Error ? statusOf(answer) : 200, {
      'content-type': call.isXml ? 'text/xml' : (request.headers['content-type'] ?? 'application/json'),
      ...(answer instanceof Error && !call.isXml ? { 'x-amzn-errortype': answer.name } : {}),
    });
    response.end(written(answer, call.isXml));
  });
  onTestFinished(() => closed(server));
  return listening(server);
}

function statusOf({ name }: Error): number {
  return /AccessDenied/.test(name) ? 403 : 400;
}

function written(answer: Answer, isXml: boolean): string {
  if (typeof answer === 'string') return answer;
  if (!(answer instanceof Error)) return JSON.stringify(answer);
  const { name, message } = answer;
  if (!isXml) return JSON.stringify({ __type: name, message });
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${name}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`;
}

interface Called {
  readonly name: string;
  readonly input: Input;
  readonly isXml: boolean;
}

function callOf(request: IncomingMessage, body: string): Called {
  const target = request.headers['x-amz-target'];
  if (target !== undefined) {
    return { name: String(target).split('.').at(-1) ?? '', input: body === '' ? {} : JSON.parse(body), isXml: false };
  }
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const input = Object.fromEntries(new URLSearchParams(body));
    return { name: input['Action'] ?? '', input, isXml: true };
  }
  const { pathname } = new URL(request.url ?? '/', 'http://aws');
  const parts = pathname.split('/').filter((part) => part !== '');
  // Versions, and SES's `email`, are no names of things.
  const depth = parts[0] === 'v2' ? 3 : /^\d{4}-/.test(parts[0] ?? '') ? 2 : 1;
  const path = `/${parts.slice(0, depth).join('/')}`;
  return { name: `${request.method} ${path}`, input: { name: parts[depth] }, isXml: false };
}
