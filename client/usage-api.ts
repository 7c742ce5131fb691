// Reports usage through POST /usage: for products that may call the API but not write to the tables.
import pLimit from 'p-limit';
import { MAX_EVENTS_PER_REPORT, MAX_REPORT_BYTES } from '../lambdas/contracts/usage-report.ts';
import { BrokenInvariant, type Failure, InvalidInput, Misconfigured, Unavailable } from '../lambdas/domain/failure.ts';
import { DEFAULT_RETRY_FOR_MS, isPassing, type RetryOptions, retried } from './retry.ts';
import { type Credentials, isApiAtAws, type Sign, signerFor } from './signed-request.ts';
import { toWireEvent, type UsageEvent, type UsageOutcome, UsageUnconfirmed } from './usage-event.ts';

export { type UsageEvent, type UsageOutcome, UsageUnconfirmed } from './usage-event.ts';

export interface UsageReporterOptions extends Partial<RetryOptions> {
  /** The backend's address, with or without `/usage` at its end. */
  readonly url: string;
  /** Whether requests are signed; where absent, those to an API at AWS are. */
  readonly sign?: boolean;
  readonly region?: string;
  readonly credentials?: Credentials;
  /** How many requests are made side by side, 4 where absent. */
  readonly maxInFlight?: number;
}

export interface UsageReporter {
  /**
   * Reports events in requests of at most 500, and says of each, in order, what came of it. Requests that fail in
   * passing (429, 5xx, no answer) are made again whole: what they recorded before answers `already`. Rejects with
   * UsageUnconfirmed where a fault outlasts that, or will not pass.
   */
  report(events: readonly UsageEvent[]): Promise<readonly UsageOutcome[]>;
}

const MAX_IN_FLIGHT = 4;

/** Above the gateway's own limit of 29 s, so that its answer comes first. */
const ANSWER_TIMEOUT_MS = 35_000;

/** Throws InvalidInput where the URL can't be used, Misconfigured where requests are to be signed for no region. */
export function createUsageReporter(options: UsageReporterOptions): UsageReporter {
  const url = usageUrl(options.url);
  const sign = (options.sign ?? isApiAtAws(url)) ? signerFor(url, options) : undefined;
  const { retryForMs = DEFAULT_RETRY_FOR_MS, signal, onRetry } = options;
  const limit = pLimit(options.maxInFlight ?? MAX_IN_FLIGHT);
  return {
    async report(events) {
      const chunks = cutIntoChunks(events.map((event) => JSON.stringify(toWireEvent(event))));
      let outage: unknown;
      const send = async (chunk: Chunk) => {
        if (outage !== undefined) throw outage;
        try {
          return await retried(() => post(url, sign, chunk), { retryForMs, signal, onRetry });
        } catch (fault) {
          if (isPassing(fault)) outage ??= fault;
          throw fault;
        }
      };
      const answers = await Promise.allSettled(chunks.map((chunk) => limit(send, chunk)));
      const outcomes = answers.flatMap((answer, index): readonly (UsageOutcome | undefined)[] =>
        answer.status === 'fulfilled'
          ? answer.value
          : Array.from({ length: chunks[index]?.length ?? 0 }, () => undefined),
      );
      const faults = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason as unknown);
      if (faults.length > 0) throw new UsageUnconfirmed(events, outcomes, faults.every(isPassing), faults[0]);
      return outcomes.filter((outcome) => outcome !== undefined);
    },
  };
}

/** The address of the route. Throws InvalidInput, without repeating what might hold a password. */
function usageUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    throw new InvalidInput(
      'UrlMalformed',
      'The URL has to be like https://host/prod or http://127.0.0.1:7300, without a name and password in it.',
    );
  }
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/usage') ? path : `${path}/usage`;
  return url;
}

/** Events of one request, as JSON. */
type Chunk = readonly string[];

const OPENING = '{"events":[';
const CLOSING = ']}';

