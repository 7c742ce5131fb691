// A seller's own sign-up page as small as can be, on a port of its own: what docs/registration.md says, run on a laptop.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ArrivedBuyer, createSignUps, type SignUps } from '../client/hand-off.ts';
import type { Clock } from '../lambdas/runtime/clock.ts';
import { type LoopbackServer, plain, readBody, serveOnLoopback } from './loopback.ts';
import { formPage, startAgainPage, welcomePage } from './sign-up-views.ts';

const ARRIVAL = '/aws';
const FORM = '/sign-up';
const WELCOME = '/welcome';

const COOKIE = 'demo-sign-up';
const MAX_BODY_BYTES = 16 * 1024;

/** What the product's registration asks for, besides the e-mail address. */
export const DEMO_FIELDS = [{ name: 'team', label: 'Team', required: true }];

export class DemoSignUpPage {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, ArrivedBuyer>();
  #signUps: SignUps | undefined;
  #server: LoopbackServer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts it; the address is `products[].signUp.url`. */
  async serve(): Promise<LoopbackServer> {
    const server = await serveOnLoopback((request, response, origin) => this.#answer(request, response, origin));
    this.#server = server;
    return { ...server, url: `${server.url}${ARRIVAL}` };
  }

  /** Tells it where the backend is, which has to know its address first. */
  connect(appUrl: string): void {
    this.#signUps = createSignUps({
      url: appUrl,
      pagesUrl: appUrl,
      signUpUrl: `${this.#server?.url ?? ''}${ARRIVAL}`,
      stage: 'local',
      clock: this.#clock,
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, origin: string): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', origin);
    const signUps = this.#signUps;
    const buyer = this.#sessions.get(sessionIn(request));
    if (!signUps) return plain(response, 503, 'The backend has not started yet.');
    if (request.method === 'GET' && pathname === ARRIVAL) {
      return this.#arrive(response, signUps, searchParams.get('handOff') ?? '', buyer);
    }
    if (![FORM, WELCOME].includes(pathname)) return plain(response, 404, 'There is no page here.');
    if (!buyer) return page(response, 400, startAgainPage('notRedeemed'));
    if (request.method === 'GET') {
      return page(response, 200, pathname === FORM ? formPage(buyer, {}, []) : welcomePage(buyer));
    }
    if (request.method !== 'POST' || pathname !== FORM) return plain(response, 405, 'That is not done here.');
    // A page elsewhere must not register in this browser's name.
    if (request.headers.origin !== origin) return plain(response, 403, 'The form is sent from its own page.');
    const registered = await register(request, response, signUps, buyer);
    // Whoever comes back is welcomed, and asked for nothing again.
    if (registered) this.#sessions.set(sessionIn(request), { ...buyer, isRegistered: true });
  }

  async #arrive(response: ServerResponse, signUps: SignUps, handOff: string, known: ArrivedBuyer | undefined) {
    const arrival = await signUps.redeem(handOff);
    if (arrival.kind !== 'redeemed') {
      // The back button, a second tab: whoever has a session goes on, nobody else.
      return known ? goTo(response, FORM) : page(response, 400, startAgainPage(arrival.kind));
    }
    const session = randomBytes(16).toString('base64url');
    this.#sessions.set(session, arrival.buyer);
    response.setHeader('set-cookie', `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Lax`);
    // Away from the address with the hand-off in it.
    return goTo(response, FORM);
  }
}

/** Answers a form; gives whether its buyer is registered now. */
async function register(
  request: IncomingMessage,
  response: ServerResponse,
  signUps: SignUps,
  buyer: ArrivedBuyer,
): Promise<boolean> {
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body === undefined) {
    plain(response, 413, 'That is too much at once.');
    return false;
  }
  const { email = '', ...fields } = Object.fromEntries(new URLSearchParams(body.toString()));
  const told = await signUps.register(buyer, { email, fields });
  switch (told.kind) {
    case 'incomplete':
      page(response, 422, formPage(buyer, { email, ...fields }, told.problems));
      return false;
    case 'notRedeemed':
      page(response, 400, startAgainPage(told.kind));
      return false;
    case 'registered':
    case 'already':
    case 'alreadyOtherwise':
      goTo(response, WELCOME);
      return true;
  }
}

function sessionIn({ headers }: IncomingMessage): string {
  return new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1] ?? '';
}

function goTo(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end();
}

function page(response: ServerResponse, status: number, body: string): void {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    // Not `no-referrer`, under which browsers name no origin with a form.
    'referrer-policy': 'same-origin',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  };
  response.writeHead(status, headers).end(body);
}
