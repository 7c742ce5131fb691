// The door: which usage is let in, and what the caller is told where it is not.
import { accessEndsAt, lastHourSealsAt, monthCutOffMs } from './deadline.ts';
import { encodeKeyPart, MAX_ENCODED_DIMENSION_BYTES } from './keys.ts';
import { type Licence, periodAt } from './licence.ts';
import type { MeteringPolicy } from './metering-policy.ts';
import { hasDimension, type Product, type Products } from './product.ts';
import { isQuantity } from './quantity.ts';
import type { RefusalCode } from './refusal.ts';
import { type Tags, tagProblem } from './tag-set.ts';

/** A reported event whose shape is right; whether its values are is decided here. */
export interface ReportedUsage {
  readonly id: string;
  readonly dimension: string;
  readonly quantity: number;
  readonly atMs: number;
  readonly tags?: Tags;
}

export type DoorDecision =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string };

/**
 * Decides on one event. `licence` is undefined while nobody has told us of it: its usage is let in and waits,
 * since a licence's notice may come after its first usage.
 */
export function admit(
  usage: ReportedUsage,
  licence: Licence | undefined,
  products: Products,
  nowMs: number,
  policy: MeteringPolicy,
): DoorDecision {
  return (
    quantityRefusal(usage) ??
    dimensionRefusal(usage, licence, products) ??
    timeRefusal(usage, nowMs, policy) ??
    tagsRefusal(usage) ??
    (licence && licenceRefusal(usage, licence, nowMs, policy)) ?? { kind: 'admitted' }
  );
}

function refuse(code: RefusalCode, message: string): DoorDecision {
  return { kind: 'refused', code, message };
}

function quantityRefusal({ quantity }: ReportedUsage): DoorDecision | undefined {
  if (isQuantity(quantity)) return undefined;
  if (Number.isInteger(quantity) && quantity > 0) {
    return refuse(
      'quantityTooLarge',
      `quantity was ${quantity}; numbers of that size are not exact. Report at most ${Number.MAX_SAFE_INTEGER}, or in a larger unit.`,
    );
  }
  return refuse(
    'quantityNotWhole',
    `quantity was ${quantity}; AWS Marketplace takes whole numbers of 0 or more. Report in a smaller unit, or round.`,
  );
}

function dimensionRefusal(
  { dimension }: ReportedUsage,
  licence: Licence | undefined,
  products: Products,
): DoorDecision | undefined {
  // Half a surrogate pair can be written in JSON, and can't be encoded, stored or sent.
  if (!dimension.isWellFormed() || encodeKeyPart(dimension).length > MAX_ENCODED_DIMENSION_BYTES) {
    return refuse(
      'dimensionUnknown',
      'The dimension is too long, or no text, to be an API name of AWS Marketplace. Use the API name as listed.',
    );
  }
  const product = licence && products.get(licence.productCode);
  const candidates: Product[] = product ? [product] : licence ? [] : [...products.values()];
  if (candidates.length === 0 || candidates.some((each) => hasDimension(each, dimension))) return undefined;
  const known = [...new Set(candidates.flatMap((each) => each.dimensions))];
  return refuse(
    'dimensionUnknown',
    `dimension '${cut(dimension)}' is not listed; expected one of ${known.map((each) => `'${each}'`).join(', ')}, in the same case. If it is new on the listing, add it to the product's settings.`,
  );
}

function timeRefusal({ atMs }: ReportedUsage, nowMs: number, policy: MeteringPolicy): DoorDecision | undefined {
  const time = iso(atMs);
  if (atMs > nowMs + policy.futureToleranceMs) {
    return refuse(
      'timeTooFarAhead',
      `time ${time} lies ahead of our clock (${iso(nowMs)}) by more than ${minutes(policy.futureToleranceMs)}. Check the clock and the zone: times are UTC.`,
    );
  }
  if (nowMs - atMs > policy.intakeWindowMs) {
    return refuse(
      'timeTooOld',
      `time ${time} is more than ${minutes(policy.intakeWindowMs)} ago (now ${iso(nowMs)}); AWS Marketplace would refuse it. It can't be billed any more; report sooner.`,
    );
  }
  if (nowMs >= monthCutOffMs(atMs, policy)) {
    return refuse(
      'monthClosed',
      `time ${time} lies in a month that AWS Marketplace closed at ${iso(monthCutOffMs(atMs, policy))}. It can't be billed any more; report sooner.`,
    );
  }
  return undefined;
}

function tagsRefusal({ tags }: ReportedUsage): DoorDecision | undefined {
  const problem = tags && tagProblem(tags);
  return problem ? refuse('tagsInvalid', `tags ${problem}. Mend the tags and report the event again.`) : undefined;
}

function licenceRefusal(
  { atMs }: ReportedUsage,
  licence: Licence,
  nowMs: number,
  policy: MeteringPolicy,
): DoorDecision | undefined {
  const starts = licence.periods.map((period) => period.from ?? Number.NEGATIVE_INFINITY);
  if (starts.length > 0 && atMs < Math.min(...starts)) {
    return refuse(
      'beforeLicence',
      `time ${iso(atMs)} lies before the licence starts (${iso(Math.min(...starts))}). Usage can be billed from then on.`,
    );
  }
  const { ending } = licence;
  const period = periodAt(licence, atMs);
  if (period?.to !== undefined && atMs >= period.to) {
    return refuse(
      'licenceEnded',
      `The licence ended at ${iso(period.to)} and had not started again at ${iso(atMs)}. Usage between cannot be billed.`,
    );
  }
  if (!ending) return undefined;
  const endsAt = accessEndsAt(ending, policy);
  if (atMs < endsAt && nowMs < lastHourSealsAt(ending, policy)) return undefined;
  return refuse(
    'licenceEnded',
    `The licence ended at ${iso(endsAt)} and its last hour is closed to usage of ${iso(atMs)}. The buyer has to subscribe again.`,
  );
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

function minutes(ms: number): string {
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000} hours` : `${Math.round(ms / 60_000)} minutes`;
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
