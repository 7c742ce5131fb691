// A queue before a function. What fails comes again by itself, and at last to dead letters, of which somebody is told.
import { Duration } from 'aws-cdk-lib';
import type { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { HandlerName } from '../../lambdas/runtime/settings.ts';
import { BookedAlarm, type Severity } from './alarm-book.ts';
import { FIVE_MINUTES } from './alarm-period.ts';
import { DeadLetters } from './dead-letters.ts';
import { mayUseKey } from './encryption.ts';
import type { Access, HandlerFunction } from './handler-function.ts';
import { queueEncryption } from './queue-encryption.ts';

/** What a function has for one batch. */
export const TIME_FOR_A_BATCH = Duration.minutes(1);

/** AWS: six times the function's time at least, so that nothing comes again while its batch may still be waiting. */
const HIDDEN_FOR = Duration.seconds(6 * TIME_FOR_A_BATCH.toSeconds());

/** EventBridge's own limits, said so that they can be seen; what it could not put by then is a dead letter. */
const RETRY_POLICY = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

/** One after the other, at ten seconds for each at most; see lambdas/runtime/queue.ts. */
const MESSAGES_IN_A_BATCH = 5;

export interface MessageQueueProps {
  /** What the queue holds, for its alarms' names: `notices`. */
  readonly name: string;
  /** How often a message is brought, at six minutes each unless the function says otherwise. */
  readonly receives: number;
  /** How many batches are under way at a time. A new account may run ten functions at once, of all kinds. */
  readonly batchesAtOnce: number;
  /** Who is harmed while messages wait, as a clause: it stands in the alarm. */
  readonly waiting: { readonly impact: string; readonly remedy: string; readonly longerThan: Duration };
  /** Who is harmed by what was given up, as a clause. */
  readonly dead: { readonly impact: string; readonly remedy: string };
  /** How urgent both are. */
  readonly severity: Severity;
  /**
   * Where another account has to know it beforehand. A name that is set or changed later makes a new queue.
   * @default - CloudFormation makes one
   */
  readonly queueName?: string | undefined;
}

export class MessageQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: DeadLetters;
  readonly #batchesAtOnce: number;

  constructor(scope: Construct, id: string, props: MessageQueueProps) {
    super(scope, id);
    const { name, receives, batchesAtOnce, waiting, dead, severity, queueName } = props;
    this.#batchesAtOnce = batchesAtOnce;
    this.deadLetters = new DeadLetters(this, 'DeadLetters');
    this.deadLetters.raiseAlarm({ name, ...dead, severity, impact: `Some ${name} were given up: ${dead.impact}` });
    this.queue = new Queue(this, 'Queue', {
      ...(queueName === undefined ? {} : { queueName }),
      ...queueEncryption(this),
      enforceSSL: true,
      visibilityTimeout: HIDDEN_FOR,
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetters.queue, maxReceiveCount: receives },
    });
    const minutes = waiting.longerThan.toMinutes();
    new BookedAlarm(this, 'Waiting', {
      name: `${name}-waiting`,
      severity,
      impact: `The oldest of the ${name} has waited for ${minutes} minutes: ${waiting.impact}`,
      remedy: waiting.remedy,
      metric: this.queue.metricApproximateAgeOfOldestMessage({ period: FIVE_MINUTES, statistic: 'Maximum' }),
      above: waiting.longerThan.toSeconds(),
    });
  }

  /** The queue's address, with leave to do these things to it besides taking messages. */
  access(actions: readonly 'ChangeMessageVisibility'[]): Access {
    return {
      value: this.queue.queueUrl,
      statements: [this.#statement(actions)],
    };
  }

  /** Has a rule of EventBridge put here what it matches, as it is unless `input` says otherwise. */
  take(rule: Rule, input?: RuleTargetInput): void {
    const [queue, deadLetters] = [this.queue, this.deadLetters.queue];
    rule.addTarget({
      bind: () => ({
        arn: queue.queueArn,
        deadLetterConfig: { arn: deadLetters.queueArn },
        retryPolicy: RETRY_POLICY,
        ...(input ? { input } : {}),
      }),
    });
    for (const each of [queue, deadLetters]) {
      each.addToResourcePolicy(
        new PolicyStatement({
          principals: [new ServicePrincipal('events.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [each.queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
        }),
      );
    }
  }

  /** Has a topic send here what is published, in its envelope. SNS itself goes on trying for weeks. */
  subscribe(topic: ITopic): void {
    topic.addSubscription(new SqsSubscription(this.queue));
  }

  /** Lets a topic send here to which another account subscribes the queue. */
  letPublish(topic: ITopic): void {
    // What a subscription of ours would bring besides itself: the policy of the queue, and that of its key.
    new SqsSubscription(this.queue).bind(topic);
  }

  /** Has a function take what comes. It hands back what is to come again. */
  feed(run: HandlerFunction<HandlerName>): void {
    const toTake = this.#statement(['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']);
    for (const each of [toTake, ...mayUseKey(this, 'sqs', ['Decrypt'])]) run.role.addToPolicy(each);
    const mapping = new EventSourceMapping(this, 'Feed', {
      target: run.lambda,
      eventSourceArn: this.queue.queueArn,
      batchSize: MESSAGES_IN_A_BATCH,
      maxConcurrency: this.#batchesAtOnce,
      reportBatchItemFailures: true,
    });
    // Lambda refuses to read from a queue that the role may not read from yet.
    mapping.node.addDependency(run.role);
  }

  #statement(actions: readonly string[]): PolicyStatement {
    return new PolicyStatement({
      actions: actions.map((action) => `sqs:${action}`),
      resources: [this.queue.queueArn],
    });
  }
}
