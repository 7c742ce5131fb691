// SQS's part on a laptop: messages that are brought to a function until it takes them, or end as dead letters. They
// end with the process.
import { createHash, randomUUID } from 'node:crypto';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { SECOND_MS } from '../lambdas/domain/hour.ts';
import type { Clock } from '../lambdas/runtime/clock.ts';

/** As a Lambda function that a queue calls; gives back what is to come again. */
export type QueueFunction = (event: SQSEvent) => Promise<SQSBatchResponse>;

export interface QueueOptions {
  readonly name: string;
  readonly clock: Clock;
  /** What was brought as often and not taken is a dead letter. */
  readonly maxReceives: number;
  readonly onDeadLetter: (letter: DeadLetter) => void;
}

export interface DeadLetter {
  readonly queue: string;
  readonly messageId: string;
  readonly receives: number;
  readonly body: string;
}

interface Message {
  readonly messageId: string;
  readonly body: string;
  readonly sentAtMs: number;
  receives: number;
  visibleAtMs: number;
  receiptHandle: string;
}

/** As the stacks set it. */
const BATCH_SIZE = 5;
const FIRST_WAIT_MS = SECOND_MS;
const LONGEST_WAIT_MS = 60 * SECOND_MS;

export class LocalQueue {
  readonly deadLetters: DeadLetter[] = [];
  readonly #options: QueueOptions;
  readonly #messages = new Map<string, Message>();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Messages that wait, those that are being handled among them. */
  get length(): number {
    return this.#messages.size;
  }

  /** Brings the dead letters back, as if they were new; gives their number. */
  redrive(): number {
    const letters = this.deadLetters.splice(0);
    for (const { body } of letters) this.send(body);
    return letters.length;
  }

  /** Puts a message in; gives its id. */
  send(body: string, sentAtMs: number = this.#options.clock()): string {
    const messageId = randomUUID();
    this.#messages.set(messageId, { messageId, body, sentAtMs, receives: 0, visibleAtMs: 0, receiptHandle: '' });
    return messageId;
  }

  /** Keeps a message that is being handled out of sight for so long; false where no delivery has this handle. */
  hide(receiptHandle: string, seconds: number): boolean {
    const message = [...this.#messages.values()].find((each) => each.receiptHandle === receiptHandle);
    if (!message || receiptHandle === '') return false;
    message.visibleAtMs = this.#options.clock() + seconds * SECOND_MS;
    return true;
  }

  /** Brings all that is due to a function, in the order in which it was sent; gives how many messages it took. */
  async deliver(to: QueueFunction): Promise<number> {
    const now = this.#options.clock();
    const due = [...this.#messages.values()].filter(({ visibleAtMs }) => visibleAtMs <= now);
    let taken = 0;
    for (let from = 0; from < due.length; from += BATCH_SIZE) {
      taken += await this.#deliverBatch(due.slice(from, from + BATCH_SIZE), to);
    }
    return taken;
  }

  async #deliverBatch(batch: readonly Message[], to: QueueFunction): Promise<number> {
    for (const message of batch) {
      message.receives += 1;
      message.receiptHandle = randomUUID();
      // A wait that grows; the function may ask for another while it handles the message.
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(message.receives - 1, 10));
      message.visibleAtMs = this.#options.clock() + waitMs;
    }
    const { batchItemFailures } = await to({ Records: batch.map((message) => recordOf(message, this.#options.name)) });
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const message of batch) if (!failed.has(message.messageId)) this.#messages.delete(message.messageId);
    for (const message of batch) if (failed.has(message.messageId)) this.#buryWhereLast(message);
    return batch.length - failed.size;
  }

  #buryWhereLast({ messageId, body, receives }: Message): void {
    const { name, maxReceives, onDeadLetter } = this.#options;
    if (receives < maxReceives) return;
    this.#messages.delete(messageId);
    const letter = { queue: name, messageId, receives, body };
    this.deadLetters.push(letter);
    onDeadLetter(letter);
  }
}

function recordOf({ messageId, body, sentAtMs, receives, receiptHandle }: Message, queue: string): SQSRecord {
  return {
    messageId,
    receiptHandle,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAtMs),
      SenderId: 'local',
      ApproximateFirstReceiveTimestamp: String(sentAtMs),
    },
    messageAttributes: {},
    md5OfBody: md5(body),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn(queue),
    awsRegion: 'us-east-1',
  };
}

export function queueArn(name: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${name}`;
}

/** What SQS tells of a body, and its clients check. */
export function md5(body: string): string {
  return createHash('md5').update(body, 'utf8').digest('hex');
}
