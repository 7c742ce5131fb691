// Alarms: how they stand, who hears of them, and whether what CloudWatch told has arrived.
import {
  type AlarmHistoryItem,
  CloudWatchClient,
  DescribeAlarmsCommand,
  paginateDescribeAlarmHistory,
} from '@aws-sdk/client-cloudwatch';
import { ListSubscriptionsByTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { DAY_MS } from '../../../lambdas/domain/hour.ts';
import { type Aws, configOf, inRegion } from '../../aws.ts';
import type { AlarmFacts, Facts, Keyed, StackFacts, Undelivered } from '../facts.ts';
import { probe } from '../probed.ts';
import { resourcesOf } from './stacks.ts';

export function probeAlarms(aws: Aws, stacks: readonly Keyed<StackFacts>[]): Promise<Facts['alarms']> {
  return probe('cloudwatch:DescribeAlarms', async () => {
    const made = resourcesOf(stacks, 'AWS::CloudWatch::Alarm');
    const alarms: AlarmFacts[] = [];
    for (const [region, resources] of Map.groupBy(made, (each) => each.region)) {
      const client = new CloudWatchClient(configOf(inRegion(aws, region)));
      const names = resources.map(({ physicalId }) => physicalId);
      // AWS takes a hundred names at a time.
      for (let from = 0; from < names.length; from += 100) {
        const { MetricAlarms = [] } = await client.send(
          new DescribeAlarmsCommand({ AlarmNames: names.slice(from, from + 100), MaxRecords: 100 }),
        );
        alarms.push(
          ...MetricAlarms.map(({ AlarmName = '', StateValue, AlarmActions = [], ActionsEnabled }) => ({
            name: AlarmName,
            isRaised: StateValue === 'ALARM',
            actions: ActionsEnabled === false ? [] : AlarmActions,
          })),
        );
      }
      client.destroy();
    }
    return alarms;
  });
}

/** Others in the account have alarms, too: two thousand lines of theirs and ours, and the doctor is not kept waiting. */
const PAGES_READ = 20;

/** A week of what CloudWatch did for alarms, the newest first. */
export function probeUndelivered(
  aws: Aws,
  stacks: readonly Keyed<StackFacts>[],
  nowMs: number,
): Promise<Facts['undelivered']> {
  return probe('cloudwatch:DescribeAlarmHistory', async () => {
    const made = Map.groupBy(resourcesOf(stacks, 'AWS::CloudWatch::Alarm'), ({ region }) => region);
    const found: Undelivered[] = [];
    for (const [region, resources] of made) {
      const client = new CloudWatchClient(configOf(inRegion(aws, region)));
      const names = new Set(resources.map(({ physicalId }) => physicalId));
      const ours: AlarmHistoryItem[] = [];
      let pagesRead = 0;
      const pages = paginateDescribeAlarmHistory(
        { client, pageSize: 100 },
        {
          HistoryItemType: 'Action',
          StartDate: new Date(nowMs - 7 * DAY_MS),
          EndDate: new Date(nowMs),
          ScanBy: 'TimestampDescending',
        },
      );
      for await (const { AlarmHistoryItems = [] } of pages) {
        ours.push(...AlarmHistoryItems.filter(({ AlarmName = '' }) => names.has(AlarmName)));
        pagesRead += 1;
        if (pagesRead === PAGES_READ) break;
      }
      client.destroy();
      found.push(...undeliveredOf(ours));
    }
    return found;
  });
}

/** `Successfully executed action <ARN>`, or `Failed to execute action <ARN>. Received error: …`. */
const ACTION = /^(Successfully|Failed)\b.*?\baction (arn:[^\s.]+)[.\s]*(.*)$/s;

function undeliveredOf(items: readonly AlarmHistoryItem[]): Undelivered[] {
  const last = new Map<string, { readonly isFailed: boolean; readonly reason: string }>();
  for (const { HistorySummary = '' } of items) {
    const [, how, topic = '', reason = ''] = ACTION.exec(HistorySummary) ?? [];
    if (how !== undefined && !last.has(topic)) last.set(topic, { isFailed: how === 'Failed', reason });
  }
  return [...last].flatMap(([topic, { isFailed, reason }]) => (isFailed ? [{ topic, reason }] : []));
}

/** How many have confirmed a subscription to each topic of alarms. */
export function probeAlarmTopics(aws: Aws, topics: readonly string[]): Promise<Facts['alarmTopics']> {
  return Promise.all(
    topics.map(async (name) => {
      const client = new SNSClient(configOf(inRegion(aws, name.split(':')[3] ?? aws.region)));
      const probed = await probe('sns:ListSubscriptionsByTopic', async () => {
        const { Subscriptions = [] } = await client.send(new ListSubscriptionsByTopicCommand({ TopicArn: name }));
        return Subscriptions.filter(({ SubscriptionArn = '' }) => SubscriptionArn.startsWith('arn:')).length;
      });
      client.destroy();
      return { name, probed };
    }),
  );
}
