// A queue for what could not be done, so that it can be looked at.
import { Duration, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { BookedAlarm, type Severity } from './alarm-book.ts';
import { FIVE_MINUTES } from './alarm-period.ts';
import { mayUseKey } from './encryption.ts';
import { queueEncryption } from './queue-encryption.ts';

export interface DeadLettersAlarm {
  /** Ends the alarm's name. */
  readonly name: string;
  /** Who is harmed by what lies there, as a sentence without its full stop. */
  readonly impact: string;
  /** The heading of ours that says what to do then. */
  readonly remedy: string;
  /** @default 'high' */
  readonly severity?: Severity;
}

export class DeadLetters extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      ...queueEncryption(this),
      enforceSSL: true,
      // As long as SQS keeps anything.
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'This is the queue where things end that could not be done; one more behind it would hold nothing.',
    });
  }

  /** Leave to put something here. */
  mayReceive(): readonly PolicyStatement[] {
    return [
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }),
      ...mayUseKey(this, 'sqs', ['Decrypt', 'GenerateDataKey']),
    ];
  }

  /** Tells somebody for as long as anything lies here. */
  raiseAlarm({ name, impact, remedy, severity = 'high' }: DeadLettersAlarm): void {
    new BookedAlarm(this, 'Any', {
      name: `${name}-dead-letters`,
      severity,
      impact,
      remedy,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES, statistic: 'Maximum' }),
      above: 0,
    });
  }
}
