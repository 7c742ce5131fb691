// What a buyer's browser and the seller's product meet: the fulfillment URL, and the address of usage.
import type { Facts, HttpAnswer } from '../facts.ts';
import { type Finding, ok, problem } from '../finding.ts';
import { type Probed, unseen } from '../probed.ts';

const SUBJECT = 'fulfillment URL';

export function checkPages({ pages, isLaptop }: Pick<Facts, 'pages' | 'isLaptop'>): Finding[] {
  const { url, get, post, postToken } = pages;
  if (url === undefined) {
    const remedy = 'npx cdk deploy Registration';
    const trouble = { seen: 'The stacks name none.', expected: 'the output FulfillmentUrl', remedy };
    return [unread('PagesMissing', SUBJECT, get) ?? problem('PagesMissing', SUBJECT, trouble)];
  }
  const found = [
    ...(isLaptop ? [] : addressFindings(url)),
    ...getFindings(url, get),
    ...postFindings(url, post),
    ...tokenFindings(url, postToken),
  ];
  return found.length > 0
    ? found
    : [ok('PagesMissing', SUBJECT, `${url} answers GET and POST, and AWS Marketplace answers it.`)];
}

/** Where the stacks could not be read, they may name an address. */
function unread(code: string, subject: string, probed: Probed<HttpAnswer>): Finding | undefined {
  return probed.kind === 'absent' ? undefined : unseen(code, subject, probed);
}

function addressFindings(url: string): Finding[] {
  if (new URL(url).protocol === 'https:') return [];
  const remedy = 'Put it behind https: AWS Marketplace takes no other address.';
  return [problem('PagesInsecure', SUBJECT, { seen: `${url} is not https.`, expected: 'https', remedy })];
}

function getFindings(url: string, get: Probed<HttpAnswer>): Finding[] {
  const missed = unanswered(get, url);
  if (missed) return [missed];
  if (get.kind !== 'seen') return [];
  const { status, headers } = get.value;
  if (status !== 200) {
    return [
      problem('PagesGetRefused', SUBJECT, {
        seen: `GET ${url} is answered with ${status}.`,
        expected: '200: AWS refuses a listing whose fulfillment URL does not render (INVALID_FULFILLMENT_URL)',
        remedy:
          'Let GET through to the function as well: look at the firewall, the custom domain and the proxy before it.',
      }),
    ];
  }
  const wanted = ['content-security-policy', 'x-content-type-options', 'referrer-policy', 'cache-control'];
  const lost = wanted.filter((name) => headers[name] === undefined);
  if (lost.length === 0) return [];
  return [
    problem('PagesUnguarded', SUBJECT, {
      seen: `The answer lacks ${lost.join(', ')}, which the function sends.`,
      expected: 'the pages with all of their headers',
      remedy: 'Have the proxy or CDN before it hand on the headers of the origin.',
    }),
  ];
}

function postFindings(url: string, post: Probed<HttpAnswer>): Finding[] {
  const missed = unanswered(post, url);
  if (missed) return [missed];
  if (post.kind !== 'seen') return [];
  const { status, headers } = post.value;
  if (status >= 300 && status < 400) {
    return [
      problem('PagesRedirect', SUBJECT, {
        seen: `POST ${url} is redirected to ${headers['location'] ?? 'elsewhere'} (${status}), and browsers leave the registration token behind.`,
        expected: 'an answer without a redirect',
        remedy: `Enter the address at its end into the listing: ${headers['location'] ?? 'the one that it redirects to'}.`,
      }),
    ];
  }
  if (status === 400) return [];
  return [
    problem('PagesPostRefused', SUBJECT, {
      seen: `POST ${url} without a token is answered with ${status}.`,
      expected: '400 and the page that says where to start',
      remedy:
        'Let POST with a form through to the function: look at the firewall, the custom domain and the proxy before it.',
    }),
  ];
}

/** A token that AWS never gave goes the whole way: function, role, AWS Marketplace, and back. */
function tokenFindings(url: string, postToken: Probed<HttpAnswer>): Finding[] {
  if (postToken.kind !== 'seen') return [];
  const { status } = postToken.value;
  if (status === 500) {
    return [
      problem('ResolveRefused', SUBJECT, {
        seen: 'AWS Marketplace refuses the function that redeems registration tokens: buyers would see an error.',
        expected: '400 for a token that AWS never gave',
        remedy: 'docs/runbook.md#resolvecustomerrefused; look into the log of resolve-buyer.',
      }),
    ];
  }
  if (status === 503) {
    return [
      problem('ResolveUnavailable', SUBJECT, {
        seen: 'The function that redeems registration tokens gets no answer of AWS Marketplace.',
        expected: '400 for a token that AWS never gave',
        remedy: 'docs/runbook.md#marketplaceunavailable-credentialsexpired; check marketplaceRegion.',
      }),
    ];
  }
  if (status === 400 || (status >= 300 && status < 400)) return [];
  return [
    problem('PagesPostRefused', SUBJECT, {
      seen: `POST ${url} with a token is answered with ${status}.`,
      expected: '400 for a token that AWS never gave',
      remedy:
        'Let POST with a form through to the function: look at the firewall, the custom domain and the proxy before it.',
    }),
  ];
}

function unanswered(probed: Probed<HttpAnswer>, url: string): Finding | undefined {
  if (probed.kind !== 'failed') return unseen('PagesUnreachable', SUBJECT, probed);
  return problem('PagesUnreachable', SUBJECT, {
    seen: `${url} does not answer. ${probed.message}`,
    expected: 'a page',
    remedy:
      'Check the name in DNS, the certificate and the custom domain’s mapping; the output FulfillmentUrl answers without them.',
  });
}

export function checkUsage({ usage, isLaptop }: Pick<Facts, 'usage' | 'isLaptop'>): Finding[] {
  const { url, post } = usage;
  const subject = 'POST /usage';
  if (url === undefined) {
    const remedy = 'npx cdk deploy Metering';
    const trouble = { seen: 'The stacks name no address.', expected: 'the output UsageUrl', remedy };
    return [unread('UsageMissing', subject, post) ?? problem('UsageMissing', subject, trouble)];
  }
  const missed = unseen('UsageUnreachable', subject, post);
  if (missed) return [missed];
  if (post.kind !== 'seen') return [];
  if (isLaptop) return [ok('UsageOpen', subject, 'It answers; a laptop asks nobody who he is.')];
  if (post.value.status === 403) return [ok('UsageOpen', subject, 'It takes nothing from whom IAM does not know.')];
  return [
    problem('UsageOpen', subject, {
      seen: `An unsigned request is answered with ${post.value.status}.`,
      expected: '403: only callers whom IAM lets in may report usage',
      remedy: 'npx cdk deploy Metering restores the API; look for a proxy before it that signs for everybody.',
    }),
  ];
}
