// The frame around every page: which deployment this is, where one can go, what time it is.

import { hourOf } from '../lambdas/domain/hour.ts';
import { rehearsalOf } from '../lambdas/domain/product.ts';
import { type Html, html } from '../lambdas/pages/html.ts';
import { ASSETS } from './assets.ts';
import { FORM_TOKEN, formTokenOf } from './guard.ts';
import { pill } from './parts/pill.ts';
import { instant } from './parts/time.ts';
import type { Site } from './site.ts';

const SECTIONS = [
  ['attention', '/', 'Attention'],
  ['customers', '/customers', 'Customers'],
  ['metering', '/metering', 'Metering'],
  ['money', '/money', 'Money'],
  ['books', '/books', 'Books'],
  ['audit', '/audit', 'Audit'],
] as const;

export type Section = (typeof SECTIONS)[number][0];

export interface Framed {
  readonly title: string;
  readonly section: Section | 'none';
  readonly main: Html;
  /** Whether the page looks for what has changed by itself. */
  readonly isLive: boolean;
  readonly product: string | undefined;
  /** Where the reader is, so that switching the product leads back here. */
  readonly path: string;
  readonly search: string;
}

/** How often a page that is looked at asks for what has changed. */
const LOOK_SECONDS = 5;

export function frame(site: Site, page: Framed): Html {
  const { desk } = site;
  const { stage, region } = desk.facts;
  const links = SECTIONS.map(([section, path, name]) => {
    const current = section === page.section ? html` aria-current="${page.path === path ? 'page' : 'true'}"` : '';
    return html`<li><a href="${path}"${current}>${name}</a></li>`;
  });
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} – ${stage} – Fulfillment console</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${ASSETS.style.path}">
<script type="module" src="${ASSETS.script.path}"></script>
</head>
<body${page.isLive ? html` data-look-seconds="${LOOK_SECONDS}"` : ''}>
<a class="skip" href="#main">Skip to the content</a>
<header>
<div class="bar">
<p class="brand"><a href="/">Fulfillment</a> <span class="where"><b>${stage}</b> ${region}</span> ${rehearsal(site)}</p>
<form class="search" role="search" action="/customers" method="get">
<label class="hidden" for="search">Search customers</label>
<input id="search" type="search" name="q" value="${page.search}" autocomplete="off" placeholder="Company, e-mail, account, licence, agreement">
<button>Search</button>
</form>
${productSwitch(site, page)}
<p class="clock" id="clock" data-live>${instant(desk.clock(), site.timeZone)}</p>
</div>
<nav aria-label="Parts of the console"><ul role="list">${links}</ul></nav>
</header>
<main id="main" tabindex="-1">
${page.main}
</main>
<footer><p id="looked" role="status" aria-live="polite"></p></footer>
</body>
</html>
`;
}

/** Nothing is more expensive than to take a rehearsal for the performance, or the other way about. */
function rehearsal({ desk }: Site): Html | undefined {
  const hour = hourOf(desk.clock());
  const modes = [...desk.products.values()].flatMap((product) => {
    const mode = rehearsalOf(product, hour);
    return mode === undefined ? [] : [`${mode === 'dryRun' ? 'Dry run' : 'Shadow'}: ${product.title}`];
  });
  return modes.length === 0 ? undefined : html`${pill('warn', modes.join(', '))}`;
}

function productSwitch(site: Site, { product, path }: Framed): Html | undefined {
  const products = [...site.desk.products.values()];
  if (products.length < 2) return undefined;
  const options = products.map(
    ({ productCode, title }) =>
      html`<option value="${productCode}"${productCode === product ? html` selected` : ''}>${title}</option>`,
  );
  return html`<form class="switch" action="/product" method="post">
${hidden(site)}<input type="hidden" name="back" value="${path}">
<label class="hidden" for="product">Product</label>
<select id="product" name="product" data-submits><option value="">All products</option>${options}</select>
<button data-for-select>Show</button>
</form>`;
}

/** Stands in every form of the console. */
export function hidden({ launch }: Pick<Site, 'launch'>): Html {
  return html`<input type="hidden" name="${FORM_TOKEN}" value="${formTokenOf(launch)}">`;
}
