// Who may talk to the simulator: programs on this machine that know the secret, and no web page from elsewhere.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** A name that is not ours means that a web page had its name pointed at this machine (DNS rebinding). */
export function isOwnHost(host: string | undefined, port: number): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].some(
    (name) => host === `${name}:${port}` || (port === 80 && host === name),
  );
}

/** Programs send no Origin; a browser sends one with everything that could change something. */
export function isOwnOrigin(origin: string | undefined, host: string): boolean {
  return origin === undefined || origin === `http://${host}`;
}

/** What a browser says about where a request was started, if it says anything. */
export function isOwnSite(secFetchSite: string | undefined): boolean {
  return secFetchSite === undefined || secFetchSite === 'same-origin' || secFetchSite === 'none';
}

/** Whether a secret is the expected one, in a time that does not depend on where they differ. */
export function sameSecret(given: string | undefined, expected: string): boolean {
  if (given === undefined) return false;
  // Compared as digests: those have one length, and comparing them tells nothing about where they differ.
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/**
 * The page cookie's value. Browsers show a cookie to every port of a host, the seller's own server included, so it
 * is not the secret itself and does not open the control API.
 */
export function pageCookieValue(secret: string): string {
  return createHmac('sha256', secret).update('page').digest('base64url');
}

/** Cookies of several simulators on one host must not overwrite each other. */
export function pageCookieName(port: number): string {
  return `marketplace-simulator-${port}`;
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
