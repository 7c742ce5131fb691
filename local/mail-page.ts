// The page of a laptop's caught mail. It needs no script and loads nothing.
import { type Html, html, raw } from '../lambdas/pages/html.ts';
import type { CaughtMail } from './mail-catcher.ts';

const STYLE = `
:root { color-scheme: light dark; --page: #f4f6f9; --card: #fff; --ink: #111827; --soft: #4b5563; --line: #d6dbe4; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1119; --card: #161c27; --ink: #ecf0f7; --soft: #a8b2c2; --line: #303949; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 44rem; margin: 0 auto; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
.soft, dt, summary { color: var(--soft); }
article { margin-top: 1.25rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .9rem; margin: 0 0 .9rem; font-size: .925rem; }
dd { margin: 0; }
iframe { width: 100%; height: 30rem; border: 1px solid var(--line); border-radius: .5rem; background: #fff; color-scheme: light; }
summary { cursor: pointer; margin-top: .75rem; }
pre { margin: .5rem 0 0; white-space: pre-wrap; font: .875rem/1.5 ui-monospace, monospace; }
`;

export function mailPage(mails: readonly CaughtMail[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mail (${mails.length})</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
<h1>Mail</h1>
<p class="soft">What would have gone out by SES since this start, newest first. Nothing is sent from here; reload to see more.</p>
${mails.length === 0 ? html`<p>There is none yet: it comes with a registration, and when access begins or ends.</p>` : mails.map(card)}
</main>
</body>
</html>
`.toString();
}

function card({ at, from, to, replyTo, subject, text, html: part }: CaughtMail): Html {
  return html`<article aria-label="${subject}">
<h2>${subject}</h2>
<dl>
<dt>To</dt><dd>${to.join(', ')}</dd>
<dt>From</dt><dd>${from}</dd>
<dt>Reply to</dt><dd>${replyTo.join(', ')}</dd>
<dt>At</dt><dd><time datetime="${at}">${at}</time></dd>
</dl>
<iframe sandbox title="HTML part of: ${subject}" srcdoc="${part}"></iframe>
<details><summary>Text part</summary><pre>${text}</pre></details>
</article>`;
}
