// The one secret of the backend, served on loopback as Secrets Manager would: the keys of registration sessions.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

export interface SecretServer {
  readonly url: string;
  close(): Promise<void>;
}

export const SESSION_KEYS_SECRET = 'session-keys';

/** Serves session keys that are made anew at each launch: sessions on a laptop need not outlive it. */
export async function startSecrets(): Promise<SecretServer> {
  const secret = JSON.stringify({ current: 'k1', keys: { k1: randomBytes(32).toString('base64') } });
  const server = createServer((request, response) => {
    request.resume();
    const isRead = request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue';
    response.writeHead(isRead ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(
      JSON.stringify(
        isRead
          ? { Name: SESSION_KEYS_SECRET, SecretString: secret }
          : { __type: 'InvalidRequestException', message: 'Only GetSecretValue is served here.' },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
