// EventBridge's and SQS's endpoints on a laptop, as far as the backend calls them.
import { randomUUID } from 'node:crypto';
import { type MailSettings, mailsWanted } from '../lambdas/contracts/mail-settings.ts';
import type { WebhookSettings } from '../lambdas/contracts/webhook-settings.ts';
import { mailsOn } from '../lambdas/domain/mail.ts';
import type { LocalQueue } from './local-queue.ts';
import { md5 } from './local-queue.ts';
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
  /** The queues that SQS's operations are about, each by its name at the end of its address. */
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

/** Serves PutEvents, SendMessage and ChangeMessageVisibility on loopback. */
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
  readonly MessageBody?: string;
  readonly ReceiptHandle?: string;
  readonly VisibilityTimeout?: number;
}

interface Answered {
  readonly status: number;
  readonly answer: object;
}

function answered({ targets, queues }: MessagingOptions, target: string, input: Input): Answered {
  if (target.startsWith('AmazonSQS.')) {
    const queue = queues.find(({ name }) => input.QueueUrl?.endsWith(`/${name}`));
    if (queue) return queueAnswer(queue, target, input);
    return refused('com.amazonaws.sqs#QueueDoesNotExist', 'There is no queue of this address here.');
  }
  if (target !== 'AWSEvents.PutEvents') return notServed();
  const entries = input.Entries ?? [];
  for (const { Source = '', DetailType = '', Detail = '' } of entries) {
    for (const take of targets) take({ source: Source, detailType: DetailType, detail: Detail });
  }
  return ok({ FailedEntryCount: 0, Entries: entries.map(() => ({ EventId: randomUUID() })) });
}

function queueAnswer(queue: LocalQueue, target: string, input: Input): Answered {
  switch (target) {
    case 'AmazonSQS.SendMessage': {
      const { MessageBody = '' } = input;
      return ok({ MessageId: queue.send(MessageBody), MD5OfMessageBody: md5(MessageBody) });
    }
    case 'AmazonSQS.ChangeMessageVisibility': {
      const isHidden = queue.hide(input.ReceiptHandle ?? '', input.VisibilityTimeout ?? 0);
      return isHidden ? ok({}) : refused('com.amazonaws.sqs#ReceiptHandleIsInvalid', 'No delivery has this handle.');
    }
    default:
      return notServed();
  }
}

function notServed(): Answered {
  return refused(
    'UnknownOperationException',
    'Only PutEvents, SendMessage and ChangeMessageVisibility are served here.',
  );
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
