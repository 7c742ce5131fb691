// SES's part on a laptop: takes every mail, sends none, and shows them all.
import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { Clock } from '../lambdas/runtime/clock.ts';
import { type LoopbackServer, readBody, serveOnLoopback } from './loopback.ts';
import { mailPage } from './mail-page.ts';

/** A mail as it was handed over. */
export interface CaughtMail {
  readonly at: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly replyTo: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly configurationSet?: string;
}

/** How SES refuses a call: the HTTP status, the error's name and its message. */
export interface MailFault {
  readonly status: number;
  readonly type: string;
  readonly message?: string;
}

interface SendEmailInput {
  readonly FromEmailAddress?: string;
  readonly ReplyToAddresses?: readonly string[];
  readonly Destination?: { readonly ToAddresses?: readonly string[] };
  readonly ConfigurationSetName?: string;
  readonly Content?: {
    readonly Simple?: { readonly Subject?: Part; readonly Body?: { readonly Text?: Part; readonly Html?: Part } };
  };
}

interface Part {
  readonly Data?: string;
}

/** As SES takes it at most, attachments and all. */
const MAX_BODY_BYTES = 40 * 1024 * 1024;

/** Enough to look at. */
const MAILS_KEPT = 500;

/** The path of SendEmail in the API of SES v2. */
const SEND_EMAIL = '/v2/email/outbound-emails';

export class MailCatcher {
  readonly mails: CaughtMail[] = [];
  readonly #clock: Clock;
  readonly #faultOf: (mail: CaughtMail) => MailFault | undefined;

  /** `faultOf` has a mail refused. */
  constructor(clock: Clock, faultOf: (mail: CaughtMail) => MailFault | undefined = () => undefined) {
    this.#clock = clock;
    this.#faultOf = faultOf;
  }

  /** Serves SendEmail on loopback. */
  serve(): Promise<LoopbackServer> {
    return serveOnLoopback(async (request, response) => {
      const body = await readBody(request, MAX_BODY_BYTES);
      const isSend = request.method === 'POST' && request.url === SEND_EMAIL;
      const fault = isSend && body ? this.#take(JSON.parse(body.toString()) as SendEmailInput) : NOT_SERVED;
      const headers = { 'content-type': 'application/json', ...(fault ? { 'x-amzn-errortype': fault.type } : {}) };
      response.writeHead(fault?.status ?? 200, headers);
      response.end(JSON.stringify(fault ? { message: fault.message ?? fault.type } : { MessageId: randomUUID() }));
    });
  }

  /** `GET /demo/mails`: every mail that was taken, newest first. */
  readonly show = async (): Promise<APIGatewayProxyResult> => ({
    statusCode: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      // What a mail holds is shown, and can do nothing.
      'content-security-policy': "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-src 'self'",
    },
    body: mailPage(this.mails.toReversed()),
  });

  #take(input: SendEmailInput): MailFault | undefined {
    const { Subject, Body } = input.Content?.Simple ?? {};
    const [subject, text, html] = [Subject?.Data, Body?.Text?.Data, Body?.Html?.Data];
    const { FromEmailAddress: from, Destination, ReplyToAddresses = [], ConfigurationSetName } = input;
    const to = Destination?.ToAddresses ?? [];
    if (!from || !subject || !text || !html || to.length === 0) return INCOMPLETE;
    const mail = {
      at: new Date(this.#clock()).toISOString(),
      from,
      to,
      replyTo: ReplyToAddresses,
      subject,
      text,
      html,
      ...(ConfigurationSetName === undefined ? {} : { configurationSet: ConfigurationSetName }),
    };
    const fault = this.#faultOf(mail);
    if (fault) return fault;
    this.mails.push(mail);
    if (this.mails.length > MAILS_KEPT) this.mails.shift();
    return undefined;
  }
}

const INCOMPLETE: MailFault = {
  status: 400,
  type: 'BadRequestException',
  message: 'A mail needs a sender, a recipient, a subject, a text and an HTML part.',
};

const NOT_SERVED: MailFault = { status: 404, type: 'NotFoundException', message: 'Only SendEmail is served here.' };
