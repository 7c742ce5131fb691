// What moves: AWS's notices into the queue, queues into functions, schedules, and who hears an alarm.
import { NOTICE_SOURCE } from '../../../lambdas/contracts/marketplace-notice.ts';
import type { Facts } from '../facts.ts';
import { type Finding, note, ok, problem } from '../finding.ts';
import { unseen } from '../probed.ts';
import { NOTICE_REGION } from '../regions.ts';

export function checkNotices({
  rules,
  topics,
  settings,
  region,
}: Pick<Facts, 'rules' | 'topics' | 'settings' | 'region'>): Finding[] {
  const found: Finding[] = rules.flatMap(({ name, resource, probed }): Finding[] => {
    const subject = `rule ${name} in ${resource.region}`;
    const missed = unseen('NoticeRuleMissing', subject, probed);
    if (missed) return [missed];
    if (probed.kind !== 'seen') return [];
    const { isEnabled, pattern, targetArns } = probed.value;
    const harm = 'AWS tells of buyers who come and leave, and nobody hears it';
    const at = `--name ${name} --region ${resource.region}`;
    const wrong: Finding[] = [];
    if (!isEnabled) {
      const remedy = `aws events enable-rule ${at}`;
      wrong.push(
        problem('NoticeRuleDisabled', subject, { seen: `It is disabled: ${harm}.`, expected: 'enabled', remedy }),
      );
    }
    if (targetArns.length === 0) {
      const remedy = `npx cdk deploy --all; aws events list-targets-by-rule --rule ${name} --region ${resource.region} shows what is there.`;
      wrong.push(
        problem('NoticeRuleAimless', subject, { seen: `It has no target: ${harm}.`, expected: 'the queue', remedy }),
      );
    }
    if (!takesAll(pattern)) {
      wrong.push(
        problem('NoticeRuleNarrow', subject, {
          seen: `Its pattern is ${pattern}.`,
          expected: `every event of the source ${NOTICE_SOURCE}`,
          remedy: 'npx cdk deploy --all restores it.',
        }),
      );
    }
    return wrong;
  });
  const hears = rules.some(({ resource }) => resource.region === NOTICE_REGION);
  if (!hears && rules.length > 0) {
    found.push(
      problem('NoticeRuleElsewhere', `rules in ${region}`, {
        seen: `No rule stands in ${NOTICE_REGION}, the only region in which AWS Marketplace puts its events on the bus.`,
        expected: `a rule in ${NOTICE_REGION} that hands them on`,
        remedy: `npx cdk deploy NoticeForwarding (npx cdk bootstrap ${NOTICE_REGION} first, once).`,
      }),
    );
  }
  found.push(...topicFindings(topics, settings));
  return found.length > 0 || rules.length === 0
    ? found
    : [ok('NoticeRuleMissing', 'AWS’s notices', 'The rules are enabled and take everything.')];
}

/** Anything narrower than the source loses events that AWS adds. */
function takesAll(pattern: string): boolean {
  try {
    const { source, ...narrower } = JSON.parse(pattern) as { source?: unknown };
    return Array.isArray(source) && source.includes(NOTICE_SOURCE) && Object.keys(narrower).length === 0;
  } catch {
    return false;
  }
}

function topicFindings(topics: Facts['topics'], settings: Facts['settings']): Finding[] {
  const found = topics.flatMap(({ name, probed }): Finding[] => {
    const subject = `topic ${name}`;
    if (probed.kind === 'seen' && probed.value === 'confirmed') return [];
    if (probed.kind === 'denied' || probed.kind === 'failed')
      return [unseen('TopicUnsubscribed', subject, probed)].flatMap((each) => each ?? []);
    return [
      problem('TopicUnsubscribed', subject, {
        seen:
          probed.kind === 'seen'
            ? 'The subscription waits for its confirmation.'
            : 'The queue of notices is not subscribed to it.',
        expected: 'a confirmed subscription of the queue',
        remedy: 'npx cdk deploy Lifecycle, as the account that published the product: AWS lets no other subscribe.',
      }),
    ];
  });
  if (!('deployment' in settings)) return found;
  const { products, legacyTopics } = settings.deployment;
  const silent = products.filter(
    ({ identityStyle, productCode }) =>
      identityStyle === 'legacy' && !legacyTopics.some((topic) => topic.endsWith(`-${productCode}`)),
  );
  return [
    ...found,
    ...silent.map(({ productCode }) =>
      problem('TopicUnnamed', `product ${productCode}`, {
        seen: 'AWS tells of it by SNS, and no topic of it is subscribed.',
        expected: 'its two topics in legacyTopics',
        remedy:
          'Copy both ARNs from the product’s page in the management portal into legacyTopics (docs/deployment.md#awss-notices).',
      }),
    ),
  ];
}

