// Where a deployment's alarms go: to the topics that the settings name, and to people by mail.
import type { Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { AlarmSettings } from './alarm-settings.ts';
import { type AlarmRoutes, alarmBook, routeAlarms } from './constructs/alarm-book.ts';
import { keyOf } from './constructs/encryption.ts';

/** Which topic is told of which alarms. Topics have to be in the region of the alarms: CloudWatch reaches no other. */
export interface AlarmTopics {
  readonly any: readonly ITopic[];
  /** ARNs. */
  readonly anyArn?: string | undefined;
  readonly highArn?: string | undefined;
  readonly lowArn?: string | undefined;
}

/** A topic of ours that mails people; undefined where nobody is to be mailed. */
export function mailTopic(stack: Stack, { emails }: AlarmSettings): ITopic | undefined {
  if (emails.length === 0) return undefined;
  const masterKey = keyOf(stack);
  const topic = new Topic(stack, 'AlarmMails', {
    displayName: 'AWS Marketplace fulfillment',
    enforceSSL: true,
    ...(masterKey ? { masterKey } : {}),
  });
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
  return topic;
}

/** Sends a stack's alarms on their way, and has each name the runbook where people read it. */
export function sendAlarms(stack: Stack, { any, anyArn, highArn, lowArn }: AlarmTopics, settings: AlarmSettings): void {
  const actionOf = (id: string, arn: string | undefined) =>
    arn === undefined ? [] : [new SnsAction(Topic.fromTopicArn(stack, id, arn))];
  const routes: AlarmRoutes = {
    any: [...any.map((topic) => new SnsAction(topic)), ...actionOf('AlarmTopic', anyArn)],
    high: actionOf('HighAlarmTopic', highArn),
    low: actionOf('LowAlarmTopic', lowArn),
  };
  routeAlarms(stack, routes);
  const { runbookUrl } = settings;
  if (runbookUrl !== undefined) for (const alarm of alarmBook(stack)) alarm.linkTo(runbookUrl);
}
