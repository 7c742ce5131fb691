// The console's HTTP: the guard first, then what the address names; every answer says what a browser may do with it.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { admit, hasFormToken, type Launch, type Unadmitted } from './guard.ts';
import { LOCKED_PAGE, LOCKED_STYLE_HASH } from './locked-page.ts';

/** A form of the console is far shorter; the longest is a CloudTrail file that is pasted in. */
const BODY_BYTES_MAX = 8 * 1_048_576;

/** What is sent at once. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is sent as it is read, so that no export has to fit into memory. */
export interface StreamedAnswer extends Omit<Answer, 'body'> {
  readonly body: AsyncIterable<string>;
}

export interface AdmittedRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly cookie: string | undefined;
  /** Empty but for a POST. */
  readonly form: URLSearchParams;
}

export type Answering = (request: AdmittedRequest) => Promise<Answer | StreamedAnswer>;

/** Nothing but what the console itself serves is loaded, run, framed or sent to. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const COMMON_HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // The whole address only to ourselves: forms have to name their origin, and nobody else needs it.
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** A server that is not listening yet. No input makes it fail; faults of its own are answered with a 500. */
export function createConsoleServer(
  launch: () => Launch,
  answer: Answering,
  onFault: (fault: unknown) => void,
): Server {
  return createServer({ requestTimeout: 30_000 }, (request, response) => {
    handle(launch(), answer, request, response).catch((fault: unknown) => {
      // A download that is broken off is the reader's to end.
      if (response.headersSent || response.destroyed) return void response.destroy();
      onFault(fault);
      send(response, plain(500, 'The console met a fault of its own. The terminal that it was started in says more.'));
    });
  });
}

async function handle(launch: Launch, answer: Answering, request: IncomingMessage, response: ServerResponse) {
  // Only path and query matter; what comes in the place of a host is judged by the guard.
  const url = URL.parse(`http://console${request.url ?? '/'}`);
  if (url === null) return send(response, plain(400, 'The address is not well formed.'));
  const { host, origin, cookie } = request.headers;
  const method = request.method ?? 'GET';
  const admission = admit(launch, { method, url, host, origin, cookie });
  if (admission.kind !== 'admitted') {
    request.resume();
    return send(response, unadmitted(admission));
  }
  if (method === 'GET' || method === 'HEAD') {
    return deliver(request, response, await answer({ method: 'GET', url, cookie, form: new URLSearchParams() }));
  }
  if (method !== 'POST') return send(response, plain(405, 'Pages are opened with GET, forms sent with POST.'));
  const body = await readBody(request);
  if (body === undefined) return send(response, plain(413, `A form may have ${BODY_BYTES_MAX} bytes at most.`));
  const form = new URLSearchParams(body);
  if (!hasFormToken(launch, form)) {
    return send(response, plain(403, 'This form is of an earlier start of the console. Open its page again.'));
  }
  return deliver(request, response, await answer({ method, url, cookie, form }));
}

function unadmitted(admission: Unadmitted): Answer {
  switch (admission.kind) {
    case 'entered':
      return { status: 303, headers: { location: admission.location, 'set-cookie': admission.cookie }, body: '' };
    case 'locked': {
      const policy = POLICY.replace("style-src 'self'", `style-src '${LOCKED_STYLE_HASH}'`);
      return page(401, LOCKED_PAGE, { 'content-security-policy': policy });
    }
    case 'refused':
      return plain(403, admission.message);
  }
}

/** A page that a browser has already is not sent again: pages ask for what has changed every few seconds. */
async function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer | StreamedAnswer,
): Promise<void> {
  if (isStreamed(answer)) {
    response.writeHead(answer.status, { ...COMMON_HEADERS, ...answer.headers });
    // Ends the reading of the tables, too, where the reader of the file has gone.
    return pipeline(Readable.from(answer.body), response);
  }
  const etag = `"${createHash('sha256').update(answer.body).digest('base64url').slice(0, 22)}"`;
  if (answer.status === 200 && request.headers['if-none-match'] === etag) {
    return send(response, { status: 304, headers: { etag }, body: '' });
  }
  send(response, { ...answer, headers: { ...answer.headers, etag } });
}

function isStreamed(answer: Answer | StreamedAnswer): answer is StreamedAnswer {
  return typeof answer.body !== 'string';
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const length = status === 304 ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  response.writeHead(status, { ...COMMON_HEADERS, ...headers, ...length });
  response.end(body);
}

export function page(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body };
}

function plain(status: number, text: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
