// Reads:       the session keys
// Writes:      nothing; the buyer's browser carries the hand-off
// Once per:    redeemed registration token
// If it stops: the buyer presses "Set up your account" again and gets a new hand-off
import { randomBytes } from 'node:crypto';
import type { Customer } from '../domain/customer.ts';
import { Misconfigured } from '../domain/failure.ts';
import { HAND_OFF_LIFETIME_MS, HAND_OFF_PARAMETER, signHandOff, signingKeyOf } from '../domain/hand-off.ts';
import type { SignUpTarget } from '../domain/registration-settings.ts';
import type { SessionKeys } from './ports.ts';

export interface HandOffPorts {
  readonly keys: SessionKeys;
  readonly issuer: string;
}

/** The address of the seller's sign-up page with a hand-off of the customer in it. The target is that of the settings. */
export async function handOffBuyer(
  { keys, issuer }: HandOffPorts,
  target: SignUpTarget,
  { customer, licenceArn }: { readonly customer: Customer; readonly licenceArn?: string },
  nowMs: number,
): Promise<string> {
  const { current, keys: ring } = await keys.ring();
  const sessionKey = ring.get(current);
  if (sessionKey === undefined) {
    throw new Misconfigured('SessionKeysMalformed', 'The current session key is not among the session keys.');
  }
  const url = new URL(target.url);
  const handOff = {
    handOffId: randomBytes(16).toString('base64url'),
    customerId: customer.customerId,
    productCode: customer.productCode,
    ...(licenceArn === undefined ? {} : { licenseArn: licenceArn }),
    expiresAt: nowMs + HAND_OFF_LIFETIME_MS,
  };
  const key = signingKeyOf(current, sessionKey);
  url.searchParams.set(HAND_OFF_PARAMETER, signHandOff(handOff, { issuer, audience: url.origin }, key, nowMs));
  return url.href;
}
