// EventBridge's and SQS's endpoints on a laptop, as far as the backend calls them.
import { randomUUID } from 'node:crypto';
import { type MailSettings, mailsWanted } from '../lambdas/contracts/mail-settings.ts';
import type { WebhookSettings } from '../lambdas/contracts/webhook-settings.ts';
import { mailsOn } from '../lambdas/domain/mail.ts';
import { type LocalQueue, md5, queueArn } from './local-queue.ts';
import { type LoopbackServer, readBody, serveOnLoopback } from './loopback.ts';

/** An event as it was put on the bus. */
export interface BusEvent {
  readonly source: string;
  readonly detailType: string;
  /** JSON. */
  readonly detail: string;
}

export interface MessagingOptions {
  /** What a rule of the bus hands each event to. */
  readonly targets: readonly ((event: BusEvent) => void)[];
  /** The queues that SQS's operations are about, each by its name at the end of its address, with its dead letters. */
  readonly queues: readonly LocalQueue[];
}

/** As AWS takes them at most. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The address of a queue at a messaging server. */
export function queueUrl(messagingUrl: string, name: string): string {
  return `${messagingUrl}/000000000000/${name}`;
}

/** The address of the queue of what a queue gave up. */
export function deadLettersUrl(messagingUrl: string, name: string): string {
  return queueUrl(messagingUrl, `${name}-dead-letters`);
}

/** Serves PutEvents and the operations of SQS that the backend and its operator use, on loopback. */
export function startMessaging(options: MessagingOptions): Promise<LoopbackServer> {
  return serveOnLoopback(async (request, response) => {
    const body = await readBody(request, MAX_BODY_BYTES);
    const target = String(request.headers['x-amz-target']);
    const input = body?.length ? (JSON.parse(body.toString()) as Input) : {};
    const { status, answer } = answered(options, target, input);
    response.writeHead(status, { 'content-type': String(request.headers['content-type']) });
    response.end(JSON.stringify(answer));
  });
}

interface Input {
  readonly Entries?: readonly { readonly Source?: string; readonly DetailType?: string; readonly Detail?: string }[];
  readonly QueueUrl?: string;
  readonly SourceArn?: string;
  readonly MessageBody?: string;
  readonly ReceiptHandle?: string;
  readonly VisibilityTimeout?: number;
}

interface Answered {
  readonly status: number;
  readonly answer: object;
}

function answered({ targets, queues }: MessagingOptions, target: string, input: Input): Answered {
  if (target === 'AWSEvents.PutEvents') {
    const entries = input.Entries ?? [];
    for (const { Source = '', DetailType = '', Detail = '' } of entries) {
      for (const take of targets) take({ source: Source, detailType: DetailType, detail: Detail });
    }
    return ok({ FailedEntryCount: 0, Entries: entries.map(() => ({ EventId: randomUUID() })) });
  }
  const [, operation] = /^AmazonSQS\.(\w+)$/.exec(target) ?? [];
  // A queue is named by its address, or by its ARN where dead letters are moved.
  const [, name = '', dead] = /[/:]([a-z]+)(-dead-letters)?$/.exec(input.SourceArn ?? input.QueueUrl ?? '') ?? [];
  const queue = queues.find((each) => each.name === name);
  if (!queue) return refused('com.amazonaws.sqs#QueueDoesNotExist', 'There is no such queue.');
  return ofQueue(queue, dead !== undefined, operation, input);
}

function ofQueue(queue: LocalQueue, isDead: boolean, operation: string | undefined, input: Input): Answered {
  switch (operation) {
    case 'SendMessage': {
      const { MessageBody = '' } = input;
      return ok({ MessageId: queue.send(MessageBody), MD5OfMessageBody: md5(MessageBody) });
    }
    case 'ChangeMessageVisibility': {
      const isHidden = queue.hide(input.ReceiptHandle ?? '', input.VisibilityTimeout ?? 0);
      return isHidden ? ok({}) : refused('com.amazonaws.sqs#ReceiptHandleIsInvalid', 'No delivery has this handle.');
    }
    case 'GetQueueAttributes': {
      const [name, count] = isDead
        ? [`${queue.name}-dead-letters`, queue.deadLetters.length]
        : [queue.name, queue.length];
      return ok({ Attributes: { QueueArn: queueArn(name), ApproximateNumberOfMessages: String(count) } });
    }
    case 'ListMessageMoveTasks':
      // One is over as soon as it begins.
      return ok({ Results: [] });
    case 'StartMessageMoveTask':
      if (!isDead) return refused('com.amazonaws.sqs#UnsupportedOperation', 'Only dead letters are moved.');
      queue.redrive();
      return ok({ TaskHandle: randomUUID() });
    default:
      return refused('UnknownOperationException', `${operation} is not served here.`);
  }
}

function ok(answer: object): Answered {
  return { status: 200, answer };
}

function refused(__type: string, message: string): Answered {
  return { status: 400, answer: { __type, message } };
}

/** As much of an endpoint as its rule on the bus goes by. */
type WebhookRule = Pick<WebhookSettings[number], 'name' | 'types'>;

/** What the rules of the webhook endpoints do: each event that one wants goes into the queue, with whom it is for. */
export function webhookRules(endpoints: readonly WebhookRule[], queue: LocalQueue): (event: BusEvent) => void {
  const rules: readonly { readonly name: string; readonly types?: readonly string[] }[] = endpoints;
  return ({ detailType, detail }) => {
    for (const { name, types } of rules) {
      const isWanted = types === undefined || types.includes(detailType);
      if (isWanted) queue.send(`{"endpoint":${JSON.stringify(name)},"event":${detail}}`);
    }
  };
}

/** What the rule of mail does: events that cause one go into its queue, as they are. */
export function mailRule(mail: MailSettings, queue: LocalQueue): (event: BusEvent) => void {
  const wanted = mailsWanted(mail);
  return ({ detailType, detail }) => {
    if (mailsOn(detailType, wanted).length > 0) queue.send(detail);
  };
}
