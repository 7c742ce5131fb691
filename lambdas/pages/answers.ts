// Pages as HTTP answers: headers, redirects, and the page for each fault.
import type { Failure } from '../domain/failure.ts';
import type { PublicKey } from '../domain/hand-off.ts';
import { everySettings, type RegistrationSettings, type Registrations } from '../domain/registration-settings.ts';
import type { HttpResponse } from '../runtime/http.ts';
import type { HttpRequest } from '../runtime/http-request.ts';
import { FAILURES, type FailureExtras, type FailureKind, failurePage, type Retry } from './failures.ts';
import type { PageFrame } from './frame.ts';
import type { Html } from './html.ts';
import { placeOf } from './routes.ts';
import { styleOf, styleVersion } from './style.ts';

/** Our own origin only, no script, in nobody's frame, kept by nobody, and no address handed on to where links lead. */
export const PAGE_HEADERS = pageHeaders([]);

/** The same, where a form of a page may lead on to other origins: browsers look at redirects, too. */
export function pageHeaders(formTargets: readonly string[]) {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      "default-src 'none'",
      "style-src 'self'",
      "img-src 'self' data:",
      `form-action ${["'self'", ...formTargets].join(' ')}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'Strict-Transport-Security': 'max-age=63072000',
  } as const;
}

export function pageAnswer(status: number, outcome: string, body: Html): HttpResponse {
  return { status, headers: {}, body: body.toString(), outcome };
}

/** A redirect after which reloading sends nothing again. */
export function seeOther(
  location: string,
  outcome: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { status: 303, headers: { Location: location, ...headers }, body: '', outcome };
}

export function failureAnswer(frame: PageFrame, kind: FailureKind, extras: FailureExtras = {}): HttpResponse {
  const { status } = FAILURES[kind];
  return {
    ...pageAnswer(status, kind, failurePage(frame, kind, extras)),
    headers: status === 503 ? { 'Retry-After': '5' } : {},
  };
}

export function methodNotAllowed(frame: PageFrame, allowed: string): HttpResponse {
  return { ...failureAnswer(frame, 'methodNotAllowed'), headers: { Allow: allowed } };
}

/**
 * The style sheet of a version, which a browser may keep for ever, since its address changes with it; that of the
 * deployment for any other, which nobody is to keep: while a deployment is under way, a page of the new release asks the
 * old one.
 */
export function styleAnswer(registrations: Registrations, version: string | undefined): HttpResponse {
  const styles = everySettings(registrations).map(styleOf);
  const asked = styles.find((each) => styleVersion(each) === version);
  const [shared = styleOf({})] = styles;
  const headers = {
    'Content-Type': 'text/css; charset=utf-8',
    ...(asked === undefined ? {} : { 'Cache-Control': 'public, max-age=31536000, immutable' }),
  };
  return { status: 200, headers, body: asked ?? shared, outcome: 'styleSent' };
}

/** The public keys of hand-offs. A key is listed for a rotation longer than anything it signed is good for. */
export function keysAnswer(keys: readonly PublicKey[]): HttpResponse {
  const headers = { 'Content-Type': 'application/jwk-set+json', 'Cache-Control': 'public, max-age=300' };
  return { status: 200, headers, body: JSON.stringify({ keys }), outcome: 'keysSent' };
}

const PAGES_OF_INVALID_INPUT: Readonly<Record<string, FailureKind>> = {
  BodyTooLarge: 'bodyTooLarge',
  ContentTypeUnknown: 'contentTypeUnknown',
};

/**
 * The page of a failure, in the look that was known by then. `retryOf` reads from the request what the buyer would have to enter again; it is asked only
 * where trying again may help.
 */
export function pageFaults(
  settingsOf: (failure: Failure) => RegistrationSettings,
  retryOf: (request: HttpRequest, base: string) => Retry | undefined,
): (failure: Failure, request: HttpRequest) => HttpResponse {
  return (failure, request) => {
    const { base } = placeOf(request.path);
    const frame = { settings: settingsOf(failure), base };
    const reference = request.requestId;
    if (failure.name === 'InvalidInput') {
      return failureAnswer(frame, PAGES_OF_INVALID_INPUT[failure.code] ?? 'contentTypeUnknown');
    }
    if (!failure.retryable) return failureAnswer(frame, 'faultOfOurs', { reference });
    const retry = retryOf(request, base);
    return failureAnswer(frame, 'temporaryTrouble', { reference, ...(retry ? { retry } : {}) });
  };
}
