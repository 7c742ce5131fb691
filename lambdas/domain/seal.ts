// Freezing an hour: the whole wire record, its deadline and what it was made of.
import { deadlineOf } from './deadline.ts';
import { HOUR_MS, type HourStart, hourStartMs } from './hour.ts';
import type { Allocation, RecordStatus, SealedHour, WireRecord } from './ledger.ts';
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

/** A sealed hour to be sent: as much of the tally as one record can hold. What is over is carried. */
export function sealForSending(
  meter: Meter,
  tally: Tally,
  pricingModel: PricingModel,
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour {
  const taken = takeUpTo(tally.byTagSet, MAX_QUANTITY);
  const [status, reason] = openingStatus(pricingModel);
  return frozen(meter, tally, taken, { status, ...(reason === undefined ? {} : { reason }) }, nowMs, policy);
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
  const empty = frozen(meter, tally, new Map(), { status: 'carried' }, nowMs, policy);
  return {
    ...empty,
    ...fate,
    accounted: fate.carriedOut + fate.heldLate,
    accountedByTagSet: byDigest(accounted),
  };
}

function openingStatus(pricingModel: PricingModel): readonly [RecordStatus, string?] {
  switch (pricingModel) {
    case 'subscription':
      return ['open'];
    case 'contract':
      return ['withheld', 'contract'];
    case 'contractWithConsumption':
      // Billing before the entitlement is known could bill what the contract includes.
      return ['withheld', 'entitlementUnknown'];
  }
}

function frozen(
  { hour, shard, dimension, licence }: Meter,
  tally: Tally,
  taken: ReadonlyMap<TagSet, number>,
  standing: { status: RecordStatus; reason?: string },
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour {
  const timestampSeconds = recordTimestampSeconds(hour, licence, tally.firstUsedAt);
  const record = wireRecord(timestampSeconds, dimension, licence, taken);
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
    accounted: record.quantity,
    accountedByTagSet: byDigest(taken.size > MAX_ALLOCATIONS ? new Map([[ANY_TAGS, record.quantity]]) : taken),
    carriedOut: 0,
    heldLate: 0,
    heldReasons: [],
    seen: tally.seen,
    ...standing,
    deadlineAt: deadlineOf(hour, licence.ending, policy),
    attempts: {},
    refusals: [],
    sealedAt: nowMs,
  };
}

function wireRecord(
  timestampSeconds: number,
  dimension: string,
  licence: Licence,
  taken: ReadonlyMap<TagSet, number>,
): WireRecord {
  const named =
    licence.identityStyle === 'licence'
      ? { licenceArn: licence.licenceArn, customerAwsAccountId: licence.customerAwsAccountId }
      : { customerIdentifier: licence.customerIdentifier };
  const allocations = allocationsOf(taken);
  return {
    timestampSeconds,
    dimension,
    quantity: [...taken.values()].reduce((sum, quantity) => sum + quantity, 0),
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

/** Allocations only where something is tagged; what does not fit goes into the one untagged allocation. */
function allocationsOf(taken: ReadonlyMap<TagSet, number>): Allocation[] {
  const tagged = [...taken].filter(([tagSet]) => tagSet !== UNTAGGED);
  if (tagged.length === 0) return [];
  const allocations: Allocation[] = [];
  let untagged = taken.get(UNTAGGED) ?? 0;
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
      untagged += quantity;
    }
  }
  return untagged > 0 ? [...allocations, { quantity: untagged, tags: [] }] : allocations;
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
