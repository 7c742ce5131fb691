// The pages of a buyer who is registered.
import { type PageFrame, page, steps } from './frame.ts';
import { type Html, html } from './html.ts';

export interface RegisteredView {
  readonly productTitle: string;
  readonly customerId: string;
}

/** After the form. Says when access comes, and promises none: that is AWS's to say. */
export function donePage(frame: PageFrame, view: RegisteredView): Html {
  return page(
    frame,
    'You are registered',
    html`${steps(2)}
<h1>Thank you, you are registered</h1>
<p class="lead">We have your details for <strong>${view.productTitle}</strong>. Your access opens once AWS confirms that your subscription is active; there is nothing more for you to do here.</p>
${next(frame, view)}`,
  );
}

/** For a buyer who comes back after registering. */
export function alreadyPage(frame: PageFrame, view: RegisteredView): Html {
  return page(
    frame,
    'You are registered already',
    html`${steps(2)}
<h1>You are registered already</h1>
<p class="lead">We have your details for <strong>${view.productTitle}</strong> from before, and nothing was changed. If they are out of date, write to us and quote your reference.</p>
${next(frame, view)}`,
  );
}

function next({ settings }: PageFrame, view: RegisteredView): Html {
  const paragraphs = settings.nextSteps.split(/\r?\n\s*\r?\n/);
  const signIn =
    settings.accessUrl &&
    html`<p>Once your access is open, sign in at <a href="${settings.accessUrl}">${settings.accessUrl}</a>.</p>`;
  return html`<h2>What happens next</h2>
${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
${signIn}
<dl>
<dt>Your reference</dt><dd><code>${view.customerId}</code></dd>
<dt>Support</dt><dd><a href="mailto:${settings.supportEmail}">${settings.supportEmail}</a></dd>
</dl>`;
}
