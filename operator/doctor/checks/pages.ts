// What a buyer's browser and the seller's product meet: the fulfillment URL, and the address of usage.
import { DAY_MS } from '../../../lambdas/domain/hour.ts';
import type { Facts, HttpAnswer } from '../facts.ts';
import { type Finding, note, ok, problem } from '../finding.ts';
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
    remedy: remedyOf(probed.message),
  });
}

/** By what Node says of an address that does not answer. */
function remedyOf(message: string): string {
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) {
    return 'DNS does not know the name: lead it to the output PagesDomainTarget (docs/deployment.md#a-name-of-your-own).';
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(message)) {
    return 'Replace the certificate by one of ACM that is valid for the name: pagesDomain.certificateArn, in homeRegion.';
  }
  return 'Check the name in DNS and the custom domain’s mapping; API Gateway’s own address answers without them.';
}

/** ACM renews its own 60 days before their end, and none that was imported. */
const LEAST_LEFT_MS = 30 * DAY_MS;

/** Why it could not be looked at shows where the pages are asked. */
export function checkCertificate({ certificateLeftMs }: Pick<Facts, 'certificateLeftMs'>): Finding[] {
  if (certificateLeftMs.kind !== 'seen') return [];
  const days = Math.floor(certificateLeftMs.value / DAY_MS);
  const seen = `Its certificate ends in ${days} ${days === 1 ? 'day' : 'days'}`;
  if (certificateLeftMs.value > LEAST_LEFT_MS) return [ok('PagesCertificateEnds', SUBJECT, `${seen}.`)];
  return [
    note('PagesCertificateEnds', SUBJECT, {
      seen: `${seen}: buyers would then be shown a warning.`,
      expected: `${LEAST_LEFT_MS / DAY_MS} days or more`,
      remedy: 'Import a new one into ACM, or have its validation record in DNS again, by which ACM renews its own.',
    }),
  ];
}

/** A sign-up page may refuse who comes without a hand-off, and has to be there. */
export function checkSignUps({ signUps }: Pick<Facts, 'signUps'>): Finding[] {
  const found = signUps.flatMap(({ name, probed }): Finding[] => {
    const hidden = probed.kind === 'failed' ? undefined : unseen('SignUpUnreachable', `sign-up page ${name}`, probed);
    if (hidden) return [hidden];
    const seen = silenceOf(probed);
    if (seen === undefined) return [];
    return [
      problem('SignUpUnreachable', `sign-up page ${name}`, {
        seen: `${seen} Buyers are led there from AWS Marketplace, and can't sign up.`,
        expected: 'a page that answers over https with a certificate that browsers trust',
        remedy: 'Bring it up, or correct products[].signUp.url and deploy Registration.',
      }),
    ];
  });
  return found.length > 0 || signUps.length === 0
    ? found
    : [ok('SignUpUnreachable', 'sign-up pages', `All ${signUps.length} answer.`)];
}

function silenceOf(probed: Probed<HttpAnswer>): string | undefined {
  if (probed.kind === 'failed') return `It does not answer. ${probed.message}`;
  if (probed.kind !== 'seen') return undefined;
  const { status } = probed.value;
  return status >= 500 || status === 404 || status === 410 ? `It answers GET with ${status}.` : undefined;
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
