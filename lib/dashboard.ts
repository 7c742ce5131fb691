// One page that answers "are we billing everything?": first the time left and what is at stake, then the way of usage
// to AWS, then what is in trouble, then the machinery and what it costs.
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { MetricName } from '../lambdas/runtime/metric.ts';
import { alarmBook, type BookedAlarm } from './constructs/alarm-book.ts';
import { FIVE_MINUTES } from './constructs/alarm-period.ts';
import { ourMetric } from './our-metric.ts';

export interface DashboardProps {
  readonly stage: string;
  /** The stacks whose alarms are shown; those of other regions are left out, which CloudWatch can't show. */
  readonly alarmed: readonly Stack[];
}

const HALF = 12;
const WHOLE = 24;
const HOUR = Duration.hours(1);

export function addDashboard(scope: Construct, { stage, alarmed }: DashboardProps): void {
  const board = new Board(stage);
  new Dashboard(scope, 'Dashboard', {
    dashboardName: `fulfillment-${stage}`,
    defaultInterval: Duration.days(1),
    widgets: [
      [
        heading(
          'Are we billing everything?',
          'Left: the least time before AWS stops taking something. All well: 24 h, 24 h, 1 h, and zeros beside it.',
        ),
      ],
      board.answers(),
      [alarmStatus(scope, alarmed)],
      [
        heading(
          'The way of usage',
          'Reported, sealed at the end of its hour, sent, honoured by AWS: the four follow each other within minutes of each full hour.',
        ),
      ],
      board.way(),
      [heading('Troubles', 'Each is a heading in the runbook.')],
      board.troubles(),
      [heading('Functions, queues, cost', '')],
      ...board.machinery(),
    ],
  });
}

class Board {
  readonly #stage: string;

  constructor(stage: string) {
    this.#stage = stage;
  }

