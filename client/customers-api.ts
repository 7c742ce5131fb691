// Asks how a buyer stands and what a contract includes, through GET /customers/{customerId}.
import { BrokenInvariant, InvalidInput } from '../lambdas/domain/failure.ts';
import type { CustomerEntitlements, CustomerStanding } from '../lambdas/flow/read-standing.ts';
import {
  backendUrl,
  errorIn,
  failureOf,
  fetched,
  isRecord,
  noRouteAt,
  parsed,
  type Route,
  urlBelow,
} from './api-call.ts';
import { retried } from './retry.ts';
import { type BackendOptions, signerFor } from './signed-request.ts';

export type { CustomerEntitlements, CustomerStanding } from '../lambdas/flow/read-standing.ts';

export type CustomerReaderOptions = BackendOptions;

/**
 * Both remember the last answers and ask whether they still hold, so that an unchanged one is not sent again. A request
 * that fails in passing (429, 5xx, no answer) is made again. Reject with Unavailable where that lasts, Misconfigured
 * where the address or the permission is wrong, InvalidInput where the id is none.
 */
export interface CustomerReader {
  /** Undefined for an unknown customer. */
  standing(customerId: string): Promise<CustomerStanding | undefined>;
  /** Undefined for an unknown customer. */
  entitlements(customerId: string): Promise<CustomerEntitlements | undefined>;
}

const ROUTE: Route = {
  name: 'GET /customers/{customerId}',
  permission: 'let the caller assume a role that may read customers of the deployment',
};

/** Somebody may wait in front of the seller's product. */
const RETRY_FOR_MS = 5_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** How many answers are remembered; the one that was asked for longest ago goes first. */
const ANSWERS_KEPT = 1_000;

/** Throws InvalidInput where the URL can't be used, Misconfigured where requests are to be signed for no region. */
export function createCustomerReader(options: CustomerReaderOptions): CustomerReader {
  const backend = backendUrl(options.url);
  const sign = signerFor(backend, options, 'GET');
  const { retryForMs = RETRY_FOR_MS, signal, onRetry } = options;
  const known = new Answers();

  const ask = async (path: string): Promise<unknown> => {
    const url = urlBelow(backend, path);
    const remembered = known.get(path);
    const headers = await sign(url, remembered ? { 'if-none-match': remembered.tag } : {}, '');
    const response = await fetched(ROUTE, url, { headers, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    const body = await response.text();
    if (response.status === 304 && remembered) return remembered.answer;
    if (response.status === 404 && errorIn(body).code === 'CustomerUnknown') {
      known.forget(path);
      return undefined;
    }
    if (response.status !== 200) throw failureOf(ROUTE, url, response, body);
    const answer = parsed(body);
    if (!isAnswer(answer)) {
      throw new BrokenInvariant('AnswerMalformed', `${noRouteAt(ROUTE, url)}: what answers there is something else.`);
    }
    const tag = response.headers.get('etag');
    if (tag !== null) known.remember(path, { tag, answer });
    return answer;
  };
  const read = async (customerId: string, part: string): Promise<unknown> => {
    if (!/^[\w-]{1,64}$/.test(customerId)) {
      throw new InvalidInput('CustomerIdMalformed', 'A customer id is like cus_…: the one that registration told.');
    }
    return retried(() => ask(`/customers/${customerId}${part}`), { retryForMs, signal, onRetry });
  };
  return {
    standing: async (customerId) => (await read(customerId, '')) as CustomerStanding | undefined,
    entitlements: async (customerId) => (await read(customerId, '/entitlements')) as CustomerEntitlements | undefined,
  };
}

interface Remembered {
  readonly tag: string;
  readonly answer: unknown;
}

/** Answers by path, the one that was asked for longest ago first. */
class Answers {
  readonly #byPath = new Map<string, Remembered>();

  get(path: string): Remembered | undefined {
    const remembered = this.#byPath.get(path);
    if (remembered) this.remember(path, remembered);
    return remembered;
  }

  remember(path: string, remembered: Remembered): void {
    this.#byPath.delete(path);
    this.#byPath.set(path, remembered);
    const [oldest] = this.#byPath.keys();
    if (this.#byPath.size > ANSWERS_KEPT && oldest !== undefined) this.#byPath.delete(oldest);
  }

  forget(path: string): void {
    this.#byPath.delete(path);
  }
}

/** Both answers name the customer and its licences. */
function isAnswer(value: unknown): boolean {
  return isRecord(value) && typeof value['customerId'] === 'string' && Array.isArray(value['licences']);
}
