// The signature that AWS's rules lead to, worked out without the code that is tested.
import { createHash, createHmac } from 'node:crypto';
import type { SeenRequest } from './faulty-proxy.ts';

/** Signature Version 4 as AWS's guide writes it down, for requests without a query. */
export function expectedAuthorization(
  {
    method,
    path,
    headers,
    body,
  }: Pick<SeenRequest, 'method' | 'path' | 'headers'> & { readonly body: string | Buffer },
  region: string,
  { accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string },
  service = 'execute-api',
): string {
  const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const signed = /SignedHeaders=([^,]+)/.exec(String(headers['authorization']))?.[1] ?? '';
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [method, path, '', lines.join(''), signed, sha256(body)].join('\n');
  const at = String(headers['x-amz-date']);
  const day = at.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
}
