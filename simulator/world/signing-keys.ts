// The key pairs that sign RegisterUsage answers, by version.
import { generateKeyPairSync } from 'node:crypto';
import { numberOf, optionalNumberOf, type Row, textOf } from './database.ts';
import type { World } from './world.ts';

interface SigningKey {
  readonly version: number;
  readonly privatePem: string;
  readonly publicPem: string;
  readonly createdMs: number;
  readonly expiredMs: number | undefined;
}

/** All versions, oldest first. The first one is made when somebody asks, since making one takes a moment. */
export function listSigningKeys(world: World): SigningKey[] {
  const known = world.db.all('SELECT * FROM signing_keys ORDER BY version').map(toKey);
  return known.length > 0 ? known : [addKey(world, 1)];
}

/** Makes the next version and lets the ones before it expire now. */
export function rotateSigningKeys(world: World): SigningKey {
  const newest = listSigningKeys(world).at(-1);
  return world.db.transaction(() => {
    world.db.run('UPDATE signing_keys SET expired_ms = ? WHERE expired_ms IS NULL', world.now());
    return addKey(world, (newest?.version ?? 0) + 1);
  });
}

function addKey(world: World, version: number): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key: SigningKey = {
    version,
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    createdMs: world.now(),
    expiredMs: undefined,
  };
  const sql = 'INSERT INTO signing_keys VALUES (?, ?, ?, ?, NULL)';
  world.db.run(sql, version, key.privatePem, key.publicPem, key.createdMs);
  return key;
}

function toKey(row: Row): SigningKey {
  return {
    version: numberOf(row, 'version'),
    privatePem: textOf(row, 'private_pem'),
    publicPem: textOf(row, 'public_pem'),
    createdMs: numberOf(row, 'created_ms'),
    expiredMs: optionalNumberOf(row, 'expired_ms'),
  };
}
