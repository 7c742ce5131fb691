// Freezing an hour: the whole wire record, its deadline and what it was made of.
import { deadlineOf } from './deadline.ts';
import { HOUR_MS, type HourStart, hourStartMs } from './hour.ts';
import type { Allocation, Credit, Rehearsal, SealedHour, WireRecord } from './ledger.ts';
import { type Licence, licenceStartMsIn, periodOfHour } from './licence.ts';
import { MAX_ALLOCATIONS, MAX_QUANTITY, MAX_TAGS } from './marketplace-limits.ts';
import type { MeteringPolicy } from './metering-policy.ts';
import type { PricingModel } from './product.ts';
import { ANY_TAGS, type TagSet, tagPairs, tagSetDigest, UNTAGGED } from './tag-set.ts';
import { type Tally, takeUpTo } from './tally.ts';

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
}

/**
 * A sealed hour to be sent: as much of the tally as one record can hold. What is over is carried. A credit takes from
 * the record, never below zero, and only where the record is to be billed.
 */
export function sealForSending(
  meter: Meter,
  tally: Tally,
  terms: SealTerms,
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour {
  const taken = takeUpTo(tally.byTagSet, MAX_QUANTITY);
  const standing = openingStanding(terms);
  const isBilled = standing.status === 'open';
  const { granted = 0, applied = 0 } = (isBilled ? terms.credit : undefined) ?? {};
  return frozen(meter, tally, { taken, credit: granted - applied }, standing, nowMs, policy);
}

/** A sealed hour without anything to send; `accounted` is carried on or held from the start. */
export function sealEmpty(
  meter: Meter,
  tally: Tally,
  accounted: ReadonlyMap<TagSet, number>,
  fate: { carriedOut: number; heldLate: number; heldReasons: readonly string[] },
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour {
  const empty = frozen(meter, tally, { taken: new Map(), credit: 0 }, { status: 'carried' }, nowMs, policy);
  return {
    ...empty,
    ...fate,
    accounted: fate.carriedOut + fate.heldLate,
    accountedByTagSet: byDigest(accounted),
  };
}

type Standing = Pick<SealedHour, 'status' | 'reason' | 'rehearsal'>;

function openingStanding({ pricingModel, rehearsal }: SealTerms): Standing {
  switch (pricingModel) {
    case 'subscription':
      return rehearsal === undefined ? { status: 'open' } : { status: 'withheld', reason: rehearsal, rehearsal };
    case 'contract':
      return { status: 'withheld', reason: 'contract' };
    case 'contractWithConsumption':
      // Billing before the entitlement is known could bill what the contract includes.
      return { status: 'withheld', reason: 'entitlementUnknown' };
  }
}

function frozen(
  { hour, shard, dimension, licence }: Meter,
  tally: Tally,
  { taken, credit }: { taken: ReadonlyMap<TagSet, number>; credit: number },
  standing: Standing,
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour {
  const timestampSeconds = recordTimestampSeconds(hour, licence, tally.firstUsedAt);
  const accounted = sumOf(taken);
  const credited = Math.min(credit, accounted);
  const billed = credited === 0 ? taken : takeUpTo(taken, accounted - credited);
  const { allocations, overflow } = allocationsOf(billed);
  const record = wireRecord(timestampSeconds, dimension, licence, sumOf(billed), allocations);
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
    ...(credited === 0 ? {} : { creditedQuantity: credited }),
    ...(overflow === 0 ? {} : { tagOverflowQuantity: overflow }),
  };
}

function sumOf(byTagSet: ReadonlyMap<TagSet, number>): number {
  let sum = 0;
  for (const quantity of byTagSet.values()) sum += quantity;
  return sum;
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
  const startMs = hourStartMs(hour);
  const period = periodOfHour(licence, hour);
  const isStartKnown = !period || period.from !== undefined;
  const heardLater = licence.firstSeenAt >= startMs + HOUR_MS;
  const licenceStart = isStartKnown || !heardLater ? licenceStartMsIn(licence, hour) : (firstUsedAt ?? startMs);
  const clamped = licenceStart > startMs && licenceStart < startMs + HOUR_MS ? licenceStart : startMs;
  // Rounded up, but never into the next hour: there the record would stand in the way of that hour's own.
  return Math.min(Math.ceil(clamped / 1_000), (startMs + HOUR_MS) / 1_000 - 1);
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
