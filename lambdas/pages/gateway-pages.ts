// The pages that API Gateway answers with where no function of ours is reached.
import { createHash } from 'node:crypto';
import type { RegistrationSettings } from '../domain/registration-settings.ts';
import { FAILURES, type FailureKind, failureBody } from './failures.ts';
import { framed } from './frame.ts';
import { html, raw } from './html.ts';
import { styleOf } from './style.ts';

/** API Gateway's names of its own answers, and what a buyer is shown for each. */
const PAGE_OF_RESPONSE = {
  THROTTLED: 'tooManyRequests',
  QUOTA_EXCEEDED: 'tooManyRequests',
  WAF_FILTERED: 'tooManyRequests',
  REQUEST_TOO_LARGE: 'bodyTooLarge',
  UNSUPPORTED_MEDIA_TYPE: 'contentTypeUnknown',
  MISSING_AUTHENTICATION_TOKEN: 'notFound',
  RESOURCE_NOT_FOUND: 'notFound',
  INTEGRATION_TIMEOUT: 'temporaryTrouble',
  INTEGRATION_FAILURE: 'temporaryTrouble',
  DEFAULT_4XX: 'notFound',
  DEFAULT_5XX: 'temporaryTrouble',
} as const satisfies Record<string, FailureKind>;

export type GatewayResponseName = keyof typeof PAGE_OF_RESPONSE;

export interface GatewayPage {
  /** The status to answer with; absent where API Gateway's own is to stand. */
  readonly status?: number;
  readonly body: string;
}

/** Headers to set on them. The policy stands in the page: API Gateway takes no header value with quotes in it. */
export const GATEWAY_PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Strict-Transport-Security': 'max-age=63072000',
} as const;

/** The whole page of each answer that API Gateway makes itself. They link to nothing of ours, not even the style. */
export function gatewayPages(settings: RegistrationSettings): Readonly<Record<GatewayResponseName, GatewayPage>> {
  // The logo would need the stage's path, which differs between domains; the seller's first letter does not.
  const { logoUrl: _, ...plain } = settings;
  const pages = Object.entries(PAGE_OF_RESPONSE).map(([name, kind]) => {
    const { title, status } = FAILURES[kind];
    const body = framed(plain, title, inlineStyle(settings), failureBody(kind, {})).toString();
    return [name, name.startsWith('DEFAULT_') ? { body } : { status, body }] as const;
  });
  return Object.fromEntries(pages) as Record<GatewayResponseName, GatewayPage>;
}

function inlineStyle(settings: RegistrationSettings) {
  const css = `\n${styleOf(settings)}\n`;
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  return html`<meta http-equiv="Content-Security-Policy" content="${policy}">
<style>${raw(css)}</style>`;
}
