// The hand-off of a buyer to the seller's own sign-up page: what it says, and the key pair that signs it.
import { createECDH, hkdfSync, sign } from 'node:crypto';
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

/** A public key on the curve P-256, as JSON Web Keys have it. */
export interface PublicKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly alg: 'ES256';
  readonly use: 'sig';
  readonly kid: string;
  readonly x: string;
  readonly y: string;
}

export interface SigningKey extends PublicKey {
  /** The private part. */
  readonly d: string;
}

/** The order of the curve's group: SEC 2, version 2, section 2.4.2. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** 64 bits more than the order has, so that no private key is likelier than another: FIPS 186-5, appendix A.2.1. */
const KEY_BYTES = 40;

/**
 * The key pair that belongs to a key of the sessions: always the same of the same. Made for hand-offs alone, so that
 * neither use tells anything of the other.
 */
export function signingKeyOf(keyId: string, sessionKey: string): SigningKey {
  const bytes = Buffer.from(hkdfSync('sha256', sessionKey, '', 'hand-off ES256', KEY_BYTES));
  const scalar = (BigInt(`0x${bytes.toString('hex')}`) % (ORDER - 1n)) + 1n;
  const d = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex');
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(d);
  // 4, then both coordinates: SEC 1, version 2, section 2.3.3.
  const point = curve.getPublicKey();
  return {
    ...{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: keyId },
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
    d: d.toString('base64url'),
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

/** The hand-off as a JSON Web Token: RFC 7519, signed as RFC 7515 and RFC 7518, section 3.4, say. */
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
  const { kty, crv, x, y, d } = key;
  const signature = sign('sha256', Buffer.from(signed), {
    key: { kty, crv, x, y, d },
    format: 'jwk',
    dsaEncoding: 'ieee-p1363',
  });
  return `${signed}.${signature.toString('base64url')}`;
}
