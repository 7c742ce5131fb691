// The secrets of the backend, served on loopback as Secrets Manager would: the keys of registration sessions, and one
// that webhooks are signed with.
import { randomBytes } from 'node:crypto';
import { type LoopbackServer, readBody, serveOnLoopback } from './loopback.ts';

export interface SecretServer extends LoopbackServer {
  /** For whoever verifies webhooks. */
  readonly webhookSecret: string;
}

export const SESSION_KEYS_SECRET = 'session-keys';
export const WEBHOOK_SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:webhook';

const MAX_BODY_BYTES = 64 * 1024;

/** Serves secrets that are made anew at each launch: sessions on a laptop need not outlive it. */
export async function startSecrets(): Promise<SecretServer> {
  const newKey = () => randomBytes(32).toString('base64');
  const webhookSecret = `whsec_${newKey()}`;
  const secrets = new Map([
    [SESSION_KEYS_SECRET, JSON.stringify({ current: 'k1', keys: { k1: newKey() } })],
    [WEBHOOK_SECRET_ARN, webhookSecret],
  ]);
  const server = await serveOnLoopback(async (request, response) => {
    const body = await readBody(request, MAX_BODY_BYTES);
    const isRead = request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue';
    const { SecretId = '' } = isRead && body ? (JSON.parse(body.toString()) as { SecretId?: string }) : {};
    const secret = secrets.get(SecretId);
    response.writeHead(secret === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(secret === undefined ? refusal(isRead) : { Name: SecretId, SecretString: secret }));
  });
  return { ...server, webhookSecret };
}

function refusal(isRead: boolean) {
  return isRead
    ? { __type: 'ResourceNotFoundException', message: 'There is no such secret here.' }
    : { __type: 'InvalidRequestException', message: 'Only GetSecretValue is served here.' };
}
