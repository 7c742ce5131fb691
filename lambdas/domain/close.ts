// The rule by which an hour is closed: make what is accounted for equal to what was used.
import { deadlineOf, lastHourOf, mayClose } from './deadline.ts';
import { type Allowance, type CounterStep, type Inclusion, inclusionOf } from './entitlement.ts';
import { addHours, type HourStart, hourOf, laterHour } from './hour.ts';
import type { Carry, Credit, SealedHour } from './ledger.ts';
import { coversInstant, handOverHour, isOnSideOf, type Licence, meteredPeriods, periodOfHour } from './licence.ts';
import { MAX_ALLOCATIONS, MAX_QUANTITY } from './marketplace-limits.ts';
import type { MeteringPolicy } from './metering-policy.ts';
import { hasDimension, type LateUsage, type PricingModel, type Product, rehearsalOf } from './product.ts';
import { appliedEntitlement, beginsWithinLastSecond, type Meter, sealEmpty, sealForSending } from './seal.ts';
import { ANY_TAGS, type TagSet, tagSetDigest } from './tag-set.ts';
import { accountedTagSets, EMPTY_TALLY, sumOf, type Tally, takeUpTo } from './tally.ts';

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
  /** What the contract includes; `'unknown'` while AWS has not said, absent where nothing is included by its model. */
  readonly allowance?: Allowance | 'unknown' | undefined;
}

/** The one next thing to do. Doing it and deciding again ends in `nothing`. */
export type CloseStep =
  | { readonly kind: 'nothing' }
  /** The hour may not be closed yet. */
  | { readonly kind: 'wait' }
  /** Nobody has told us of this licence; its usage waits. */
  | { readonly kind: 'awaitLicence' }
  /** AWS has not said what the contract includes; until it does, nothing is billed. */
  | { readonly kind: 'awaitEntitlement' }
  /** The product's settings do not list the dimension; its usage waits until they do. */
  | { readonly kind: 'unknownDimension' }
  | { readonly kind: 'seal'; readonly sealed: SealedHour; readonly step?: CounterStep | undefined }
  | {
      readonly kind: 'sealCarried';
      readonly sealed: SealedHour;
      readonly carries: readonly Carry[];
      readonly onlyInto: 'any' | 'unsealed';
      readonly step?: CounterStep | undefined;
    }
  | {
      readonly kind: 'carry';
      readonly carry: Carry;
      readonly onlyInto: 'any' | 'unsealed';
      readonly inclusion?: Inclusion | undefined;
    }
  | {
      readonly kind: 'holdLate';
      readonly tagSet: TagSet;
      readonly quantity: number;
      readonly reason: string;
      readonly inclusion?: Inclusion | undefined;
    }
  /** Late usage, all of which the contract includes. */
  | { readonly kind: 'include'; readonly tagSet: TagSet; readonly inclusion: Inclusion }
  | { readonly kind: 'broken'; readonly problem: string };

export function decideClose(meter: MeterHour, nowMs: number, policy: MeteringPolicy): CloseStep {
  const { hour, licence, sealed, tally } = meter;
  if (!mayClose(hour, licence?.ending, nowMs, policy, meter.earlierSettled)) return { kind: 'wait' };
  // Sealed without them, the hour would look overwritten to the code that can read them.
  if (tally.hasNewerRows) return { kind: 'wait' };
  if (tally.isOverflown) return { kind: 'broken', problem: 'quantityOverflow' };
  if (sealed) return decideLate(meter, sealed, nowMs, policy);
  if (tally.used === 0) return { kind: 'nothing' };
  if (!licence) return { kind: 'awaitLicence' };
  return decideFirst({ ...meter, licence }, nowMs, policy);
}

export function pricingModelOf(product: Product | undefined, licence: Licence): PricingModel {
  return product?.pricingModel ?? licence.pricingModel;
}

/** The last moment at which an hour can wait for what AWS says of its contract. */
function canWaitUntil({ hour, licence }: MeterHour, policy: MeteringPolicy): number {
  const ending = licence?.ending;
  const untilNear = deadlineOf(hour, undefined, policy) - policy.nearDeadlineMs;
  return ending ? Math.min(untilNear, deadlineOf(hour, ending, policy) - policy.lastHourMarginMs) : untilNear;
}

type KnownMeter = MeterHour & { readonly licence: Licence };

