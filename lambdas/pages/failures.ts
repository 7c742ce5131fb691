// A page for everything that can go wrong, each with what to do next. None tells of our insides.
import { type PageFrame, page } from './frame.ts';
import { type Html, html } from './html.ts';
import { FORM_ROUTE } from './routes.ts';

interface FailureText {
  readonly status: number;
  readonly title: string;
  /** What happened, then what to do. */
  readonly paragraphs: readonly string[];
  /** Shows the way back to the subscription in AWS Marketplace, from where a new token comes. */
  readonly viaMarketplace: boolean;
}

const SAFE = 'Your subscription on AWS Marketplace is not affected.';

export const FAILURES = {
  tokenMissing: {
    // AWS checks that opening the fulfillment URL renders with a 200.
    status: 200,
    title: 'Please start from AWS Marketplace',
    paragraphs: [
      'This page sets up your account after you have subscribed on AWS Marketplace, and is opened from there.',
    ],
    viaMarketplace: true,
  },
  tokenExpired: {
    status: 400,
    title: 'Your link from AWS Marketplace has expired',
    paragraphs: [`The link is good for a limited time only. ${SAFE}`],
    viaMarketplace: true,
  },
  tokenInvalid: {
    status: 400,
    title: 'We could not confirm your subscription',
    paragraphs: [`AWS Marketplace did not recognise the link that you came with. ${SAFE}`],
    viaMarketplace: true,
  },
  notOurProduct: {
    status: 400,
    title: 'This subscription belongs to another product',
    paragraphs: [
      `AWS Marketplace tells us of a subscription to a product that is not set up here. ${SAFE}`,
      'Please write to us and name the product that you subscribed to: we have to look into this ourselves.',
    ],
    viaMarketplace: false,
  },
  sessionExpired: {
    status: 403,
    title: 'Your visit has ended',
    paragraphs: [
      'For your safety a visit to this page lasts half an hour, and one visit is open at a time. Nothing that you entered was kept.',
      'If you have only just come, let your browser keep cookies of this site, and start again.',
    ],
    viaMarketplace: true,
  },
  temporaryTrouble: {
    status: 503,
    title: 'That did not work just now',
    paragraphs: [`Something did not answer in time. Please try again in a moment. ${SAFE}`],
    viaMarketplace: false,
  },
  faultOfOurs: {
    status: 500,
    title: 'Something is wrong on our side',
    paragraphs: [
      `We have been told and are looking into it. ${SAFE}`,
      'Please come back later from AWS Marketplace, or write to us and quote the reference below.',
    ],
    viaMarketplace: false,
  },
  tooManyRequests: {
    status: 429,
    title: 'Too many requests at once',
    paragraphs: [`Please wait a minute, then go back and try again. ${SAFE}`],
    viaMarketplace: false,
  },
  bodyTooLarge: {
    status: 413,
    title: 'That is too much at once',
    paragraphs: [
      'What was sent is larger than this form can be. Please go back, shorten what you entered and send it again.',
    ],
    viaMarketplace: false,
  },
  contentTypeUnknown: {
    status: 415,
    title: 'We could not read what was sent',
    paragraphs: ['This address takes what the form of a browser sends. Please use the form on the page itself.'],
    viaMarketplace: true,
  },
  methodNotAllowed: {
    status: 405,
    title: 'This address can’t be used that way',
    paragraphs: ['This address shows a page and takes the form on it, nothing else.'],
    viaMarketplace: true,
  },
  notFound: {
    status: 404,
    title: 'There is no page here',
    paragraphs: ['The address may be incomplete.'],
    viaMarketplace: true,
  },
} as const satisfies Record<string, FailureText>;

export type FailureKind = keyof typeof FAILURES;

/** A form that sends again what did not get through. Hidden fields of a page that is never kept, not a link. */
export interface Retry {
  readonly action: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface FailureExtras {
  /** What a buyer can quote to the seller's people. */
  readonly reference?: string;
  readonly retry?: Retry;
}

export function failurePage(frame: PageFrame, kind: FailureKind, extras: FailureExtras = {}): Html {
  return page(frame, FAILURES[kind].title, failureBody(kind, extras, frame));
}

/** The inside of a failure's page. Without a frame it links nowhere on our origin. */
export function failureBody(kind: FailureKind, { reference, retry }: FailureExtras, frame?: PageFrame): Html {
  const { title, paragraphs, viaMarketplace } = FAILURES[kind];
  return html`<h1>${title}</h1>
${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
${viaMarketplace && MARKETPLACE_WAY}
${retry && retryForm(retry)}
${kind === 'temporaryTrouble' && !retry && frame && html`<p><a class="button" href="${frame.base}${FORM_ROUTE}">Try again</a></p>`}
${reference && html`<dl><dt>Reference</dt><dd><code>${reference}</code></dd></dl>`}`;
}

const MARKETPLACE_WAY = html`<div class="note">
<p>Open <a href="https://console.aws.amazon.com/marketplace/">AWS Marketplace</a>, go to <strong>Manage subscriptions</strong>, choose the product and press <strong>Set up your account</strong>.</p>
<p>There is no need to subscribe again.</p>
</div>`;

function retryForm({ action, fields }: Retry): Html {
  const hidden = fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  return html`<form method="post" action="${action}">${hidden}<button type="submit">Try again</button></form>`;
}
