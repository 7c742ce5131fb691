// The queue of events that are to be posted to webhook endpoints.
import {
  ChangeMessageVisibilityCommand,
  SendMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { SECOND_MS } from '../domain/hour.ts';
import type { DeliveryQueue } from '../flow/access-ports.ts';

interface QueueClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<SQSClientConfig['credentials']>;
}

export function queueClient(settings: QueueClientSettings): SQSClient {
  return new SQSClient({
    ...settings,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: SECOND_MS, requestTimeout: 2 * SECOND_MS, throwOnRequestTimeout: true },
  });
}

export class SqsDeliveryQueue implements DeliveryQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  async hide(receiptHandle: string, seconds: number): Promise<void> {
    await this.#client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: this.#url,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: seconds,
      }),
    );
  }

  async send(endpoint: string, body: string): Promise<void> {
    // The same form as the bus's rules give: the event as it is, and whom it is for.
    const MessageBody = `{"endpoint":${JSON.stringify(endpoint)},"event":${body}}`;
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#url, MessageBody }));
  }
}
