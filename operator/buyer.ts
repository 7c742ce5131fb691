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

/** Registers the buyer of an agreement by the page, as a browser would; gives what the last page says. */
export async function registerAsBuyer(
  desk: Pick<Desk, 'control' | 'facts'>,
  agreementId: string,
  answers: Readonly<Record<string, string>>,
): Promise<void> {
  const control = simulatorOf(desk);
  const path = `/control/agreements/${encodeURIComponent(agreementId)}/tokens`;
  const { token } = await control.post<{ token: string }>(path);
  const { fulfillment } = desk.facts.urls;
  const arrived = await posted(fulfillment, { [TOKEN_FIELD]: token });
  const cookie = arrived.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ');
  const formUrl = new URL(arrived.headers.get('location') ?? '', fulfillment);
  const page = await (await fetch(formUrl, { headers: { cookie } })).text();
  // Who has registered is shown no form.
  if (!page.includes('<form')) return;
  const done = await posted(String(formUrl), { ...fieldsOf(page, answers) }, cookie);
  if (done.status === 303) return;
  throw new Unavailable(
    'RegistrationRefused',
    `The registration page answered ${done.status}: ${problemsOf(await done.text())}`,
  );
}

async function posted(url: string, form: Readonly<Record<string, string>>, cookie?: string): Promise<Response> {
  const headers = cookie === undefined ? {} : { cookie };
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' });
  if (answer.status < 500) return answer;
  throw new Unavailable('PageFailed', `${url} answered ${answer.status}. Its log says why.`);
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
