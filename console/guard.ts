// Who may use the console: a browser on this machine that was given this launch's address, and no page from elsewhere.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** One start of the console. The secret stands in the printed address, and nowhere else. */
export interface Launch {
  readonly secret: string;
  readonly port: number;
}

/** What a request says of itself before its body is read. */
export interface Arrival {
  readonly method: string;
  readonly url: URL;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly cookie: string | undefined;
}

export type Admission = { readonly kind: 'admitted' } | Unadmitted;

export type Unadmitted =
  /** The address held the secret: it is traded for a cookie, and leaves the address. */
  | { readonly kind: 'entered'; readonly location: string; readonly cookie: string }
  | { readonly kind: 'locked' }
  | { readonly kind: 'refused'; readonly message: string };

const SECRET = 'secret';
export const FORM_TOKEN = 'formToken';

/** Judges a request by its head alone: a foreign host or origin first, then the cookie. */
export function admit(launch: Launch, arrival: Arrival): Admission {
  const { method, url, host, origin } = arrival;
  if (!isOwnHost(host, launch.port)) {
    // A name that is not ours means that a page elsewhere had its name pointed at this machine (DNS rebinding).
    return { kind: 'refused', message: `The console is served at http://127.0.0.1:${launch.port} alone.` };
  }
  // Browsers name an origin with everything that changes something; what names none is no form of ours.
  const isForeign = origin === undefined ? method !== 'GET' && method !== 'HEAD' : origin !== `http://${host}`;
  if (isForeign) return { kind: 'refused', message: 'A page of another origin may not use the console.' };
  const given = url.searchParams.get(SECRET) ?? undefined;
  if (method === 'GET' && isSame(given, launch.secret)) {
    return { kind: 'entered', location: withoutSecret(url), cookie: cookieOf(launch) };
  }
  const held = readCookie(arrival.cookie, cookieName(launch));
  return isSame(held, digest(launch, 'cookie')) ? { kind: 'admitted' } : { kind: 'locked' };
}

/** Stands in every form; a request without it changes nothing, whatever cookie comes with it. */
export function formTokenOf(launch: Launch): string {
  return digest(launch, 'form');
}

export function hasFormToken(launch: Launch, form: URLSearchParams): boolean {
  return isSame(form.get(FORM_TOKEN) ?? undefined, formTokenOf(launch));
}

/** The address that is printed at the start. */
export function entranceOf({ secret, port }: Launch): string {
  return `http://127.0.0.1:${port}/?${SECRET}=${secret}`;
}

function isOwnHost(host: string | undefined, port: number): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

/** Browsers show a cookie to every port of a host, so it is neither the secret nor what forms carry. */
function digest({ secret }: Launch, purpose: 'cookie' | 'form'): string {
  return createHmac('sha256', secret).update(purpose).digest('base64url');
}

/** Consoles of several deployments on one host must not put out each other's cookies. */
function cookieName({ port }: Launch): string {
  return `fulfillment-console-${port}`;
}

function cookieOf(launch: Launch): string {
  return `${cookieName(launch)}=${digest(launch, 'cookie')}; Path=/; HttpOnly; SameSite=Strict`;
}

/** The value of one cookie out of a Cookie header. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  return header
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix))
    ?.slice(prefix.length);
}

/** Compared as digests, which have one length: the time taken tells nothing of where the texts differ. */
function isSame(given: string | undefined, expected: string): boolean {
  if (given === undefined) return false;
  const digestOf = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

/** Path and further questions; a path that begins with two slashes would name another site. */
function withoutSecret(url: URL): string {
  const query = new URLSearchParams(url.searchParams);
  query.delete(SECRET);
  const path = url.pathname.replace(/^\/+/, '/');
  return query.size === 0 ? path : `${path}?${query}`;
}
