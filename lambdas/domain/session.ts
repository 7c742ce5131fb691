// The registration session: which customer a browser has proved to be, signed so that it can't be made up.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Signing keys by id. Every listed key is believed; `current` signs. */
export interface SessionKeyRing {
  readonly current: string;
  readonly keys: ReadonlyMap<string, string>;
}

export interface RegistrationSession {
  /** Tells two sessions of one customer apart; the form token is bound to it. */
  readonly sessionId: string;
  readonly customerId: string;
  readonly productCode: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export const SESSION_LIFETIME_MS = 30 * 60_000;

const FORMAT = 's1';

/** The session as text that a browser may hold: readable, but of no use when changed. Undefined without its key. */
export function signSession(session: RegistrationSession, ring: SessionKeyRing): string | undefined {
  const key = ring.keys.get(ring.current);
  if (key === undefined) return undefined;
  const payload = Buffer.from(JSON.stringify(session)).toString('base64url');
  const signed = `${FORMAT}.${ring.current}.${payload}`;
  return `${signed}.${mac(key, signed).toString('base64url')}`;
}

/** The id of the key that a session text says it is signed with. */
export function keyIdOf(sessionText: string): string | undefined {
  return parts(sessionText)?.keyId;
}

/** The session, if one of our keys signed it and it has not expired. */
export function verifySession(
  sessionText: string,
  ring: SessionKeyRing,
  nowMs: number,
): RegistrationSession | undefined {
  const split = parts(sessionText);
  const key = split && ring.keys.get(split.keyId);
  if (!key || !isSame(mac(key, split.signed), Buffer.from(split.signature, 'base64url'))) return undefined;
  // The signature is ours, so the payload is what we wrote.
  const session = JSON.parse(Buffer.from(split.payload, 'base64url').toString()) as RegistrationSession;
  return nowMs < session.expiresAt ? session : undefined;
}

/**
 * The token that a form of this session carries, so that another site can't submit it in the buyer's name. The same
 * for a session as long as its key is listed.
 */
export function formTokenOf(sessionText: string, ring: SessionKeyRing): string | undefined {
  const split = parts(sessionText);
  const key = split && ring.keys.get(split.keyId);
  return key && mac(key, `form\n${split.signed}`).toString('base64url');
}

/** Compares two tokens in a time that does not tell where they differ. */
export function isSameToken(one: string, other: string): boolean {
  return isSame(Buffer.from(one), Buffer.from(other));
}

function parts(text: string) {
  const [format, keyId, payload, signature, ...more] = text.split('.');
  if (format !== FORMAT || !keyId || !payload || !signature || more.length > 0) return undefined;
  return { keyId, payload, signature, signed: `${FORMAT}.${keyId}.${payload}` };
}

function mac(key: string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
