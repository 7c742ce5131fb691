// The settings of alarms: who is told, and how much time is left when they are.
import * as v from 'valibot';
import { arnOf } from './arn-setting.ts';

/** CloudWatch counts in minutes; a number of hours such as 0.5 is fine, one such as 0.001 is not. */
const Hours = v.pipe(v.number(), v.minValue(0.25, 'has to be 0.25 or more'), v.maxValue(24, 'has to be 24 or less'));

function stepsSchema(hours: readonly number[]) {
  return v.optional(
    v.pipe(
      v.array(Hours),
      v.minLength(1, 'has to name an hour'),
      v.maxLength(6, 'takes 6 at most'),
      v.check((steps) => new Set(steps).size === steps.length, 'names a number twice'),
    ),
    [...hours],
  );
}

const Email = v.pipe(v.string(), v.email('has to be an e-mail address'));

const Topic = arnOf('sns');

const AlarmSettingsSchema = v.strictObject({
  /** The topic of alarms that somebody is to be woken for, besides `alarmTopicArn`. */
  highTopicArn: v.exactOptional(Topic),
  /** The topic of those that can wait. */
  lowTopicArn: v.exactOptional(Topic),
  /** Who is mailed every alarm. AWS asks each of them first whether that is wanted. */
  emails: v.optional(v.pipe(v.array(Email), v.maxLength(20, 'takes 20 at most')), []),
  /** Where people read docs/runbook.md; each alarm then links to its heading there. */
  runbookUrl: v.exactOptional(
    v.pipe(
      v.string(),
      v.regex(/^https:\/\/[^\s#]{1,300}$/, 'has to be an https address without # and what follows it'),
    ),
  ),
  /** Hours left to a record's deadline at which somebody is told. The longest alone is not urgent. */
  timeLeftHours: stepsSchema([12, 6, 2]),
  /** The same for the month's last hours, which AWS takes until 06:00 on the 1st. */
  monthEndLeftHours: stepsSchema([3, 1]),
  /** Minutes left to the last usage of a licence that ends. */
  endingLeftMinutes: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(5, 'has to be 5 or more'), v.maxValue(55, 'has to be 55 or less')),
    30,
  ),
  /** Hours in which records wait and AWS takes none. */
  noSendHours: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1, 'has to be 1 or more'), v.maxValue(12, 'has to be 12 or less')),
    2,
  ),
  /** Registration tokens refused within five minutes. */
  refusedTokens: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1, 'has to be 1 or more')), 10),
});

/** Members of a deployment's settings. */
export const AlarmMembers = {
  /** The topic that every alarm is sent to; without it they only show in CloudWatch. */
  alarmTopicArn: v.exactOptional(Topic),
  /** The same in us-east-1, where AWS's notices are forwarded from if the home is elsewhere. */
  noticeAlarmTopicArn: v.exactOptional(Topic),
  /** Who else is told of alarms, and when. */
  alarms: v.optional(AlarmSettingsSchema, {}),
};

const AlarmsSchema = v.strictObject(AlarmMembers);

/** What no member can know by itself; a sentence each. `noticeRegion`: where notices are forwarded from, if they are. */
export function alarmProblems(
  { alarmTopicArn, noticeAlarmTopicArn, alarms: { highTopicArn, lowTopicArn } }: v.InferOutput<typeof AlarmsSchema>,
  { homeRegion, noticeRegion }: { readonly homeRegion: string; readonly noticeRegion: string | undefined },
): string[] {
  const idle = 'noticeAlarmTopicArn: leave it out where no stack of this account hands AWS’s notices on';
  const topics = [
    { setting: 'alarmTopicArn', arn: alarmTopicArn, region: homeRegion },
    { setting: 'alarms.highTopicArn', arn: highTopicArn, region: homeRegion },
    { setting: 'alarms.lowTopicArn', arn: lowTopicArn, region: homeRegion },
    { setting: 'noticeAlarmTopicArn', arn: noticeAlarmTopicArn, region: noticeRegion },
  ];
  return topics.flatMap(({ setting, arn, region }) => {
    if (arn === undefined || arn.split(':')[3] === region) return [];
    return [region === undefined ? idle : `${setting}: the topic has to be in ${region}, where the alarms are`];
  });
}

export type AlarmSettings = v.InferOutput<typeof AlarmSettingsSchema>;
