// Signed webhooks by the Standard Webhooks convention, which libraries in most languages verify.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a request carries beside its body. */
export interface WebhookHeaders {
  readonly 'webhook-id': string;
  /** Epoch seconds. */
  readonly 'webhook-timestamp': string;
  /** One signature for each secret, parted by spaces, each `v1,` and base64. */
  readonly 'webhook-signature': string;
}

/** A request whose time lies further off than this is refused: it may be an old one, sent again by somebody else. */
const WEBHOOK_TOLERANCE_MS = 5 * 60_000;

const SECRET_PREFIX = 'whsec_';
const FEWEST_SECRET_BYTES = 24;
const MOST_SECRET_BYTES = 64;

/** The key bytes of a secret such as `whsec_MfKQ…`; undefined where it is none: base64 of 24 to 64 bytes. */
export function webhookKey(secret: string): Buffer | undefined {
  const encoded = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret;
  const key = Buffer.from(encoded, 'base64');
  const isExact = key.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '');
  return isExact && key.length >= FEWEST_SECRET_BYTES && key.length <= MOST_SECRET_BYTES ? key : undefined;
}

/** Signs a body with every key, so that a receiver may change from one secret to another while both are valid. */
export function signWebhook(id: string, atMs: number, body: string, keys: readonly Buffer[]): WebhookHeaders {
  const timestamp = String(Math.floor(atMs / 1_000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map((key) => `v1,${mac(key, id, timestamp, body).toString('base64')}`).join(' '),
  };
}

export type WebhookVerdict =
  | { readonly kind: 'genuine' }
  | { readonly kind: 'refused'; readonly reason: 'headersMissing' | 'timeOutsideTolerance' | 'signatureWrong' };

/** Whether a body was signed with one of the keys, a short while ago. The body has to be the bytes that were received. */
export function judgeWebhook(
  headers: Partial<Record<keyof WebhookHeaders, string | undefined>>,
  body: string,
  keys: readonly Buffer[],
  nowMs: number,
): WebhookVerdict {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (!id || !timestamp || !signatures) return { kind: 'refused', reason: 'headersMissing' };
  const isRecent = Math.abs(nowMs - Number(timestamp) * 1_000) <= WEBHOOK_TOLERANCE_MS;
  if (!/^\d+$/.test(timestamp) || !isRecent) return { kind: 'refused', reason: 'timeOutsideTolerance' };
  const expected = keys.map((key) => mac(key, id, timestamp, body));
  const isSigned = signatures.split(' ').some((each) => {
    const [version, text = ''] = each.split(',');
    const given = Buffer.from(text, 'base64');
    return version === 'v1' && expected.some((one) => one.length === given.length && timingSafeEqual(one, given));
  });
  return isSigned ? { kind: 'genuine' } : { kind: 'refused', reason: 'signatureWrong' };
}

function mac(key: Buffer, id: string, timestamp: string, body: string): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
}

const FIRST_WAIT_SECONDS = 5;
const LONGEST_WAIT_SECONDS = 3 * 3_600;

/** For how long an event is tried at a target. */
export const WEBHOOK_TRIED_FOR_MS = 24 * 3_600_000;

/** How long to wait after the `tries`-th try failed: doubling from five seconds to three hours, spread by a fifth. */
export function webhookWaitSeconds(tries: number, chance: number): number {
  const wait = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** Math.min(tries - 1, 20));
  return Math.round(wait * (0.9 + chance / 5));
}
