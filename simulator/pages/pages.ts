// The pages: who may see them, which one is meant, and what a pressed button does.

import { AGREEMENT_ACTIONS } from '../control/agreement-actions.ts';
import { readSubscription } from '../control/agreement-routes.ts';
import { ControlError } from '../control/input.ts';
import { advanceClock } from '../control/world-routes.ts';
import { pageCookieName, pageCookieValue, readCookie, sameSecret } from '../guards.ts';
import { findAgreement } from '../world/agreements.ts';
import { settleWorld, subscribe } from '../world/lifecycle.ts';
import { findProduct } from '../world/products.ts';
import { HOUR_MS, hourOf } from '../world/records.ts';
import type { World } from '../world/world.ts';
import { billPage } from './bill-page.ts';
import { agreementBody, subscriptionBody } from './forms.ts';
import { html } from './html.ts';
import { type PageReply, show } from './layout.ts';
import { marketplacePage } from './marketplace-page.ts';
import { noticesPage } from './notices-page.ts';
import { STYLES } from './styles.ts';

interface PageRequest {
  readonly method: string;
  readonly url: URL;
  readonly port: number;
  readonly cookie: string | undefined;
  readonly form: URLSearchParams;
}

/**
 * Answers a page or carries out a form, then leads back to the page. The first visit brings the secret in its
 * address; it is traded for a cookie at once, so that the secret stays in no history and no screenshot.
 */
export function answerPage(world: World, secret: string, request: PageRequest): PageReply {
  const { method, url } = request;
  if (method === 'GET' && url.pathname === '/styles.css') {
    return { status: 200, headers: { 'content-type': 'text/css; charset=utf-8' }, body: STYLES };
  }
  const given = url.searchParams.get('secret') ?? undefined;
  if (method === 'GET' && given !== undefined && sameSecret(given, secret)) {
    const cookie = `${pageCookieName(request.port)}=${pageCookieValue(secret)}; Path=/; HttpOnly; SameSite=Strict`;
    return { ...redirect(url.pathname), headers: { location: localPath(url.pathname), 'set-cookie': cookie } };
  }
  if (!sameSecret(readCookie(request.cookie, pageCookieName(request.port)), pageCookieValue(secret))) return locked();
  settleWorld(world);
  if (method === 'POST') return carryOut(world, url.pathname, request.form);
  if (method !== 'GET') return plain(405, 'Not possible', 'This address can only be opened.');
  if (url.pathname === '/') return marketplacePage(world);
  if (url.pathname === '/bill') return billPage(world);
  if (url.pathname === '/notices') return noticesPage(world);
  return plain(404, 'No such page', 'There is nothing at this address. The links above lead to what there is.');
}

function carryOut(world: World, path: string, form: URLSearchParams): PageReply {
  try {
    return world.db.transaction(() => act(world, path, form));
  } catch (error) {
    if (error instanceof ControlError) return marketplacePage(world, error.message);
    throw error;
  }
}

function act(world: World, path: string, form: URLSearchParams): PageReply {
  if (path === '/subscriptions') {
    startSubscription(world, form);
    return redirect('/#subscriptions');
  }
  if (path === '/clock/advance') {
    const nowMs = world.now();
    advanceClock(world, form.get('by') === 'next-hour' ? hourOf(nowMs) + HOUR_MS : nowMs + HOUR_MS);
    return redirect('/');
  }
  const [, id = '', name = ''] = /^\/subscriptions\/([^/]+)\/([a-z]+)$/.exec(path) ?? [];
  const agreement = findAgreement(world, id);
  const action = Object.hasOwn(AGREEMENT_ACTIONS, name) ? AGREEMENT_ACTIONS[name] : undefined;
  if (agreement === undefined || action === undefined) {
    return plain(404, 'No such subscription', 'It may belong to a world that was reset.');
  }
  action(world, agreement, agreementBody(world, agreement, name, form));
  return redirect('/#subscriptions');
}

function startSubscription(world: World, form: URLSearchParams): void {
  const product = findProduct(world, form.get('productCode') ?? '');
  if (product === undefined) throw new ControlError(404, 'NotFound', 'This product is not listed any more.');
  subscribe(world, readSubscription(world, subscriptionBody(product, form, world.now())));
}

function redirect(location: string): PageReply {
  return { status: 303, headers: { location }, body: '' };
}

/** A path that begins with two slashes would name another site. */
function localPath(path: string): string {
  return path.replace(/^\/+/, '/');
}

function locked(): PageReply {
  return plain(
    401,
    'Please open the address with the secret',
    'The simulator printed an address at its start that ends in ?secret=…; open that one. It is asked once per launch.',
  );
}

function plain(status: number, title: string, text: string): PageReply {
  return show({ status, title, path: '', main: html`<p>${text}</p>` });
}
