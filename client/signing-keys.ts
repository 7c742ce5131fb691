// The public keys of hand-offs, from beside the backend's pages, kept until one is met that is not among them.
import { Misconfigured, Unavailable } from '../lambdas/domain/failure.ts';
import type { PublicKey } from '../lambdas/domain/hand-off.ts';
import { fetched, isRecord, noRouteAt, parsed, type Route, urlBelow } from './api-call.ts';

const ROUTE: Route = { name: 'GET /.well-known/jwks.json', permission: 'nobody needs a permission' };
const ANSWER_TIMEOUT_MS = 5_000;

/** A made-up key id must not make us ask at every request. */
const UNKNOWN_KEPT_MS = 10_000;

/** A key that was taken off the list is believed no longer than this. */
const KEPT_MS = 3_600_000;

export class SigningKeys {
  readonly #url: URL;
  #kept: { readonly keys: ReadonlyMap<string, PublicKey>; readonly readAtMs: number } | undefined;

  constructor(pages: URL) {
    this.#url = urlBelow(pages, '/.well-known/jwks.json');
  }

  /** Undefined for a key that is none of the backend's. Throws Unavailable, or Misconfigured where no keys are there. */
  async key(keyId: string): Promise<PublicKey | undefined> {
    const known = this.#kept?.keys.get(keyId);
    const ageMs = performance.now() - (this.#kept?.readAtMs ?? Number.NEGATIVE_INFINITY);
    if (ageMs < (known ? KEPT_MS : UNKNOWN_KEPT_MS)) return known;
    this.#kept = { keys: await this.#read(), readAtMs: performance.now() };
    return this.#kept.keys.get(keyId);
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
