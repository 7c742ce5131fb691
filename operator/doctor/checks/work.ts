// What brings work to the functions, and who hears where it does not: queues, schedules, alarms.
import type { Facts } from '../facts.ts';
import { type Finding, note, ok, problem } from '../finding.ts';
import { unseen } from '../probed.ts';

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
      const { spanMinutes, invocations, errors, throttles } = probed.value;
      const heading = handler === 'export-audit' ? 'auditnotexported' : 'schedulefailed';
      const remedy = `docs/runbook.md#${heading}; aws logs tail of ${handler}'s log group shows its last runs.`;
      if (invocations === 0) {
        return [
          problem('ScheduleSilent', subject, {
            seen: `It has not run for ${spanMinutes} minutes.`,
            expected: 'a run at every tick of its schedule',
            remedy,
          }),
        ];
      }
      if (throttles > 0) {
        const more = 'Ask AWS for more concurrent executions (Service Quotas, Lambda, L-B99A9384).';
        return [
          problem('FunctionThrottled', subject, {
            seen: `${throttles} runs were throttled in ${spanMinutes} minutes.`,
            expected: 'none',
            remedy: more,
          }),
        ];
      }
      if (errors === 0) return [];
      return [
        problem('ScheduleFailing', subject, {
          seen: `${errors} of ${invocations} runs failed in ${spanMinutes} minutes.`,
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

export function checkAlarms({
  alarms,
  alarmTopics,
  undelivered,
}: Pick<Facts, 'alarms' | 'alarmTopics' | 'undelivered'>): Finding[] {
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
          'Set alarms.emails in cdk.json, or alarmTopicArn (and noticeAlarmTopicArn) to topics that have readers, and deploy.',
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
  const untold = unseen('AlarmUndelivered', 'history of alarms', undelivered);
  if (untold) found.push(untold);
  for (const { topic, reason } of undelivered.kind === 'seen' ? undelivered.value : []) {
    found.push(
      problem('AlarmUndelivered', `topic ${topic}`, {
        seen: `CloudWatch could not hand over the last alarm. ${reason}`,
        expected: 'alarms that arrive',
        remedy: 'Let CloudWatch publish to it and use its key: docs/alarms.md#who-is-told.',
      }),
    );
  }
  return found.length > 0
    ? found
    : [ok('AlarmUnheard', 'alarms', `None of ${alarms.value.length} is raised, and each has a reader.`)];
}
