// A database that notes, for each caller, which permissions its calls take.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TableNames } from '../../local/tables.ts';
import { permissionsOf } from './dynamo-permissions.ts';

/** Passes calls on to the database; the first part of the path is the name of the caller. */
export async function startRecorder(databaseUrl: string, tables: TableNames) {
  const taken = new Map<string, Set<string>>();
  const kinds = new Map(Object.entries(tables).map(([kind, name]) => [name, kind]));
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const caller = request.url?.split('/')[1] ?? '';
    const action = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const permissions = permissionsOf(action, JSON.parse(body), (table) => kinds.get(String(table)) ?? '?');
    taken.set(caller, new Set([...(taken.get(caller) ?? []), ...permissions]));
    const { host: _, connection: __, ...headers } = request.headers;
    const answer = await fetch(databaseUrl, { method: 'POST', headers: headers as Record<string, string>, body });
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
