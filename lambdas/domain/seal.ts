// Freezing an hour: the whole wire record, its deadline and what it was made of.
import { deadlineOf } from './deadline.ts';
import { type Allowance, type Inclusion, inclusionOf } from './entitlement.ts';
import { HOUR_MS, type HourStart, hourStartMs, SECOND_MS } from './hour.ts';
import type { Allocation, AppliedEntitlement, Credit, Rehearsal, SealedHour, WireRecord } from './ledger.ts';
import { type Licence, licenceStartMsIn, periodOfHour } from './licence.ts';
import { MAX_ALLOCATIONS, MAX_QUANTITY, MAX_TAGS } from './marketplace-limits.ts';
import type { MeteringPolicy } from './metering-policy.ts';
import type { PricingModel } from './product.ts';
import { ANY_TAGS, type TagSet, tagPairs, tagSetDigest, UNTAGGED } from './tag-set.ts';
import { sumOf, type Tally, takeUpTo } from './tally.ts';

export interface Meter {
  readonly hour: HourStart;
  readonly shard: number;
  readonly dimension: string;
  readonly licence: Licence;
}

/** Stored allocations stay well under DynamoDB's 400 KB an item, and a record under AWS's 1 MB a call. */
const MAX_ALLOCATION_BYTES = 300_000;

/** By what an hour is sealed, besides what was used. */
export interface SealTerms {
  readonly pricingModel: PricingModel;
  readonly rehearsal?: Rehearsal | undefined;
  /** What the licence's dimension is to be billed less. */
  readonly credit?: Credit | undefined;
  /** What a contract with consumption includes. */
  readonly allowance?: Allowance | undefined;
}

/**
 * A sealed hour to be sent: as much of the tally as one record can hold. What is over is carried. What a contract
 * includes is withheld. A credit takes from the record, never below zero, and only where the record is to be billed.
 */
