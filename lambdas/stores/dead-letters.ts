// The dead letters of an SQS queue.
import {
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { BrokenInvariant } from '../domain/failure.ts';
import type { DeadLetters } from '../flow/dead-letter-ports.ts';

interface QueueUrls {
  readonly url: string;
  readonly deadLettersUrl: string;
}

export class SqsDeadLetters implements DeadLetters {
  readonly #client: SQSClient;
  readonly #urls: QueueUrls;

  constructor(client: SQSClient, urls: QueueUrls) {
    this.#client = client;
    this.#urls = urls;
  }

  async count(): Promise<number> {
    const { ApproximateNumberOfMessages } = await this.#attributes(this.#urls.deadLettersUrl);
    return Number(ApproximateNumberOfMessages ?? 0);
  }

  async isRedriving(): Promise<boolean> {
    const SourceArn = await this.#arn(this.#urls.deadLettersUrl);
    const { Results } = await this.#client.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }));
    return Results?.[0]?.Status === 'RUNNING';
  }

  async redrive(): Promise<void> {
    const [SourceArn, DestinationArn] = [
      await this.#arn(this.#urls.deadLettersUrl),
      // Named, since EventBridge and SNS put letters there, too, whose source SQS does not know.
      await this.#arn(this.#urls.url),
    ];
    await this.#client.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
  }

  async #arn(url: string): Promise<string> {
    const { QueueArn } = await this.#attributes(url);
    if (QueueArn !== undefined) return QueueArn;
    throw new BrokenInvariant('Unexpected', `SQS did not tell the ARN of ${url}.`);
  }

  async #attributes(QueueUrl: string): Promise<Readonly<Record<string, string>>> {
    const command = new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages'],
    });
    return (await this.#client.send(command)).Attributes ?? {};
  }
}
