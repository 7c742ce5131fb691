// The metering identity: what AWS Marketplace meters by, and the standing that decides when its hours may close.
import { createHash } from 'node:crypto';
import type { PricingModel, IdentityStyle, Product } from './product.ts';

/** One agreement's hold on a licence, `[from, to)` in epoch milliseconds; an open end has no bound. */
export interface LicencePeriod {
  readonly agreementId?: string;
  readonly from?: number;
  readonly to?: number;
}

/** What is known of a licence's end. Absent while it runs. */
export interface LicenceEnding {
  /** When the first notice of the end happened. */
  readonly noticeAt: number;
  /** When access was, or is to be, revoked. */
  readonly revokedAt?: number;
  /** When AWS deprovisioned the licence: its last hour for usage starts here. */
  readonly deprovisionedAt?: number;
}

export interface Licence {
  readonly licenceKey: string;
  readonly identityStyle: IdentityStyle;
  readonly licenceArn?: string;
  /** Legacy products only. */
  readonly customerIdentifier?: string;
  readonly customerAwsAccountId?: string;
  readonly productCode: string;
  /** As the product's settings said when the licence was first seen; they win while they name the product. */
  readonly pricingModel: PricingModel;
  /** Pinned when the licence is first seen: AWS removes duplicates per region only. */
  readonly meteringRegion: string;
  readonly customerId: string;
  /** When we first heard of the licence, by registration or notice. */
  readonly firstSeenAt: number;
  readonly periods: readonly LicencePeriod[];
  readonly ending?: LicenceEnding;
}

/** The names under which a caller or AWS may speak of a licence. */
export type LicenceName =
  | { readonly style: 'licence'; readonly licenceArn: string }
  | { readonly style: 'legacy'; readonly productCode: string; readonly customerIdentifier: string };

/** `LicenseArn` in the API model. */
export const LICENCE_ARN_PATTERN =
  /^arn:aws[a-zA-Z-]*:[A-Za-z0-9][A-Za-z0-9_/.-]{0,62}:[A-Za-z0-9_/.-]{0,63}:[A-Za-z0-9_/.-]{0,63}:[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]{0,1023}$/;

const LICENCE_TAIL = /(?:^|[:/])(l-[0-9a-f]{32})$/;

/**
 * The short key of a licence, at most 34 characters. AWS writes one licence's ARN in more than one shape, so the
 * `l-…` tail is the key where there is one; any other name is hashed.
 */
export function licenceKeyOf(name: LicenceName): string {
  if (name.style === 'legacy') return `c-${digest(`${name.productCode}\n${name.customerIdentifier}`)}`;
  return LICENCE_TAIL.exec(name.licenceArn)?.[1] ?? `h-${digest(name.licenceArn)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** What AWS has told of a buyer's licence. Each member may be missing, whatever the product's style. */
export interface LicenceClues {
  readonly licenceArn?: string;
  readonly customerIdentifier?: string;
}

/** The licence's name in the product's own style; undefined while AWS has not told what that style needs. */
export function licenceNameOf(product: Product, clues: LicenceClues): LicenceName | undefined {
  if (product.identityStyle === 'licence') {
    return clues.licenceArn ? { style: 'licence', licenceArn: clues.licenceArn } : undefined;
  }
  const { customerIdentifier } = clues;
  return customerIdentifier ? { style: 'legacy', productCode: product.productCode, customerIdentifier } : undefined;
}

/**
 * Joins what was known of an end with a further notice: the earliest instant of each step stands, so that any order
 * of arrival, and any number of repeats, ends the same.
 */
export function mergeEnding(known: LicenceEnding | undefined, heard: LicenceEnding): LicenceEnding {
  const revokedAt = earliest(known?.revokedAt, heard.revokedAt);
  const deprovisionedAt = earliest(known?.deprovisionedAt, heard.deprovisionedAt);
  return {
    noticeAt: Math.min(known?.noticeAt ?? heard.noticeAt, heard.noticeAt),
    ...(revokedAt === undefined ? {} : { revokedAt }),
    ...(deprovisionedAt === undefined ? {} : { deprovisionedAt }),
  };
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** Whether the licence covers an instant. A licence without a known start covers what came before it, too. */
export function coversInstant(licence: Licence, atMs: number): boolean {
  return licence.periods.some((period) => atMs >= (period.from ?? 0) && atMs < (period.to ?? Infinity));
}

/** The earliest instant at which AWS can take usage of this licence, as far as we know. */
export function licenceStartMs(licence: Licence): number {
  const starts = licence.periods.map((period) => period.from ?? licence.firstSeenAt);
  return Math.min(licence.firstSeenAt, ...starts);
}
