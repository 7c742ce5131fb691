// What a receiver may answer to a webhook that no honest one would: a post always comes to an end.
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postWebhook } from '../../lambdas/runtime/webhook-target.ts';
import { selfSigned } from '../self-signed.ts';

const trusted = getCACertificates();
let identity: { readonly key: string; readonly cert: string };

beforeAll(() => {
  identity = selfSigned();
  setDefaultCACertificates([...trusted, identity.cert]);
});

afterAll(() => setDefaultCACertificates([...trusted]));

/** Posts to a server that does this with each connection. */
async function postedTo(onConnection: (socket: Socket) => void, isEncrypted = true, timeoutMs = 5_000) {
  const sockets = new Set<Socket>();
  const connected = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}));
    onConnection(socket);
  };
  const server = isEncrypted ? createServer(identity, connected) : createTcpServer(connected);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const post = { url: `https://localhost:${port}/hook`, headers: {}, body: '{}', timeoutMs };
  try {
    return await postWebhook(post, () => true);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const saying = (text: string) => (socket: Socket) => socket.once('data', () => socket.write(text));

describe('a post of a webhook', () => {
  test('is told the status, however much the answer goes on to say', async () => {
    const endless = saying('HTTP/1.1 204 No Content\r\n\r\n');
    const chunked = saying('HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\nand so on');

    expect(await postedTo(endless)).toEqual({ kind: 'answered', status: 204 });
    expect(await postedTo(chunked)).toEqual({ kind: 'answered', status: 500 });
  });

  test('ends where the receiver changes to another protocol: there is no answer, and no error either', async () => {
    const upgrade = saying('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');

    expect(await postedTo(upgrade)).toEqual({ kind: 'failed', reason: 'noAnswer' });
  });

  test('says who posts: firewalls turn away requests without a user agent', async () => {
    const heard: string[] = [];
    const listening = (socket: Socket) =>
      socket.once('data', (data) => {
        heard.push(data.toString());
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      });

    await postedTo(listening);

    expect(heard.join()).toMatch(/^user-agent: aws-marketplace-fulfillment\r$/im);
  });

  test('follows no redirect', async () => {
    const moved = saying('HTTP/1.1 307 Moved\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n');

    expect(await postedTo(moved)).toEqual({ kind: 'answered', status: 307 });
  });

  test('fails where the answer is none, or its headers do not end', async () => {
    const endless = (socket: Socket) =>
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${`x: ${'y'.repeat(1_000)}\r\n`.repeat(100)}`));

    expect(await postedTo(saying('SSH-2.0-OpenSSH_9.9\r\n'))).toMatchObject({ kind: 'failed' });
    expect(await postedTo(endless)).toEqual({ kind: 'failed', reason: 'HPE_HEADER_OVERFLOW' });
  });

  test('says that its time was over, whether the answer or the handshake never came', async () => {
    const silent = { kind: 'failed', reason: 'timeout' };

    expect(await postedTo(() => {}, true, 200)).toEqual(silent);
    expect(await postedTo(() => {}, false, 200)).toEqual(silent);
    expect(await postedTo(saying('HTTP/1.1 100 Continue\r\n\r\n'), true, 200)).toEqual(silent);
  });
});
