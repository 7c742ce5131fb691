// Calls of AWS's APIs for which this project has no SDK client, in the wire forms that the emulator reads.
import { ACCOUNT, REGION } from './emulator.ts';

export class Aws {
  readonly #url: string;

  constructor(emulatorUrl: string) {
    this.#url = emulatorUrl;
  }

  /** A call of the query protocol; gives the XML. */
  async query(service: string, action: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const version = { cloudformation: '2010-05-15', cloudwatch: '2010-08-01', sns: '2010-03-31' }[service] ?? '';
    const { text } = await this.#call(service, '/', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ Action: action, Version: version, ...parameters }).toString(),
    });
    return text;
  }

  /** A call of the JSON protocol; gives the status and the answer, an error's as well. */
  async json(service: string, target: string, body: object): Promise<Answer> {
    const type = { logs: '1.1', secretsmanager: '1.1' }[service] ?? '1.0';
    return this.#call(service, '/', {
      method: 'POST',
      headers: { 'content-type': `application/x-amz-json-${type}`, 'x-amz-target': target },
      body: JSON.stringify(body),
    });
  }

  /** Runs a function and gives its answer. */
  async invoke(functionName: string, event: object): Promise<Answer> {
    return this.#call('lambda', `/2015-03-31/functions/${functionName}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
    });
  }

  /** Registers a domain to send mail from. */
  async verifyIdentity(EmailIdentity: string): Promise<void> {
    const { status, text } = await this.#call('ses', '/v2/email/identities', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ EmailIdentity }),
    });
    if (status !== 200) throw new Error(`The identity ${EmailIdentity} was not made: ${text}`);
  }

  /** What the emulator's SES took: it sends nothing, and keeps it to be looked at. */
  async mails(): Promise<readonly Mail[]> {
    const response = await fetch(`${this.#url}/_ministack/ses/messages`);
    const { messages } = (await response.json()) as {
      readonly messages: Readonly<Record<string, readonly KeptMail[]>>;
    };
    return (messages[ACCOUNT] ?? []).map(({ Subject, BodyText }) => ({ subject: Subject, text: BodyText }));
  }

  async #call(service: string, path: string, request: RequestInit): Promise<Answer> {
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const credential = `Credential=${ACCOUNT}/${day}/${REGION}/${service}/aws4_request`;
    const headers = {
      ...(request.headers as Record<string, string>),
      // Read for account, region and service; the signature is not looked at.
      authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=unchecked`,
    };
    const response = await fetch(`${this.#url}${path}`, { ...request, headers });
    return { status: response.status, text: await response.text() };
  }
}

interface KeptMail {
  readonly Subject: string;
  readonly BodyText: string;
}

interface Mail {
  readonly subject: string;
  readonly text: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}
