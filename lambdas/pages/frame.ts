// What every page has around it: head, seller, footer with the support contact.
import type { RegistrationSettings } from '../domain/registration-settings.ts';
import { type Html, html } from './html.ts';
import { STYLE_ROUTE } from './routes.ts';
import { styleOf, styleVersion } from './style.ts';

/** What a page needs to know of where it is shown. */
export interface PageFrame {
  readonly settings: RegistrationSettings;
  /** Put before every link; see `placeOf`. */
  readonly base: string;
}

/** A whole page. The title goes before the seller's name, in the browser's tab as in a screen reader's first words. */
export function page(frame: PageFrame, title: string, main: Html): Html {
  const version = styleVersion(styleOf(frame.settings));
  const style = html`<link rel="stylesheet" href="${frame.base}${STYLE_ROUTE}?v=${version}">`;
  return framed(frame.settings, title, style, main);
}

/** A whole page whose style is handed in, for where no style sheet can be linked. */
export function framed(settings: RegistrationSettings, title: string, style: Html, main: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} – ${settings.sellerName}</title>
<link rel="icon" href="data:,">
${style}
</head>
<body>
<header class="seller">${logo(settings)}<span>${settings.sellerName}</span></header>
<main>
${main}
</main>
<footer>
<p>Questions? ${support(settings)}</p>
</footer>
</body>
</html>
`;
}

function logo({ logoUrl, sellerName }: RegistrationSettings): Html {
  // The name stands beside it, so a screen reader is spared the picture.
  if (logoUrl) return html`<img src="${logoUrl}" alt="">`;
  return html`<span class="mark" aria-hidden="true">${[...sellerName][0]?.toUpperCase()}</span>`;
}

/** How to reach the seller's people. */
function support({ supportEmail, supportUrl }: RegistrationSettings): Html {
  const write = html`Write to <a href="mailto:${supportEmail}">${supportEmail}</a>`;
  return supportUrl ? html`${write} or visit <a href="${supportUrl}">our support page</a>.` : html`${write}.`;
}

const STEPS = ['Subscribed', 'Details', 'Access'] as const;

/** The way of a buyer, from subscribing to access; `current` counts from 0. */
export function steps(current: number): Html {
  const items = STEPS.map((name, index) => {
    const number = index + 1;
    if (index < current) {
      return html`<li class="done"><span class="tick" role="img" aria-label="${number}, done:">✓</span> ${name}</li>`;
    }
    return index === current ? html`<li aria-current="step">${number} ${name}</li>` : html`<li>${number} ${name}</li>`;
  });
  // The role brings back what browsers take from a list without bullets.
  return html`<ol class="steps" role="list" aria-label="Steps of setting up your account">${items}</ol>`;
}

/** The last four digits, enough for its owner to know an account by. */
export function maskedAccount(accountId: string): Html {
  const tail = accountId.slice(-4);
  return html`AWS account ending in <strong>${tail}</strong>`;
}