function decideFirst(meter: KnownMeter, nowMs: number, policy: MeteringPolicy): CloseStep {
  const { hour, licence, product, credit, allowance } = meter;
  if (product && !hasDimension(product, meter.dimension)) return { kind: 'unknownDimension' };
  const outside = outsideOf(licence, hour, policy);
  if (outside) return sealHeld(meter, outside, nowMs, policy);
  if (allowance === 'unknown') {
    if (nowMs < canWaitUntil(meter, policy)) return { kind: 'awaitEntitlement' };
    return sealHeld(meter, 'entitlementUnknown', nowMs, policy);
  }
  const rehearsal = rehearsalOf(product, hour);
  // The licence's own final window is no reason to carry: it ends for every one of its hours at once.
  const isNear = nowMs >= deadlineOf(hour, undefined, policy) - policy.nearDeadlineMs;
  const isUnstampable = beginsWithinLastSecond(hour, licence, meter.tally.firstUsedAt);
  // What is rehearsed stays in its hour: carried on, it could be billed in one that is not.
  const mayGoOn = (isNear || isUnstampable) && rehearsal === undefined;
  const target = mayGoOn ? firstTarget(meter, nowMs, policy) : undefined;
  if (target === undefined) {
    const terms = { pricingModel: pricingModelOf(product, licence), rehearsal, credit, allowance };
    const sealed = sealForSending(meter, meter.tally, terms, nowMs, policy);
    return { kind: 'seal', sealed, step: allowance && inclusionIn(meter, sealed.entitlement?.ownAccounted ?? 0)?.step };
  }
  if (isNear && lateUsageOf(product) === 'hold') return sealHeld(meter, 'policy', nowMs, policy);
  return sealOnTheWay({ ...meter, licence }, target, nowMs, policy);
}

/** Seals nothing, and sends the usage on into another hour. */
function sealOnTheWay(meter: KnownMeter, target: HourStart, nowMs: number, policy: MeteringPolicy): CloseStep {
  const { tally } = meter;
  const late = [...accountedTagSets(tally)].filter(([, quantity]) => quantity > 0);
  const accounted = new Map(late.slice(0, CARRIES_AT_ONCE));
  const inclusion = inclusionIn(meter, Math.max(0, sumOf(accounted) - tally.seen.carriedIn));
  const carriedOut = sumOf(accounted) - (inclusion?.included ?? 0);
  const carried = takeUpTo(accounted, carriedOut);
  const fate = { carriedOut, heldLate: 0, heldReasons: [], ...includedFate(meter, inclusion) };
  return {
    kind: 'sealCarried',
    sealed: sealEmpty(meter, tally, accounted, fate, nowMs, policy),
    carries: [...carried].map(([tagSet, quantity]) => carryOf(meter, target, 0, tagSet, quantity, nowMs)),
    onlyInto: lastHourFor(meter.licence, policy) === undefined ? 'any' : 'unsealed',
    step: inclusion?.step,
  };
}

/** How units used in the hour itself are counted, where the contract includes some. */
function inclusionIn({ allowance, licenceKey, dimension }: MeterHour, own: number): Inclusion | undefined {
  if (allowance === undefined || allowance === 'unknown') return undefined;
  return inclusionOf({ licenceKey, dimension }, allowance, own);
}

