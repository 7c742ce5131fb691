// S3 as far as the audit trail needs it: an object is put if absent, and is a file.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type LoopbackServer, plain, readBody, serveOnLoopback } from '../../local/loopback.ts';

/** Thousands of records, compressed. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** A bucket and a key as the backend writes them: nothing that leads out of the folder. */
const OBJECT_PATH = /^\/[\w-]+(\/\w[\w.-]*)+$/;

/** Serves PutObject on loopback, with its objects below a folder. */
export function startArchive(folder: string): Promise<LoopbackServer> {
  return serveOnLoopback(async (request, response) => {
    const body = await readBody(request, MAX_BODY_BYTES);
    const path = request.url ?? '';
    if (request.method !== 'PUT' || !OBJECT_PATH.test(path) || !body) {
      return plain(response, 400, 'Only objects of the audit trail are put here.');
    }
    const file = join(folder, path);
    if (request.headers['if-none-match'] === '*' && existsSync(file)) return plain(response, 412, 'It stands already.');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, body);
    plain(response, 200, 'Put.');
  });
}
