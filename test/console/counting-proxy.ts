// A way to the database that counts what goes through it: what a page costs is what it asks.
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

export interface CountingProxy {
  readonly url: string;
  /** The operations since the last count, by name: `Query`, `GetItem`, …. */
  counted(): Readonly<Record<string, number>>;
}

export async function startCountingProxy(endpoint: string): Promise<CountingProxy> {
  let counts: Record<string, number> = {};
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const target = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    counts[target] = (counts[target] ?? 0) + 1;
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: Buffer.concat(chunks),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    counted: () => {
      const counted = counts;
      counts = {};
      return counted;
    },
  };
}
