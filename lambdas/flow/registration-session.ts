// Reads:       the session keys; on the way back, what the browser brings
// Writes:      nothing; the browser keeps the session
// Once per:    redeemed registration token
// If it stops: the buyer presses "Set up your account" again and gets a new session
import { randomBytes } from 'node:crypto';
import type { Customer } from '../domain/customer.ts';
import { Misconfigured } from '../domain/failure.ts';
import {
  formTokenOf,
  keyIdOf,
  type RegistrationSession,
  SESSION_LIFETIME_MS,
  signSession,
  verifySession,
} from '../domain/session.ts';
import type { SessionKeys } from './ports.ts';

export interface OpenSession {
  readonly session: RegistrationSession;
  /** What a form of this session has to carry. */
  readonly formToken: string;
}

/** A signed session of the customer, good for 30 minutes. Knowing a customer's id alone makes none. */
export async function openSession(keys: SessionKeys, customer: Customer, nowMs: number): Promise<string> {
  const session: RegistrationSession = {
    sessionId: randomBytes(16).toString('base64url'),
    customerId: customer.customerId,
    productCode: customer.productCode,
    expiresAt: nowMs + SESSION_LIFETIME_MS,
  };
  const text = signSession(session, await keys.ring());
  if (text) return text;
  throw new Misconfigured('SessionKeysMalformed', 'The current session key is not among the session keys.');
}

/** The session that a browser brought; undefined where there is none, it is not ours or it has expired. */
export async function readSession(
  keys: SessionKeys,
  text: string | undefined,
  nowMs: number,
): Promise<OpenSession | undefined> {
  const keyId = text && keyIdOf(text);
  if (!text || !keyId) return undefined;
  const ring = await keys.ring(keyId);
  const session = verifySession(text, ring, nowMs);
  const formToken = formTokenOf(text, ring);
  return session && formToken ? { session, formToken } : undefined;
}
