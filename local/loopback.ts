// A server that only this machine reaches, under its own names alone.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface LoopbackServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Answers a request whose body has not been read yet. */
type Listener = (request: IncomingMessage, response: ServerResponse, origin: string) => Promise<void>;

/** Serves on loopback; port 0 stands for any that is free. */
export async function serveOnLoopback(listener: Listener, port = 0): Promise<LoopbackServer> {
  let names: readonly string[] = [];
  let origin = '';
  const server = createServer((request, response) => {
    // A page elsewhere could point a name of its own at this machine; only our own names are answered.
    if (!names.includes(request.headers.host ?? '')) {
      request.resume();
      return plain(response, 403, 'This address is not served here.');
    }
    listener(request, response, origin).catch((error: unknown) => {
      console.error(JSON.stringify({ level: 'error', code: 'LoopbackFailed', cause: String(error) }));
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  names = [`127.0.0.1:${taken}`, `localhost:${taken}`];
  origin = `http://127.0.0.1:${taken}`;
  return {
    url: origin,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** The whole body; undefined where it is larger than the given number of bytes. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
