// Plays a buyer at the simulated AWS Marketplace: subscribes, and fills in the seller's registration page.
import { EMAIL_FIELD, TOKEN_FIELD } from '../lambdas/contracts/registration-form.ts';
import { Misconfigured, Unavailable } from '../lambdas/domain/failure.ts';
import type { ControlClient } from './control-client.ts';
import type { Desk } from './desk.ts';

/** An agreement as the simulator tells it; some of its members. */
export interface Agreement {
  readonly agreementId: string;
  readonly licenceArn?: string;
  readonly awsAccountId: string;
  readonly productCode: string;
  readonly status: string;
  readonly startsAt: string;
}

/** The simulator of a laptop. Throws Misconfigured for a deployment on AWS, where real buyers buy. */
export function simulatorOf({ control, facts }: Pick<Desk, 'control' | 'facts'>): ControlClient {
  if (control) return control;
  throw new Misconfigured(
    'NoSimulator',
    `Deployment ${facts.stage} has real buyers; only the simulator of npm start has one to play. Name --local.`,
  );
}

/**
 * Registers the buyer of an agreement by the page, as a browser would: ours, or the seller's own to which the buyer is
 * handed on. Whoever has registered is shown no form, and nothing changes.
 */
export async function registerAsBuyer(
  desk: Pick<Desk, 'control' | 'facts'>,
  agreementId: string,
  answers: Readonly<Record<string, string>>,
): Promise<void> {
  const control = simulatorOf(desk);
  const path = `/control/agreements/${encodeURIComponent(agreementId)}/tokens`;
  const { token } = await control.post<{ token: string }>(path);
  const visit = new Visit();
  const page = await visit.open(desk.facts.urls.fulfillment, { [TOKEN_FIELD]: token });
  const form = /<form\b[^>]*>/.exec(page.body)?.[0];
  if (form === undefined) return;
  const action = new URL(attribute(form, 'action') ?? '', page.url);
  const done = await visit.open(String(action), fieldsOf(page.body, answers));
  if (done.status === 200) return;
  throw new Unavailable('RegistrationRefused', `The page answered ${done.status}: ${problemsOf(done.body)}`);
}

interface VisitedPage {
  readonly url: string;
  readonly status: number;
  readonly body: string;
}

/** More than any page of ours, or of the demo's, leads on. */
const REDIRECTS = 5;

/** A browser without a window: keeps each origin's cookies, and goes where it is sent. */
class Visit {
  readonly #cookies = new Map<string, Map<string, string>>();

  async open(url: string, form?: Readonly<Record<string, string>>): Promise<VisitedPage> {
    let [at, sent] = [url, form];
    for (let step = 0; step <= REDIRECTS; step++) {
      const answer = await this.#asked(at, sent);
      const location = answer.headers.get('location');
      if (answer.status >= 500)
        throw new Unavailable('PageFailed', `${at} answered ${answer.status}. Its log says why.`);
      if (location === null) return { url: at, status: answer.status, body: await answer.text() };
      [at, sent] = [String(new URL(location, at)), undefined];
    }
    throw new Unavailable('PageFailed', `${url} leads on more than ${REDIRECTS} times.`);
  }

  async #asked(url: string, form: Readonly<Record<string, string>> | undefined): Promise<Response> {
    const { origin } = new URL(url);
    const cookies = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, cookies);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, {
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
      headers: { ...(cookie === '' ? {} : { cookie }), ...(form === undefined ? {} : { origin }) },
      redirect: 'manual',
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=;]*)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return answer;
  }
}

/** Every field of the page, filled with what was given, else with an example of its kind. */
function fieldsOf(page: string, answers: Readonly<Record<string, string>>): Record<string, string> {
  const inputs = [...page.matchAll(/<input [^>]*>/g)].map(([tag]) => tag);
  return Object.fromEntries(
    inputs.map((tag) => {
      const [name, type, value] = ['name', 'type', 'value'].map((each) => attribute(tag, each) ?? '');
      return [name ?? '', answers[name ?? ''] ?? (value === '' ? EXAMPLES[type ?? ''] : value) ?? 'Example'];
    }),
  );
}

const EXAMPLES: Readonly<Record<string, string>> = {
  [EMAIL_FIELD]: 'ada@example.com',
  tel: '+1 555 0100',
  url: 'https://example.com/',
};

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
}

function problemsOf(page: string): string {
  const problems = [...page.matchAll(/<p class="problem"[^>]*>([^<]*)</g)].map(([, message]) => message);
  return problems.join(' ') || 'see its log.';
}
