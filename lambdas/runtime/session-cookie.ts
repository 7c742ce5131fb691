// The cookie that carries the registration session.

/** The prefix makes browsers hold it to this host, to HTTPS and to the root path. */
export const SESSION_COOKIE = '__Host-registration';

/** Lax, since the buyer comes from AWS Marketplace's site: Strict would keep it back on the redirect to our page. */
export function sessionCookie(sessionText: string, lifetimeMs: number): string {
  const maxAge = Math.floor(lifetimeMs / 1000);
  return `${SESSION_COOKIE}=${sessionText}; Max-Age=${maxAge}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}
