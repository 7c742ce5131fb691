// What the demo of a seller's own sign-up page shows. It looks unlike the backend's pages: it is somebody else's.
import type { ArrivedBuyer, HandOffRedemption, SignUpOutcome } from '../client/hand-off.ts';
import { type Html, html, raw } from '../lambdas/pages/html.ts';

/** The product whose page this is, as its listing and its own pages name it. */
export const DEMO_TITLE = 'Demo Search';

interface Problem {
  readonly name: string;
  readonly message: string;
}

const STYLE = `
:root { color-scheme: light dark; --page: #ecfdf5; --card: #fff; --ink: #06281f; --soft: #3f5f56; --line: #6b8a80; --accent: #0f766e; --on: #fff; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --page: #06110e; --card: #0d1d18; --ink: #e6f4ef; --soft: #a3bdb4; --line: #6b8a80; --accent: #5eead4; --on: #06281f; --bad: #ff948a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 Georgia, 'Times New Roman', serif; overflow-wrap: anywhere; }
.demo { padding: .5rem 1rem; background: var(--accent); color: var(--on); font: 600 .875rem/1.4 system-ui, sans-serif; text-align: center; }
main { max-width: 34rem; margin: 2.5rem auto; padding: 1.75rem; background: var(--card); border-left: .4rem solid var(--accent); }
h1 { margin: 0 0 .5rem; font-size: 1.7rem; line-height: 1.2; }
.soft { color: var(--soft); }
label { display: block; margin-top: 1.1rem; font-weight: 700; }
input { display: block; width: 100%; margin-top: .3rem; padding: .6rem .7rem; border: 1px solid var(--line); border-radius: 0; background: transparent; color: inherit; font: inherit; }
.problem { margin: .3rem 0 0; color: var(--bad); font-weight: 700; }
button { margin-top: 1.5rem; padding: .7rem 1.4rem; border: 0; background: var(--accent); color: var(--on); font: inherit; font-weight: 700; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code { font: .9em ui-monospace, monospace; }
`;

const FIELDS = [
  { name: 'email', label: 'Work e-mail', type: 'email', autocomplete: 'email' },
  { name: 'team', label: 'Team', type: 'text', autocomplete: 'off' },
] as const;

export function formPage(
  { isRegistered }: ArrivedBuyer,
  answers: Readonly<Record<string, string>>,
  problems: readonly Problem[],
): string {
  if (isRegistered) return around('Welcome back', html`<p>You are registered already.</p>`);
  const rows = FIELDS.map(({ name, label, type, autocomplete }) => {
    const problem = problems.find((each) => each.name === name);
    const described = problem && html` aria-invalid="true" aria-describedby="${name}-problem"`;
    return html`<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${answers[name] ?? ''}"${described}>
${problem && html`<p class="problem" id="${name}-problem">${problem.message}</p>`}`;
  });
  return around(
    'Create your workspace',
    html`<p class="soft">You come from AWS Marketplace, where you subscribed to ${DEMO_TITLE}.</p>
<form method="post" action="/sign-up" novalidate>
${rows}
<button>Create workspace</button>
</form>`,
  );
}

export function welcomePage({ customerId }: ArrivedBuyer): string {
  return around(
    'Your workspace is being made',
    html`<p>The backend has registered you, as if you had filled in its own form.</p>
<p class="soft">Customer <code>${customerId}</code></p>`,
  );
}

type Refusal = Exclude<HandOffRedemption['kind'], 'redeemed'> | Extract<SignUpOutcome['kind'], 'notRedeemed'>;

const REFUSALS: Readonly<Record<Refusal, string>> = {
  spent: 'This link was used before.',
  expired: 'This link is good for five minutes.',
  notForUs: 'This link is for another page.',
  forged: 'This link is not from AWS Marketplace.',
  notRedeemed: 'We do not know who you are.',
};

export function startAgainPage(kind: Refusal): string {
  return around(
    'Please start from AWS Marketplace',
    html`<p>${REFUSALS[kind]} Go back to your subscription on AWS Marketplace and press <strong>Set up your account</strong> once more.</p>`,
  );
}

function around(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – ${DEMO_TITLE}</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>
</head>
<body>
<header class="demo">A demo of a seller’s own sign-up page. It is no part of the backend.</header>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.toString();
}
