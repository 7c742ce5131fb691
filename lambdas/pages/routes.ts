// The routes that a buyer's browser meets, and the prefix under which they are reached.

export const FULFILLMENT_ROUTE = '/register';
export const FORM_ROUTE = '/registration';
export const DONE_ROUTE = '/registration/done';
export const STYLE_ROUTE = '/registration/style.css';
/** The public keys of hand-offs, where libraries look for them. */
export const KEYS_ROUTE = '/.well-known/jwks.json';

// The longer ones first: a path is to be matched whole.
const ROUTES = [KEYS_ROUTE, STYLE_ROUTE, DONE_ROUTE, FORM_ROUTE, FULFILLMENT_ROUTE] as const;

export interface Place {
  readonly route: (typeof ROUTES)[number] | undefined;
  /** The stage or the custom domain's base path: `''`, `'/prod'`. Put before every link. */
  readonly base: string;
}

/** Splits a path into prefix and route. A prefix that is not plainly one is dropped: links never leave our origin. */
export function placeOf(path: string): Place {
  const route = ROUTES.find((candidate) => path === candidate || path.endsWith(candidate));
  const base = route === undefined ? path.split('/').slice(0, 2).join('/') : path.slice(0, -route.length);
  return { route, base: /^(\/[\w.~-]{1,100}){0,3}$/.test(base) && !base.includes('..') ? base : '' };
}
