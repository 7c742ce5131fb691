// The hand-off of a buyer to the seller's own sign-up page: what it says, and the key pair that signs it.
import { createPrivateKey, createPublicKey, hkdfSync, sign } from 'node:crypto';
import { DAY_MS, MINUTE_MS, SECOND_MS } from './hour.ts';

/** Says whom a buyer's browser is of, for one sign-up page, for five minutes and once. No personal data. */
export interface HandOff {
  readonly handOffId: string;
  readonly customerId: string;
  readonly productCode: string;
  /** As AWS named it; absent where it named none. */
  readonly licenseArn?: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** A hand-off that the seller's server has redeemed. */
export interface RedeemedHandOff {
  readonly handOffId: string;
  readonly customerId: string;
  /** Names the one redemption: who asks again under it gets the same answer. */
  readonly redemptionId: string;
  /** Until when the buyer's registration is taken under it, in epoch milliseconds. */
  readonly registersUntil: number;
}

/** What a hand-off turns out to be. Only a `verified` one may be acted on, and only once. */
export type HandOffVerdict =
  | { readonly kind: 'verified'; readonly handOff: HandOff }
  | { readonly kind: 'expired' }
  /** Ours, but for another sign-up page, or of another deployment. */
  | { readonly kind: 'notForUs' }
  /** Not signed by us, changed on the way, or no hand-off at all. */
  | { readonly kind: 'forged' };

export const HAND_OFF_LIFETIME_MS = 5 * MINUTE_MS;

/** A buyer may take their time over the seller's page, and come back to it. */
export const REGISTERS_FOR_MS = 30 * DAY_MS;

/** The parameter of the sign-up page's address that carries it. */
export const HAND_OFF_PARAMETER = 'handOff';

/** Who signs: the deployment of a stage, by the name that its stacks begin with. */
export function handOffIssuer(stage: string): string {
  return `fulfillment-${stage}`;
}

/** Says what the token is for: none of another kind is ever taken for a hand-off. */
export const HAND_OFF_TYPE = 'hand-off+jwt';

/** A public key of Ed25519, as JSON Web Keys have it: RFC 8037. */
export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly alg: 'EdDSA';
  readonly use: 'sig';
  readonly kid: string;
  readonly x: string;
}

export interface SigningKey extends PublicKey {
  /** The private part. */
  readonly d: string;
}

/** A private key of Ed25519 is any 32 bytes that nobody else knows: RFC 8032, section 5.1.5. */
const KEY_BYTES = 32;

/** What PKCS #8 puts before them: RFC 8410, section 7. */
const PRIVATE_KEY_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The key pair that belongs to a key of the sessions: always the same of the same. Made for hand-offs alone, so that
 * neither use tells anything of the other.
 */
export function signingKeyOf(keyId: string, sessionKey: string): SigningKey {
  const bytes = Buffer.from(hkdfSync('sha256', sessionKey, '', 'hand-off Ed25519', KEY_BYTES));
  const der = Buffer.concat([PRIVATE_KEY_HEADER, bytes]);
  const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  });
  return {
    ...{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: keyId },
    ...{ x, d: bytes.toString('base64url') },
  } as const;
}

export function publicKeyOf({ d: _, ...key }: SigningKey): PublicKey {
  return key;
}

export interface HandOffParties {
  readonly issuer: string;
  /** The origin of the sign-up page. */
  readonly audience: string;
}

/** The hand-off as a JSON Web Token: RFC 7519, signed as RFC 7515 and RFC 8037 say. */
export function signHandOff(
  { handOffId, customerId, productCode, licenseArn, expiresAt }: HandOff,
  { issuer, audience }: HandOffParties,
  key: SigningKey,
  nowMs: number,
): string {
  const header = { alg: key.alg, kid: key.kid, typ: HAND_OFF_TYPE };
  const claims = {
    ...{ iss: issuer, aud: audience, sub: customerId, jti: handOffId },
    ...{ iat: Math.floor(nowMs / SECOND_MS), exp: Math.floor(expiresAt / SECOND_MS) },
    productCode,
    ...(licenseArn === undefined ? {} : { licenseArn }),
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const { kty, crv, x, d } = key;
  const signature = sign(null, Buffer.from(signed), { key: { kty, crv, x, d }, format: 'jwk' });
  return `${signed}.${signature.toString('base64url')}`;
}
