// The rule by which an hour is closed: make what is accounted for equal to what was used.
import { deadlineOf, lastHourOf, mayClose } from './deadline.ts';
import { addHours, type HourStart, hourOf, laterHour } from './hour.ts';
import type { Carry, Credit, SealedHour } from './ledger.ts';
import { coversInstant, handOverHour, isOnSideOf, type Licence, meteredPeriods, periodOfHour } from './licence.ts';
import { MAX_QUANTITY } from './marketplace-limits.ts';
import type { MeteringPolicy } from './metering-policy.ts';
import { hasDimension, type LateUsage, type Product, rehearsalOf } from './product.ts';
import { type Meter, sealEmpty, sealForSending } from './seal.ts';
import { ANY_TAGS, type TagSet, tagSetDigest } from './tag-set.ts';
import { accountedTagSets, EMPTY_TALLY, type Tally } from './tally.ts';

/** One licence's dimension in one hour: what was used, what is accounted for, and what else decides. */
export interface MeterHour {
  readonly hour: HourStart;
  readonly shard: number;
  readonly licenceKey: string;
  readonly dimension: string;
  readonly tally: Tally;
  readonly sealed: SealedHour | undefined;
  readonly licence: Licence | undefined;
  /** Absent where the product has left the settings: what was used of it is billed all the same. */
  readonly product: Product | undefined;
  /** Whether all earlier hours of an ending licence are settled. */
  readonly earlierSettled: boolean;
  /** False where the hour that would take a carry was found sealed. */
  readonly mayCarry?: boolean;
  /** What the meter is to be billed less, where anything. */
  readonly credit?: Credit | undefined;
}

/** The one next thing to do. Doing it and deciding again ends in `nothing`. */
export type CloseStep =
  | { readonly kind: 'nothing' }
  /** The hour may not be closed yet. */
  | { readonly kind: 'wait' }
  /** Nobody has told us of this licence; its usage waits. */
  | { readonly kind: 'awaitLicence' }
  /** The product's settings do not list the dimension; its usage waits until they do. */
  | { readonly kind: 'unknownDimension' }
  | { readonly kind: 'seal'; readonly sealed: SealedHour }
  | {
      readonly kind: 'sealCarried';
      readonly sealed: SealedHour;
      readonly carries: readonly Carry[];
      readonly onlyInto: 'any' | 'unsealed';
    }
  | { readonly kind: 'carry'; readonly carry: Carry; readonly onlyInto: 'any' | 'unsealed' }
  | { readonly kind: 'holdLate'; readonly tagSet: TagSet; readonly quantity: number; readonly reason: string }
  | { readonly kind: 'broken'; readonly problem: string };

export function decideClose(meter: MeterHour, nowMs: number, policy: MeteringPolicy): CloseStep {
  const { hour, licence, sealed, tally } = meter;
  if (!mayClose(hour, licence?.ending, nowMs, policy, meter.earlierSettled)) return { kind: 'wait' };
  if (tally.isOverflown) return { kind: 'broken', problem: 'quantityOverflow' };
  if (sealed) return decideLate(meter, sealed, nowMs, policy);
  if (tally.used === 0) return { kind: 'nothing' };
  if (!licence) return { kind: 'awaitLicence' };
  return decideFirst({ ...meter, licence }, nowMs, policy);
}

type KnownMeter = MeterHour & { readonly licence: Licence };