export function sealForSending(
  meter: Meter,
  tally: Tally,
  terms: SealTerms,
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour {
  const { taken, inclusion } = takenBy(meter, tally, terms.allowance);
  const beyond = sumOf(taken) - inclusion.included;
  const standing = openingStanding(terms, inclusion.included > 0 && beyond === 0);
  const isBilled = standing.status === 'open';
  const { granted = 0, applied = 0 } = (isBilled ? terms.credit : undefined) ?? {};
  const credited = Math.min(granted - applied, beyond);
  const sealed = frozen(meter, tally, { taken, billed: beyond - credited }, standing, nowMs, policy);
  return {
    ...sealed,
    ...(credited === 0 ? {} : { creditedQuantity: credited }),
    ...(inclusion.included === 0 ? {} : { withheldQuantity: inclusion.included }),
    ...(terms.allowance ? { entitlement: appliedEntitlement(terms.allowance, inclusion) } : {}),
  };
}

/** As much as one record can hold besides what the contract includes. What was carried in counted where it was used. */
function takenBy({ licence, dimension }: Meter, tally: Tally, allowance: Allowance | undefined) {
  const { carriedIn } = tally.seen;
  const split = (own: number) =>
    allowance ? inclusionOf({ licenceKey: licence.licenceKey, dimension }, allowance, own) : { own, included: 0 };
  const { included } = split(tally.used - carriedIn);
  const taken = takeUpTo(tally.byTagSet, MAX_QUANTITY + (carriedIn < MAX_QUANTITY ? included : 0));
  return { taken, inclusion: split(Math.max(0, sumOf(taken) - carriedIn)) };
}

export function appliedEntitlement(allowance: Allowance, { own, included }: Inclusion): AppliedEntitlement {
  const { basis, entitledQuantity, used: usedBefore, termStart } = allowance;
  return { basis, entitledQuantity, usedBefore, termStart, ownAccounted: own, ownOverage: own - included };
}

/** A sealed hour without anything to send; `accounted` is carried on or held from the start. */
export function sealEmpty(
  meter: Meter,
  tally: Tally,
  accounted: ReadonlyMap<TagSet, number>,
  fate: Pick<SealedHour, 'carriedOut' | 'heldLate' | 'heldReasons' | 'rehearsal' | 'withheldQuantity' | 'entitlement'>,
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour {
  const empty = frozen(meter, tally, { taken: new Map(), billed: 0 }, { status: 'carried' }, nowMs, policy);
  return {
    ...empty,
    ...fate,
    accounted: fate.carriedOut + fate.heldLate + (fate.withheldQuantity ?? 0),
    accountedByTagSet: byDigest(accounted),
  };
}

type Standing = Pick<SealedHour, 'status' | 'reason' | 'rehearsal'>;

function openingStanding({ pricingModel, rehearsal, allowance }: SealTerms, isIncluded: boolean): Standing {
  switch (pricingModel) {
    case 'contractWithConsumption':
    case 'subscription':
      // Billing before the entitlement is known could bill what the contract includes.
      if (pricingModel !== 'subscription' && !allowance) return { status: 'withheld', reason: 'entitlementUnknown' };
      if (rehearsal !== undefined) return { status: 'withheld', reason: rehearsal, rehearsal };
      return isIncluded ? { status: 'withheld', reason: 'included' } : { status: 'open' };
    case 'contract':
      return { status: 'withheld', reason: 'contract' };
  }
}

function frozen(
  { hour, shard, dimension, licence }: Meter,
  tally: Tally,
  { taken, billed }: { taken: ReadonlyMap<TagSet, number>; billed: number },
  standing: Standing,
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour {
  const timestampSeconds = recordTimestampSeconds(hour, licence, tally.firstUsedAt);
  const accounted = sumOf(taken);
  const { allocations, overflow } = allocationsOf(billed === accounted ? taken : takeUpTo(taken, billed));
  const record = wireRecord(timestampSeconds, dimension, licence, billed, allocations);
  return {
    kind: 'sealed',
    hour,
    shard,
    licenceKey: licence.licenceKey,
    dimension,
    customerId: licence.customerId,
    productCode: licence.productCode,
    identityStyle: licence.identityStyle,
    meteringRegion: licence.meteringRegion,
    record,
    accounted,
    accountedByTagSet: byDigest(taken.size > MAX_ALLOCATIONS ? new Map([[ANY_TAGS, accounted]]) : taken),
    carriedOut: 0,
    heldLate: 0,
    heldReasons: [],
    seen: tally.seen,
    ...standing,
    deadlineAt: deadlineOf(hour, licence.ending, policy),
    attempts: {},
    refusals: [],
    sealedAt: nowMs,
    ...(overflow === 0 ? {} : { tagOverflowQuantity: overflow }),
  };
}

function wireRecord(
  timestampSeconds: number,
  dimension: string,
  licence: Licence,
  quantity: number,
  allocations: readonly Allocation[],
): WireRecord {
  const named =
    licence.identityStyle === 'licence'
      ? { licenceArn: licence.licenceArn, customerAwsAccountId: licence.customerAwsAccountId }
      : { customerIdentifier: licence.customerIdentifier };
  return {
    timestampSeconds,
    dimension,
    quantity,
    ...withoutUndefined(named),
    ...(allocations.length === 0 ? {} : { allocations }),
  };
}

/**
 * The start of the hour, or of the licence where that lies within the same hour: AWS refuses usage from before a
 * licence's activation (InvalidLicenseException), and removes duplicates by hour either way. Where we heard of a
 * licence only hours later and its start is not known, its first usage of the hour shows that it ran by then.
 */
function recordTimestampSeconds(hour: HourStart, licence: Licence, firstUsedAt: number | undefined): number {
  // Rounded up, but never into the next hour: there the record would stand in the way of that hour's own.
  return Math.min(firstSecondOf(hour, licence, firstUsedAt), lastSecondOf(hour));
}

/** Whether a licence begins so late in an hour that no whole second of it can be stamped: AWS refuses each of them. */
export function beginsWithinLastSecond(hour: HourStart, licence: Licence, firstUsedAt: number | undefined): boolean {
  return firstSecondOf(hour, licence, firstUsedAt) > lastSecondOf(hour);
}

function firstSecondOf(hour: HourStart, licence: Licence, firstUsedAt: number | undefined): number {
  const startMs = hourStartMs(hour);
  const period = periodOfHour(licence, hour);
  const isStartKnown = !period || period.from !== undefined;
  const heardLater = licence.firstSeenAt >= startMs + HOUR_MS;
  const licenceStart = isStartKnown || !heardLater ? licenceStartMsIn(licence, hour) : (firstUsedAt ?? startMs);
  const clamped = licenceStart > startMs && licenceStart < startMs + HOUR_MS ? licenceStart : startMs;
  return Math.ceil(clamped / SECOND_MS);
}

function lastSecondOf(hour: HourStart): number {
  return (hourStartMs(hour) + HOUR_MS) / SECOND_MS - 1;
}

/** Allocations only where something is tagged; what does not fit goes into the one untagged allocation, and is told. */
function allocationsOf(taken: ReadonlyMap<TagSet, number>): { allocations: Allocation[]; overflow: number } {
  const tagged = [...taken].filter(([tagSet]) => tagSet !== UNTAGGED);
  if (tagged.length === 0) return { allocations: [], overflow: 0 };
  const allocations: Allocation[] = [];
  let overflow = 0;
  let bytes = 0;
  // The guide counts five tags over all allocations of a record, and AWS refuses the whole record over a sixth key.
  let keys = new Set<string>();
  for (const [tagSet, quantity] of tagged) {
    bytes += tagSet.length + 64;
    const tags = tagPairs(tagSet);
    const withThese = new Set([...keys, ...tags.map(([key]) => key)]);
    const fits = allocations.length < MAX_ALLOCATIONS - 1 && bytes <= MAX_ALLOCATION_BYTES;
    if (fits && withThese.size <= MAX_TAGS) {
      allocations.push({ quantity, tags });
      keys = withThese;
    } else {
      overflow += quantity;
    }
  }
  const untagged = (taken.get(UNTAGGED) ?? 0) + overflow;
  return { allocations: untagged > 0 ? [...allocations, { quantity: untagged, tags: [] }] : allocations, overflow };
}

function byDigest(byTagSet: ReadonlyMap<TagSet, number>): Record<string, number> {
  const pairs = [...byTagSet].filter(([, quantity]) => quantity > 0);
  return Object.fromEntries(pairs.map(([tagSet, quantity]) => [tagSetDigest(tagSet), quantity]));
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
