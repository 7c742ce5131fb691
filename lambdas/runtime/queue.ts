// What a queue's function is: it takes each message by itself, and hands back those that are to come again.
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { SafeFacts } from '../domain/failure.ts';
import type { LambdaContext } from './handler.ts';
import { type Log, safeFactsOf } from './log.ts';

export interface QueueMessage {
  readonly body: string;
  /** When the queue took it, in epoch milliseconds. */
  readonly sentAtMs: number;
  /** By which the queue is told more of this delivery of the message. */
  readonly receiptHandle: string;
}

/** What came of a message: its facts for the log, or why no delivery of it can ever succeed. */
export type Handled =
  | { readonly kind: 'done'; readonly facts: SafeFacts }
  /** As it should be, and to be brought again. */
  | { readonly kind: 'again'; readonly facts: SafeFacts }
  | { readonly kind: 'refused'; readonly facts: SafeFacts };

type QueueHandler = (event: SQSEvent, context: LambdaContext) => Promise<SQSBatchResponse>;

/** What one message may take: below it, the rest of a batch is left to the next delivery. */
const TIME_FOR_ONE_MS = 10_000;

/**
 * Handles a batch, one message after the other. What fails, and what was refused, is handed back alone: the queue
 * delivers it again, and to its dead letters in the end. The queue has to have partial batch responses switched on.
 */
export function queueHandler(
  log: Log,
  doneCode: string,
  handle: (message: QueueMessage) => Promise<Handled>,
): QueueHandler {
  const handler = middy<SQSEvent, SQSBatchResponse>().handler(async (event, context) => {
    const failed: string[] = [];
    for (const { messageId, body, attributes, receiptHandle } of event.Records) {
      const isInTime = context.getRemainingTimeInMillis() > TIME_FOR_ONE_MS;
      const isDone =
        isInTime && (await handled({ body, sentAtMs: Number(attributes.SentTimestamp), receiptHandle }, messageId));
      if (!isDone) failed.push(messageId);
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  });
  return (event, context) => handler(event, context as Context);

  async function handled(message: QueueMessage, messageId: string): Promise<boolean> {
    try {
      const { kind, facts } = await handle(message);
      if (kind !== 'refused') log.info(doneCode, { messageId, ...facts });
      else log.error('MessageRefused', { run: doneCode, messageId, ...facts });
      return kind === 'done';
    } catch (error) {
      log.error('MessageFailed', { run: doneCode, messageId, ...safeFactsOf(error) });
      return false;
    }
  }
}
