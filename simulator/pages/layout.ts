// The frame around every page.
import { type Html, html } from './html.ts';

export interface PageReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Page {
  readonly title: string;
  readonly path: string;
  readonly main: Html;
  readonly status?: number;
  /** Where forms may lead besides this site. */
  readonly formTargets?: readonly string[];
}

const LINKS = [
  ['/', 'Marketplace'],
  ['/bill', 'Bill and calls'],
  ['/notices', 'Notices'],
] as const;

/** The answer that shows a page: nothing but its own style sheet is loaded, and no other site may frame it. */
export function show(page: Page): PageReply {
  const links = LINKS.map(([path, label]) =>
    path === page.path
      ? html`<li><a href="${path}" aria-current="page">${label}</a></li>`
      : html`<li><a href="${path}">${label}</a></li>`,
  );
  const body = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title} · Marketplace simulator</title>
<link rel="stylesheet" href="/styles.css">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<aside class="banner" aria-label="Simulation"><strong>Simulation.</strong> This is not AWS: nothing is bought, nothing is billed.</aside>
<header><strong>Marketplace simulator</strong><nav aria-label="Pages"><ul>${links}</ul></nav></header>
<main id="main" tabindex="-1">
<h1>${page.title}</h1>
${page.main}
</main>
</body>
</html>`;
  const formAction = ["'self'", ...(page.formTargets ?? [])].join(' ');
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    'img-src data:',
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return {
    status: page.status ?? 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      // The seller's page sees where a buyer comes from, as from AWS, and never an address with a secret in it.
      'referrer-policy': 'strict-origin',
    },
    body: body.text,
  };
}