function includedFate({ allowance }: MeterHour, inclusion: Inclusion | undefined) {
  if (!inclusion || allowance === undefined || allowance === 'unknown') return {};
  return {
    ...(inclusion.included === 0 ? {} : { withheldQuantity: inclusion.included }),
    entitlement: appliedEntitlement(allowance, inclusion),
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
  const { tally } = meter;
  const inclusion = inclusionIn(meter, tally.used - tally.seen.carriedIn);
  const heldLate = tally.used - (inclusion?.included ?? 0);
  // What comes late to the hour is told by it that another pipeline bills the hour.
  const rehearsal = rehearsalOf(meter.product, meter.hour);
  const fate = {
    carriedOut: 0,
    heldLate,
    heldReasons: heldLate > 0 ? [reason] : [],
    ...(rehearsal === undefined ? {} : { rehearsal }),
    ...includedFate(meter, inclusion),
  };
  const sealed = sealEmpty(meter, tally, accountedTagSets(tally), fate, nowMs, policy);
  return { kind: 'sealCarried', sealed, carries: [], onlyInto: 'any', step: inclusion?.step };
}

function decideLate(meter: MeterHour, sealed: SealedHour, nowMs: number, policy: MeteringPolicy): CloseStep {
  const problem = brokenPromise(meter.tally, sealed);
  if (problem) return { kind: 'broken', problem };
  const late = firstLate(meter.tally, sealed);
  if (!late) return { kind: 'nothing' };
  const { tagSet, accounted } = late;
  if (meter.allowance === 'unknown' && nowMs < canWaitUntil(meter, policy)) return { kind: 'awaitEntitlement' };
  const inclusion = inclusionIn(meter, Math.min(late.quantity, ownLate(meter.tally, sealed)));
  const quantity = late.quantity - (inclusion?.included ?? 0);
  if (inclusion && quantity === 0) return { kind: 'include', tagSet, inclusion };
  // Another pipeline bills the hour, and what comes late to it.
  if (sealed.rehearsal) return { kind: 'holdLate', tagSet, quantity, reason: sealed.rehearsal, inclusion };
  if (meter.allowance === 'unknown') return { kind: 'holdLate', tagSet, quantity, reason: 'entitlementUnknown' };
  // What one record could not hold is no late usage: it goes on, whatever the policy for late usage says.
  if (lateUsageOf(meter.product) === 'hold' && !isFull(sealed)) {
    return { kind: 'holdLate', tagSet, quantity, reason: 'policy', inclusion };
  }
  const outside = meter.licence && outsideOf(meter.licence, meter.hour, policy);
  if (outside) return { kind: 'holdLate', tagSet, quantity, reason: outside, inclusion };
  const last = meter.licence && lastHourFor(meter.licence, policy);
  const target = last === undefined ? carryTarget(meter.hour, nowMs) : endingTarget(last, nowMs);
  if (target <= meter.hour) {
    const reason = meter.licence?.ending ? 'licenceEnding' : 'afterCutOver';
    return { kind: 'holdLate', tagSet, quantity, reason, inclusion };
  }
  // In a rehearsed hour it would be withheld, and nobody would see that it was not billed.
  const rehearsal = rehearsalOf(meter.product, target);
  if (rehearsal) return { kind: 'holdLate', tagSet, quantity, reason: rehearsal, inclusion };
  const carry = carryOf(meter, target, accounted, tagSet, quantity, nowMs);
  return { kind: 'carry', carry, onlyInto: last === undefined ? 'any' : 'unsealed', inclusion };
}

/** Whether an hour took as much as one record holds, besides what a contract includes; units may have left it since. */
function isFull({ accounted, heldLate, entitlement }: SealedHour): boolean {
  const included = entitlement ? entitlement.ownAccounted - entitlement.ownOverage : 0;
  return accounted - heldLate - included >= MAX_QUANTITY;
}

/** Late units that were used in the hour itself: what was carried in is counted already where it was used. */
function ownLate({ used, seen }: Tally, sealed: SealedHour): number {
  return Math.max(0, used - seen.carriedIn - countedOf(sealed).used);
}

/**
 * Units used in the hour itself that are accounted for, and those of them that lie beyond what is included. Where the
 * hour was sealed by no entitlement, all that was not withheld counts as beyond: it is billed, or held, already.
 */
export function countedOf({ entitlement, accounted, seen, withheldQuantity = 0 }: SealedHour) {
  if (entitlement) return { used: entitlement.ownAccounted, overage: entitlement.ownOverage };
  const used = Math.max(0, accounted - seen.carriedIn);
  return { used, overage: Math.max(0, used - withheldQuantity) };
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

/** Whether an hour's tag sets are not told apart. */
function isUndivided(sealed: SealedHour): boolean {
  return sealed.accountedByTagSet[ANY_TAGS] !== undefined;
}

function firstLate(tally: Tally, sealed: SealedHour) {
  const { accounted: inAll, accountedByTagSet } = sealed;
  const all = { tagSet: ANY_TAGS, quantity: tally.used - inAll, accounted: inAll };
  if (isUndivided(sealed)) return all.quantity > 0 ? all : undefined;
  const isFull = Object.keys(accountedByTagSet).length >= MAX_ALLOCATIONS;
  for (const [tagSet, used] of tally.byTagSet) {
    const accounted = accountedByTagSet[tagSetDigest(tagSet)];
    if (used <= (accounted ?? 0)) continue;
    // One more than an item can hold the amounts of: from now on they are told apart no more.
    if (accounted === undefined && isFull) return all;
    return { tagSet, quantity: used - (accounted ?? 0), accounted: accounted ?? 0 };
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
  if (beginsWithinLastSecond(hour, licence, undefined)) return undefined;
  const terms = { pricingModel: product.pricingModel, rehearsal: rehearsalOf(product, hour) };
  return sealForSending({ hour, shard, dimension, licence }, EMPTY_TALLY, terms, nowMs, policy);
}

function wasActive(licence: Licence, hour: HourStart, policy: MeteringPolicy): boolean {
  if (outsideOf(licence, hour, policy)) return false;
  const first = hourOf(licence.firstSeenAt);
  return hour >= first && coversInstant(licence, Math.max(licence.firstSeenAt, Date.parse(`${hour}:00:00Z`)));
}
