// The seller's product as far as events go: a queue of its own behind a rule of the access bus.
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { ACCESS_EVENT_SOURCE, type AccessEventEnvelope } from '../../lambdas/contracts/access-event.ts';
import type { Aws } from './aws.ts';
import { ACCOUNT, CREDENTIALS, REGION } from './emulator.ts';

const QUEUE = 'product-inbox';

export class Inbox {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly events: AccessEventEnvelope[] = [];

  private constructor(endpoint: string) {
    this.#sqs = new SQSClient({ region: REGION, endpoint, credentials: CREDENTIALS });
    this.#queueUrl = `${endpoint}/${ACCOUNT}/${QUEUE}`;
  }

  static async subscribe(aws: Aws, endpoint: string, busArn: string): Promise<Inbox> {
    await aws.json('sqs', 'AmazonSQS.CreateQueue', { QueueName: QUEUE });
    const events = new EventBridgeClient({ region: REGION, endpoint, credentials: CREDENTIALS });
    const EventBusName = busArn.split('/')[1];
    const EventPattern = JSON.stringify({ source: [ACCESS_EVENT_SOURCE] });
    await events.send(new PutRuleCommand({ Name: QUEUE, EventBusName, EventPattern }));
    const Targets = [{ Id: QUEUE, Arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${QUEUE}` }];
    await events.send(new PutTargetsCommand({ Rule: QUEUE, EventBusName, Targets }));
    events.destroy();
    return new Inbox(endpoint);
  }

  /** Takes what has come; repeats of an event are dropped by its id, as a product would. */
  async look(): Promise<readonly AccessEventEnvelope[]> {
    for (;;) {
      const { Messages = [] } = await this.#sqs.send(
        new ReceiveMessageCommand({ QueueUrl: this.#queueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return this.events;
      for (const { Body = '', ReceiptHandle } of Messages) {
        const { detail } = JSON.parse(Body) as { readonly detail: AccessEventEnvelope };
        if (!this.events.some(({ id }) => id === detail.id)) this.events.push(detail);
        await this.#sqs.send(new DeleteMessageCommand({ QueueUrl: this.#queueUrl, ReceiptHandle }));
      }
    }
  }

  close(): void {
    this.#sqs.destroy();
  }
}
