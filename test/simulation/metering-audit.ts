// What must hold in every world, at any instant and at its end. Said in terms of AWS's bill and of what was written,
// and with a cause for whatever is not billed: one that the world really contained.

import { booksOf, type HourBooks } from '../../lambdas/domain/books.ts';
import { lastHourOf, lastHourSealsAt } from '../../lambdas/domain/deadline.ts';
import { entitledQuantity, type IncludedBasis } from '../../lambdas/domain/entitlement.ts';
import {
  HOUR_MS,
  type HourStart,
  hourEndMs,
  hourOf,
  hourStartMs,
  MINUTE_MS,
  parseHour,
} from '../../lambdas/domain/hour.ts';
import { hourShardKey, meterKey } from '../../lambdas/domain/keys.ts';
import { type Carry, isLive, type SealedHour, standingQuantity } from '../../lambdas/domain/ledger.ts';
import { MAX_QUANTITY } from '../../lambdas/domain/marketplace-limits.ts';
import { identityOf } from '../../lambdas/domain/metering-batch.ts';
import { groupKeysOf } from '../../lambdas/domain/metering-result.ts';
import { ABSENT_AT_AWS } from '../../lambdas/domain/operations/confirm.ts';
import { type Tally, TallyBuilder } from '../../lambdas/domain/tally.ts';
import { verifyBooks } from '../../lambdas/flow/verify-books.ts';
import { MemoryLedgerStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { AT_ONCE } from '../doubles/memory-table.ts';
import type { MeteringWorld } from './metering-world.ts';
import type { PlannedCustomer } from './plan.ts';

/** So much time without trouble before its deadline, and a record has to be on the bill. */
const SEND_GRACE_MS = 25 * MINUTE_MS;
/** Runs start after up to so many ticks. */
const LONGEST_TICK = 1.2;
/** So much time without trouble after its close is due, and usage has to be accounted for. */
const CLOSE_GRACE_MS = 3 * HOUR_MS;
/** A call that left in time may come too late: intents, pace and AWS's own time lie between. */
const RACE_MS = 6 * MINUTE_MS;

/** What is reported so long before a licence's access ends is billed. */
const END_GRACE_MS = 20 * MINUTE_MS;

interface Meter {
  readonly key: string;
  readonly hour: HourStart;
  readonly customer: PlannedCustomer;
  readonly dimension: string;
  readonly sealed: SealedHour | undefined;
  readonly tally: Tally;
  readonly carriesIn: readonly Carry[];
  readonly books: HourBooks;
  /** Its good rows, by key. */
  readonly rows: readonly { readonly key: string; readonly quantity: number }[];
  /** When its latest row was written. */
  readonly lastWrittenMs: number;
}

/** What is wrong with the world now, in words; undefined where all is well. */
export function auditNow(world: MeteringWorld): string | undefined {
  return first(
    () => world.aws.wrongs[0] ?? world.wrongs[0],
    () => wrongAlarm(world),
    () => wrongThrow(world),
    () => wrongInMeters(world, metersOf(world)),
    () => wrongCredits(world),
  );
}

/** What must also hold once everything has had its time. */
export async function auditEnd(world: MeteringWorld): Promise<string | undefined> {
  const meters = metersOf(world);
  return (
    auditNow(world) ??
    first(
      () => unfinishedWork(world),
      ...meters.map((meter) => () => unbilledWithoutCause(world, meter)),
      ...world.plan.customers.map((customer) => () => lostAtEnd(world, customer, meters)),
      () => silentOverwrite(world, meters),
    ) ??
    (await wrongByVerify(world))
  );
}

function first(...checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const wrong = check();
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** Alarms wake people. Each has to have a cause. */
function wrongAlarm(world: MeteringWorld): string | undefined {
  for (const { code, facts } of world.alarms) {
    const said = `${code} ${JSON.stringify(facts)}`;
    switch (code) {
      case 'LedgerBroken': {
        const customer = world.plan.customers.find(({ licence }) => licence.licenceKey === facts['licenceKey']);
        const hour = parseHour(String(facts['hour']));
        const partition = hour && customer && hourShardKey(hour, customer.shard);
        const meter = customer && meterKey(customer.licence.licenceKey, String(facts['dimension']));
        if (!world.overwritten.has(`${partition} ${meter}`)) return `alarm without a cause: ${said}`;
        break;
      }
      case 'CloseFailed':
      case 'SendFailed':
        if (facts['failureCode'] !== 'DatabaseBusy' && facts['failureCode'] !== 'ClosingIncomplete')
          return `alarm: ${said}`;
        break;
      default:
        return `alarm: ${said}`;
    }
  }
  return undefined;
}

const THROWN = new Set(['DatabaseBusy', 'EntitlementsContended', 'ClosingIncomplete', 'SendingIncomplete']);

function wrongThrow(world: MeteringWorld): string | undefined {
  const strange = world.thrown.find((error) => !THROWN.has(codeOf(error)));
  return strange === undefined ? undefined : `thrown: ${strange instanceof Error ? strange.stack : String(strange)}`;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function metersOf(world: MeteringWorld): Meter[] {
  interface Parts {
    readonly builder: TallyBuilder;
    readonly rows: { key: string; quantity: number }[];
    readonly carriesIn: Carry[];
    sealed?: SealedHour;
    lastWrittenMs: number;
  }
  const builders = new Map<string, Parts>();
  const at = (key: string) => {
    let known = builders.get(key);
    if (!known) {
      known = { builder: new TallyBuilder(), rows: [], carriesIn: [], lastWrittenMs: 0 };
      builders.set(key, known);
    }
    return known;
  };
  for (const [pk, sk, item] of world.usage.entries()) {
    const row = world.usage.parsed(item);
    if (row.meter === undefined) continue;
    const meter = at(`${pk} ${row.meter}`);
    meter.builder.addRow(row);
    const rowKey = `${pk} ${sk}`;
    if (row.kind === 'good') meter.rows.push({ key: rowKey, quantity: row.quantity });
    meter.lastWrittenMs = Math.max(meter.lastWrittenMs, world.usage.writtenAt.get(rowKey) ?? 0);
  }
  for (const [pk, , entry] of world.ledger.entries.entries()) {
    const meter = at(`${pk} ${meterKey(entry.licenceKey, entry.dimension)}`);
    if (entry.kind === 'sealed') meter.sealed = entry;
    else {
      meter.builder.addCarry(entry);
      meter.carriesIn.push(entry);
    }
  }
  const byLicence = new Map(world.plan.customers.map((customer) => [customer.licence.licenceKey, customer]));
  return [...builders].flatMap(([key, { builder, sealed, rows, carriesIn, lastWrittenMs }]) => {
    const [partition = '', meter = ''] = key.split(' ');
    const [licenceKey = '', dimension = ''] = meter.split('#');
    const customer = byLicence.get(licenceKey);
    if (!customer) return [];
    const hour = partition.slice(0, 13) as HourStart;
    const tally = builder.tally();
    const books = booksOf({ hour, licenceKey, dimension }, tally, sealed);
    return [{ key, hour, customer, dimension, sealed, tally, rows, carriesIn, books, lastWrittenMs }];
  });
}

function wrongInMeters(world: MeteringWorld, meters: readonly Meter[]): string | undefined {
  const carriedFrom = new Map<string, number>();
  for (const { carriesIn } of meters) {
    for (const carry of carriesIn) {
      const origin = `${hourShardKey(carry.originHour, carry.shard)} ${meterKey(carry.licenceKey, carry.dimension)}`;
      carriedFrom.set(origin, (carriedFrom.get(origin) ?? 0) + carry.quantity);
    }
  }
  let identities = 0;
  for (const meter of meters) {
    const { key, books, sealed } = meter;
    const wrong =
      first(
        () => {
          const isOff = books.difference !== 0 && !world.overwritten.has(key);
          return isOff ? `books differ by ${books.difference}` : undefined;
        },
        () => {
          const [out, carried] = [sealed?.carriedOut ?? 0, carriedFrom.get(key) ?? 0];
          return out === carried ? undefined : `carried out ${out}, but ${carried} came in elsewhere`;
        },
        () => (sealed ? wrongRecord(world, meter, sealed) : undefined),
        () => wrongCarry(world, meter),
        () => wrongHold(world, meter),
        () => wrongSide(world, meter),
        () => wrongRehearsal(meter),
      ) ?? undefined;
    if (wrong) return `${wrong}: ${key}`;
    if (sealed && world.aws.billedFor(sealed)?.identity !== undefined) identities += 1;
  }
  const ours = [...world.aws.billed.values()].filter(({ identity }) => identity !== undefined).length;
  if (ours !== identities) return `${ours} of our records on the bill, ${identities} in the ledger`;
  return forgotten(world, meters) ?? wrongInclusions(world, meters);
}

/** What a record says of itself, against what AWS has on its bill. */
function wrongRecord(world: MeteringWorld, meter: Meter, sealed: SealedHour): string | undefined {
  const { status, record, attempts, deadlineAt } = sealed;
  const billed = world.aws.billedFor(sealed);
  const isForeign = billed !== undefined && billed.identity === undefined;
  const isOurs = billed !== undefined && !isForeign;
  const isAttempted = Object.keys(attempts).length > 0;
  // AWS's complete log had no trace of its attempts.
  const isAbsent = sealed.reason === ABSENT_AT_AWS;
  if (isOurs && billed.quantity !== record.quantity) return `sealed ${record.quantity}, billed ${billed.quantity}`;
  // Sealed in place with no time left to send it: it should have been carried on.
  const takesUntilMs = world.aws.takesUntilMs(hourStartMs(sealed.hour));
  if (deadlineAt > takesUntilMs) return `deadline ${iso(deadlineAt)}, but AWS takes it until ${iso(takesUntilMs)}`;
  switch (status) {
    case 'honoured':
      // Another pipeline's record of the same amount is ours as far as AWS's log tells.
      if (isOurs || billed?.quantity === standingQuantity(sealed)) return undefined;
      return 'honoured, but AWS has it not';
    case 'presumed':
      if (!isAttempted) return 'presumed, but never attempted';
      return billed ? undefined : 'presumed, but AWS has it not';
    case 'disputed':
      return isForeign ? undefined : 'disputed, but nobody else metered it';
    case 'open':
    case 'held':
    case 'quarantined':
      return isOurs && !isAttempted ? `${status}, billed, and no attempt stands on it` : undefined;
    case 'uncertain':
      return isAttempted ? undefined : 'uncertain, but never attempted';
    case 'expired':
      if (isAttempted && !isAbsent) return 'expired, but AWS may have it';
      return isOurs ? 'expired, but AWS has it' : undefined;
    case 'withheld':
      if (isOurs || isAttempted) return 'withheld, but sent';
      return wrongWithheld(world, meter, sealed);
    case 'carried':
      return isOurs || (isAttempted && !isAbsent) ? 'carried, but sent' : undefined;
  }
}

function wrongWithheld(
  world: MeteringWorld,
  { customer, key }: Meter,
  { reason, rehearsal, record, withheldQuantity = 0 }: SealedHour,
): string | undefined {
  const { pricingModel } = customer.product;
  if (rehearsal !== undefined || pricingModel === 'contract') return undefined;
  if (pricingModel === 'contractWithConsumption' && reason === 'included') {
    return record.quantity === 0 && withheldQuantity > 0 ? undefined : `included, with ${record.quantity} units`;
  }
  return reason === 'operator' && isActedOn(world, 'withhold', key) ? undefined : 'withheld without a cause';
}

function isActedOn({ ledger }: MeteringWorld, kind: 'withhold' | 'carryOn', key: string): boolean {
  return [...ledger.actions.values()].some(
    ({ action, licenceKey, dimension, hour }) =>
      action === kind && key.startsWith(String(hour)) && key.endsWith(meterKey(String(licenceKey), String(dimension))),
  );
}

/** The hour at which a buyer's metering changes its name, once an operator has said so. */
function cutOverHourOf(world: MeteringWorld, { licence }: PlannedCustomer): HourStart | undefined {
  return world.licences.licences.get(licence.licenceKey)?.cutOverHour;
}

/** When we knew of a licence: one that takes over, from the cut-over's act on. */
function heardAtMs(world: MeteringWorld, { heardAtMs: plannedMs, licence, takesOverFrom }: PlannedCustomer): number {
  if (takesOverFrom === undefined) return plannedMs;
  return world.licences.licences.get(licence.licenceKey)?.firstSeenAt ?? Infinity;
}

/** No hour of a buyer is billed by the name that does not meter it. */
function wrongSide(
  world: MeteringWorld,
  { key, customer, hour, sealed, carriesIn, dimension, rows }: Meter,
): string | undefined {
  const cutOverHour = cutOverHourOf(world, customer);
  if (cutOverHour === undefined || (customer.takesOverFrom === undefined) === hour < cutOverHour) return undefined;
  if (carriesIn.length > 0) return 'carried to the wrong side of the cut-over';
  // Only rows that were written past the door can stand there.
  if (dimension !== 'direct' && rows.length > 0) return 'reported under the wrong name';
  if (!sealed || sealed.rehearsal) return undefined;
  const isKept = sealed.status === 'carried' && (sealed.carriedOut === 0 || isActedOn(world, 'carryOn', key));
  return isKept ? undefined : `${sealed.status} on the wrong side of the cut-over`;
}

function isCausedHold(world: MeteringWorld, reason: string, { customer, hour }: Meter): boolean {
  const { product, end, takesOverFrom } = customer;
  const isCutOver = cutOverHourOf(world, customer) !== undefined;
  switch (reason) {
    case 'policy':
      return product.lateUsage === 'hold';
    case 'dryRun':
    case 'shadow':
      return product.rehearsal?.mode === reason;
    case 'afterEnd':
    case 'licenceEnding':
      return end !== undefined;
    case 'lastHourSealed':
      return end !== undefined || (isCutOver && takesOverFrom === undefined);
    case 'afterCutOver':
      return isCutOver && takesOverFrom === undefined;
    case 'beforeCutOver':
      return isCutOver && takesOverFrom !== undefined;
    case 'entitlementUnknown':
      return wasUnknown(world, customer, hour);
    default:
      return false;
  }
}

/** What is rehearsed is never sent, and nothing else is rehearsed. */
function wrongRehearsal({ customer, hour, sealed }: Meter): string | undefined {
  if (!sealed || sealed.status === 'carried') return undefined;
  const { rehearsal, pricingModel } = customer.product;
  const mode =
    pricingModel !== 'contract' && rehearsal && (!rehearsal.until || hour < rehearsal.until)
      ? rehearsal.mode
      : undefined;
  if (sealed.rehearsal !== mode) return `rehearsed as ${sealed.rehearsal}, expected ${mode}`;
  return mode !== undefined && sealed.status !== 'withheld' ? `rehearsed, but ${sealed.status}` : undefined;
}

/** Credits are applied by what was taken off records, and never beyond what was granted. */
function wrongCredits(world: MeteringWorld): string | undefined {
  const taken = new Map<string, number>();
  for (const { licenceKey, dimension, creditedQuantity = 0 } of world.ledger.sealedHours()) {
    const key = meterKey(licenceKey, dimension);
    taken.set(key, (taken.get(key) ?? 0) + creditedQuantity);
  }
  for (const [key, quantity] of taken) {
    const { granted, applied } = world.ledger.credits.get(key) ?? { granted: 0, applied: 0 };
    if (applied !== quantity || applied > granted)
      return `credited ${quantity}, applied ${applied} of ${granted}: ${key}`;
  }
  return undefined;
}

/** Nothing may be carried past the end of a licence that we know of. */
function wrongCarry(world: MeteringWorld, { customer, carriesIn }: Meter): string | undefined {
  const ending = world.licences.licences.get(customer.licence.licenceKey)?.ending;
  if (!ending || !customer.end) return undefined;
  const knownMs = endHeardMs(world, customer) + RACE_MS;
  const late = carriesIn.find(
    ({ hour, carriedAt }) => carriedAt > knownMs && hour > lastHourOf(ending, world.plan.policy),
  );
  return late && `carried past the end of the licence, from ${late.originHour}`;
}

/** Each reason to hold late usage has to be one that this customer's world contains. */
function wrongHold(world: MeteringWorld, meter: Meter): string | undefined {
  for (const reason of meter.sealed?.heldReasons ?? []) {
    if (!isCausedHold(world, reason, meter)) return `held as ${reason} without a cause`;
  }
  return undefined;
}

/** Since when a contract is known to include anything; at once, where nothing is included. */
function includesSinceMs({ entitlements }: MeteringWorld, { contract, licence }: PlannedCustomer): number {
  return contract ? (entitlements.knownSince.get(licence.licenceKey) ?? Infinity) : 0;
}

/** Whether AWS had not said what a contract includes when an hour could wait no longer. */
function wasUnknown(world: MeteringWorld, customer: PlannedCustomer, hour: HourStart): boolean {
  const waitsMs = world.aws.takesUntilMs(hourStartMs(hour)) - world.plan.policy.nearDeadlineMs - HOUR_MS;
  const untilMs = customer.end ? Math.min(waitsMs, hourEndMs(hour)) : waitsMs;
  return customer.contract !== undefined && includesSinceMs(world, customer) > untilMs;
}

/** What contracts include is withheld, no more and no less, and their counters say so. */
function wrongInclusions(world: MeteringWorld, meters: readonly Meter[]): string | undefined {
  if (!world.plan.customers.some(({ contract }) => contract)) return undefined;
  const acts = new Map<string, { withheld: number; carriedOn: number }>();
  // Beside what is included, a part that an operator withholds, and what accepting AWS's record gives up.
  for (const { action, licenceKey = '', dimension = '', hour, facts } of world.ledger.actions.values()) {
    const key = `${hour} ${meterKey(licenceKey, dimension)}`;
    const known = acts.get(key) ?? { withheld: 0, carriedOn: 0 };
    if (action === 'withhold' && Number(facts['left']) > 0) known.withheld += Number(facts['units']);
    if (action === 'accept') known.withheld += Number(facts['givenUp'] ?? 0);
    if (action === 'carryOn') known.carriedOn += Number(facts['late']);
    acts.set(key, known);
  }
  const byBuyer = new Map<string, Meter[]>();
  for (const meter of meters) {
    if (!meter.customer.contract) continue;
    const key = `${meter.customer.licence.customerId} ${meter.dimension}`;
    byBuyer.set(key, [...(byBuyer.get(key) ?? []), meter]);
  }
  for (const [key, ofBuyer] of byBuyer) {
    if (ofBuyer.some((meter) => world.overwritten.has(meter.key))) continue;
    const wrong = wrongInclusion(world, ofBuyer, acts);
    if (wrong) return `${wrong}: ${key}`;
  }
  return undefined;
}

/** What a buyer's dimension includes at least and at most, by all that AWS ever said. */
function entitledRange({ contract, product }: PlannedCustomer, dimension: string) {
  const told = (contract?.answers ?? []).filter(({ entitlements }) => entitlements.length > 0);
  const named = told.map(({ entitlements }) =>
    entitledQuantity({ from: hourOf(0), termStart: hourOf(0), entitlements }, dimension),
  );
  const basis: IncludedBasis =
    product.included?.[dimension] ?? (named.some((each) => each !== undefined) ? 'perTerm' : 'none');
  const quantities = named.map((each) => each ?? 0);
  return { basis, least: Math.min(...quantities), most: Math.max(...quantities) };
}

function wrongInclusion(
  world: MeteringWorld,
  meters: readonly Meter[],
  acts: ReadonlyMap<string, { withheld: number; carriedOn: number }>,
): string | undefined {
  const [first] = meters;
  if (!first) return undefined;
  const { customer, dimension } = first;
  const { basis, least, most } = entitledRange(customer, dimension);
  const sum = { used: 0, included: 0, counted: 0, uncounted: 0, billed: 0, carriedOn: 0 };
  for (const { sealed, tally, hour, key } of meters) {
    if (!sealed) continue;
    const { entitlement, withheldQuantity = 0, licenceKey } = sealed;
    const act = acts.get(`${hour} ${meterKey(licenceKey, dimension)}`);
    const included = withheldQuantity - (act?.withheld ?? 0);
    const used = tally.used - tally.seen.carriedIn;
    const billed = world.aws.billedFor(sealed);
    if (entitlement && entitlement.ownAccounted - entitlement.ownOverage !== included)
      return `withheld ${included} units, but counted ${entitlement.ownAccounted - entitlement.ownOverage} as included in ${key}`;
    if (entitlement && entitlement.basis !== basis) return `included by ${entitlement.basis}, expected ${basis}`;
    if (basis === 'perHour' && included > most) return `included ${included} of an hour, at most ${most}`;
    if (basis === 'perHour' && (entitlement?.ownOverage ?? 0) > Math.max(0, used - least))
      return `${entitlement?.ownOverage} of ${used} units beyond, though ${least} an hour are included`;
    sum.used += used;
    sum.included += included;
    sum.counted += entitlement?.ownAccounted ?? 0;
    sum.uncounted += entitlement ? 0 : sealed.accounted;
    sum.billed += billed?.identity === undefined ? 0 : billed.quantity;
    sum.carriedOn += act?.carriedOn ?? 0;
  }
  if (basis === 'none') return sum.included === 0 ? undefined : `included ${sum.included} of what no contract includes`;
  if (basis === 'perHour') return undefined;
  const { contract, takesOverFrom, cutOver } = customer;
  // Another contract may begin with the licence that takes over.
  const terms = (contract?.terms ?? 1) * (takesOverFrom !== undefined || cutOver ? 2 : 1);
  if (sum.included > terms * most) return `included ${sum.included} units, at most ${terms} times ${most}`;
  const beyond = Math.max(0, sum.used - least) + sum.carriedOn;
  if (sum.billed > beyond) return `billed ${sum.billed} units of ${sum.used}, though ${least} are included`;
  return wrongCounters(world, meters, sum, most);
}

/** The counters of terms say what the sealed hours say of themselves. */
function wrongCounters(
  world: MeteringWorld,
  meters: readonly Meter[],
  sum: { readonly included: number; readonly counted: number; readonly uncounted: number },
  most: number,
): string | undefined {
  const keys = new Set(
    meters.flatMap(({ customer: { licence, takesOverFrom } }) => [licence.licenceKey, takesOverFrom]),
  );
  let [used, overage] = [0, 0];
  for (const counter of world.ledger.counters.values()) {
    if (!keys.has(counter.licenceKey) || counter.dimension !== meters[0]?.dimension) continue;
    used += counter.used;
    overage += counter.overage;
    const included = counter.used - counter.overage;
    if (included > most) return `a term's counter says ${included} units were included, at most ${most}`;
  }
  // What came late to an hour that was sealed by no answer stands in the counter alone.
  const isOff = used < sum.counted || used > sum.counted + sum.uncounted;
  if (isOff) return `counters say ${used} units were used, sealed hours ${sum.counted}`;
  return used - overage === sum.included
    ? undefined
    : `counters say ${used - overage} units were included, sealed hours ${sum.included}`;
}

/** Usage that a caller was told stands, and a carry, have to be accounted for in time. */
function forgotten(world: MeteringWorld, meters: readonly Meter[]): string | undefined {
  const nowMs = world.now();
  const { policy } = world.plan;
  for (const meter of meters) {
    const { key, hour, books, customer, rows, carriesIn } = meter;
    if (books.notYetSealed <= 0 || world.overwritten.has(key) || isNotSettled(world, meter)) continue;
    const knownMs = Math.max(heardAtMs(world, customer), includesSinceMs(world, customer));
    const closesMs = Math.max(hourEndMs(hour) + policy.settleDelayMs, knownMs);
    const isDue = (sinceMs: number) =>
      world.goodMs(Math.max(sinceMs, closesMs), nowMs, ['closersDown', 'tablesDown']) >= CLOSE_GRACE_MS;
    let mayWait = 0;
    for (const row of rows) if (!isDue(world.promised.get(row.key) ?? Infinity)) mayWait += row.quantity;
    for (const { carriedAt, quantity } of carriesIn) if (!isDue(carriedAt)) mayWait += quantity;
    if (books.notYetSealed > mayWait)
      return `${books.notYetSealed} units not accounted for, only ${mayWait} may wait: ${key}`;
  }
  return undefined;
}

/** The last hour of a licence waits for its end, and a licence's end reaches back into every hour before. */
function isNotSettled(world: MeteringWorld, { customer, hour }: Meter): boolean {
  const ending = world.licences.licences.get(customer.licence.licenceKey)?.ending;
  if (!ending) return false;
  const { policy } = world.plan;
  return hour >= lastHourOf(ending, policy) && world.now() < lastHourSealsAt(ending, policy) + CLOSE_GRACE_MS;
}

/** By the end of a world every deadline has passed, and everything that was to be looked at has been. */
function unfinishedWork(world: MeteringWorld): string | undefined {
  const isOver = ({ status, deadlineAt, record }: SealedHour) =>
    isLive(status) && record.quantity > 0 && deadlineAt < world.now() - CLOSE_GRACE_MS / 3;
  const live = world.ledger.sealedHours().find(isOver);
  if (live) return `still ${live.status} at the end: ${identityOf(live)}`;
  const [marker] = world.work.marked();
  const isStuck = marker && !isWaitingFor(world, marker.hour);
  if (isStuck) return `marker left at the end: ${marker.hour}#${marker.shard}`;
  const [ending] = world.licences.ending;
  return ending === undefined ? undefined : `still ending at the end: ${ending}`;
}

/** A marker stays where its hour has not ended, or may not be closed yet. */
function isWaitingFor(world: MeteringWorld, hour: HourStart): boolean {
  return hourEndMs(hour) + world.plan.policy.settleDelayMs + CLOSE_GRACE_MS > world.now();
}

/** What is not on the bill at the end, and for what cause. */
function unbilledWithoutCause(world: MeteringWorld, meter: Meter): string | undefined {
  const { sealed, books, key, customer } = meter;
  if (books.notYetSealed > 0 && !isLeftWithCause(world, meter))
    return `${books.notYetSealed} units were never sealed: ${key}`;
  if (!sealed || standingQuantity(sealed) === 0) return undefined;
  if (sealed.status === 'withheld' || world.aws.billedFor(sealed)) return undefined;
  const rulings = world.aws.rulings.get(identityOf(sealed)) ?? new Set();
  if (rulings.has('suspended') || rulings.has('pending') || rulings.has('unknownDimension')) return undefined;
  if (rulings.has('beforeStart')) return `stamped before the licence's start: ${key}`;
  if (rulings.has('afterEnd') && sealed.sealedAt < endHeardMs(world, customer) + RACE_MS) return undefined;
  if (wasInHeldGroup(world, sealed)) return undefined;
  const goneMs = (customer.end?.deprovisionedAtMs ?? Infinity) + HOUR_MS;
  const isGone = hourStartMs(sealed.hour) <= (customer.end?.deprovisionedAtMs ?? 0);
  const untilMs = Math.min(world.aws.takesUntilMs(hourStartMs(sealed.hour)), isGone ? goneMs : Infinity);
  const sendableMs = sealed.sealedAt + world.plan.policy.lingerMs;
  const troubles = ['outage', 'sendersDown', 'tablesDown'] as const;
  const goodMs = world.goodMs(sendableMs, untilMs, troubles, sealed.meteringRegion);
  if (goodMs >= SEND_GRACE_MS + unlistedMs(world))
    return `${sealed.status} with ${Math.round(goodMs / MINUTE_MS)} good minutes to send it: ${key}`;
  // A late close must not have put it into a record that could not be sent any more.
  const nearMs = world.aws.takesUntilMs(hourStartMs(sealed.hour)) - world.plan.policy.nearDeadlineMs;
  const isLate = sealed.sealedAt > nearMs + RACE_MS && !customer.end && !customer.cutOver;
  return isLate ? `sealed at ${iso(sealed.sealedAt)}, too late to be sent: ${key}` : undefined;
}

/** How long an index that is behind hides a new record from the sender: its lag, and the run that comes within it. */
function unlistedMs({ plan: { climate } }: MeteringWorld): number {
  return climate.indexLagMs === 0 ? 0 : climate.indexLagMs + LONGEST_TICK * climate.tickMs;
}

/** When we knew the end of a licence: a notice of one that we do not know waits until we do. */
function endHeardMs(world: MeteringWorld, customer: PlannedCustomer): number {
  return Math.max(customer.end?.heardAtMs ?? 0, heardAtMs(world, customer));
}

/** Records that share a fault which AWS showed are not sent until an operator releases them. */
function wasInHeldGroup(world: MeteringWorld, sealed: SealedHour): boolean {
  const { plan } = world;
  return groupKeysOf(sealed).some((group) => {
    if (!world.groupsHeld.has(group)) return false;
    if (group.startsWith('dimension ')) return plan.poison !== undefined && sealed.dimension === plan.poison.dimension;
    return (
      group.startsWith('licence ') &&
      plan.customers.some(({ end, licence }) => end && licence.licenceKey === sealed.licenceKey)
    );
  });
}

/** Usage that no seal accounts for at the end: nobody told of its licence, or its rows came past the door too late. */
function isLeftWithCause(world: MeteringWorld, { customer, key, hour, lastWrittenMs, carriesIn }: Meter): boolean {
  const knownMs = Math.max(heardAtMs(world, customer), includesSinceMs(world, customer));
  if (knownMs > world.now() - CLOSE_GRACE_MS || world.overwritten.has(key)) return true;
  // More than a record may hold goes on from hour to hour, and the world may end before it does.
  const isOnItsWay = carriesIn.length > 0 && hourEndMs(hour) + CLOSE_GRACE_MS > world.now();
  if (isOnItsWay) return true;
  const lastLookMs = hourEndMs(hour) + Math.max(...world.plan.policy.laterLooksMs);
  // Only a seller's own row, written without a marker, can come after the last look.
  return key.endsWith('#direct') && lastWrittenMs > lastLookMs;
}

/** The end of a licence costs nothing that was reported in time, where nothing stood in its way. */
function lostAtEnd(world: MeteringWorld, customer: PlannedCustomer, meters: readonly Meter[]): string | undefined {
  const { end, licence, product, takesOverFrom } = customer;
  const ending = end && world.licences.licences.get(licence.licenceKey)?.endNotices;
  if (!end || !ending || product.lateUsage === 'hold' || product.rehearsal || product.pricingModel !== 'subscription') {
    return undefined;
  }
  const fromMs = end.noticeAtMs - 4 * HOUR_MS;
  const untilMs = end.deprovisionedAtMs + HOUR_MS;
  const isTroubled = world.plan.troubles.some((each) => each.fromMs < untilMs && each.untilMs > fromMs);
  if (isTroubled || endHeardMs(world, customer) - end.deprovisionedAtMs > 3 * MINUTE_MS) return undefined;
  const accessEndMs = Math.min(end.noticeAtMs + world.plan.policy.noticeToRevokeMs, end.deprovisionedAtMs);
  const cutOverHour = cutOverHourOf(world, customer);
  // Before its end it had handed over, or it had not begun: what lies on the other side is held for that.
  if (cutOverHour !== undefined && (takesOverFrom === undefined) === cutOverHour <= hourOf(accessEndMs))
    return undefined;
  const inTimeMs = accessEndMs - END_GRACE_MS;
  const lost = meters.find(({ customer: of, hour, sealed, tally, lastWrittenMs, carriesIn }) => {
    if (of !== customer || !sealed || sealed.heldLate === 0 || hour > hourOf(accessEndMs)) return false;
    if (takesOverFrom !== undefined && cutOverHour !== undefined && hour < cutOverHour) return false;
    // More than one record holds, and no later hour to take it.
    if (sealed.heldLate <= tally.used - MAX_QUANTITY) return false;
    return lastWrittenMs < inTimeMs && carriesIn.every(({ carriedAt }) => carriedAt < inTimeMs);
  });
  return lost && `held ${lost.sealed?.heldReasons.join()} at the end, though reported in time: ${lost.key}`;
}

/** A row that was written over after its seal is noticed where a look was asked for. */
function silentOverwrite(world: MeteringWorld, meters: readonly Meter[]): string | undefined {
  const told = new Set(
    world.alarms
      .filter(({ code }) => code === 'LedgerBroken')
      .map(({ facts }) => `${facts['hour']} ${facts['licenceKey']}#${facts['dimension']}`),
  );
  for (const { key, customer, dimension, hour, lastWrittenMs } of meters) {
    const markedMs = world.mustBeTold.get(key);
    // With another row beside it, one that was written over can't be told from one that came late.
    if (markedMs === undefined || lastWrittenMs >= markedMs) continue;
    if (world.goodMs(markedMs, world.now(), ['closersDown', 'tablesDown']) < CLOSE_GRACE_MS) continue;
    if (!told.has(`${hour} ${customer.licence.licenceKey}#${dimension}`))
      return `written over after its seal, and nobody was told: ${key}`;
  }
  return undefined;
}

/** The flow's own verification says the same. */
async function wrongByVerify(world: MeteringWorld): Promise<string | undefined> {
  const ports = {
    usage: new MemoryUsageStore(AT_ONCE, world.usage),
    ledger: new MemoryLedgerStore(AT_ONCE, world.ledger),
  };
  const [from, end] = [hourOf(world.plan.startMs), hourOf(world.now() + 2 * HOUR_MS)];
  for (const { licence, shard } of world.plan.customers) {
    for await (const books of verifyBooks(ports, from, end, licence.licenceKey)) {
      const key = `${hourShardKey(books.hour, shard)} ${meterKey(books.licenceKey, books.dimension)}`;
      if (books.difference !== 0 && !world.overwritten.has(key))
        return `verify: books differ by ${books.difference}: ${key}`;
    }
  }
  return undefined;
}

function iso(atMs: number): string {
  return Number.isFinite(atMs) ? new Date(atMs).toISOString() : String(atMs);
}
