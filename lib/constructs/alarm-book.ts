// The one way to raise an alarm. Each says what is wrong, who is harmed, how urgent that is, and which heading of the
// runbook says what to do; the book is all of them, wherever in the stacks they stand.
import { Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type CfnAlarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct, IConstruct } from 'constructs';

/** `high`: money or buyers are being lost, somebody is to be woken. `low`: it can wait for the next working day. */
export type Severity = 'high' | 'low';

export interface BookedAlarmProps {
  /** Ends the alarm's name, and stands under its heading in the runbook: `send-metering-errors`. */
  readonly name: string;
  readonly severity: Severity;
  /** What is wrong and who is harmed, as a sentence without its full stop. */
  readonly impact: string;
  /** The heading that says what to do: `docs/runbook.md#schedulefailed`. */
  readonly remedy: string;
  readonly metric: IMetric;
  /** Raised above this number. */
  readonly above?: number;
  /** Raised below this number. */
  readonly below?: number;
  /**
   * Periods of the metric in a row that it takes.
   * @default 1
   */
  readonly periods?: number;
  /**
   * What no data stands for.
   * @default - that all is well
   */
  readonly withoutData?: TreatMissingData;
}

const RUNBOOK = 'docs/runbook.md';
const REMEDY = /^docs\/runbook\.md#[a-z0-9-]+$/;

export class BookedAlarm extends Alarm {
  /** As CloudWatch has it. */
  readonly fullName: string;
  readonly severity: Severity;
  readonly impact: string;
  readonly remedy: string;

  constructor(scope: Construct, id: string, props: BookedAlarmProps) {
    const { name, severity, impact, remedy, metric, above, below, periods = 1 } = props;
    const threshold = above ?? below;
    if (threshold === undefined || (above !== undefined && below !== undefined)) {
      throw new Error(`The alarm ${name} has to say either above or below which number it is raised.`);
    }
    if (!REMEDY.test(remedy)) {
      throw new Error(`The alarm ${name} names ${remedy}; expected is a heading such as ${RUNBOOK}#schedulefailed.`);
    }
    const fullName = `${Stack.of(scope).stackName}-${name}`;
    super(scope, id, {
      alarmName: fullName,
      alarmDescription: descriptionOf(props, remedy),
      metric,
      threshold,
      comparisonOperator:
        above === undefined ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: props.withoutData ?? TreatMissingData.NOT_BREACHING,
    });
    this.fullName = fullName;
    this.severity = severity;
    this.impact = impact;
    this.remedy = remedy;
  }

  /** Has the alarm name the runbook where people read it. */
  linkTo(runbookUrl: string): void {
    const resource = this.node.defaultChild as CfnAlarm;
    resource.alarmDescription = descriptionOf(this, this.remedy.replace(RUNBOOK, runbookUrl));
  }
}

function descriptionOf({ severity, impact }: Pick<BookedAlarmProps, 'severity' | 'impact'>, remedy: string): string {
  return `${impact}. Severity: ${severity}. What to do: ${remedy}`;
}

/** Every alarm below a construct. One that is not booked is a mistake of ours: nobody would know whom it harms. */
export function alarmBook(scope: IConstruct): readonly BookedAlarm[] {
  const alarms = scope.node.findAll().filter((each) => each instanceof Alarm);
  return alarms.map((alarm) => {
    if (alarm instanceof BookedAlarm) return alarm;
    throw new Error(`The alarm ${alarm.node.path} is not in the book: make it a BookedAlarm.`);
  });
}

/** Where alarms go: to all that are told of any, and to those that are told of one severity alone. */
export interface AlarmRoutes {
  readonly any: readonly IAlarmAction[];
  readonly high: readonly IAlarmAction[];
  readonly low: readonly IAlarmAction[];
}

/** Sends every alarm below a construct where it is to go. */
export function routeAlarms(scope: IConstruct, routes: AlarmRoutes): void {
  for (const alarm of alarmBook(scope)) {
    const actions = [...routes.any, ...routes[alarm.severity]];
    if (actions.length > 0) alarm.addAlarmAction(...actions);
  }
}
