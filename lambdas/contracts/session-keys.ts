// The secret that holds the keys of registration sessions.
import * as v from 'valibot';
import { Misconfigured } from '../domain/failure.ts';
import type { SessionKeyRing } from '../domain/session.ts';

/** Base64 of 32 random bytes has 44 characters; any text as long and as random will do. */
const Key = v.pipe(v.string(), v.minLength(40));
const KeyId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,32}$/));

// Secrets Manager can generate a member at the top level only, so the first key of a deployment stands there.
const Secret = v.objectWithRest({ current: KeyId, keys: v.optional(v.record(KeyId, Key), {}) }, Key);

/**
 * `{"current":"k2","keys":{"k1":"…","k2":"…"}}`. Each key is believed, `current` signs. Throws Misconfigured, which
 * repeats nothing of the secret.
 */
export function parseSessionKeys(secret: string): SessionKeyRing {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Secret), secret);
  if (parsed.success) {
    const { current, keys, ...generated } = parsed.output;
    const ring = { current, keys: new Map(Object.entries({ ...generated, ...keys })) };
    if (ring.keys.has(current)) return ring;
  }
  throw new Misconfigured(
    'SessionKeysMalformed',
    'The secret of the session keys has to be {"current": id, "keys": {id: key}}, each key 40 characters or more.',
  );
}
