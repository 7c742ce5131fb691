// Reads:       the secret of the session keys, its version in use and the one that is to come
// Writes:      one new version, then the label that puts it in use
// Once per:    rotation, by the id that Secrets Manager gives it
// If it stops: Secrets Manager asks for the same step of the same rotation again
import { randomBytes } from 'node:crypto';
import { Misconfigured } from '../domain/failure.ts';
import type { SessionKeyRing } from '../domain/session.ts';

/** The versions of a secret. A version's id is the id of the rotation that made it. */
export interface SecretVersions {
  /** The version in use. */
  current(): Promise<{ readonly versionId: string; readonly secret: string }>;
  /** A version that is not in use yet. */
  pending(versionId: string): Promise<string | undefined>;
  /** Once per version. */
  putPending(versionId: string, secret: string): Promise<void>;
  putInUse(versionId: string, insteadOf: string): Promise<void>;
}

/** The steps in which Secrets Manager rotates a secret. */
export type RotationStep = 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';

export interface RotationPorts {
  readonly versions: SecretVersions;
  readonly parse: (secret: string) => SessionKeyRing;
  readonly clock: () => number;
}

const KEY_BYTES = 32;

/** Takes one step of a rotation. */
export async function rotateSessionKeys(ports: RotationPorts, step: RotationStep, versionId: string): Promise<void> {
  const { versions, parse, clock } = ports;
  switch (step) {
    case 'createSecret': {
      if ((await versions.pending(versionId)) !== undefined) return;
      const { secret } = await versions.current();
      return versions.putPending(versionId, secretOf(nextRing(parse(secret), clock())));
    }
    case 'setSecret':
      // Nobody but our own functions knows the keys, and they read the secret.
      return;
    case 'testSecret': {
      const secret = await versions.pending(versionId);
      if (secret !== undefined) parse(secret);
      else throw new Misconfigured('RotationUnprepared', 'The version of the secret to be tested does not exist.');
      return;
    }
    case 'finishSecret': {
      const current = await versions.current();
      if (current.versionId === versionId) return;
      return versions.putInUse(versionId, current.versionId);
    }
  }
}

/**
 * A new key signs, the one before is still believed, so that no buyer loses a session; older ones are dropped. Two
 * rotations in a row therefore make a stolen key worthless.
 */
function nextRing(ring: SessionKeyRing, nowMs: number): SessionKeyRing {
  const before = ring.keys.get(ring.current) ?? '';
  // Seconds tell the keys apart for people; the random part does where two are made in one second.
  const id = `k${Math.floor(nowMs / 1_000)}-${randomBytes(3).toString('hex')}`;
  const key = randomBytes(KEY_BYTES).toString('base64');
  return {
    current: id,
    keys: new Map([
      [ring.current, before],
      [id, key],
    ]),
  };
}

function secretOf({ current, keys }: SessionKeyRing): string {
  return JSON.stringify({ current, keys: Object.fromEntries(keys) });
}
