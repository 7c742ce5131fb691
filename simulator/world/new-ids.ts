// Ids that look like AWS's own, drawn at random.
import { randomBytes, randomInt } from 'node:crypto';

const LICENCE_ISSUER_ACCOUNT = '294406891311';

export function newAccountId(): string {
  return String(randomInt(100_000_000_000, 1_000_000_000_000 - 1)).padStart(12, '0');
}

/** The form that is seen in real events: the issuer's account stands in it, not the buyer's, and no region. */
export function newLicenceArn(): string {
  return `arn:aws:license-manager::${LICENCE_ISSUER_ACCOUNT}:license:l-${randomBytes(16).toString('hex')}`;
}

export function newAgreementId(): string {
  return `agmt-${randomBytes(13).toString('hex').slice(0, 25)}`;
}

export function newOfferId(): string {
  return `offer-${randomBytes(7).toString('hex').slice(0, 13)}`;
}

export function newCustomerIdentifier(): string {
  return randomBytes(9).toString('base64url').replaceAll(/[-_]/g, 'X').slice(0, 11);
}

/** What lets a channel partner sell the product; every agreement through one has its own here. */
export function resaleAuthorizationIdOf(agreementId: string): string {
  return `resaleauthz-${agreementId.slice(-13)}`;
}

export function cancellationRequestIdOf(agreementId: string): string {
  return `acr-${agreementId.slice(-13)}`;
}
