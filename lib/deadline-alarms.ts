// Alarms that come before the loss: on the time that is left, and on a sender of whom AWS takes nothing.
import { Duration } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { MetricName } from '../lambdas/runtime/metric.ts';
import type { AlarmSettings } from './alarm-settings.ts';
import { BookedAlarm, type Severity } from './constructs/alarm-book.ts';
import { FIVE_MINUTES } from './constructs/alarm-period.ts';
import { ourMetric } from './our-metric.ts';

const MINUTE = Duration.minutes(1);

export function addDeadlineAlarms(scope: Construct, stage: string, settings: AlarmSettings): void {
  const { timeLeftHours, monthEndLeftHours, endingLeftMinutes, noSendHours } = settings;
  const first = Math.max(...timeLeftHours);
  for (const hours of timeLeftHours) {
    addTimeLeft(scope, {
      stage,
      metric: 'SecondsLeft',
      name: `deadline-in-${hours}h`,
      severity: hours === first && timeLeftHours.length > 1 ? 'low' : 'high',
      impact: `Usage that AWS has not taken has ${hours} hours left or less; after that the seller is never paid for it`,
      remedy: 'docs/runbook.md#time-is-running-out',
      minutes: hours * 60,
    });
  }
  for (const hours of monthEndLeftHours) {
    addTimeLeft(scope, {
      stage,
      metric: 'SecondsLeftAtMonthEnd',
      name: `month-end-in-${hours}h`,
      severity: 'high',
      impact: `Usage of the month's last hours, which AWS takes until 06:00 UTC on the 1st, has ${hours} hours left or less; after that the seller is never paid for it`,
      remedy: 'docs/runbook.md#time-is-running-out',
      minutes: hours * 60,
    });
  }
  addTimeLeft(scope, {
    stage,
    metric: 'SecondsLeftOfEnding',
    name: `ending-in-${endingLeftMinutes}min`,
    severity: 'high',
    impact: `The last usage of a customer whose licence has ended has ${endingLeftMinutes} minutes left or less; after that the seller is never paid for it`,
    remedy: 'docs/runbook.md#time-is-running-out',
    minutes: endingLeftMinutes,
  });
  addNoSend(scope, stage, noSendHours);
}

interface TimeLeft {
  readonly stage: string;
  readonly metric: MetricName;
  readonly name: string;
  readonly severity: Severity;
  readonly impact: string;
  readonly remedy: string;
  readonly minutes: number;
}

function addTimeLeft(scope: Construct, { stage, metric, minutes, name, severity, impact, remedy }: TimeLeft): void {
  new BookedAlarm(scope, name, {
    name,
    severity,
    impact,
    remedy,
    metric: ourMetric({ stage, name: metric, statistic: 'Minimum', period: MINUTE }),
    // At exactly so much, too: CloudWatch compares whole seconds.
    below: minutes * 60 + 1,
    // That the numbers stop is another alarm, and no reason to take this one back.
    withoutData: TreatMissingData.IGNORE,
  });
}

/** A sender that does not run gives no numbers: none honoured is then as good as 0. */
function addNoSend(scope: Construct, stage: string, hours: number): void {
  const usingMetrics = {
    open: ourMetric({ stage, name: 'RecordsOpen', statistic: 'Minimum', period: FIVE_MINUTES }),
    honoured: ourMetric({ stage, name: 'RecordsHonoured', statistic: 'Sum', period: FIVE_MINUTES }),
  };
  new BookedAlarm(scope, 'no-send', {
    name: 'no-send',
    severity: 'high',
    impact: `For ${hours} hours records have waited and AWS has taken none: soon no usage is billed, and the seller loses an hour of it every hour`,
    remedy: 'docs/runbook.md#nothing-is-sent',
    metric: new MathExpression({
      expression: 'IF(open > 0 AND FILL(honoured, 0) < 1, 1, 0)',
      usingMetrics,
      label: 'records wait and none is taken',
      period: FIVE_MINUTES,
    }),
    above: 0,
    periods: hours * (60 / FIVE_MINUTES.toMinutes()),
    withoutData: TreatMissingData.IGNORE,
  });
}
