// The deployed functions, how they ran of late, and what their roles may do.
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { GetAccountSettingsCommand, GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { MINUTE_MS } from '../../../lambdas/domain/hour.ts';
import { type Aws, configOf } from '../../aws.ts';
import type { Facts, Keyed, StackFacts } from '../facts.ts';
import { type Probed, probe } from '../probed.ts';
import { missingFrom, resourcesOf } from './stacks.ts';

/** The name of a function in the stacks; see lib/. */
function constructOf(handler: string): string {
  if (handler === 'rotate-session-keys') return 'SessionKeysRotation';
  return handler.replace(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
}

export async function probeFunctions(
  aws: Aws,
  stacks: readonly Keyed<StackFacts>[],
  handlers: readonly string[],
): Promise<Facts['functions']> {
  const client = new LambdaClient(configOf(aws));
  const made = resourcesOf(stacks, 'AWS::Lambda::Function');
  const missing = missingFrom(stacks);
  const functions = await Promise.all(
    handlers.map(async (handler) => {
      const name = made.find(({ logicalId }) => logicalId.includes(`${constructOf(handler)}Function`))?.physicalId;
      if (name === undefined) return { name: handler, handler, probed: missing };
      const probed = await probe('lambda:GetFunctionConfiguration', async () => {
        const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
        return {
          state: found.State ?? 'unknown',
          lastUpdate: found.LastUpdateStatus ?? 'unknown',
          roleArn: found.Role ?? '',
          environment: found.Environment?.Variables ?? {},
        };
      });
      return { name, handler, probed };
    }),
  );
  client.destroy();
  return functions;
}

/** How far to look back, in minutes: longer than two ticks of the schedule; see lib/. */
const SCHEDULED: Readonly<Record<string, number>> = {
  'close-hours': 35,
  'send-metering': 35,
  'tell-product': 35,
  'refresh-entitlements': 35,
  'watch-deadlines': 35,
  'summarize-hours': 35,
  'export-audit': 125,
};

export async function probeRuns(aws: Aws, functions: Facts['functions'], nowMs: number): Promise<Facts['runs']> {
  const client = new CloudWatchClient(configOf(aws));
  const scheduled = functions.flatMap(({ name, handler, probed }) => {
    const spanMinutes = probed.kind === 'seen' ? SCHEDULED[handler] : undefined;
    return spanMinutes === undefined ? [] : [{ name, handler, spanMinutes }];
  });
  const runs = await Promise.all(
    scheduled.map(async ({ name, handler, spanMinutes }) => ({
      name,
      handler,
      probed: await probe('cloudwatch:GetMetricData', async () => {
        const { MetricDataResults = [] } = await client.send(
          new GetMetricDataCommand({
            StartTime: new Date(nowMs - spanMinutes * MINUTE_MS),
            EndTime: new Date(nowMs),
            MetricDataQueries: ['Invocations', 'Errors', 'Throttles'].map((metric) => ({
              Id: metric.toLowerCase(),
              MetricStat: {
                Metric: {
                  Namespace: 'AWS/Lambda',
                  MetricName: metric,
                  Dimensions: [{ Name: 'FunctionName', Value: name }],
                },
                Period: 300,
                Stat: 'Sum',
              },
            })),
          }),
        );
        const sumOf = (id: string) =>
          (MetricDataResults.find(({ Id }) => Id === id)?.Values ?? []).reduce((sum, value) => sum + value, 0);
        const [invocations, errors, throttles] = [sumOf('invocations'), sumOf('errors'), sumOf('throttles')];
        return { spanMinutes, invocations, errors, throttles };
      }),
    })),
  );
  client.destroy();
  return runs;
}

/** What each function can't do its work without, and AWS or an organization may take away. */
const NEEDS: Readonly<Record<string, readonly (readonly [action: string, on: string])[]>> = {
  'resolve-buyer': [
    ['aws-marketplace:ResolveCustomer', '*'],
    ['dynamodb:UpdateItem', 'CUSTOMERS_TABLE'],
  ],
  'register-customer': [['dynamodb:PutItem', 'BUYERS_TABLE']],
  'complete-sign-up': [['dynamodb:PutItem', 'BUYERS_TABLE']],
  'record-usage': [['dynamodb:PutItem', 'USAGE_TABLE']],
  'close-hours': [
    ['dynamodb:Query', 'USAGE_TABLE'],
    ['dynamodb:PutItem', 'LEDGER_TABLE'],
  ],
  'send-metering': [
    ['aws-marketplace:BatchMeterUsage', '*'],
    ['dynamodb:UpdateItem', 'LEDGER_TABLE'],
  ],
  'refresh-entitlements': [['aws-marketplace:GetEntitlements', '*']],
  'apply-notice': [['dynamodb:PutItem', 'NOTICES_TABLE']],
};

/** Asks IAM without doing anything. */
export async function probeDecisions(
  aws: Aws,
  functions: Facts['functions'],
  account: Probed<string>,
  isPublisher: boolean,
): Promise<Facts['decisions']> {
  const client = new IAMClient(configOf(aws));
  const decisions = await Promise.all(
    functions.flatMap(({ handler, probed }) => {
      if (probed.kind !== 'seen' || account.kind !== 'seen') return [];
      const { roleArn, environment } = probed.value;
      const needs = (NEEDS[handler] ?? []).filter(([action]) => isPublisher || !action.startsWith('aws-marketplace:'));
      return needs.map(async ([action, on]) => {
        const table = environment[on];
        const resource = on === '*' ? '*' : `arn:aws:dynamodb:${aws.region}:${account.value}:table/${table}`;
        const answer = await probe('iam:SimulatePrincipalPolicy', async () => {
          const { EvaluationResults = [] } = await client.send(
            new SimulatePrincipalPolicyCommand({
              PolicySourceArn: roleArn,
              ActionNames: [action],
              ResourceArns: [resource],
            }),
          );
          return EvaluationResults.map(({ EvalDecision = 'unknown', OrganizationsDecisionDetail }) => ({
            handler,
            action,
            isAllowed: EvalDecision === 'allowed',
            decision: EvalDecision,
            isForbiddenByOrganization: OrganizationsDecisionDetail?.AllowedByOrganizations === false,
          }));
        });
        return { name: handler, probed: answer };
      });
    }),
  );
  client.destroy();
  return decisions;
}

/** How many functions the account may run at once. */
export async function probeConcurrency(aws: Aws): Promise<Probed<number>> {
  const client = new LambdaClient(configOf(aws));
  const probed = await probe('lambda:GetAccountSettings', async () => {
    const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
    return AccountLimit?.ConcurrentExecutions ?? 0;
  });
  client.destroy();
  return probed;
}