function decideFirst(meter: KnownMeter, nowMs: number, policy: MeteringPolicy): CloseStep {
  const { hour, licence, product, tally, credit } = meter;
  if (product && !hasDimension(product, meter.dimension)) return { kind: 'unknownDimension' };
  const outside = outsideOf(licence, hour, policy);
  if (outside) return sealHeld(meter, outside, nowMs, policy);
  const rehearsal = rehearsalOf(product, hour);
  // The licence's own final window is no reason to carry: it ends for every one of its hours at once.
  const isNear = nowMs >= deadlineOf(hour, undefined, policy) - policy.nearDeadlineMs;
  // What is rehearsed stays in its hour: carried on, it could be billed in one that is not.
  const target = isNear && rehearsal === undefined ? firstTarget(meter, nowMs, policy) : undefined;
  if (target === undefined) {
    const terms = { pricingModel: product?.pricingModel ?? licence.pricingModel, rehearsal, credit };
    return { kind: 'seal', sealed: sealForSending(meter, tally, terms, nowMs, policy) };
  }
  if (lateUsageOf(product) === 'hold') return sealHeld(meter, 'policy', nowMs, policy);
  const late = [...accountedTagSets(tally)].filter(([, quantity]) => quantity > 0);
  const carried = new Map(late.slice(0, CARRIES_AT_ONCE));
  const carriedOut = [...carried.values()].reduce((sum, quantity) => sum + quantity, 0);
  return {
    kind: 'sealCarried',
    sealed: sealEmpty(meter, tally, carried, { carriedOut, heldLate: 0, heldReasons: [] }, nowMs, policy),
    carries: [...carried].map(([tagSet, quantity]) => carryOf(meter, target, 0, tagSet, quantity, nowMs)),
    onlyInto: lastHourFor(licence, policy) === undefined ? 'any' : 'unsealed',
  };
}

/** Why an hour can't be billed by a licence: a row that was written past the door; undefined where it can. */
function outsideOf(licence: Licence, hour: HourStart, policy: MeteringPolicy): string | undefined {
  const { ending, identityStyle } = licence;
  if (!isOnSideOf(licence, hour)) return identityStyle === 'legacy' ? 'afterCutOver' : 'beforeCutOver';
  const isInGap = !periodOfHour(licence, hour) && meteredPeriods(licence).some(({ to }) => to !== undefined);
  return isInGap || (ending && hour > lastHourOf(ending, policy)) ? 'afterEnd' : undefined;
}

/** The last hour that a licence may be billed for; undefined while no end of it is known. */
export function lastHourFor(licence: Licence, policy: MeteringPolicy): HourStart | undefined {
  const handOver = handOverHour(licence);
  const beforeHandOver = handOver && addHours(handOver, -1);
  const atEnd = licence.ending && lastHourOf(licence.ending, policy);
  if (beforeHandOver === undefined || atEnd === undefined) return beforeHandOver ?? atEnd;
  return beforeHandOver < atEnd ? beforeHandOver : atEnd;
}

/** Where usage goes that came too near to its deadline. An ending licence may have no hour left to take it. */
function firstTarget(meter: KnownMeter, nowMs: number, policy: MeteringPolicy): HourStart | undefined {
  const last = lastHourFor(meter.licence, policy);
  if (last === undefined) return carryTarget(meter.hour, nowMs);
  const target = endingTarget(last, nowMs);
  return meter.mayCarry !== false && target > meter.hour ? target : undefined;
}

/** The running hour, or the last one where that is over. */
function endingTarget(last: HourStart, nowMs: number): HourStart {
  return hourOf(nowMs) < last ? hourOf(nowMs) : last;
}

/** DynamoDB takes 100 writes a transaction. The tag sets beyond these follow as late usage, one by one. */
const CARRIES_AT_ONCE = 50;

function sealHeld(meter: KnownMeter, reason: string, nowMs: number, policy: MeteringPolicy): CloseStep {
  const fate = { carriedOut: 0, heldLate: meter.tally.used, heldReasons: [reason] };
  const { tally } = meter;
  const sealed = sealEmpty(meter, tally, accountedTagSets(tally), fate, nowMs, policy);
  return { kind: 'sealCarried', sealed, carries: [], onlyInto: 'any' };
}

function decideLate(meter: MeterHour, sealed: SealedHour, nowMs: number, policy: MeteringPolicy): CloseStep {
  const problem = brokenPromise(meter.tally, sealed);
  if (problem) return { kind: 'broken', problem };
  const late = firstLate(meter.tally, sealed);
  if (!late) return { kind: 'nothing' };
  const { tagSet, quantity, accounted } = late;
  // Another pipeline bills the hour, and what comes late to it.
  if (sealed.rehearsal) return { kind: 'holdLate', tagSet, quantity, reason: sealed.rehearsal };
  // What one record could not hold is no late usage: it goes on, whatever the policy for late usage says.
  const isOverflow = sealed.record.quantity + (sealed.creditedQuantity ?? 0) === MAX_QUANTITY;
  if (lateUsageOf(meter.product) === 'hold' && !isOverflow) {
    return { kind: 'holdLate', tagSet, quantity, reason: 'policy' };
  }
  const last = meter.licence && lastHourFor(meter.licence, policy);
  if (last === undefined) {
    const target = carryTarget(meter.hour, nowMs);
    return { kind: 'carry', carry: carryOf(meter, target, accounted, tagSet, quantity, nowMs), onlyInto: 'any' };
  }
  const target = endingTarget(last, nowMs);
  if (target <= meter.hour) {
    return { kind: 'holdLate', tagSet, quantity, reason: meter.licence?.ending ? 'licenceEnding' : 'afterCutOver' };
  }
  return { kind: 'carry', carry: carryOf(meter, target, accounted, tagSet, quantity, nowMs), onlyInto: 'unsealed' };
}

