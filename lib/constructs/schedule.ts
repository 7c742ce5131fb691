// Runs a function every few minutes. What is due follows from the clock, so a lost tick costs one wait and no more.
import { Duration, Stack } from 'aws-cdk-lib';
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { HandlerName } from '../../lambdas/runtime/settings.ts';
import { BookedAlarm, type Severity } from './alarm-book.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { HandlerFunction } from './handler-function.ts';

/** The least that Scheduler and Lambda take; by then the next tick of most schedules has done the work. */
const TICK_LIFETIME = Duration.minutes(1);

/** Runs put their work down ten seconds before it and the next minute goes on; see lambdas/runtime/schedule.ts. */
export const TIME_TO_RUN = Duration.minutes(5);

/** A run that fails now and then is made good by the next; a third failure in five minutes is no accident. */
export const TOLERATED_ERRORS = 2;

/** Ticks in a row that nobody is told of, counted in spans of five minutes at least. */
const MISSED_SPANS = 2;

export interface ScheduleProps {
  readonly run: HandlerFunction<HandlerName>;
  /** The function's name, for its alarm. */
  readonly handler: HandlerName;
  /** How often. */
  readonly everyMinutes: 1 | 5 | 15 | 60;
  /** Takes the ticks that came to nothing. */
  readonly deadLetters: DeadLetters;
  /** Who is harmed while nothing runs, as a clause: it stands in the alarm. */
  readonly impact: string;
  /** The heading of ours that says what to do then. */
  readonly remedy: string;
  /**
   * How urgent it is that nothing runs.
   * @default 'high'
   */
  readonly severity?: Severity;
}

export class Schedule extends Construct {
  constructor(scope: Construct, id: string, props: ScheduleProps) {
    super(scope, id);
    const { run, handler, everyMinutes, deadLetters, impact, remedy, severity = 'high' } = props;
    const { lambda } = run;
    const { account } = Stack.of(this);

    const role = new Role(this, 'Role', {
      // The condition keeps schedules of other accounts from using the role.
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
      description: `Lets the schedule start ${handler}`,
    });
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [lambda.functionArn] }));
    for (const each of deadLetters.mayReceive()) role.addToPolicy(each);
    const rate = everyMinutes === 1 ? '1 minute' : `${everyMinutes} minutes`;
    const schedule = new CfnSchedule(this, 'Schedule', {
      description: `Starts ${handler} every ${everyMinutes === 1 ? 'minute' : rate}`,
      scheduleExpression: `rate(${rate})`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: lambda.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: TICK_LIFETIME.toSeconds() },
        deadLetterConfig: { arn: deadLetters.queue.queueArn },
      },
    });
    // A first tick without its permissions would be a dead letter of every deployment.
    schedule.node.addDependency(role);

    new EventInvokeConfig(this, 'Async', {
      function: lambda,
      // A failed run is made good by the next; Lambda's own second try would only meet it.
      retryAttempts: 0,
      maxEventAge: TICK_LIFETIME,
      onFailure: { bind: () => ({ destination: deadLetters.queue.queueArn }) },
    });
    for (const each of deadLetters.mayReceive()) run.role.addToPolicy(each);

    const spanMinutes = Math.max(5, everyMinutes);
    new BookedAlarm(this, 'Silence', {
      name: `${handler}-silence`,
      severity,
      impact: `${handler} has not run for ${MISSED_SPANS * spanMinutes} minutes: ${impact}`,
      remedy,
      metric: lambda.metricInvocations({ period: Duration.minutes(spanMinutes) }),
      below: 1,
      periods: MISSED_SPANS,
      withoutData: TreatMissingData.BREACHING,
    });
  }
}
