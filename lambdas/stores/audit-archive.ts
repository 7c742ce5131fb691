// The archive of the audit trail: a bucket whose objects can't be changed or removed while they are locked.
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { SignatureV4 } from '@smithy/signature-v4';
import type { TrailFile } from '../domain/audit-trail.ts';
import { Misconfigured, Unavailable } from '../domain/failure.ts';
import type { AuditArchive } from '../flow/archive-audit.ts';
import type { ClientSettings } from '../runtime/aws-client.ts';
import { Sha256 } from '../runtime/sha256.ts';

const PUT_TIMEOUT_MS = 20_000;
const TRIES = 3;

/** Not by the SDK's client of S3: it brings much for one operation (docs/decisions/0013). */
export class S3AuditArchive implements AuditArchive {
  readonly #bucket: string;
  readonly #settings: ClientSettings;
  readonly #signer: SignatureV4;

  constructor(settings: ClientSettings, bucket: string) {
    this.#settings = settings;
    this.#bucket = bucket;
    const { region, credentials } = settings;
    this.#signer = new SignatureV4({ service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false });
  }

  async put(file: TrailFile, lines: AsyncIterable<string>): Promise<'archived' | 'exists'> {
    // Compressed as it is read: memory holds a tenth of the lines, and no more than one object.
    const gzip = createGzip();
    const [body] = await Promise.all([buffer(gzip), pipeline(lines, gzip)]);
    const url = this.#urlOf(archiveKey(file));
    for (let tried = 1; ; tried++) {
      const status = await this.#tryPut(url, body);
      if (status === 200) return 'archived';
      if (status === 412) return 'exists';
      if (status !== undefined && status < 500 && !PASSING.has(status)) throw refused(status);
      if (tried === TRIES)
        throw new Unavailable('ArchiveUnavailable', 'S3 did not take a file.', { facts: { status } });
    }
  }

  /** The status of one try; undefined where there was no answer. */
  async #tryPut(url: URL, body: Buffer): Promise<number | undefined> {
    const { host: _, ...headers } = (
      await this.#signer.sign({
        method: 'PUT',
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: {},
        headers: {
          host: url.host,
          'content-type': 'application/gzip',
          // Once per name, whoever else writes; and S3 wants a checksum of what it is to lock.
          'if-none-match': '*',
          'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64'),
        },
        body,
      })
    ).headers;
    try {
      const answer = await fetch(url, { method: 'PUT', headers, body, signal: AbortSignal.timeout(PUT_TIMEOUT_MS) });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return undefined;
    }
  }

  #urlOf(key: string): URL {
    const { endpoint, region } = this.#settings;
    return new URL(
      endpoint === undefined
        ? `https://${this.#bucket}.s3.${region}.amazonaws.com/${key}`
        : `${endpoint}/${this.#bucket}/${key}`,
    );
  }
}

/** Another writer of the same name, a slow request, too many requests: the next try may be met otherwise. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 429]);

function refused(status: number): Misconfigured {
  return new Misconfigured('ArchiveRefused', 'S3 refused a file of the audit trail; look at the bucket and the role.', {
    facts: { status },
  });
}

/** By day, so that a person finds an hour and a program a range. */
export function archiveKey(file: TrailFile): string {
  const [day, name] =
    file.kind === 'records' ? [file.hour.slice(0, 10), `records-${file.hour}`] : [file.day, `acts-${file.day}`];
  return `v1/${day.replaceAll('-', '/')}/${name}.jsonl.gz`;
}
