// Takes a buyer over on the seller's own sign-up page: verifies the hand-off, spends it, and registers the buyer.
import { randomUUID } from 'node:crypto';
import { InvalidInput } from '../lambdas/domain/failure.ts';
import { type HandOffVerdict, handOffIssuer, type PublicKey } from '../lambdas/domain/hand-off.ts';
import { judgeHandOff } from '../lambdas/runtime/hand-off-judge.ts';
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
import { SigningKeys } from './signing-keys.ts';

export type { HandOff, HandOffVerdict } from '../lambdas/domain/hand-off.ts';

export interface SignUpsOptions extends BackendOptions {
  /** The output `FulfillmentUrl`, with or without `/register` at its end: beside it stand the public keys. */
  readonly pagesUrl: string;
  /** The address of your sign-up page, as in `products[].signUp.url`. Of the settings, never of the request. */
  readonly signUpUrl: string;
  /** As in the settings of the deployment; `prod` where absent. */
  readonly stage?: string;
  /** Epoch milliseconds; absent for the clock of this machine. */
  readonly clock?: () => number;
}

/** A buyer whose hand-off is spent, by you: begin your own session with it. */
export interface ArrivedBuyer {
  readonly handOffId: string;
  readonly customerId: string;
  readonly productCode: string;
  readonly licenseArn?: string;
  readonly customerAwsAccountId?: string;
  /** The buyer came before and is registered: there is no form to fill in. */
  readonly isRegistered: boolean;
}

export type HandOffRedemption =
  | { readonly kind: 'redeemed'; readonly buyer: ArrivedBuyer }
  /** Somebody has been here with it: the same browser by its back button, or whoever found the address. */
  | { readonly kind: 'spent' }
  | Exclude<HandOffVerdict, { kind: 'verified' }>;

export interface SignUpAnswers {
  readonly email: string;
  /** By the names in `registration.fields` of the product. */
  readonly fields?: Readonly<Record<string, string>>;
}

export type SignUpOutcome =
  | { readonly kind: 'registered' }
  /** The same was told before. */
  | { readonly kind: 'already' }
  /** Something else was told before, and stands. */
  | { readonly kind: 'alreadyOtherwise' }
  /** Nothing was kept: show the problems beside their fields. */
  | { readonly kind: 'incomplete'; readonly problems: readonly { readonly name: string; readonly message: string }[] }
  /** Redeem the hand-off first; or it was too long ago. */
  | { readonly kind: 'notRedeemed' };

/**
 * Each call that fails in passing (429, 5xx, no answer) is made again, and changes nothing the second time. They reject
 * with Unavailable where that lasts, Misconfigured where an address or the permission is wrong, InvalidInput where the
 * customer is none.
 */
export interface SignUps {
  /** Whether a hand-off is genuine, by the public keys alone. Verifying spends nothing: redeem it before you act on it. */
  verify(handOff: string): Promise<HandOffVerdict>;
  /** Verifies a hand-off and spends it, once for all servers. */
  redeem(handOff: string): Promise<HandOffRedemption>;
  /** Tells what the buyer wrote on your page. Once per buyer, like the form of the backend. */
  register(buyer: Pick<ArrivedBuyer, 'customerId' | 'handOffId'>, answers: SignUpAnswers): Promise<SignUpOutcome>;
}

const REDEEM: Route = { name: 'POST /hand-offs', permission: 'attach the policy SignUpPolicy to the caller' };
const REGISTER: Route = { ...REDEEM, name: 'POST /customers/{customerId}/registration' };

/** A buyer waits in front of the page. */
const RETRY_FOR_MS = 5_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** Two clocks that are kept by AWS and by you. */
const TOLERANCE_SECONDS = 30;

const VERDICTS = {
  HandOffExpired: 'expired',
  HandOffNotForUs: 'notForUs',
  HandOffForged: 'forged',
  HandOffSpent: 'spent',
} as const;

