// Posts to addresses that a seller chose, and to no place inside of anybody's network.
import { lookup } from 'node:dns';
import { request } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

export type PostOutcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** The address is none that may be reached; trying again changes nothing until somebody changes it. */
  | { readonly kind: 'forbidden'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface WebhookPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

/** What is not the public internet, by IANA's registries of special-purpose addresses. */
const INTERNAL = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  INTERNAL.addSubnet(net, bits, 'ipv4');
}

/** Everything outside of 2000::/3, and within it what embeds or tunnels other addresses, or is for documents. */
const PUBLIC_IPV6 = new BlockList();
PUBLIC_IPV6.addSubnet('2000::', 3, 'ipv6');
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  INTERNAL.addSubnet(net, bits, 'ipv6');
}

/** Whether an address lies in the public internet. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !INTERNAL.check(address, 'ipv4');
    case 6:
      return PUBLIC_IPV6.check(address, 'ipv6') && !INTERNAL.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Why an address may not be a target, in words; undefined where it may, as far as its text tells. */
export function targetProblem(url: string): string | undefined {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target?.protocol !== 'https:') return 'has to begin with https://';
  if (target.username || target.password) return 'must not hold a name or password';
  const host = target.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) return 'must not be a private, loopback or link-local address';
  return undefined;
}

/** Node names no user agent, and AWS WAF's common rules turn away who names none. */
const OWN_HEADERS = { 'content-type': 'application/json', 'user-agent': 'aws-marketplace-fulfillment' };

/**
 * Posts a body over https, following no redirect. Every address that the name stands for has to be public, and the
 * connection is made to one of those that were checked, so that a name can't point elsewhere in between.
 */
export function postWebhook(
  post: WebhookPost,
  isAllowed: (address: string) => boolean = isPublicAddress,
): Promise<PostOutcome> {
  const problem = targetProblem(post.url);
  if (problem) return Promise.resolve({ kind: 'forbidden', reason: `The address ${problem}.` });
  return new Promise((resolve) => {
    const body = Buffer.from(post.body, 'utf8');
    const call = request(
      post.url,
      {
        method: 'POST',
        headers: { ...OWN_HEADERS, ...post.headers, 'content-length': body.length },
        lookup: guardedLookup(isAllowed),
        signal: AbortSignal.timeout(post.timeoutMs),
        // One connection a post: none is kept to an address that was checked long ago.
        agent: false,
      },
      (answer) => {
        // What it says is of no interest, and may be endless.
        answer.destroy();
        resolve({ kind: 'answered', status: answer.statusCode ?? 0 });
      },
    );
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === FORBIDDEN) resolve({ kind: 'forbidden', reason: error.message });
      // Nothing but the time given aborts it.
      else resolve({ kind: 'failed', reason: error.name === 'AbortError' ? 'timeout' : (error.code ?? error.name) });
    });
    // Some connections end without an answer and without an error: after 101, say.
    call.on('close', () => resolve({ kind: 'failed', reason: 'noAnswer' }));
    call.end(body);
  });
}

const FORBIDDEN = 'ETARGETFORBIDDEN';

function guardedLookup(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const [first] = addresses;
      if (!first || addresses.some(({ address }) => !isAllowed(address))) {
        const message = 'The name stands for a private, loopback or link-local address.';
        return callback(Object.assign(new Error(message), { code: FORBIDDEN }), '', 0);
      }
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}
