// The page on which a buyer tells who they are.
import type { FieldKind, RegistrationField } from '../domain/registration-settings.ts';
import { maskedAccount, type PageFrame, page, steps } from './frame.ts';
import { type Html, html } from './html.ts';
import { FORM_ROUTE } from './routes.ts';

export interface FormView {
  readonly productTitle: string;
  readonly customerAwsAccountId: string | undefined;
  readonly fields: readonly RegistrationField[];
  /** The hidden field that binds the form to the session: its name and value. */
  readonly formToken: readonly [name: string, value: string];
  /** What the buyer wrote before, to be kept. */
  readonly answers: Readonly<Record<string, string>>;
  readonly problems: readonly { readonly name: string; readonly message: string }[];
}

/** The form, with what was written before and what is wrong with it. */
export function formPage(frame: PageFrame, view: FormView): Html {
  const { settings, base } = frame;
  const isWrong = view.problems.length > 0;
  const account = view.customerAwsAccountId ? html` with your ${maskedAccount(view.customerAwsAccountId)}` : undefined;
  const title = `Set up ${view.productTitle}`;
  return page(
    frame,
    isWrong ? `Error: ${title}` : title,
    html`${isWrong && summary(view)}
${steps(1)}
<h1>${title}</h1>
<p class="lead">You subscribed to <strong>${view.productTitle}</strong> on AWS Marketplace${account}. Tell us whom to set it up for.</p>
<form method="post" action="${base}${FORM_ROUTE}" novalidate>
<input type="hidden" name="${view.formToken[0]}" value="${view.formToken[1]}">
${view.fields.map((field) => fieldRow(field, view))}
<p class="note">${privacy(settings)}</p>
<button type="submit">Complete registration</button>
</form>
${
  settings.accessUrl &&
  html`<p class="soft">Do you have an account with ${settings.sellerName} already? Complete this form all the same, so that we can link your subscription, or <a href="${settings.accessUrl}">sign in</a>.</p>`
}`,
  );
}

/** Stands first and takes the focus, so that nobody misses it, whichever way they read. No heading: that is the page's. */
function summary(view: FormView): Html {
  const items = view.problems.map(({ name, message }) => html`<li><a href="#${name}">${message}</a></li>`);
  return html`<div class="alert" role="alert" tabindex="-1" autofocus aria-labelledby="problems">
<p id="problems">Please check what you wrote</p>
<ul>${items}</ul>
</div>`;
}

function fieldRow(field: RegistrationField, view: FormView): Html {
  const { name, label, hint, required, maxLength, autocomplete, kind } = field;
  const problem = view.problems.find((candidate) => candidate.name === name);
  const described = [hint && `${name}-hint`, problem && `${name}-problem`].filter(Boolean).join(' ');
  return html`<div class="field">
<label for="${name}">${label}${!required && html` <span class="optional">(optional)</span>`}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
${problem && html`<p class="problem" id="${name}-problem">${problem.message}</p>`}
<input id="${name}" name="${name}" type="${INPUT_TYPES[kind]}" maxlength="${maxLength}" autocomplete="${autocomplete}" value="${view.answers[name] ?? ''}"${
    required && html` required`
  }${problem && html` aria-invalid="true"`}${described !== '' && html` aria-describedby="${described}"`}>
</div>
`;
}

const INPUT_TYPES: Readonly<Record<FieldKind, string>> = {
  text: 'text',
  name: 'text',
  organization: 'text',
  email: 'email',
  tel: 'tel',
  url: 'url',
};

function privacy({ sellerName, privacyUrl }: PageFrame['settings']): Html {
  return html`${sellerName} uses these details to set up and support your account. Payment stays with AWS: nobody here asks for a card.${
    privacyUrl && html` Read our <a href="${privacyUrl}">privacy notice</a>.`
  }`;
}
