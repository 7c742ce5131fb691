// The public keys of hand-offs, from beside the backend's pages, kept until one is met that is not among them.
import { Misconfigured, Unavailable } from '../lambdas/domain/failure.ts';
import type { PublicKey } from '../lambdas/domain/hand-off.ts';
import { fetched, isRecord, noRouteAt, parsed, type Route, urlBelow } from './api-call.ts';

const ROUTE: Route = { name: 'GET /.well-known/jwks.json', permission: 'nobody needs a permission' };
const ANSWER_TIMEOUT_MS = 5_000;

/** A made-up key id must not make us ask at every request: no sooner again after one was looked for. */
const UNKNOWN_PAUSE_MS = 10_000;

/** A key that was taken off the list is believed no longer than this. */
const KEPT_MS = 3_600_000;

export class SigningKeys {
  readonly #url: URL;
  #kept: { readonly keys: ReadonlyMap<string, PublicKey>; readonly readAtMs: number } | undefined;
  #lookedForUnknownAtMs = Number.NEGATIVE_INFINITY;

  constructor(pages: URL) {
    this.#url = urlBelow(pages, '/.well-known/jwks.json');
  }

  /** Undefined for a key that is none of the backend's. Throws Unavailable, or Misconfigured where no keys are there. */
  async key(keyId: string): Promise<PublicKey | undefined> {
    const kept = this.#kept;
    const nowMs = performance.now();
    const isFresh = kept !== undefined && nowMs - kept.readAtMs < KEPT_MS;
    const known = kept?.keys.get(keyId);
    // However lately the list was read: a rotation may have come since, and a buyer with it.
    if (isFresh && (known || nowMs - this.#lookedForUnknownAtMs < UNKNOWN_PAUSE_MS)) return known;
    const keys = await this.#read();
    if (isFresh) this.#lookedForUnknownAtMs = nowMs;
    this.#kept = { keys, readAtMs: performance.now() };
    return keys.get(keyId);
  }

  async #read(): Promise<ReadonlyMap<string, PublicKey>> {
    const response = await fetched(ROUTE, this.#url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    const answer = parsed(await response.text());
    const { status } = response;
    if (status === 429 || status >= 500) {
      throw new Unavailable('KeysUnavailable', `${ROUTE.name} answered ${status}.`, { facts: { status } });
    }
    const listed = isRecord(answer) && Array.isArray(answer['keys']) ? answer['keys'].filter(isPublicKey) : [];
    if (listed.length > 0) return new Map(listed.map((key) => [key.kid, key]));
    throw new Misconfigured('KeysMissing', `${noRouteAt(ROUTE, this.#url)}: check pagesUrl, and that signUp is set.`);
  }
}

function isPublicKey(value: unknown): value is PublicKey {
  return isRecord(value) && value['kty'] === 'OKP' && value['crv'] === 'Ed25519' && typeof value['kid'] === 'string';
}
