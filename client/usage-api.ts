// Reports usage through POST /usage: for products that may call the API but not write to the tables.
import pLimit from 'p-limit';
import { MAX_EVENTS_PER_REPORT, MAX_REPORT_BYTES } from '../lambdas/contracts/usage-report.ts';
import { BrokenInvariant } from '../lambdas/domain/failure.ts';
import { backendUrl, failureOf, fetched, isRecord, noRouteAt, parsed, type Route, urlBelow } from './api-call.ts';
import { DEFAULT_RETRY_FOR_MS, isPassing, retried } from './retry.ts';
import { type BackendOptions, type Sign, signerFor } from './signed-request.ts';
import { toWireEvent, type UsageEvent, type UsageOutcome, UsageUnconfirmed } from './usage-event.ts';

export { type UsageEvent, type UsageOutcome, UsageUnconfirmed } from './usage-event.ts';

export interface UsageReporterOptions extends BackendOptions {
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

const ROUTE: Route = {
  name: 'POST /usage',
  permission: 'let the caller assume a role that has the ReporterPolicy of the deployment',
};

const MAX_IN_FLIGHT = 4;

/** Above the gateway's own limit of 29 s, so that its answer comes first. */
const ANSWER_TIMEOUT_MS = 35_000;

/** Throws InvalidInput where the URL can't be used, Misconfigured where requests are to be signed for no region. */
export function createUsageReporter(options: UsageReporterOptions): UsageReporter {
  const url = urlBelow(backendUrl(options.url), '/usage');
  const sign = signerFor(url, options, 'POST');
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

async function post(url: URL, sign: Sign, chunk: Chunk): Promise<readonly UsageOutcome[]> {
  const body = `${OPENING}${chunk.join(',')}${CLOSING}`;
  const headers = await sign(url, { 'content-type': 'application/json' }, body);
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetched(ROUTE, url, { method: 'POST', headers, body, signal: timeout });
  const text = await response.text();
  if (response.status !== 200) throw failureOf(ROUTE, url, response, text);
  const answer = parsed(text);
  const outcomes = isRecord(answer) ? answer['outcomes'] : undefined;
  if (Array.isArray(outcomes) && outcomes.length === chunk.length && outcomes.every(isOutcome)) return outcomes;
  throw new BrokenInvariant(
    'AnswerMalformed',
    `${noRouteAt(ROUTE, url)}: what answers there is something else. Check the URL.`,
  );
}

const OUTCOMES = ['recorded', 'already', 'conflict', 'refused'];

function isOutcome(value: unknown): value is UsageOutcome {
  return isRecord(value) && typeof value['id'] === 'string' && OUTCOMES.includes(String(value['outcome']));
}
