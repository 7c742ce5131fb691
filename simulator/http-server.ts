// One port for all: the AWS wire on POST /, the control API below /control, the pages elsewhere.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { answerControl } from './control/control.ts';
import { isOwnHost, isOwnOrigin, isOwnSite, sameSecret } from './guards.ts';
import { answerPage } from './pages/pages.ts';
import { createWire, type Wire } from './wire.ts';
import type { World } from './world/world.ts';

// A MeterUsage with every allocation and tag at its limit has about 5 MB; control lists are longer.
const BODY_BYTES_MAX = 32 * 1_048_576;
const WIRE_TYPE = 'application/x-amz-json-1.1';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

interface Site {
  readonly world: World;
  readonly secret: string;
  readonly wire: Wire;
  /** Ends the waiting of armed faults when the simulator closes. */
  readonly closing: AbortSignal;
  /** Called when a request may have changed the world. */
  readonly changed: () => void;
}

/**
 * A server that is not listening yet. No input makes it fail: faults of its own are logged and answered with a 500.
 * `changed` is called whenever the world may have changed.
 */
export function createHttpServer(world: World, secret: string, closing: AbortSignal, changed: () => void): Server {
  const site: Site = { world, secret, wire: createWire(world), closing, changed };
  const server = createServer({ requestTimeout: 30_000, maxHeaderSize: 65_536 }, (request, response) => {
    handle(site, request, response).catch((error: unknown) => {
      if (closing.aborted || response.destroyed) return void response.destroy();
      console.error('The simulator met a fault of its own:', error);
      const body = { __type: 'InternalFailure', message: 'The simulator met a fault of its own; see its log.' };
      send(response, json(500, body));
    });
  });
  return server;
}

/** Guards first, then the body, then the one of three parts that the address names. */
async function handle(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { host } = request.headers;
  const port = request.socket.localPort ?? 0;
  if (!isOwnHost(host, port)) return send(response, refusal(`Use http://127.0.0.1:${port}, not ${String(host)}.`));
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  const own = isOwnOrigin(request.headers.origin, host ?? '') && isOwnSite(header(request, 'sec-fetch-site'));
  if (changes && !own) return send(response, refusal('A page of another origin may not use the simulator.'));

  const body = await readBody(request);
  if (body === undefined) {
    const message = `The body is longer than ${BODY_BYTES_MAX} bytes.`;
    const tooLarge = { __type: 'RequestEntityTooLargeException', message };
    return send(response, withHeader(json(413, tooLarge), 'connection', 'close'));
  }
  // Only path and query matter; what comes in the place of a host was judged above.
  const url = URL.parse(`http://simulator${request.url ?? '/'}`);
  if (url === null) return send(response, json(400, problem('InvalidInput', 'The address is not well formed.')));

  if (request.method === 'POST' && speaksCbor(request, url)) return send(response, cborRefusal());
  if (request.method === 'POST' && url.pathname === '/') return answerWire(site, request, response, body);
  if (url.pathname.startsWith('/control/')) {
    const reply = control(site, request, url, body);
    if (changes) site.changed();
    return send(response, reply);
  }
  const page = answerPage(site.world, site.secret, {
    method: request.method ?? 'GET',
    url,
    port,
    cookie: request.headers.cookie,
    form: new URLSearchParams(body.toString()),
  });
  if (changes) site.changed();
  return send(response, page);
}

/** Carries an answer of the wire to the socket, late or not at all where a fault says so. */
async function answerWire(site: Site, request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
  const target = header(request, 'x-amz-target');
  const answer = site.wire({ target, authorization: request.headers.authorization, body });
  if (answer.delayMs > 0) await pause(answer.delayMs, undefined, { signal: site.closing });
  if (answer.silent) return void request.socket.destroy();
  send(response, {
    status: answer.status,
    headers: { 'content-type': WIRE_TYPE, 'x-amzn-requestid': answer.requestId },
    body: answer.body,
  });
}

/** Smithy RPC v2: its own path, its own header, CBOR bodies. */
function speaksCbor(request: IncomingMessage, url: URL): boolean {
  return header(request, 'smithy-protocol') === 'rpc-v2-cbor' || url.pathname.startsWith('/service/');
}

/** Said in the protocol that the caller reads, so that its SDK shows the sentence. */
function cborRefusal(): Reply {
  const message =
    'This simulator speaks AWS JSON 1.1 only (POST /, X-Amz-Target), not Smithy RPC v2 CBOR: use an SDK or a setting with JSON.';
  const body = cborTexts([
    ['__type', 'com.amazon.coral.service#UnknownOperationException'],
    ['message', message],
  ]);
  const headers = { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' };
  return { status: 415, headers: { ...headers, 'x-amzn-requestid': randomUUID() }, body };
}

/** A CBOR map of texts; good for up to 23 members of up to 255 bytes. */
function cborTexts(members: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.of(0x78, Buffer.byteLength(value)), Buffer.from(value)]);
  return Buffer.concat([Buffer.of(0xa0 + members.length), ...members.flat().map(text)]);
}

function control(site: Site, request: IncomingMessage, url: URL, body: Buffer): Reply {
  if (!sameSecret(header(request, 'x-control-secret'), site.secret)) {
    const advice = 'Send the header x-control-secret with the secret that the simulator printed at its start.';
    return json(401, problem('SecretMissing', advice));
  }
  const call = { method: request.method ?? 'GET', path: url.pathname, query: url.searchParams, body };
  const answer = answerControl(site.world, call);
  return json(answer.status, answer.body);
}

/** The whole body, or undefined where it is longer than allowed. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Answers once; a connection that is gone, or has its answer, is left alone. */
function send(response: ServerResponse, reply: Reply): void {
  if (response.headersSent || response.destroyed) return;
  const common = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
  const length = { 'content-length': String(Buffer.byteLength(reply.body)) };
  response.writeHead(reply.status, { ...common, ...reply.headers, ...length });
  response.end(reply.body);
}

function json(status: number, body: unknown): Reply {
  const headers = { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID() };
  return { status, headers, body: JSON.stringify(body) };
}

function refusal(message: string): Reply {
  return json(403, { ...problem('Forbidden', message), __type: 'AccessDeniedException', message });
}

function problem(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}

function withHeader(reply: Reply, name: string, value: string): Reply {
  return { ...reply, headers: { ...reply.headers, [name]: value } };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