function cutIntoChunks(events: readonly string[]): readonly Chunk[] {
  const chunks: string[][] = [];
  let chunk: string[] = [];
  let size = 0;
  for (const event of events) {
    // One for the comma.
    const added = Buffer.byteLength(event) + 1;
    const isFull = chunk.length === MAX_EVENTS_PER_REPORT || size + added > MAX_REPORT_BYTES;
    if (chunk.length === 0 || isFull) {
      chunk = [];
      chunks.push(chunk);
      size = OPENING.length + CLOSING.length;
    }
    chunk.push(event);
    size += added;
  }
  return chunks;
}

async function post(url: URL, sign: Sign | undefined, chunk: Chunk): Promise<readonly UsageOutcome[]> {
  const body = `${OPENING}${chunk.join(',')}${CLOSING}`;
  const plain = { 'content-type': 'application/json' };
  const headers = sign ? await sign(url, plain, body) : plain;
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetched(url, { method: 'POST', headers, body, signal: timeout, redirect: 'manual' });
  const text = await response.text();
  if (response.status !== 200) throw failureOf(url, response, text);
  const answer = parsed(text);
  const outcomes = isRecord(answer) ? answer['outcomes'] : undefined;
  if (Array.isArray(outcomes) && outcomes.length === chunk.length && outcomes.every(isOutcome)) return outcomes;
  throw new BrokenInvariant(
    'AnswerMalformed',
    `${noRouteAt(url)}: what answers there is something else. Check the URL.`,
  );
}

/** `fetch` refuses some ports of its own accord, and would refuse them again. */
async function fetched(url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
    if (cause?.message !== 'bad port') throw error;
    throw new Misconfigured('UrlPortBarred', `${noRouteAt(url)}: nothing is served on port ${url.port}.`, { cause });
  }
}

/** Without the query, which might hold a secret. */
function noRouteAt(url: URL): string {
  return `There is no POST /usage at ${url.origin}${url.pathname}`;
}

const OUTCOMES = ['recorded', 'already', 'conflict', 'refused'];

function isOutcome(value: unknown): value is UsageOutcome {
  return isRecord(value) && typeof value['id'] === 'string' && OUTCOMES.includes(String(value['outcome']));
}

const REMEDIES: Readonly<Record<number, string>> = {
  401: 'Sign the requests.',
  403: 'Check the URL, let the caller assume a role that has the ReporterPolicy of the deployment, and sign the requests.',
};

/** 403, too: API Gateway gives it for a path that it does not know. */
const NO_ROUTE = new Set([403, 404, 405]);

function failureOf(url: URL, response: Response, body: string): Failure {
  const { status } = response;
  const answer = parsed(body);
  const error = isRecord(answer) && isRecord(answer['error']) ? answer['error'] : {};
  const code = typeof error['code'] === 'string' ? error['code'] : `Status${status}`;
  const said = typeof error['message'] === 'string' ? ` ${error['message']}` : '';
  const remedy = REMEDIES[status] === undefined ? '' : ` ${REMEDIES[status]}`;
  const forUs = status === 403 ? ' that this caller may use' : '';
  const answered = NO_ROUTE.has(status)
    ? `${noRouteAt(url)}${forUs}: it answered ${status}, ${code}.`
    : `POST /usage answered ${status}, ${code}.`;
  const message = `${answered}${said}${remedy}`;
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  const retryAfterMs = Number.isFinite(seconds) ? Math.max(0, seconds) * 1_000 : 0;
  // Any 5xx is worth another attempt: identities repeat, so that nothing can be recorded twice.
  if (status >= 500 || status === 429) return new Unavailable(code, message, { facts: { status, retryAfterMs } });
  if (remedy !== '' || NO_ROUTE.has(status)) return new Misconfigured(code, message, { facts: { status } });
  return new InvalidInput(code, message, { facts: { status } });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