function lateUsageOf(product: Product | undefined): LateUsage {
  return product?.lateUsage ?? 'carry';
}

/** Usage only grows and is never rewritten; where it seems to have shrunk or changed, nothing is touched. */
function brokenPromise(tally: Tally, sealed: SealedHour): string | undefined {
  if (tally.used < sealed.accounted) return 'usedBelowAccounted';
  const sameRows = tally.seen.count === sealed.seen.count;
  if (sameRows && tally.seen.rowsHash !== sealed.seen.rowsHash) return 'rowsOverwritten';
  if (isUndivided(sealed)) return undefined;
  for (const [digest, accounted] of Object.entries(sealed.accountedByTagSet)) {
    if (accounted > (tally.byDigest.get(digest) ?? 0)) return 'usedBelowAccounted';
  }
  return undefined;
}

/** Whether an hour was sealed without telling its tag sets apart. */
function isUndivided(sealed: SealedHour): boolean {
  return sealed.accountedByTagSet[ANY_TAGS] !== undefined;
}

function firstLate(tally: Tally, sealed: SealedHour) {
  const tagSets = isUndivided(sealed) ? new Map([[ANY_TAGS, tally.used]]) : tally.byTagSet;
  for (const [tagSet, used] of tagSets) {
    const accounted = sealed.accountedByTagSet[tagSetDigest(tagSet)] ?? 0;
    if (used > accounted) return { tagSet, quantity: used - accounted, accounted };
  }
  return undefined;
}

/** The running hour, which is open by any reckoning, and never the origin itself. */
function carryTarget(origin: HourStart, nowMs: number): HourStart {
  return laterHour(addHours(origin, 1), hourOf(nowMs));
}

function carryOf(
  meter: MeterHour,
  target: HourStart,
  originAccounted: number,
  tagSet: TagSet,
  quantity: number,
  nowMs: number,
): Carry {
  const { shard, licenceKey, dimension, hour } = meter;
  return {
    kind: 'carry',
    hour: target,
    shard,
    licenceKey,
    dimension,
    originHour: hour,
    originAccounted,
    tagSet,
    quantity,
    carriedAt: nowMs,
  };
}

/**
 * The zero record of a dimension that a licence did not use in an hour. AWS advises hourly records even without usage.
 * Undefined where the licence did not run, is not metered, or may not be closed yet. One that comes too late is not
 * worth a carry, and is left out.
 */
export function zeroSeal(
  { hour, shard, licence, dimension }: Meter,
  product: Product,
  nowMs: number,
  policy: MeteringPolicy,
): SealedHour | undefined {
  if (product.pricingModel !== 'subscription' || !wasActive(licence, hour, policy)) return undefined;
  if (!mayClose(hour, licence.ending, nowMs, policy, false)) return undefined;
  if (nowMs >= deadlineOf(hour, licence.ending, policy) - policy.nearDeadlineMs) return undefined;
  const terms = { pricingModel: product.pricingModel, rehearsal: rehearsalOf(product, hour) };
  return sealForSending({ hour, shard, dimension, licence }, EMPTY_TALLY, terms, nowMs, policy);
}

function wasActive(licence: Licence, hour: HourStart, policy: MeteringPolicy): boolean {
  if (outsideOf(licence, hour, policy)) return false;
  const first = hourOf(licence.firstSeenAt);
  return hour >= first && coversInstant(licence, Math.max(licence.firstSeenAt, Date.parse(`${hour}:00:00Z`)));
}
