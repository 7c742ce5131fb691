// The versions of one secret in Secrets Manager, as a rotation needs them.
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { Misconfigured } from '../domain/failure.ts';
import type { SecretVersions } from '../flow/rotate-session-keys.ts';

const IN_USE = 'AWSCURRENT';
const TO_COME = 'AWSPENDING';

export class SecretsManagerVersions implements SecretVersions {
  readonly #client: SecretsManagerClient;
  readonly #secretId: string;

  constructor(client: SecretsManagerClient, secretId: string) {
    this.#client = client;
    this.#secretId = secretId;
  }

  async current(): Promise<{ versionId: string; secret: string }> {
    const version = await this.#client.send(
      new GetSecretValueCommand({ SecretId: this.#secretId, VersionStage: IN_USE }),
    );
    if (version.VersionId && version.SecretString) {
      return { versionId: version.VersionId, secret: version.SecretString };
    }
    throw new Misconfigured('SessionKeysUnreadable', 'The secret of the session keys holds no text.');
  }

  async pending(versionId: string): Promise<string | undefined> {
    try {
      const version = await this.#client.send(
        new GetSecretValueCommand({ SecretId: this.#secretId, VersionId: versionId, VersionStage: TO_COME }),
      );
      return version.SecretString;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async putPending(versionId: string, secret: string): Promise<void> {
    try {
      await this.#client.send(
        new PutSecretValueCommand({
          SecretId: this.#secretId,
          ClientRequestToken: versionId,
          SecretString: secret,
          VersionStages: [TO_COME],
        }),
      );
    } catch (error) {
      // Made by a run of the same step that was faster: its key is as good as ours.
      if (!(error instanceof ResourceExistsException)) throw error;
    }
  }

  async putInUse(versionId: string, insteadOf: string): Promise<void> {
    await this.#client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: this.#secretId,
        VersionStage: IN_USE,
        MoveToVersionId: versionId,
        RemoveFromVersionId: insteadOf,
      }),
    );
  }
}