/** Throws InvalidInput where an address can't be used, Misconfigured where requests are to be signed for no region. */
export function createSignUps(options: SignUpsOptions): SignUps {
  const backend = backendUrl(options.url);
  const audience = backendUrl(options.signUpUrl).origin;
  const keys = new SigningKeys(backendUrl(options.pagesUrl.replace(/\/register\/?$/, '')));
  const sign = signerFor(backend, options, 'POST');
  const { retryForMs = RETRY_FOR_MS, signal, onRetry, stage = 'prod', clock = Date.now } = options;
  const again = { retryForMs, signal, onRetry };

  const post = async (route: Route, path: string, content: object): Promise<Answer> => {
    const url = urlBelow(backend, path);
    const body = JSON.stringify(content);
    return retried(async () => {
      const headers = await sign(url, { 'content-type': 'application/json' }, body);
      const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const response = await fetched(route, url, { method: 'POST', headers, body, signal: timeout });
      const text = await response.text();
      const answer = { url, status: response.status, body: text, failure: () => failureOf(route, url, response, text) };
      // What is the buyer's affair is told by the caller; the rest is a fault, and may pass.
      if (response.status === 429 || response.status >= 500) throw answer.failure();
      return answer;
    }, again);
  };
  const verify = (handOff: string) =>
    judgeHandOff(handOff, {
      issuer: handOffIssuer(stage),
      audiences: [audience],
      keyOf: (keyId): Promise<PublicKey | undefined> => retried(() => keys.key(keyId), again),
      nowMs: clock(),
      toleranceSeconds: TOLERANCE_SECONDS,
    });

  return {
    verify,
    redeem: async (handOff) => {
      // First by ourselves: what anybody puts into an address costs no call.
      const verdict = await verify(handOff);
      if (verdict.kind !== 'verified') return verdict;
      const answer = await post(REDEEM, '/hand-offs', { handOff, redemptionId: randomUUID() });
      const { code = '' } = errorIn(answer.body);
      if (isKnown(code)) return { kind: VERDICTS[code] };
      const buyer = parsed(answer.body);
      if (answer.status === 200 && isBuyer(buyer)) return { kind: 'redeemed', buyer };
      throw answer.failure();
    },
    register: async ({ customerId, handOffId }, { email, fields = {} }) => {
      if (!/^[\w-]{1,64}$/.test(customerId)) {
        throw new InvalidInput('CustomerIdMalformed', 'A customer id is like cus_…: the one that the hand-off told.');
      }
      const answer = await post(REGISTER, `/customers/${customerId}/registration`, { handOffId, email, fields });
      if (answer.status === 200) return { kind: outcomeIn(answer) };
      const { code, message = '' } = errorIn(answer.body);
      if (code === 'HandOffNotRedeemed') return { kind: 'notRedeemed' };
      // 404, as where the address is wrong.
      if (code === 'CustomerUnknown') throw new InvalidInput(code, message);
      const problems = problemsIn(answer.body);
      if (problems) return { kind: 'incomplete', problems };
      throw answer.failure();
    },
  };
}

interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly body: string;
  failure(): Error;
}

function isKnown(code: string): code is keyof typeof VERDICTS {
  return code in VERDICTS;
}

function isBuyer(value: unknown): value is ArrivedBuyer {
  return isRecord(value) && typeof value['customerId'] === 'string' && typeof value['handOffId'] === 'string';
}

function outcomeIn({ body, url }: Answer): 'registered' | 'already' | 'alreadyOtherwise' {
  const answer = parsed(body);
  const outcome = isRecord(answer) ? answer['outcome'] : undefined;
  if (outcome === 'registered' || outcome === 'already' || outcome === 'alreadyOtherwise') return outcome;
  throw new InvalidInput('AnswerMalformed', `${noRouteAt(REGISTER, url)}: what answers there is something else.`);
}

function problemsIn(body: string): readonly { readonly name: string; readonly message: string }[] | undefined {
  const answer = parsed(body);
  const problems = isRecord(answer) && isRecord(answer['error']) ? answer['error']['problems'] : undefined;
  if (!Array.isArray(problems)) return undefined;
  return problems.filter(isRecord).map(({ name, message }) => ({ name: String(name), message: String(message) }));
}
