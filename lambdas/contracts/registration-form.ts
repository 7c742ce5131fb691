// What browsers send to the registration routes: the form that AWS Marketplace posts, and ours.
import * as v from 'valibot';
import type { FieldKind, RegistrationField, RegistrationSettings } from '../domain/registration-settings.ts';

export const TOKEN_FIELD = 'x-amzn-marketplace-token';
const OFFER_TYPE_FIELD = 'x-amzn-marketplace-offer-type';

export const EMAIL_FIELD = 'email';
export const FORM_TOKEN_FIELD = 'formToken';

/** The e-mail address is asked for by every page: AWS's SaaS guidelines demand it. */
const EMAIL: RegistrationField = {
  name: EMAIL_FIELD,
  label: 'E-mail address',
  hint: 'We write to this address about your account.',
  required: true,
  // RFC 5321 leaves 254 characters to an address.
  maxLength: 254,
  autocomplete: 'email',
  kind: 'email',
};

/** Every field of the page, in order. */
export function formFields(settings: RegistrationSettings): readonly RegistrationField[] {
  return [EMAIL, ...settings.fields];
}

export interface MarketplaceForm {
  /** Absent where there is none: somebody opened the address by hand. */
  readonly token?: string;
  readonly hints: { readonly freeTrial?: boolean };
}

/** Reads the form that AWS Marketplace lets the browser post. Whatever else it carries is nobody's word. */
export function readMarketplaceForm(form: URLSearchParams): MarketplaceForm {
  // No token has a space in it; one that has was posted with its plus signs unencoded, the first or last one too.
  const token = (form.get(TOKEN_FIELD) ?? '')
    .replace(/[\t\r\n]/g, '')
    // Behind its padding a token is over: a space there is none of its plus signs.
    .replace(/= +$/, '=')
    .replaceAll(' ', '+');
  return {
    ...(token === '' ? {} : { token }),
    hints: form.get(OFFER_TYPE_FIELD) === 'free-trial' ? { freeTrial: true } : {},
  };
}

/** What the buyer wrote, by field, cleaned of what no line of text holds. */
type Answers = Readonly<Record<string, string>>;

interface FieldProblem {
  readonly name: string;
  /** A whole sentence for the buyer. */
  readonly message: string;
}

export type Submission =
  | { readonly kind: 'complete'; readonly email: string; readonly fields: Answers; readonly answers: Answers }
  | { readonly kind: 'incomplete'; readonly problems: readonly FieldProblem[]; readonly answers: Answers };

/** Reads the page's form: the configured fields, the first of each name; all others are passed over. */
export function readSubmission(form: URLSearchParams, settings: RegistrationSettings): Submission {
  return readAnswers((name) => form.get(name) ?? undefined, settings);
}

/** Reads the configured fields from wherever their answers stand. */
export function readAnswers(
  answerOf: (name: string) => string | undefined,
  settings: RegistrationSettings,
): Submission {
  const fields = formFields(settings);
  const answers = Object.fromEntries(fields.map(({ name }) => [name, tidy(answerOf(name) ?? '')]));
  const problems = fields.flatMap((field) => {
    const parsed = v.safeParse(fieldSchema(field), answers[field.name], { abortPipeEarly: true });
    return parsed.success ? [] : [{ name: field.name, message: parsed.issues[0].message }];
  });
  if (problems.length > 0) return { kind: 'incomplete', problems, answers: cut(answers, fields) };
  const { [EMAIL_FIELD]: email = '', ...others } = answers;
  const filled = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== ''));
  return { kind: 'complete', email, fields: filled, answers };
}

const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/** One line: a line break in a name would become a header of its own in a mail about it. */
function tidy(value: string): string {
  return value.normalize('NFC').replace(CONTROLS, ' ').trim();
}

/** What is shown again is no longer than a page should be. */
function cut(answers: Answers, fields: readonly RegistrationField[]): Answers {
  return Object.fromEntries(fields.map(({ name, maxLength }) => [name, (answers[name] ?? '').slice(0, 2 * maxLength)]));
}

// An address has one @ with something on both sides and a dot in the domain; only a mail tells whether it works.
// Every provider is welcome: AWS's integration checklist forbids to refuse free mail.
const SHAPES: Readonly<Partial<Record<FieldKind, readonly [RegExp, string]>>> = {
  email: [/^[^\s@,;<>"]+@[^\s@,;<>"]+\.[^\s@,;<>".]+$/u, 'Enter an e-mail address like name@example.com.'],
  tel: [/^\+?[\d\s().\-/]{4,}(?:\s?(?:x|ext\.?)\s?\d+)?$/iu, 'Enter a phone number, for example +1 206 555 0100.'],
  url: [/^https?:\/\/[^\s]+$/iu, 'Enter a web address that begins with https://.'],
};

function fieldSchema({ label, kind, required, maxLength }: RegistrationField) {
  const [shape, shapeMessage] = SHAPES[kind] ?? [/^/u, ''];
  return v.pipe(
    v.string(),
    v.check((value) => !required || value !== '', `${label} is missing. Please fill it in.`),
    v.maxLength(maxLength, `${label} is too long. Please shorten it to ${maxLength} characters.`),
    v.check((value) => value === '' || shape.test(value), shapeMessage),
  );
}
