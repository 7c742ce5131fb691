// Tries again what failed in passing, with waits that grow and are spread at random.
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../lambdas/domain/failure.ts';

export interface RetryOptions {
  /** How long a thing is tried again, from its first attempt, in milliseconds. */
  readonly retryForMs: number;
  /** Ends the trying again; an attempt under way is waited for. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each fault that is followed by another attempt. */
  readonly onRetry?: ((fault: unknown) => void) | undefined;
}

export const DEFAULT_RETRY_FOR_MS = 30_000;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/** Attempts until one succeeds, fails for good, or the time is up; then throws the last attempt's fault. */
export async function retried<T>(attempt: () => Promise<T>, { retryForMs, signal, onRetry }: RetryOptions): Promise<T> {
  const startedAtMs = performance.now();
  for (let round = 0; ; round++) {
    try {
      return await attempt();
    } catch (fault) {
      const waitMs = waitAfter(fault, round);
      const isTimeUp = performance.now() - startedAtMs + waitMs > retryForMs;
      if (!isPassing(fault) || isTimeUp || signal?.aborted) throw fault;
      onRetry?.(fault);
      await wait(waitMs, signal);
      if (signal?.aborted) throw fault;
    }
  }
}

/** Shorter where the signal says so. */
async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return delay(ms);
  // Many wait on one signal while the other side is down; Node would take that for a leak, and say so.
  setMaxListeners(0, signal);
  await delay(ms, undefined, { signal }).catch(() => {});
}

/** Anywhere between nothing and the full wait, so that clients which failed together don't come back together. */
function waitAfter(fault: unknown, round: number): number {
  const asked = fault instanceof Failure ? Number(fault.facts['retryAfterMs'] ?? 0) : 0;
  return asked + Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** round);
}

/** What DynamoDB and the network say when the same request may succeed in a moment. */
const PASSING = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'TransactionConflictException',
  'InternalServerError',
  'ServiceUnavailable',
  'TimeoutError',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

const TOO_MANY_REQUESTS = 429;

/** Whether a fault may pass by itself. */
export function isPassing(fault: unknown): boolean {
  if (fault instanceof Failure) return fault.retryable;
  if (!(fault instanceof Error)) return false;
  const { code, $metadata, cause } = fault as Error & {
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode ?? 0;
  if (status >= 500 || status === TOO_MANY_REQUESTS) return true;
  // `fetch` hides what happened to the connection in the cause.
  return PASSING.has(fault.name) || (typeof code === 'string' && PASSING.has(code)) || isPassing(cause);
}

/** A fault in a few words: `fetch` says only "fetch failed" and hides what happened in the cause. */
export function reasonOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  if (fault instanceof Failure) return fault.message;
  const inner = fault.cause instanceof Error ? fault.cause : fault;
  const { code } = inner as { readonly code?: unknown };
  return typeof code === 'string' ? code : inner.message || inner.name;
}
