// Every 30 days, called by Secrets Manager: gives the registration sessions a new signing key.
import { parseRotationEvent } from './contracts/rotation-event.ts';
import { parseSessionKeys } from './contracts/session-keys.ts';
import { rotateSessionKeys } from './flow/rotate-session-keys.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { safeFactsOf } from './runtime/log.ts';
import { readSettings } from './runtime/settings.ts';
import { SecretsManagerVersions } from './stores/secret-versions.ts';
import { secretsClient } from './stores/session-keys.ts';

export function createRotateSessionKeysHandler({ environment, clock, log }: Surroundings) {
  const secretId = readSettings('rotate-session-keys', environment).SESSION_KEYS_SECRET;
  const client = secretsClient(clientSettings(environment, 'SECRETS_MANAGER'));
  const ports = { versions: new SecretsManagerVersions(client, secretId), parse: parseSessionKeys, clock };

  return async (event: unknown): Promise<void> => {
    const { step, versionId } = parseRotationEvent(event, secretId);
    try {
      await rotateSessionKeys(ports, step, versionId);
    } catch (error) {
      log.error('RotationFailed', { step, ...safeFactsOf(error) });
      throw error;
    }
    log.info('SessionKeysRotated', { step });
  };
}

export const handler = built(createRotateSessionKeysHandler);
