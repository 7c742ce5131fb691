// What a seller sets about the registration page.

export type FieldKind = 'text' | 'name' | 'organization' | 'email' | 'tel' | 'url';

/** One field of the page beside the e-mail address, which is always asked for. */
export interface RegistrationField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly required: boolean;
  /** UTF-16 units, as a browser's `maxlength` counts. */
  readonly maxLength: number;
  readonly autocomplete: string;
  readonly kind: FieldKind;
}

export interface RegistrationSettings {
  readonly sellerName: string;
  readonly supportEmail: string;
  readonly supportUrl?: string;
  /** A path on our own origin, or a small data: image. */
  readonly logoUrl?: string;
  /** The colour of links and buttons, such as `#0f766e`; the house's blue where absent. */
  readonly accent?: string;
  readonly privacyUrl?: string;
  /** What a buyer reads after registering: what happens next, and when. */
  readonly nextSteps: string;
  /** Where customers sign in to the product. */
  readonly accessUrl?: string;
  readonly fields: readonly RegistrationField[];
}

/** The seller's own sign-up page, to which buyers are handed on in place of the form. */
export interface SignUpTarget {
  readonly url: string;
}

/** What the buyers of one product meet. */
export interface ProductPages {
  readonly settings: RegistrationSettings;
  /** Absent where our own form is filled in. */
  readonly signUp?: SignUpTarget;
}

export interface Registrations {
  /** Of the deployment: shown while no product is known, and where a product has none of its own. */
  readonly shared: RegistrationSettings;
  /** Products that differ from it. */
  readonly products: ReadonlyMap<string, ProductPages>;
}

export function pagesOf({ shared, products }: Registrations, productCode: string): ProductPages {
  return products.get(productCode) ?? { settings: shared };
}

/** The origins of the sellers' own sign-up pages: for whom hand-offs are made. */
export function signUpOrigins({ products }: Registrations): readonly string[] {
  const urls = [...products.values()].flatMap(({ signUp }) => (signUp ? [signUp.url] : []));
  return [...new Set(urls.map((url) => new URL(url).origin))];
}

/** Every look that a page may have, each once. */
export function everySettings({ shared, products }: Registrations): readonly RegistrationSettings[] {
  return [...new Set([shared, ...[...products.values()].map(({ settings }) => settings)])];
}
