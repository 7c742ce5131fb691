// Two stages in one account and region: nothing of the one has the name of anything of the other.
import type { CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { METRIC_NAMESPACE } from '../../lambdas/runtime/metric.ts';
import { parseDeployment } from '../../lib/deployment.ts';
import { addFulfillment } from '../../lib/fulfillment.ts';
import { SHAPES } from './shapes.ts';
import { exampleSettings, WITHOUT_BUNDLES, withApp } from './synthesized.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Export?: { readonly Name: string } }>>;
}

/**
 * The property by which a resource is named in its account and region. `undefined`: it has no name of its own, and
 * belongs to another resource. CloudFormation makes a name that is left out from the stack's, the logical id and chance.
 */
const NAMED_BY: Readonly<Record<string, string | undefined>> = {
  'AWS::ApiGateway::Account': undefined,
  'AWS::ApiGateway::Deployment': undefined,
  'AWS::ApiGateway::GatewayResponse': undefined,
  'AWS::ApiGateway::Method': undefined,
  'AWS::ApiGateway::Resource': undefined,
  'AWS::ApiGateway::RestApi': 'Name',
  'AWS::ApiGateway::Stage': undefined,
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Events::EventBus': 'Name',
  'AWS::Events::EventBusPolicy': 'StatementId',
  'AWS::Events::Rule': 'Name',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::IAM::Policy': undefined,
  'AWS::IAM::Role': 'RoleName',
  'AWS::KMS::Alias': 'AliasName',
  'AWS::KMS::Key': undefined,
  'AWS::Lambda::EventInvokeConfig': undefined,
  'AWS::Lambda::EventSourceMapping': undefined,
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Lambda::Permission': undefined,
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::S3::BucketPolicy': undefined,
  'AWS::SNS::Subscription': undefined,
  'AWS::SNS::Topic': 'TopicName',
  'AWS::SNS::TopicPolicy': undefined,
  'AWS::SQS::Queue': 'QueueName',
  'AWS::SQS::QueuePolicy': undefined,
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::SecretsManager::ResourcePolicy': undefined,
  'AWS::SecretsManager::RotationSchedule': undefined,
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::WAFv2::WebACL': 'Name',
  'AWS::WAFv2::WebACLAssociation': undefined,
};

interface Stage {
  /** `place type name`, where a name is given. */
  readonly names: readonly string[];
  readonly resources: readonly Resource[];
}

function stageOf(stage: string, overrides: object): Stage {
  return withApp({ context: WITHOUT_BUNDLES }, (app) => {
    addFulfillment(app, parseDeployment(exampleSettings({ ...overrides, stage })));
    const { stacks } = app.synth({ skipValidation: true });
    const templates = stacks.map((stack) => ({ stack, template: stack.template as Template }));
    return {
      names: templates.flatMap(({ stack, template }) => namesOf(stack, template)),
      resources: templates.flatMap(({ template }) => Object.values(template.Resources)),
    };
  });
}

function namesOf(
  { stackName, environment }: CloudFormationStackArtifact,
  { Resources, Outputs = {} }: Template,
): string[] {
  const resources = Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    const property = NAMED_BY[Type];
    const name = property === undefined ? undefined : Properties[property];
    if (name === undefined) return [];
    // The logs of an API are named by its id, which AWS gives.
    return [`${Type} ${JSON.stringify(name).replace(/\{"Ref":"\w+Api\w+"\}/, `<id of ${stackName}/${id}>`)}`];
  });
  const exported = Object.values(Outputs).flatMap(({ Export }) => (Export ? [`export ${Export.Name}`] : []));
  return [`stack ${stackName}`, ...resources, ...exported].map((name) => `${environment.name} ${name}`);
}

describe.each([
  ['everything, at a home of its own', SHAPES['all-security']],
  ['another publishing account', { ...SHAPES['all-security'], ...SHAPES['cross-account'] }],
])('two stages of %s', (_what, settings) => {
  let live: Stage;
  let trial: Stage;

  beforeAll(() => {
    live = stageOf('prod', settings);
    trial = stageOf('trial', settings);
  });

  test('have no name in common', () => {
    expect(live.names.length).toBeGreaterThan(60);
    expect(new Set(live.names).size).toBe(live.names.length);
    expect(live.names.filter((name) => trial.names.includes(name))).toEqual([]);
  });

  test('hold nothing of which it is not known how it is named', () => {
    const types = [...new Set(live.resources.map(({ Type }) => Type))];

    expect(types.filter((type) => !(type in NAMED_BY))).toEqual([]);
  });

  test('count by themselves: every number of ours has its stage', () => {
    const numbers = (stage: Stage) =>
      stage.resources.flatMap(({ Properties }) => {
        const metrics = [Properties, ...((Properties['Metrics'] as { MetricStat?: object }[] | undefined) ?? [])];
        return metrics.map((each) => JSON.stringify(each)).filter((text) => text.includes(`"${METRIC_NAMESPACE}"`));
      });

    expect(numbers(live).length).toBeGreaterThan(20);
    for (const number of numbers(live)) expect(number).toContain('{"Name":"Stage","Value":"prod"}');
    for (const number of numbers(trial)) expect(number).toContain('{"Name":"Stage","Value":"trial"}');
    const settings = trial.resources.filter(({ Type }) => Type === 'AWS::Lambda::Function');
    for (const { Properties } of settings) expect(JSON.stringify(Properties)).not.toMatch(/fulfillment-prod|"prod"/);
  });
});

test('the second stage leaves API Gateway’s role for logs, of which there is one, to the first', () => {
  const accountWide = (apiGatewayLogsRole: string) =>
    stageOf('trial', { apiGatewayLogsRole }).resources.filter(({ Type }) => Type === 'AWS::ApiGateway::Account');

  expect(accountWide('create')).toHaveLength(1);
  expect(accountWide('present')).toEqual([]);
});
