// The little of EventBridge, SQS and Secrets Manager that telling the product uses, over the wire.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Operation = (input: Readonly<Record<string, unknown>>) => object | Error;

/** Serves operations by the end of their target: `PutEvents`. An operation that returns an Error is refused by its name. */
export async function startAwsServices(operations: Readonly<Record<string, Operation>>) {
  const server = createServer(async (request, response) => {
    const name = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const output = operations[name]?.(JSON.parse(await bodyOf(request))) ?? named('UnknownOperationException');
    const isRefused = output instanceof Error;
    const type = request.headers['content-type'] ?? 'application/x-amz-json-1.1';
    response.writeHead(isRefused ? 400 : 200, { 'content-type': type });
    response.end(JSON.stringify(isRefused ? { __type: output.name, message: 'refused' } : output));
  });
  return { url: await listening(server), close: () => closed(server) };
}

export function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
