// Stands between a client and the gateway, sees each request and decides what becomes of it and of its answer.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

export interface SeenRequest {
  /** Counted from 1. */
  readonly number: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly events: number;
}

interface ProxyCall {
  readonly request: SeenRequest;
  readonly response: ServerResponse;
  /** Lets the backend do its work; the answer is the proxy's to give or to lose. */
  forward(): Promise<{ status: number; body: string }>;
  /** Gives an answer. */
  answer(status: number, body: string, headers?: Record<string, string>): void;
}

/** Without `decide`, everything goes through. */
export async function startFaultyProxy(
  gatewayUrl: string,
  decide: (call: ProxyCall) => Promise<void> = passOn,
): Promise<{ url: string; seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { events } = JSON.parse(body) as { events: unknown[] };
    const { method = '', url: path = '', headers } = request;
    const noted = { number: seen.length + 1, method, path, headers, body, events: events.length };
    seen.push(noted);
    const forward = async () => {
      const answer = await fetch(`${gatewayUrl}/usage`, { method: 'POST', body });
      return { status: answer.status, body: await answer.text() };
    };
    const answer = (status: number, text: string, extra = {}) => void response.writeHead(status, extra).end(text);
    await decide({ request: noted, response, forward, answer });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, seen };
}

export async function passOn({ forward, answer }: ProxyCall): Promise<void> {
  const { status, body } = await forward();
  answer(status, body);
}
