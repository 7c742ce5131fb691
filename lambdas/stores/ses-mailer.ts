// Mail goes out by SES: one call, once, and every way in which SES may answer it.
import { SESv2Client, type SESv2ClientConfig, SESv2ServiceException, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { Misconfigured } from '../domain/failure.ts';
import { SECOND_MS } from '../domain/hour.ts';
import type { MailContent, MailOutcome } from '../domain/mail.ts';
import type { Mailer } from '../flow/mail-ports.ts';

interface MailClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<SESv2ClientConfig['credentials']>;
}

interface Sender {
  readonly from: string;
  readonly configurationSet?: string | undefined;
}

/** Two mails of one message have to be over within ten seconds; see lambdas/runtime/queue.ts. */
const ANSWER_MS = 4 * SECOND_MS;

export function mailClient(settings: MailClientSettings): SESv2Client {
  return new SESv2Client({
    ...settings,
    // A second try inside the SDK would be one that the log of deliveries does not know of: one call, one intent.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: SECOND_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
  });
}

export class SesMailer implements Mailer {
  readonly #client: SESv2Client;
  readonly #sender: Sender;

  constructor(client: SESv2Client, sender: Sender) {
    this.#client = client;
    this.#sender = sender;
  }

  async send({
    to,
    fromName,
    replyTo,
    subject,
    text,
    html,
  }: MailContent & { readonly to: string }): Promise<MailOutcome> {
    const address = asciiAddress(to);
    if (address === undefined) return { kind: 'refused', code: 'AddressUnsupported' };
    const { from, configurationSet } = this.#sender;
    const part = (Data: string) => ({ Data, Charset: 'UTF-8' });
    const command = new SendEmailCommand({
      FromEmailAddress: `${displayName(fromName)} <${from}>`,
      ReplyToAddresses: [replyTo],
      Destination: { ToAddresses: [address] },
      Content: {
        Simple: {
          Subject: part(subject),
          Body: { Text: part(text), Html: part(html) },
          // RFC 3834: no holiday note answers to it.
          Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
        },
      },
      ...(configurationSet === undefined ? {} : { ConfigurationSetName: configurationSet }),
    });
    try {
      await this.#client.send(command);
      return { kind: 'taken' };
    } catch (error) {
      return outcomeOf(error);
    }
  }
}

/** SES takes the letters of ASCII alone: a domain has a form of them, what stands before the @ has none. */
export function asciiAddress(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  if (!/^[\x21-\x7e]+$/.test(local) || !URL.canParse(`http://${domain}`)) return undefined;
  return `${local}@${new URL(`http://${domain}`).hostname}`;
}

/** 60 letters of base64 between `=?UTF-8?B?` and `?=`. */
const ENCODED_WORD_BYTES = 45;

/** What a header carries of a name: quoted, or, where it is not ASCII, in encoded words of RFC 2047. */
export function displayName(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return `"${name.replace(/["\\]/g, '\\$&')}"`;
  // An encoded word has 75 characters at most, and no character may be cut in two.
  const words: string[] = [];
  for (const letter of name) {
    const last = words.at(-1);
    if (last === undefined || Buffer.byteLength(last + letter) > ENCODED_WORD_BYTES) words.push(letter);
    else words[words.length - 1] = last + letter;
  }
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ');
}

const THROTTLES = new Set(['TooManyRequestsException', 'LimitExceededException', 'ThrottlingException', 'Throttling']);

/** About this mail and its address. */
const REFUSALS = new Set(['MessageRejected', 'BadRequestException']);

/** Nothing was sent where no connection came about. */
const NO_CONNECTION = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

function outcomeOf(error: unknown): MailOutcome {
  if (!(error instanceof SESv2ServiceException)) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return NO_CONNECTION.has(code) ? { kind: 'failed', code } : { kind: 'unanswered' };
  }
  const { name, message, $fault } = error;
  if (THROTTLES.has(name) || $fault === 'server') return { kind: 'failed', code: name };
  // The one refusal that is about us: an identity that is not verified, or an account that SES keeps in its sandbox.
  const isOfOurs = !REFUSALS.has(name) || (name === 'MessageRejected' && /not verified/i.test(message));
  if (!isOfOurs) return { kind: 'refused', code: name };
  // Without SES's message: it may name the buyer's address.
  throw new Misconfigured('MailNotAllowed', 'SES does not let us send: permission, identity, sandbox or a pause.', {
    facts: { awsError: name },
  });
}
