// Judges hand-offs, which are JSON Web Tokens: any library of any language does it as well.
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { HAND_OFF_TYPE, type HandOffVerdict, type PublicKey } from '../domain/hand-off.ts';

export interface HandOffJudging {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** The public key of an id; undefined where there is none. What it throws is thrown on. */
  keyOf(keyId: string): Promise<PublicKey | undefined>;
  readonly nowMs: number;
  /** How far the clock may be wrong by which `nowMs` was told. */
  readonly toleranceSeconds: number;
}

/** Whether a text is a hand-off of this issuer to one of these pages, by its signature first. */
export async function judgeHandOff(text: string, judging: HandOffJudging): Promise<HandOffVerdict> {
  try {
    const { payload } = await jwtVerify(
      text,
      async ({ kid }) => {
        const key = kid === undefined ? undefined : await judging.keyOf(kid);
        if (!key) throw new errors.JWKSNoMatchingKey();
        return key;
      },
      {
        algorithms: ['EdDSA'],
        typ: HAND_OFF_TYPE,
        issuer: judging.issuer,
        audience: [...judging.audiences],
        requiredClaims: ['exp', 'iat', 'jti', 'sub'],
        currentDate: new Date(judging.nowMs),
        clockTolerance: judging.toleranceSeconds,
      },
    );
    return verdictOf(payload);
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { kind: 'expired' };
    if (error instanceof errors.JWTClaimValidationFailed) {
      return { kind: error.claim === 'aud' || error.claim === 'iss' ? 'notForUs' : 'forged' };
    }
    if (error instanceof errors.JOSEError) return { kind: 'forged' };
    throw error;
  }
}

function verdictOf({ jti, sub, exp, productCode, licenseArn }: JWTPayload): HandOffVerdict {
  if (jti === undefined || sub === undefined || exp === undefined || typeof productCode !== 'string') {
    return { kind: 'forged' };
  }
  const licence = typeof licenseArn === 'string' ? { licenseArn } : {};
  const handOff = { handOffId: jti, customerId: sub, productCode, ...licence, expiresAt: exp * 1_000 };
  return { kind: 'verified', handOff };
}
