// The REGISTRATION setting: who the seller is to the buyer, and what the page asks for; and what differs by product.
import * as v from 'valibot';
import { accentContrast, MIN_CONTRAST } from '../domain/accent.ts';
import { Misconfigured } from '../domain/failure.ts';
import type { ProductPages, RegistrationSettings, Registrations } from '../domain/registration-settings.ts';
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

const Accent = v.pipe(
  v.string(),
  v.regex(/^#[0-9a-fA-F]{6}$/, 'has to be a colour such as #0f766e'),
  v.check(
    (accent) => !/^#[0-9a-fA-F]{6}$/.test(accent) || accentContrast(accent) >= MIN_CONTRAST,
    ({ input }) =>
      `has to be darker: text in it has a contrast of ${accentContrast(input).toFixed(1)} with the page, and needs ${MIN_CONTRAST}`,
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

const SupportEmail = v.pipe(Line, v.email());
const NextSteps = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(2000));
const Fields = v.pipe(
  v.array(Field),
  v.maxLength(MAX_FIELDS),
  v.check((fields) => new Set(fields.map(({ name }) => name)).size === fields.length, 'has a name twice'),
);

/** What may be left out. */
const OPTIONAL = {
  supportUrl: v.exactOptional(HttpsUrl),
  logoUrl: v.exactOptional(LogoUrl),
  accent: v.exactOptional(Accent),
  privacyUrl: v.exactOptional(HttpsUrl),
  accessUrl: v.exactOptional(HttpsUrl),
};

export const RegistrationSettingsSchema = v.strictObject({
  sellerName: Line,
  supportEmail: SupportEmail,
  ...OPTIONAL,
  nextSteps: NextSteps,
  fields: v.optional(Fields, [
    { name: 'name', label: 'Your name', required: true, autocomplete: 'name', kind: 'name' },
    { name: 'company', label: 'Company', required: true, autocomplete: 'organization', kind: 'organization' },
    { name: 'phone', label: 'Phone', required: false, autocomplete: 'tel', kind: 'tel', maxLength: 40 },
  ]),
});

/** `null` takes away what the deployment sets. */
const OPTIONAL_OR_NONE = {
  supportUrl: v.exactOptional(v.nullable(HttpsUrl)),
  logoUrl: v.exactOptional(v.nullable(LogoUrl)),
  accent: v.exactOptional(v.nullable(Accent)),
  privacyUrl: v.exactOptional(v.nullable(HttpsUrl)),
  accessUrl: v.exactOptional(v.nullable(HttpsUrl)),
};

const Target = v.pipe(
  v.string(),
  v.url(),
  v.maxLength(500),
  // Of this machine, too: the stacks refuse it, and on a laptop there is no other.
  v.regex(/^(https:\/\/|http:\/\/127\.0\.0\.1[:/])/, 'has to begin with https://'),
  v.check((url) => {
    const { username, password, hash } = URL.canParse(url) ? new URL(url) : { username: '', password: '', hash: '' };
    return `${username}${password}${hash}` === '';
  }, 'has to be without a name, a password and a fragment'),
);

/** What a product may have of its own. */
export const ProductPagesMembers = {
  /** In place of those of the deployment; what is left out stands as there. */
  registration: v.exactOptional(
    v.strictObject({
      sellerName: v.exactOptional(Line),
      supportEmail: v.exactOptional(SupportEmail),
      ...OPTIONAL_OR_NONE,
      nextSteps: v.exactOptional(NextSteps),
      fields: v.exactOptional(Fields),
    }),
  ),
  /** The seller's own page, to which the buyer is handed on. */
  signUp: v.exactOptional(v.strictObject({ url: Target })),
};

const ProductPagesSchema = v.record(v.string(), v.strictObject(ProductPagesMembers));

/** What lies beside the functions, since settings have no room for it: by product code, what a product has of its own. */
export const PRODUCT_PAGES_FILE = 'product-pages.json';

/** Reads the setting. Throws Misconfigured, naming each member that is wrong. */
export function parseRegistrationSettings(json: string): RegistrationSettings {
  return parsed('REGISTRATION', RegistrationSettingsSchema, json);
}

/** Reads the setting, and the file of what products have of their own. Throws Misconfigured. */
export function parseRegistrations(setting: string, productPages: string): Registrations {
  const shared = parseRegistrationSettings(setting);
  const products = Object.entries(parsed(PRODUCT_PAGES_FILE, ProductPagesSchema, productPages)).map(
    ([productCode, { registration = {}, signUp }]): [string, ProductPages] => [
      productCode,
      { settings: withoutNone({ ...shared, ...registration }), ...(signUp ? { signUp } : {}) },
    ],
  );
  return { shared, products: new Map(products) };
}

/** Only what may be left out is ever null: the schema sees to it. */
function withoutNone(settings: object): RegistrationSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null)) as RegistrationSettings;
}

function parsed<S extends v.GenericSchema>(setting: string, schema: S, json: string): v.InferOutput<S> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), json);
  if (result.success) return result.output;
  const wrong = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`).join('; ');
  throw new Misconfigured('SettingMalformed', `The setting ${setting} is wrong. ${wrong}`, { facts: { setting } });
}
