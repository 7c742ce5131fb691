// Rules, topics, queues and schedules: what brings work to the functions.
import { DescribeRuleCommand, EventBridgeClient, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge';
import { GetEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { GetSubscriptionAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Aws, configOf, inRegion } from '../../aws.ts';
import type { Facts, Keyed, ResourceFacts, StackFacts } from '../facts.ts';
import { probe } from '../probed.ts';
import { NOTICE_REGION } from '../regions.ts';
import { resourcesOf } from './stacks.ts';

type Stacks = readonly Keyed<StackFacts>[];

export function probeRules(aws: Aws, stacks: Stacks): Promise<Facts['rules']> {
  const rules = resourcesOf(stacks, 'AWS::Events::Rule').filter(({ logicalId }) =>
    logicalId.startsWith('NoticesOfAws'),
  );
  return Promise.all(
    rules.map(async (resource) => ({ name: resource.physicalId, resource, probed: await ruleOf(aws, resource) })),
  );
}

async function ruleOf(aws: Aws, { physicalId, region }: ResourceFacts) {
  const client = new EventBridgeClient(configOf(inRegion(aws, region)));
  const probed = await probe('events:DescribeRule', async () => {
    const rule = await client.send(new DescribeRuleCommand({ Name: physicalId }));
    const { Targets = [] } = await client.send(new ListTargetsByRuleCommand({ Rule: physicalId }));
    return {
      isEnabled: rule.State !== 'DISABLED',
      pattern: rule.EventPattern ?? '',
      targetArns: Targets.map(({ Arn = '' }) => Arn),
    };
  });
  client.destroy();
  return probed;
}

/** Of AWS's topics only our own subscriptions can be asked, as CloudFormation made them. */
export async function probeTopics(aws: Aws, stacks: Stacks, topics: readonly string[]): Promise<Facts['topics']> {
  const client = new SNSClient(configOf(inRegion(aws, NOTICE_REGION)));
  const subscriptions = await Promise.all(
    resourcesOf(stacks, 'AWS::SNS::Subscription').map(({ physicalId }) =>
      probe('sns:GetSubscriptionAttributes', async () => {
        const { Attributes = {} } = await client.send(
          new GetSubscriptionAttributesCommand({ SubscriptionArn: physicalId }),
        );
        const state: 'confirmed' | 'pending' = Attributes['PendingConfirmation'] === 'true' ? 'pending' : 'confirmed';
        return { topic: Attributes['TopicArn'] ?? '', state };
      }),
    ),
  );
  client.destroy();
  const untold = subscriptions.find(({ kind }) => kind === 'denied' || kind === 'failed');
  return topics.map((name) => {
    const found = subscriptions.flatMap((each) =>
      each.kind === 'seen' && each.value.topic === name ? [each.value] : [],
    );
    if (found[0]) return { name, probed: { kind: 'seen', value: found[0].state } };
    if (untold?.kind === 'denied' || untold?.kind === 'failed') return { name, probed: untold };
    return { name, probed: { kind: 'absent' } };
  });
}

export function probeQueues(aws: Aws, stacks: Stacks): Promise<Facts['queues']> {
  return Promise.all(
    resourcesOf(stacks, 'AWS::SQS::Queue').map(async ({ physicalId, logicalId, region }) => {
      const client = new SQSClient(configOf(inRegion(aws, region)));
      const probed = await probe('sqs:GetQueueAttributes', async () => {
        const { Attributes = {} } = await client.send(
          new GetQueueAttributesCommand({
            QueueUrl: physicalId,
            AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
          }),
        );
        return {
          messages: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
          underWay: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
        };
      });
      client.destroy();
      const name = physicalId.split('/').at(-1) ?? physicalId;
      return { name, isDeadLetters: /DeadLetters|FailedRuns|FailedExports|Unforwarded/.test(logicalId), probed };
    }),
  );
}

export async function probeFeeds(aws: Aws, stacks: Stacks): Promise<Facts['feeds']> {
  const client = new LambdaClient(configOf(aws));
  const feeds = await Promise.all(
    resourcesOf(stacks, 'AWS::Lambda::EventSourceMapping').map(async ({ physicalId: name }) => ({
      name,
      probed: await probe('lambda:GetEventSourceMapping', async () => {
        const { State } = await client.send(new GetEventSourceMappingCommand({ UUID: name }));
        return State ?? 'unknown';
      }),
    })),
  );
  client.destroy();
  return feeds;
}

export async function probeSchedules(aws: Aws, stacks: Stacks): Promise<Facts['schedules']> {
  const client = new SchedulerClient(configOf(aws));
  const schedules = await Promise.all(
    resourcesOf(stacks, 'AWS::Scheduler::Schedule').map(async ({ physicalId: name }) => ({
      name,
      probed: await probe('scheduler:GetSchedule', async () => {
        const { State, ScheduleExpression = '', Target } = await client.send(new GetScheduleCommand({ Name: name }));
        return { isEnabled: State === 'ENABLED', expression: ScheduleExpression, targetArn: Target?.Arn ?? '' };
      }),
    })),
  );
  client.destroy();
  return schedules;
}