  answers(): IWidget[] {
    return [
      this.#numbers('Time left (h)', [
        this.#hours('SecondsLeft', 'usage', 'Minimum'),
        this.#hours('SecondsLeftAtMonthEnd', 'at the month’s end', 'Minimum'),
        this.#hours('SecondsLeftOfEnding', 'of ending licences', 'Minimum'),
      ]),
      this.#numbers('Oldest waiting (h)', [
        this.#hours('OldestOpenSeconds', 'usage, since its hour', 'Maximum'),
        this.#hours('OldestUntoldSeconds', 'event to be told', 'Maximum'),
      ]),
      this.#numbers('Units at stake', [
        this.#latest('UnitsAtStake', 'at stake'),
        this.#latest('RecordsOpen', 'records to send'),
      ]),
      this.#numbers('Lost, in a week', [this.#latest('UnitsLost', 'units'), this.#latest('RecordsExpired', 'records')]),
    ];
  }

  way(): IWidget[] {
    const counts: readonly [MetricName, string][] = [
      ['EventsRecorded', 'events reported'],
      ['RecordsSealed', 'records sealed'],
      ['RecordsSent', 'records sent'],
      ['RecordsHonoured', 'records honoured'],
    ];
    return [
      this.#graph(
        'Reported → sealed → sent → honoured, an hour',
        counts.map(([name, label]) => this.#sum(name, label, HOUR)),
      ),
      this.#graph('Time left before AWS stops taking usage (h)', [
        this.#hours('SecondsLeft', 'usage', 'Minimum'),
        this.#hours('SecondsLeftAtMonthEnd', 'at the month’s end', 'Minimum'),
        this.#hours('SecondsLeftOfEnding', 'of ending licences', 'Minimum'),
      ]),
    ];
  }

  troubles(): IWidget[] {
    const records = ['Held', 'Quarantined', 'Disputed', 'Uncertain', 'Expired', 'HeldLate', 'Presumed'] as const;
    const others: readonly [MetricName, string][] = [
      ['HoursUnclosed', 'hours not closed'],
      ['GroupsHeld', 'groups held'],
      ['NoticesWaiting', 'notices waiting'],
      ['LinksWaiting', 'agreements to link'],
      ['EventsUntold', 'events not told'],
    ];
    const happened: readonly [MetricName, string][] = [
      ['EventsRefused', 'events refused'],
      ['TokensRedeemed', 'buyers came'],
      ['TokensRefused', 'tokens refused'],
      ['MetersBroken', 'ledger broken'],
      ['MetersUnbalanced', 'books unbalanced'],
      ['MetersAwaitingLicence', 'awaits a licence'],
      ['WebhooksGivenUp', 'webhooks given up'],
      ['MailsGivenUp', 'mails given up'],
      ['CallsThrottled', 'calls throttled by AWS'],
    ];
    return [
      this.#graph(
        'Records by what became of them',
        records.map((each) => this.#latest(`Records${each}`, each)),
        8,
      ),
      this.#graph(
        'Waiting',
        others.map(([name, label]) => this.#latest(name, label)),
        8,
      ),
      this.#graph(
        'Happened, an hour',
        happened.map(([name, label]) => this.#sum(name, label, HOUR)),
        8,
      ),
    ];
  }

  machinery(): IWidget[][] {
    // CloudWatch cuts names into words; every name of ours begins with these.
    const mine = `fulfillment ${this.#stage.replaceAll('-', ' ')}`;
    const search = (title: string, schema: string, metric: string, statistic: string, width = 8) =>
      new GraphWidget({
        title,
        width,
        left: [
          new MathExpression({
            expression: `SEARCH('{${schema}} MetricName="${metric}" ${mine}', '${statistic}', ${FIVE_MINUTES.toSeconds()})`,
            usingMetrics: {},
            label: '',
            period: FIVE_MINUTES,
          }),
        ],
      });
    return [
      [
        search('Runs', 'AWS/Lambda,FunctionName', 'Invocations', 'Sum'),
        search('Errors', 'AWS/Lambda,FunctionName', 'Errors', 'Sum'),
        search('Longest run (ms)', 'AWS/Lambda,FunctionName', 'Duration', 'Maximum'),
      ],
      [
        search('Queues: waiting and dead', 'AWS/SQS,QueueName', 'ApproximateNumberOfMessagesVisible', 'Maximum'),
        search('Writes: units of each table', 'AWS/DynamoDB,TableName', 'ConsumedWriteCapacityUnits', 'Sum'),
        search('Reads: units of each table', 'AWS/DynamoDB,TableName', 'ConsumedReadCapacityUnits', 'Sum'),
      ],
      [
        this.#graph('Calls of BatchMeterUsage, an hour', [
          this.#sum('CallsMade', 'calls', HOUR),
          this.#sum('CallsThrottled', 'throttled', HOUR),
        ]),
        this.#graph(
          'Audit trail: files, an hour',
          [this.#sum('FilesExported', 'archived', HOUR), this.#latest('FilesBehind', 'behind')],
          6,
        ),
        search('Answers of the APIs', 'AWS/ApiGateway,ApiName', 'Count', 'Sum', 6),
      ],
    ];
  }

  #numbers(title: string, metrics: IMetric[]): SingleValueWidget {
    return new SingleValueWidget({ title, metrics, width: 6, height: 4 });
  }

  #graph(title: string, left: IMetric[], width = HALF): GraphWidget {
    return new GraphWidget({ title, left, width, leftYAxis: { min: 0, showUnits: false } });
  }

  #latest(name: MetricName, label: string): IMetric {
    return ourMetric({ stage: this.#stage, name, statistic: 'Maximum', period: FIVE_MINUTES }).with({ label });
  }

  #sum(name: MetricName, label: string, period: Duration): IMetric {
    return ourMetric({ stage: this.#stage, name, statistic: 'Sum', period }).with({ label });
  }

  #hours(name: MetricName, label: string, statistic: 'Maximum' | 'Minimum'): IMetric {
    const seconds = ourMetric({ stage: this.#stage, name, statistic, period: FIVE_MINUTES });
    // The name stands in the whole dashboard, and may stand there once only.
    const id = name.charAt(0).toLowerCase() + name.slice(1);
    return new MathExpression({
      expression: `${id} / 3600`,
      usingMetrics: { [id]: seconds },
      label,
      period: FIVE_MINUTES,
    });
  }
}

function heading(title: string, text: string): TextWidget {
  return new TextWidget({ markdown: `## ${title}\n${text}`, width: WHOLE, height: 2 });
}

/** By their names: a reference into another stack would keep that stack from ever changing its alarm. */
function alarmStatus(scope: Construct, alarmed: readonly Stack[]): AlarmStatusWidget {
  const home = Stack.of(scope);
  const shown = alarmed.filter(({ region }) => region === home.region).flatMap((stack) => [...alarmBook(stack)]);
  const bySeverity = (one: BookedAlarm, other: BookedAlarm) => one.severity.localeCompare(other.severity);
  const alarms = shown.sort(bySeverity).map(({ fullName }, index) =>
    Alarm.fromAlarmArn(
      scope,
      `Shown${index}`,
      home.formatArn({
        service: 'cloudwatch',
        resource: 'alarm',
        resourceName: fullName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    ),
  );
  return new AlarmStatusWidget({ title: 'Alarms, the urgent ones first', alarms, width: WHOLE, height: 6 });
}
