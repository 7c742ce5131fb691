// The keys of registration sessions, from Secrets Manager, kept for a few minutes.
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { Misconfigured, Unavailable } from '../domain/failure.ts';
import { SECOND_MS } from '../domain/hour.ts';
import type { SessionKeyRing } from '../domain/session.ts';
import type { SessionKeys } from '../flow/ports.ts';

const KEEP_MS = 5 * 60 * SECOND_MS;

/** A made-up key id must not make us ask Secrets Manager at every request: no sooner again after one was looked for. */
const UNKNOWN_KEY_PAUSE_MS = 10 * SECOND_MS;

interface SecretClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<SecretsManagerClientConfig['credentials']>;
}

interface SecretSource {
  readonly client: SecretsManagerClient;
  /** Name or ARN. */
  readonly secretId: string;
  readonly parse: (secret: string) => SessionKeyRing;
  readonly clock: () => number;
}

export function secretsClient(settings: SecretClientSettings): SecretsManagerClient {
  return new SecretsManagerClient({
    ...settings,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: SECOND_MS, requestTimeout: 2 * SECOND_MS, throwOnRequestTimeout: true },
  });
}

export class SecretSessionKeys implements SessionKeys {
  readonly #source: SecretSource;
  #kept: { readonly ring: SessionKeyRing; readonly readAt: number } | undefined;
  #lookedForUnknownAt = Number.NEGATIVE_INFINITY;

  constructor(source: SecretSource) {
    this.#source = source;
  }

  async ring(keyId?: string): Promise<SessionKeyRing> {
    const now = this.#source.clock();
    const kept = this.#kept;
    const isFresh = kept !== undefined && now - kept.readAt < KEEP_MS;
    const isKnown = keyId === undefined || kept?.ring.keys.has(keyId);
    // However lately the keys were read: a rotation may have come since, and a buyer with it.
    if (isFresh && (isKnown || now - this.#lookedForUnknownAt < UNKNOWN_KEY_PAUSE_MS)) return kept.ring;
    const ring = this.#source.parse(await this.#read());
    if (isFresh) this.#lookedForUnknownAt = now;
    this.#kept = { ring, readAt: now };
    return ring;
  }

  async #read(): Promise<string> {
    const { client, secretId } = this.#source;
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
      if (SecretString) return SecretString;
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      if (!REFUSALS.has(name)) {
        throw new Unavailable('SecretsUnavailable', 'Secrets Manager did not answer.', { cause: error });
      }
      throw new Misconfigured('SessionKeysUnreadable', 'Secrets Manager refuses the session keys: check the role.', {
        cause: error,
      });
    }
    throw new Misconfigured('SessionKeysUnreadable', 'The secret of the session keys holds no text.');
  }
}

const REFUSALS = new Set([
  'AccessDeniedException',
  'ResourceNotFoundException',
  'DecryptionFailure',
  'InvalidRequestException',
  'InvalidParameterException',
]);
