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
  readonly privacyUrl?: string;
  /** What a buyer reads after registering: what happens next, and when. */
  readonly nextSteps: string;
  /** Where customers sign in to the product. */
  readonly accessUrl?: string;
  readonly fields: readonly RegistrationField[];
}