export function checkQueues({ queues, feeds }: Pick<Facts, 'queues' | 'feeds'>): Finding[] {
  const found = [
    ...queues.flatMap(({ name, isDeadLetters, probed }): Finding[] => {
      const subject = `queue ${name}`;
      const missed = unseen('QueueMissing', subject, probed);
      if (missed) return [missed];
      if (probed.kind !== 'seen') return [];
      const { messages } = probed.value;
      if (isDeadLetters && messages > 0) {
        return [
          problem('DeadLetters', subject, {
            seen: `${messages} messages were given up.`,
            expected: 'none',
            remedy:
              'Mend the cause, then redrive them: docs/runbook.md#dead-letters-of-notices, #dead-letters-of-webhooks.',
          }),
        ];
      }
      if (messages <= MANY_MESSAGES) return [];
      return [
        note('MessagesWait', subject, {
          seen: `${messages} messages wait.`,
          expected: 'a queue that is soon empty',
          remedy: 'Look whether its function fails: docs/runbook.md#notices-waiting.',
        }),
      ];
    }),
    ...feeds.flatMap(({ name, probed }): Finding[] => {
      const subject = `feed of ${name}`;
      const missed = unseen('FeedStopped', subject, probed);
      if (missed) return [missed];
      if (probed.kind !== 'seen' || /^(Enabled|Enabling|Creating|Updating)$/.test(probed.value)) return [];
      return [
        problem('FeedStopped', subject, {
          seen: `Lambda takes nothing from the queue: ${probed.value}.`,
          expected: 'Enabled',
          remedy: `aws lambda update-event-source-mapping --uuid ${name} --enabled`,
        }),
      ];
    }),
  ];
  return found.length > 0 || queues.length === 0
    ? found
    : [ok('DeadLetters', 'queues', 'Nothing lies among the dead letters, and nothing waits.')];
}

const MANY_MESSAGES = 100;

export function checkSchedules({ schedules, runs }: Pick<Facts, 'schedules' | 'runs'>): Finding[] {
  const found = [
    ...schedules.flatMap(({ name, probed }): Finding[] => {
      const subject = `schedule ${name}`;
      const missed = unseen('ScheduleMissing', subject, probed);
      if (missed) return [missed];
      if (probed.kind !== 'seen' || probed.value.isEnabled) return [];
      return [
        problem('ScheduleDisabled', subject, {
          seen: `It is disabled, so ${functionOf(probed.value.targetArn)} does not run: usage is lost a day later.`,
          expected: 'enabled',
          remedy: 'Enable it in the console of EventBridge Scheduler, or npx cdk deploy --all --force.',
        }),
      ];
    }),
    ...runs.flatMap(({ handler, probed }): Finding[] => {
      const subject = `function ${handler}`;
      const missed = unseen('ScheduleSilent', subject, probed);
      if (missed) return [missed];
      if (probed.kind !== 'seen') return [];
      const { invocations, errors, throttles } = probed.value;
      const remedy = `docs/runbook.md#schedulefailed; aws logs tail of ${handler}'s log group shows its last runs.`;
      if (invocations === 0) {
        return [
          problem('ScheduleSilent', subject, {
            seen: 'It has not run for half an hour.',
            expected: 'a run every minute or quarter of an hour',
            remedy,
          }),
        ];
      }
      if (throttles > 0) {
        const more = 'Ask AWS for more concurrent executions (Service Quotas, Lambda, L-B99A9384).';
        return [
          problem('FunctionThrottled', subject, {
            seen: `${throttles} runs were throttled in half an hour.`,
            expected: 'none',
            remedy: more,
          }),
        ];
      }
      if (errors === 0) return [];
      return [
        problem('ScheduleFailing', subject, {
          seen: `${errors} of ${invocations} runs failed in half an hour.`,
          expected: 'none',
          remedy,
        }),
      ];
    }),
  ];
  return found.length > 0 || schedules.length === 0
    ? found
    : [ok('ScheduleDisabled', 'schedules', `All ${schedules.length} are enabled, and run.`)];
}

function functionOf(arn: string): string {
  return arn.split(':').at(-1) ?? arn;
}

export function checkAlarms({ alarms, alarmTopics }: Pick<Facts, 'alarms' | 'alarmTopics'>): Finding[] {
  const missed = unseen('AlarmUnheard', 'alarms', alarms);
  if (missed) return [missed];
  if (alarms.kind !== 'seen') return [];
  const mute = alarms.value.filter(({ actions }) => actions.length === 0);
  const found: Finding[] = alarms.value
    .filter(({ isRaised }) => isRaised)
    .map(({ name }) =>
      problem('AlarmRaised', `alarm ${name}`, {
        seen: 'It is raised.',
        expected: 'no alarm',
        remedy: `aws cloudwatch describe-alarms --alarm-names ${name} says who is harmed, and names the heading of docs/runbook.md.`,
      }),
    );
  if (mute.length > 0) {
    found.push(
      problem('AlarmUnheard', 'alarms', {
        seen: `${mute.length} of ${alarms.value.length} alarms tell nobody, ${mute[0]?.name} among them.`,
        expected: 'a topic that somebody reads',
        remedy:
          'Make an SNS topic, subscribe to it, set alarmTopicArn (and noticeAlarmTopicArn) in cdk.json, and deploy.',
      }),
    );
  }
  for (const { name, probed } of alarmTopics) {
    const subject = `topic ${name}`;
    const hidden = unseen('AlarmUnheard', subject, probed);
    if (hidden) found.push(hidden);
    if (probed.kind !== 'seen' || probed.value > 0) continue;
    const remedy = `aws sns subscribe --topic-arn ${name} --protocol email --notification-endpoint ADDRESS, then confirm the mail.`;
    found.push(
      problem('AlarmUnheard', subject, {
        seen: 'Nobody has confirmed a subscription to it.',
        expected: 'a reader',
        remedy,
      }),
    );
  }
  return found.length > 0
    ? found
    : [ok('AlarmUnheard', 'alarms', `None of ${alarms.value.length} is raised, and each has a reader.`)];
}
