// Registration tokens. A token carries its agreement and its end, sealed with the world's key, so that none is stored.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { World } from './world.ts';

// AWS: "SaaS product customer setup" says four hours, and that the same token may be used again until then.
export const TOKEN_LIFETIME_SECONDS = 4 * 3600;

const SEAL_BYTES = 16;
const END_BYTES = 8;
const NONCE_BYTES = 12;

/**
 * Mints a token. It always holds `+`, `/` and `=`, the characters that a form decoder gets wrong, since AWS's
 * alphabet has them.
 */
export function mintToken(world: World, agreementId: string, expiresMs: number): string {
  const end = Buffer.alloc(END_BYTES);
  end.writeBigInt64BE(BigInt(Math.floor(expiresMs)));
  for (;;) {
    const body = Buffer.concat([randomBytes(NONCE_BYTES), end, Buffer.from(agreementId)]);
    const whole = Buffer.concat([seal(world, body), body]);
    // One byte of filling where the length would need no padding.
    const token = (whole.length % 3 === 0 ? Buffer.concat([whole, Buffer.of(0)]) : whole).toString('base64');
    if (token.includes('+') && token.includes('/')) return token;
  }
}

type TokenReading =
  | { readonly kind: 'genuine'; readonly agreementId: string; readonly expiresMs: number }
  | { readonly kind: 'invalid' };

/**
 * What a token says. Only the exact text that this world minted is genuine; whether it has expired is the caller's
 * question.
 */
export function readToken(world: World, token: string): TokenReading {
  const bytes = Buffer.from(token, 'base64');
  // Decoding is lenient; only the exact text that was minted is the token.
  if (bytes.length <= SEAL_BYTES + NONCE_BYTES + END_BYTES || bytes.toString('base64') !== token) {
    return { kind: 'invalid' };
  }
  const whole = bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
  const body = whole.subarray(SEAL_BYTES);
  if (!timingSafeEqual(whole.subarray(0, SEAL_BYTES), seal(world, body))) return { kind: 'invalid' };
  return {
    kind: 'genuine',
    agreementId: body.subarray(NONCE_BYTES + END_BYTES).toString(),
    expiresMs: Number(body.readBigInt64BE(NONCE_BYTES)),
  };
}

/** Marks a token as used; false where it was used before. */
export function useToken(world: World, token: string): boolean {
  const hash = createHash('sha256').update(token).digest('hex');
  return world.db.run('INSERT OR IGNORE INTO used_tokens VALUES (?)', hash) === 1;
}

function seal(world: World, body: Buffer): Buffer {
  return createHmac('sha256', world.tokenKey).update(body).digest().subarray(0, SEAL_BYTES);
}
