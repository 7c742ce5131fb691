// Signs requests to an API of API Gateway as AWS wants it, Signature Version 4.
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';
import { Misconfigured } from '../lambdas/domain/failure.ts';
import { Sha256 } from '../lambdas/runtime/sha256.ts';
import type { RetryOptions } from './retry.ts';

type SignerSettings = ConstructorParameters<typeof SignatureV4>[0];
export type Credentials = SignerSettings['credentials'];

type Headers = Record<string, string>;

/** Gives the headers with which a request of this body is signed. Signed anew for each attempt: signatures age. */
export type Sign = (url: URL, headers: Headers, body: string) => Promise<Headers>;

const API_HOST = /\.execute-api\.([a-z0-9-]+)\./;

/** Where the backend is, and as whom it is called. */
export interface BackendOptions extends Partial<RetryOptions> {
  /** The address of the backend's API: the output `UsageUrl`, with or without `/usage` at its end. */
  readonly url: string;
  /** Whether requests are signed; where absent, those to an API at AWS are. */
  readonly sign?: boolean;
  /** The API's region; where absent, read from its host name where that tells, else from AWS_REGION. */
  readonly region?: string;
  /** By the SDK's usual chain where absent. */
  readonly credentials?: Credentials;
}

/** Leaves the headers as they are where nothing is to be signed. Throws Misconfigured where no region is known. */
export function signerFor(
  url: URL,
  options: Pick<BackendOptions, 'sign' | 'region' | 'credentials'>,
  method: 'GET' | 'POST',
): Sign {
  if (!(options.sign ?? API_HOST.test(url.hostname))) return async (_target, headers) => headers;
  const region = options.region ?? API_HOST.exec(url.hostname)?.[1] ?? process.env['AWS_REGION'];
  if (!region) {
    throw new Misconfigured('RegionMissing', 'To sign requests to a host of your own, name the region of its API.');
  }
  const credentials = options.credentials ?? defaultProvider();
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  return async (target, headers, body) => {
    const signed = await signer.sign({
      method,
      protocol: target.protocol,
      hostname: target.hostname,
      path: target.pathname,
      query: Object.fromEntries(target.searchParams),
      headers: { ...headers, host: target.host },
      body,
    });
    // `fetch` sets the host itself and takes none from us.
    const { host: _, ...rest } = signed.headers;
    return rest;
  };
}
