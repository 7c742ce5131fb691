// What calls of the backend's API share: its address, and faults that say what to do.
import { type Failure, InvalidInput, Misconfigured, Unavailable } from '../lambdas/domain/failure.ts';

/** A route as faults speak of it. */
export interface Route {
  /** `POST /usage`. */
  readonly name: string;
  /** What a caller needs who is refused (403). */
  readonly permission: string;
}

/** The backend's address from that of the backend or of its `/usage`. Throws InvalidInput, repeating none of it. */
export function backendUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Not repeated: it might hold a password.
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    throw new InvalidInput(
      'UrlMalformed',
      'The URL has to be like https://host/prod or http://127.0.0.1:7300, without a name and password in it.',
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/usage$/, '');
  return url;
}

/** The address of a path below the backend's. */
export function urlBelow(backend: URL, path: string): URL {
  const url = new URL(backend);
  url.pathname = `${backend.pathname.replace(/\/$/, '')}${path}`;
  return url;
}

/** `fetch` refuses some ports of its own accord, and would refuse them again. */
export async function fetched(route: Route, url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...request, redirect: 'manual' });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
    if (cause?.message !== 'bad port') throw error;
    throw new Misconfigured('UrlPortBarred', `${noRouteAt(route, url)}: nothing is served on port ${url.port}.`, {
      cause,
    });
  }
}

/** Without the query, which might hold a secret. */
export function noRouteAt(route: Route, url: URL): string {
  return `There is no ${route.name} at ${url.origin}${url.pathname}`;
}

/** 403, too: API Gateway gives it for a path that it does not know. */
const NO_ROUTE = new Set([403, 404, 405]);

/** What an answer other than the wanted ones stands for. */
export function failureOf(route: Route, url: URL, response: Response, body: string): Failure {
  const { status } = response;
  const { code = `Status${status}`, message: said } = errorIn(body);
  const remedy = remedyOf(route, status);
  const forUs = status === 403 ? ' that this caller may use' : '';
  const answered = NO_ROUTE.has(status)
    ? `${noRouteAt(route, url)}${forUs}: it answered ${status}, ${code}.`
    : `${route.name} answered ${status}, ${code}.`;
  const message = [answered, said, remedy].filter((part) => part !== undefined).join(' ');
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  const retryAfterMs = Number.isFinite(seconds) ? Math.max(0, seconds) * 1_000 : 0;
  // Any 5xx is worth another attempt: a report's identities repeat, and reading changes nothing.
  if (status >= 500 || status === 429) return new Unavailable(code, message, { facts: { status, retryAfterMs } });
  if (remedy !== undefined || NO_ROUTE.has(status)) return new Misconfigured(code, message, { facts: { status } });
  return new InvalidInput(code, message, { facts: { status } });
}

function remedyOf({ permission }: Route, status: number): string | undefined {
  if (status === 401) return 'Sign the requests.';
  return status === 403 ? `Check the URL, ${permission}, and sign the requests.` : undefined;
}

/** The backend's own code and words, where the body has them. */
export function errorIn(body: string): { readonly code?: string; readonly message?: string } {
  const answer = parsed(body);
  const { code, message } = isRecord(answer) && isRecord(answer['error']) ? answer['error'] : {};
  return { ...(typeof code === 'string' ? { code } : {}), ...(typeof message === 'string' ? { message } : {}) };
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
