// Alarms on what waits for a person: records, usage, buyers, events.
import { Duration } from 'aws-cdk-lib';
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { MetricName } from '../lambdas/runtime/metric.ts';
import type { AlarmSettings } from './alarm-settings.ts';
import { BookedAlarm, type BookedAlarmProps } from './constructs/alarm-book.ts';
import { FIVE_MINUTES } from './constructs/alarm-period.ts';
import { ourMetric } from './our-metric.ts';

const HOUR = Duration.hours(1);

/** An alarm on one number of ours. */
interface Trouble extends Omit<BookedAlarmProps, 'metric' | 'above' | 'below'> {
  readonly metric: MetricName;
  readonly statistic: 'Sum' | 'Maximum';
  readonly period: Duration;
  /** @default 0 */
  readonly above?: number;
}

/** How many records stand so, told every minute. Gone data is no reason to take an alarm back. */
const STANDING = { statistic: 'Maximum', period: FIVE_MINUTES, withoutData: TreatMissingData.IGNORE } as const;

/** What happened within a span. */
const COUNTED = { statistic: 'Sum', period: HOUR } as const;

function troubles({ refusedTokens }: AlarmSettings): readonly Trouble[] {
  return [
    {
      ...STANDING,
      name: 'records-held',
      severity: 'low',
      metric: 'RecordsHeld',
      // Two tries and more: a buyer who is just subscribing is no trouble.
      periods: 6,
      impact:
        "AWS does not take a customer's usage now, for half an hour at least; the seller is not paid for it if that lasts until its deadline",
      remedy: 'docs/runbook.md#held',
    },
    {
      ...STANDING,
      name: 'records-quarantined',
      severity: 'high',
      metric: 'RecordsQuarantined',
      impact:
        "AWS refused a customer's record for what is in it, and it is not sent again until a person releases it; after its deadline the seller is never paid for it",
      remedy: 'docs/runbook.md#quarantined',
    },
    {
      ...STANDING,
      name: 'groups-held',
      severity: 'high',
      metric: 'GroupsHeld',
      impact:
        'Records of a product, dimension or customer are not sent any more since AWS refused one like them; each expires at its deadline and the seller is never paid for it',
      remedy: 'docs/runbook.md#held-groups',
    },
    {
      ...STANDING,
      name: 'records-disputed',
      severity: 'low',
      metric: 'RecordsDisputed',
      impact:
        'AWS holds another amount for an hour than we do: a customer was billed too much, or the seller too little',
      remedy: 'docs/runbook.md#disputed',
    },
    {
      ...STANDING,
      name: 'records-uncertain',
      severity: 'low',
      metric: 'RecordsUncertain',
      impact:
        'Nobody knows whether AWS has taken some usage, and its deadline has passed: it was billed, or the seller lost it',
      remedy: 'docs/runbook.md#uncertain',
    },
    {
      ...STANDING,
      name: 'records-expired',
      severity: 'high',
      metric: 'RecordsExpired',
      impact:
        'AWS has not taken some usage by its deadline: the seller is not paid for it, and what kept it may still go on',
      remedy: 'docs/runbook.md#expired',
    },
    {
      ...STANDING,
      name: 'usage-held-late',
      severity: 'low',
      metric: 'RecordsHeldLate',
      impact:
        'Usage came too late for its hour and for any other: the seller is not paid for it unless somebody carries it on',
      remedy: 'docs/runbook.md#held-as-late',
    },
    {
      ...STANDING,
      name: 'hours-unclosed',
      severity: 'high',
      metric: 'HoursUnclosed',
      periods: 2,
      impact:
        'An hour that is over has not been closed: none of its usage is on its way to AWS, and the seller loses it about a day later',
      remedy: 'docs/runbook.md#hours-are-not-closed',
    },
    {
      ...COUNTED,
      name: 'ledger-broken',
      severity: 'high',
      metric: 'MetersBroken',
      impact: "A customer's hour holds less usage than was accounted for, or other usage: it may be billed wrongly",
      remedy: 'docs/runbook.md#ledgerbroken',
    },
    {
      ...COUNTED,
      name: 'books-unbalanced',
      severity: 'high',
      metric: 'MetersUnbalanced',
      impact:
        "The books of a customer's hour do not balance: some of its usage stands nowhere, or twice, and may be billed wrongly",
      remedy: 'docs/runbook.md#books-that-do-not-balance',
    },
    {
      ...COUNTED,
      name: 'usage-refused',
      severity: 'low',
      metric: 'EventsRefused',
      impact:
        'The product reports usage that is refused: the seller is not paid for it unless it is mended and reported again in time',
      remedy: 'docs/runbook.md#rejected-usage',
    },
    {
      ...COUNTED,
      name: 'usage-awaits-licence',
      severity: 'low',
      metric: 'MetersAwaitingLicence',
      // Usage that is a little faster than its buyer is usual.
      periods: 6,
      impact:
        'For six hours usage has come in of a licence that nobody has registered: the seller is not paid for it until its buyer is known',
      remedy: 'docs/runbook.md#usage-of-an-unknown-licence',
    },
    {
      ...COUNTED,
      name: 'tokens-refused',
      period: FIVE_MINUTES,
      severity: 'high',
      metric: 'TokensRefused',
      above: refusedTokens - 1,
      impact: `${refusedTokens} registrations or more were refused within five minutes: buyers who have subscribed are shown an error`,
      remedy: 'docs/runbook.md#registrations-refused',
    },
    {
      ...STANDING,
      name: 'agreements-to-link',
      severity: 'low',
      metric: 'LinksWaiting',
      impact:
        "A buyer's new agreement replaces one of several and AWS does not say which: the customer has no access by it until a person links it",
      remedy: 'docs/runbook.md#agreements-that-wait',
    },
    {
      ...STANDING,
      name: 'events-untold',
      severity: 'high',
      metric: 'OldestUntoldSeconds',
      above: Duration.minutes(10).toSeconds(),
      impact: 'The product has not been told for ten minutes of a customer whose access has changed',
      remedy: 'docs/runbook.md#eventrefused-tellingincomplete',
    },
    {
      ...STANDING,
      name: 'audit-behind',
      period: HOUR,
      severity: 'low',
      metric: 'FilesBehind',
      // One is due each hour, and a day of them may wait.
      above: 24,
      impact:
        'The audit trail of a day has not been archived: the seller cannot show later what was sent and what AWS answered',
      remedy: 'docs/runbook.md#auditnotexported',
    },
    {
      ...COUNTED,
      name: 'webhooks-given-up',
      severity: 'low',
      metric: 'WebhooksGivenUp',
      impact:
        'A webhook endpoint of the product was not told of a customer, and will not be unless somebody has it sent again',
      remedy: 'docs/runbook.md#webhookgivenup',
    },
    {
      ...COUNTED,
      name: 'mails-given-up',
      severity: 'low',
      metric: 'MailsGivenUp',
      impact: 'A buyer, or the seller, was not mailed what was to be said, and will not be: SES does not take the mail',
      remedy: 'docs/runbook.md#mailgivenup',
    },
  ];
}

export function addTroubleAlarms(scope: Construct, stage: string, settings: AlarmSettings): void {
  for (const { metric, statistic, period, above = 0, ...props } of troubles(settings)) {
    const number = ourMetric({ stage, name: metric, statistic, period });
    new BookedAlarm(scope, props.name, { ...props, metric: number, above });
  }
}
