// The REGISTRATION setting: who the seller is to the buyer, and what the page asks for.
import * as v from 'valibot';
import { Misconfigured } from '../domain/failure.ts';
import type { RegistrationSettings } from '../domain/registration-settings.ts';
import { EMAIL_FIELD, FORM_TOKEN_FIELD } from './registration-form.ts';

const MAX_FIELDS = 8;

const Line = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(200));
const HttpsUrl = v.pipe(v.string(), v.url(), v.startsWith('https://'), v.maxLength(500));

// The page loads nothing from elsewhere: an ad-blocker or a closed network must not break it.
const LogoUrl = v.pipe(
  v.string(),
  v.regex(
    /^(\/(?!\/)[^\s"'<>\\]*|data:image\/(png|jpeg|webp|svg\+xml);base64,[A-Za-z0-9+/=]+)$/,
    'has to be a path of this origin or a data:image URL in base64',
  ),
);

// What browsers fill in, without what AWS forbids to ask for: cards, banks, passwords.
const Autocomplete = v.picklist([
  'off',
  'name',
  'given-name',
  'family-name',
  'organization',
  'organization-title',
  'email',
  'tel',
  'url',
  'username',
  'country-name',
  'language',
]);

const Field = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z][A-Za-z0-9_]{0,39}$/),
    v.check((name) => name !== EMAIL_FIELD && name !== FORM_TOKEN_FIELD, 'is a name of ours'),
    // A map with a member called `constructor` is not taken for a plain one by the SDK.
    v.check((name) => !(name in {}), 'is a name that every object has'),
  ),
  label: Line,
  hint: v.exactOptional(Line),
  required: v.optional(v.boolean(), false),
  maxLength: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 200),
  autocomplete: v.optional(Autocomplete, 'off'),
  kind: v.optional(v.picklist(['text', 'name', 'organization', 'email', 'tel', 'url']), 'text'),
});

export const RegistrationSettingsSchema = v.strictObject({
  sellerName: Line,
  supportEmail: v.pipe(Line, v.email()),
  supportUrl: v.exactOptional(HttpsUrl),
  logoUrl: v.exactOptional(LogoUrl),
  privacyUrl: v.exactOptional(HttpsUrl),
  nextSteps: v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(2000)),
  accessUrl: v.exactOptional(HttpsUrl),
  fields: v.optional(
    v.pipe(
      v.array(Field),
      v.maxLength(MAX_FIELDS),
      v.check((fields) => new Set(fields.map(({ name }) => name)).size === fields.length, 'has a name twice'),
    ),
    [
      { name: 'name', label: 'Your name', required: true, autocomplete: 'name', kind: 'name' },
      { name: 'company', label: 'Company', required: true, autocomplete: 'organization', kind: 'organization' },
      { name: 'phone', label: 'Phone', required: false, autocomplete: 'tel', kind: 'tel', maxLength: 40 },
    ],
  ),
});

/** Reads the setting. Throws Misconfigured, naming each member that is wrong. */
export function parseRegistrationSettings(json: string): RegistrationSettings {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), RegistrationSettingsSchema), json);
  if (parsed.success) return parsed.output;
  const wrong = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`).join('; ');
  throw new Misconfigured('SettingMalformed', `The setting REGISTRATION is wrong. ${wrong}`, {
    facts: { setting: 'REGISTRATION' },
  });
}
