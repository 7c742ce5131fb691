import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseSessionKeys } from '../../lambdas/contracts/session-keys.ts';
import { type RegistrationSession, signSession, verifySession } from '../../lambdas/domain/session.ts';
import { createRotateSessionKeysHandler } from '../../lambdas/rotate-session-keys.handler.ts';

const SECRET = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:keys';
const NOW = Date.UTC(2026, 10, 23, 8);
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

const SESSION: RegistrationSession = {
  sessionId: 'session',
  customerId: 'customer',
  productCode: 'product',
  expiresAt: NOW + 60_000,
};

interface Version {
  readonly text: string;
  readonly stages: Set<string>;
}

/** Secrets Manager with one secret: versions, labels, and its refusals of what is not there or already is. */
async function startSecretsManager(firstText: string) {
  const versions = new Map<string, Version>([['v0', { text: firstText, stages: new Set(['AWSCURRENT']) }]]);
  const withStage = (stage: string) => [...versions].find(([, { stages }]) => stages.has(stage));
  const move = (stage: string, to: string) => {
    for (const { stages } of versions.values()) stages.delete(stage);
    versions.get(to)?.stages.add(stage);
  };
  const operations: Record<string, (input: Record<string, string>) => object | string> = {
    GetSecretValue: ({ VersionId, VersionStage = 'AWSCURRENT' }) => {
      const [id, version] = withStage(VersionStage) ?? [];
      if (!id || !version || (VersionId && VersionId !== id)) return 'ResourceNotFoundException';
      return { VersionId: id, SecretString: version.text };
    },
    PutSecretValue: ({ ClientRequestToken = '', SecretString = '' }) => {
      if (versions.has(ClientRequestToken)) return 'ResourceExistsException';
      versions.set(ClientRequestToken, { text: SecretString, stages: new Set() });
      move('AWSPENDING', ClientRequestToken);
      return {};
    },
    UpdateSecretVersionStage: ({ VersionStage = '', MoveToVersionId = '', RemoveFromVersionId = '' }) => {
      if (!versions.get(RemoveFromVersionId)?.stages.has(VersionStage)) return 'InvalidParameterException';
      move(VersionStage, MoveToVersionId);
      return {};
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const answer = operations[operation]?.(JSON.parse(Buffer.concat(chunks).toString())) ?? 'AccessDeniedException';
    response.writeHead(typeof answer === 'string' ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(typeof answer === 'string' ? { __type: answer } : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    versions,
    inUse: () => withStage('AWSCURRENT')?.[1].text ?? '',
  };
}

let secrets: Awaited<ReturnType<typeof startSecretsManager>>;
let now: number;
let rotate: (event: unknown) => Promise<void>;

async function begin(firstText: string) {
  secrets = await startSecretsManager(firstText);
  now = NOW;
  const ignore = () => {};
  rotate = createRotateSessionKeysHandler({
    environment: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIALOCAL',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
      SESSION_KEYS_SECRET: SECRET,
    },
    clock: () => now,
    log: { info: ignore, warn: ignore, error: ignore },
  });
}

/** All steps of a rotation, each as often as told. */
async function rotateOnce(token: string, times = 1) {
  for (const Step of STEPS) {
    for (let time = 0; time < times; time++) await rotate({ SecretId: SECRET, ClientRequestToken: token, Step });
  }
  now += 1_000;
}

beforeEach(() => begin(JSON.stringify({ current: 'k1', k1: 'g'.repeat(64) })));

describe('a rotation', () => {
  test('signs with a new key and still believes sessions of the one before', async () => {
    const before = signSession(SESSION, parseSessionKeys(secrets.inUse())) ?? '';

    await rotateOnce('r1');

    const ring = parseSessionKeys(secrets.inUse());
    expect(ring.current).not.toBe('k1');
    expect([...ring.keys.keys()]).toEqual(['k1', ring.current]);
    expect(Buffer.from(ring.keys.get(ring.current) ?? '', 'base64')).toHaveLength(32);
    expect(verifySession(before, ring, NOW)).toEqual(SESSION);
  });

  test('drops keys older than that, so that two rotations make a stolen key worthless', async () => {
    const stolen = signSession(SESSION, parseSessionKeys(secrets.inUse())) ?? '';

    await rotateOnce('r1');
    await rotateOnce('r2');

    const ring = parseSessionKeys(secrets.inUse());
    expect(ring.keys.size).toBe(2);
    expect(verifySession(stolen, ring, NOW)).toBeUndefined();
  });

  test('comes to one new key however often Secrets Manager repeats a step', async () => {
    await rotateOnce('r1', 3);

    expect(secrets.versions.size).toBe(2);
    expect(parseSessionKeys(secrets.inUse()).keys.size).toBe(2);
  });

  test('changes nothing that is in use before its last step', async () => {
    const before = secrets.inUse();

    for (const Step of STEPS.slice(0, 3)) await rotate({ SecretId: SECRET, ClientRequestToken: 'r1', Step });

    expect(secrets.inUse()).toBe(before);
  });

  test('is not finished with a version that is not there', async () => {
    const testing = rotate({ SecretId: SECRET, ClientRequestToken: 'r9', Step: 'testSecret' });

    await expect(testing).rejects.toMatchObject({ code: 'RotationUnprepared' });
  });

  test('stops at a secret that is not one of session keys, and repeats nothing of it', async () => {
    await begin('{"password":"hunter2"}');

    const failure = await rotate({ SecretId: SECRET, ClientRequestToken: 'r1', Step: 'createSecret' }).catch((e) => e);

    expect(failure).toMatchObject({ code: 'SessionKeysMalformed' });
    expect(String(failure)).not.toContain('hunter2');
  });
});

test.each([
  { SecretId: 'arn:of:another', ClientRequestToken: 'r1', Step: 'createSecret' },
  { SecretId: SECRET, ClientRequestToken: 'r1', Step: 'deleteSecret' },
  {},
])('refuses what is no step of a rotation of this secret: %j', async (event) => {
  await expect(rotate(event)).rejects.toMatchObject({ code: 'RotationUnknown' });
});
