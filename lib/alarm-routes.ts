// Where a deployment's alarms go: to the topics that the settings name, and to people by mail.
import type { Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { AlarmSettings } from './alarm-settings.ts';
import { type AlarmRoutes, alarmBook, routeAlarms } from './constructs/alarm-book.ts';
import { keyOf } from './constructs/encryption.ts';
import type { Deployment } from './deployment.ts';

/** The ARN of the topic that is told of which alarms. It has to be in the alarms' region: CloudWatch reaches no other. */
export interface AlarmTopics {
  /** Of ours, which mails people. */
  readonly mailsArn?: string | undefined;
  readonly anyArn?: string | undefined;
  readonly highArn?: string | undefined;
  readonly lowArn?: string | undefined;
}

/**
 * A topic of ours that mails people; undefined where nobody is to be mailed. Other stacks know it by its name: a
 * reference would keep it from going, once nobody is to be mailed any more, until their alarms have let go of it.
 */
export function mailTopicArn(
  stack: Stack,
  { stage, alarms }: Pick<Deployment, 'stage' | 'alarms'>,
): string | undefined {
  const { emails } = alarms;
  if (emails.length === 0) return undefined;
  const masterKey = keyOf(stack);
  const topicName = `fulfillment-${stage}-alarm-mails`;
  const topic = new Topic(stack, 'AlarmMails', {
    topicName,
    displayName: 'AWS Marketplace fulfillment',
    enforceSSL: true,
    ...(masterKey ? { masterKey } : {}),
  });
  // Having a policy at all, the topic lacks the one of SNS, which lets in whatever belongs to the account.
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AlarmsOfThisAccount',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
  );
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
  return stack.formatArn({ service: 'sns', resource: topicName });
}

/** Sends a stack's alarms on their way, and has each name the runbook where people read it. */
export function sendAlarms(stack: Stack, topics: AlarmTopics, settings: AlarmSettings): void {
  const { mailsArn, anyArn, highArn, lowArn } = topics;
  const actionOf = (id: string, arn: string | undefined) =>
    arn === undefined ? [] : [new SnsAction(Topic.fromTopicArn(stack, id, arn))];
  const routes: AlarmRoutes = {
    any: [...actionOf('MailsOfAlarms', mailsArn), ...actionOf('AlarmTopic', anyArn)],
    high: actionOf('HighAlarmTopic', highArn),
    low: actionOf('LowAlarmTopic', lowArn),
  };
  routeAlarms(stack, routes);
  const { runbookUrl } = settings;
  if (runbookUrl !== undefined) for (const alarm of alarmBook(stack)) alarm.linkTo(runbookUrl);
}
