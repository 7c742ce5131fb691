// What S3 is sent, and what is made of its answers: over the wire, to a server that answers as S3 does.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { TrailFile } from '../../lambdas/domain/audit-trail.ts';
import { archiveKey, S3AuditArchive } from '../../lambdas/stores/audit-archive.ts';
import { anHour } from '../builders.ts';
import { expectedAuthorization } from '../client/expected-signature.ts';
import { startArchive } from '../doubles/folder-archive.ts';

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' };
const FILE: TrailFile = { kind: 'records', hour: anHour() };

async function* lines(...all: string[]) {
  yield* all;
}

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An S3 that answers with these statuses, the last of them from then on; 0 hangs up. */
async function answering(...statuses: number[]) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url: path = '', headers } = request;
    seen.push({ method, path, headers, body: Buffer.concat(chunks) });
    const status = statuses[Math.min(seen.length, statuses.length) - 1] ?? 200;
    if (status === 0) return void request.socket.destroy();
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const archive = new S3AuditArchive({ region: 'eu-central-1', endpoint, credentials: CREDENTIALS }, 'trail');
  return { archive, seen };
}

describe('a file is put', () => {
  test('compressed, if absent, with the checksum that a locked bucket asks for, and signed', async () => {
    const { archive, seen } = await answering(200);

    expect(await archive.put(FILE, lines('{"a":1}\n', '{"b":2}\n'))).toBe('archived');

    const [request] = seen;
    if (!request) throw new Error('Nothing was put.');
    expect(request.method).toBe('PUT');
    expect(request.path).toBe('/trail/v1/2026/09/21/records-2026-09-21T10.jsonl.gz');
    expect(gunzipSync(request.body).toString()).toBe('{"a":1}\n{"b":2}\n');
    const { body, headers } = request;
    expect(headers['if-none-match']).toBe('*');
    expect(headers['x-amz-checksum-sha256']).toBe(createHash('sha256').update(body).digest('base64'));
    expect(headers['x-amz-content-sha256']).toBe(createHash('sha256').update(body).digest('hex'));
    expect(headers['authorization']).toBe(expectedAuthorization(request, 'eu-central-1', CREDENTIALS, 's3'));
    expect(headers['authorization']).toMatch(/SignedHeaders=[^,]*if-none-match/);
  });

  test('not at all where its lines end in a fault, which is the caller’s to name', async () => {
    const { archive, seen } = await answering(200);
    async function* cutShort() {
      yield '{"a":1}\n';
      throw new Error('The ledger could not be read.');
    }

    await expect(archive.put(FILE, cutShort())).rejects.toThrow('The ledger could not be read.');
    expect(seen).toEqual([]);
  });

  test('by day and name', () => {
    expect(archiveKey(FILE)).toBe('v1/2026/09/21/records-2026-09-21T10.jsonl.gz');
    expect(archiveKey({ kind: 'acts', day: '2026-09-21' })).toBe('v1/2026/09/21/acts-2026-09-21.jsonl.gz');
  });
});

describe('S3', () => {
  test('that has the file already changes nothing by it', async () => {
    const { archive } = await answering(412);

    expect(await archive.put(FILE, lines())).toBe('exists');
  });

  test.each([[503], [500], [409], [429], [0]])('that answers %i once is asked again', async (status) => {
    const { archive, seen } = await answering(status, 200);

    expect(await archive.put(FILE, lines('x\n'))).toBe('archived');
    expect(seen.map(({ body }) => gunzipSync(body).toString())).toEqual(['x\n', 'x\n']);
  });

  test('that answers no better is left alone until the next run', async () => {
    const { archive, seen } = await answering(503);

    await expect(archive.put(FILE, lines())).rejects.toMatchObject({ code: 'ArchiveUnavailable', retryable: true });
    expect(seen).toHaveLength(3);
  });

  test.each([[403], [404], [400]])('that answers %i is not asked again: bucket or role are wrong', async (status) => {
    const { archive, seen } = await answering(status);

    await expect(archive.put(FILE, lines())).rejects.toMatchObject({ code: 'ArchiveRefused', facts: { status } });
    expect(seen).toHaveLength(1);
  });
});

describe('a bucket that is a folder', () => {
  async function laptop() {
    const folder = mkdtempSync(join(tmpdir(), 'archive-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const server = await startArchive(folder);
    onTestFinished(() => server.close());
    return { folder, url: server.url };
  }

  test('keeps each file as it was put first', async () => {
    const { folder, url } = await laptop();
    const archive = new S3AuditArchive({ region: 'us-east-1', endpoint: url, credentials: CREDENTIALS }, 'audit');

    expect(await archive.put(FILE, lines('first\n'))).toBe('archived');
    expect(await archive.put(FILE, lines('second\n'))).toBe('exists');

    const file = join(folder, 'audit', archiveKey(FILE));
    expect(gunzipSync(readFileSync(file)).toString()).toBe('first\n');
  });

  test.each(['/audit/..%2f..%2fx', '/audit', '/audit//x', '/audit/.hidden'])('writes nothing at %s', async (path) => {
    const { folder, url } = await laptop();

    const { status } = await fetch(`${url}${path}`, { method: 'PUT', body: 'x' });

    expect(status).toBe(400);
    expect(readdirSync(folder)).toEqual([]);
  });
});
