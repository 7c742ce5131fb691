// The secrets by which webhooks are signed, from Secrets Manager, kept for a few minutes.
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Misconfigured, Unavailable } from '../domain/failure.ts';
import { MINUTE_MS } from '../domain/hour.ts';

/** A receiver that was given a new secret has to know the old one for as long. */
const KEEP_MS = 5 * MINUTE_MS;

interface WebhookSecretSource {
  readonly client: SecretsManagerClient;
  /** Throws Misconfigured where the text holds no secrets. */
  readonly parse: (secretArn: string, text: string) => readonly Buffer[];
  readonly clock: () => number;
}

export class WebhookSecrets {
  readonly #source: WebhookSecretSource;
  readonly #kept = new Map<string, { readonly keys: readonly Buffer[]; readonly readAt: number }>();

  constructor(source: WebhookSecretSource) {
    this.#source = source;
  }

  /** The keys of a secret, at most five minutes old. */
  async keys(secretArn: string): Promise<readonly Buffer[]> {
    const now = this.#source.clock();
    const kept = this.#kept.get(secretArn);
    if (kept && now - kept.readAt < KEEP_MS) return kept.keys;
    const keys = this.#source.parse(secretArn, await this.#read(secretArn));
    this.#kept.set(secretArn, { keys, readAt: now });
    return keys;
  }

  async #read(secretArn: string): Promise<string> {
    const facts = { secretArn };
    try {
      const { SecretString } = await this.#source.client.send(new GetSecretValueCommand({ SecretId: secretArn }));
      if (SecretString) return SecretString;
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      if (!REFUSALS.has(name)) {
        throw new Unavailable('SecretsUnavailable', 'Secrets Manager did not answer.', { cause: error, facts });
      }
      throw new Misconfigured('WebhookSecretUnreadable', 'Secrets Manager refuses the secret: check ARN and role.', {
        cause: error,
        facts,
      });
    }
    throw new Misconfigured('WebhookSecretUnreadable', 'The secret holds no text.', { facts });
  }
}

const REFUSALS = new Set([
  'AccessDeniedException',
  'ResourceNotFoundException',
  'DecryptionFailure',
  'InvalidRequestException',
  'InvalidParameterException',
]);
