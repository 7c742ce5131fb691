// What a contract includes, as GetEntitlements tells it, and what of an hour's usage lies beyond it.
import { addHours, HOUR_MS, type HourStart, hourOf, hourStartMs, laterHour } from './hour.ts';
import type { Licence } from './licence.ts';
import type { Products } from './product.ts';

/** One value of one entitlement; AWS fills exactly the member that applies. */
export type EntitlementValue =
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string };

export interface Entitlement {
  readonly dimension: string;
  readonly value: EntitlementValue;
  /** The least instant until which it holds; with automatic renewal, when it renews. Passing it is no end by itself. */
  readonly expiresAt?: number;
}

/** What a licence includes from one hour on, until the next version. */
export interface EntitlementVersion {
  readonly from: HourStart;
  /** The first hour of the contract's term: what is included per term counts from it. */
  readonly termStart: HourStart;
  readonly entitlements: readonly Entitlement[];
}

/** All that is known of a licence's entitlements, oldest version first. */
export interface LicenceEntitlements {
  readonly licenceKey: string;
  readonly versions: readonly EntitlementVersion[];
  /** When AWS last told us, whether anything had changed or not. */
  readonly checkedAt: number;
}

/** By what a contract with consumption includes usage of a dimension. */
export type IncludedBasis = 'perTerm' | 'perHour' | 'none';

/** What has been used of a dimension in a contract's term, by the hours in which it was used. */
export interface TermCounter {
  readonly licenceKey: string;
  readonly dimension: string;
  readonly termStart: HourStart;
  readonly used: number;
  /** Units beyond the entitlement that have been sealed or sent on. */
  readonly overage: number;
}

/** What a contract includes of a meter in an hour, and how much of that is used. */
export interface Allowance {
  readonly basis: IncludedBasis;
  readonly entitledQuantity: number;
  readonly used: number;
  readonly overage: number;
  readonly termStart: HourStart;
  /** The name under which the term is counted, where that is the buyer's other one. */
  readonly countedUnder?: string | undefined;
}

/** A step of a term's counter: from what was read, by the units of an hour that are newly counted. */
export interface CounterStep {
  readonly counter: TermCounter;
  readonly used: number;
  readonly overage: number;
}

/** Units newly counted of an hour, split into what the contract includes and what lies beyond. */
export interface Inclusion {
  /** Used in the hour itself. */
  readonly own: number;
  readonly included: number;
  /** Absent where nothing is counted per term. */
  readonly step?: CounterStep;
}

/** How long the last answer of AWS is believed while it gives no other. */
export const ENTITLEMENTS_BELIEVED_MS = 48 * HOUR_MS;

/** Near its expiry a contract is renewed: an expiry that then moves on begins a new term. */
const RENEWAL_SLACK_MS = 24 * HOUR_MS;

/** How long an answer is fresh: AWS is asked again after it. */
const REFRESHED_EVERY_MS = HOUR_MS;

/** From when on AWS is to be asked again: an hour after it was, and as soon as an expiry has come since. */
export function refreshDueAt({ versions, checkedAt }: LicenceEntitlements): number {
  const expiries = versions.flatMap(({ entitlements }) => entitlements.map(({ expiresAt = 0 }) => expiresAt));
  const coming = expiries.filter((expiresAt) => expiresAt > checkedAt);
  return Math.min(checkedAt + REFRESHED_EVERY_MS, ...coming);
}

/** Whether a licence is of a contract, which AWS tells entitlements of. The settings win while they name the product. */
export function hasContract(
  { productCode, pricingModel }: Pick<Licence, 'productCode' | 'pricingModel'>,
  products: Products,
): boolean {
  return (products.get(productCode)?.pricingModel ?? pricingModel) !== 'subscription';
}

/** Whether AWS has not answered for so long that what it said last is no longer relied on. */
export function isStale(known: LicenceEntitlements | undefined, nowMs: number): boolean {
  return known === undefined || nowMs - known.checkedAt > ENTITLEMENTS_BELIEVED_MS;
}

/** The units of `quantity` more that lie beyond what the contract includes. Never takes back what was sealed before. */
export function overageOf({ basis, entitledQuantity, used, overage }: Allowance, quantity: number): number {
  if (basis === 'none') return quantity;
  return Math.min(quantity, Math.max(0, Math.max(0, used + quantity - entitledQuantity) - overage));
}

/** Splits units of an hour by an allowance, and says what that does to the term's counter. */
export function inclusionOf(
  { licenceKey, dimension }: Pick<TermCounter, 'licenceKey' | 'dimension'>,
  allowance: Allowance,
  own: number,
): Inclusion {
  const beyond = overageOf(allowance, own);
  const split = { own, included: own - beyond };
  if (allowance.basis !== 'perTerm' || own === 0) return split;
  const { termStart, used, overage, countedUnder = licenceKey } = allowance;
  return {
    ...split,
    step: { counter: { licenceKey: countedUnder, dimension, termStart, used, overage }, used: own, overage: beyond },
  };
}

/** The version that holds in an hour. Hours before the first answer are read by it: AWS tells of a licence late. */
export function versionAt({ versions }: LicenceEntitlements, hour: HourStart): EntitlementVersion | undefined {
  return versions.findLast(({ from }) => from <= hour) ?? versions[0];
}

/**
 * The version by which usage of an hour is counted. An empty answer counts for nothing: AWS gives one before a contract
 * is set up, and after it ended, when its last hours still count by what it included.
 */
export function countingVersionAt(known: LicenceEntitlements, hour: HourStart): EntitlementVersion | undefined {
  const versions = known.versions.filter(({ entitlements }) => entitlements.length > 0);
  return versionAt({ ...known, versions }, hour);
}

/**
 * The term, as it was told under a buyer's former name, that goes on in the one of a version under the new name. It is
 * one contract where both end at the same time; another one includes its units anew.
 */
export function termGoneOn(
  former: LicenceEntitlements,
  lastHour: HourStart,
  known: LicenceEntitlements,
  { termStart }: EntitlementVersion,
): HourStart | undefined {
  const before = countingVersionAt(former, lastHour);
  const first = known.versions.find((version) => hasAny(version) && version.termStart === termStart);
  if (!before || !first) return undefined;
  return latestExpiry(before.entitlements) === latestExpiry(first.entitlements) ? before.termStart : undefined;
}

/** Whole units of a dimension in a version, over all of its entitlements; undefined where none names it. */
export function entitledQuantity(version: EntitlementVersion, dimension: string): number | undefined {
  const named = version.entitlements.filter((each) => each.dimension === dimension);
  if (named.length === 0) return undefined;
  return named.reduce((sum, { value }) => Math.min(Number.MAX_SAFE_INTEGER, sum + wholeUnits(value)), 0);
}

function wholeUnits(value: EntitlementValue): number {
  const isNumber = value.kind === 'integer' || value.kind === 'double';
  return isNumber ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(value.value))) : 0;
}

/**
 * What was known, with what AWS said when it was asked. A changed answer holds from the running hour on. One that moves
 * the expiry on when it has come, or is less than a day off, begins a new term at the old one's expiry, and holds from
 * then on. A contract that comes after an empty answer begins a term of its own, unless it ends when the one before
 * would have. The same answer again changes only when it was checked; one that was asked for earlier, nothing.
 */
export function withAnswer(
  known: LicenceEntitlements | undefined,
  licenceKey: string,
  entitlements: readonly Entitlement[],
  askedAtMs: number,
): LicenceEntitlements {
  if (known && askedAtMs < known.checkedAt) return known;
  const hour = hourOf(askedAtMs);
  const versions = known?.versions ?? [];
  const begun = versions.filter(({ from }) => from <= hour);
  // A renewal that was told early and is taken back, or told otherwise, has included nothing yet.
  const standing = isSame(versions.at(-1), entitlements) ? versions : begun;
  if (isSame(standing.at(-1), entitlements)) return { licenceKey, versions: standing, checkedAt: askedAtMs };
  const termStart = termStartOf(begun, entitlements, askedAtMs);
  const version = { from: laterHour(hour, termStart), termStart, entitlements: sortedBy(entitlements, textOf) };
  return { licenceKey, versions: kept([...before(begun, version), version]), checkedAt: askedAtMs };
}

/** What stays of the versions that have begun: not what the new one replaces within its own hour. */
function before(begun: readonly EntitlementVersion[], { from, entitlements }: EntitlementVersion) {
  const isEnd = entitlements.length === 0;
  const others = begun.filter((each) => each.from < from || (isEnd && hasAny(each)));
  const replaced = begun.findLast(hasAny);
  // The first that includes anything also counts for the hours before it, and goes on to.
  return replaced && !others.some(hasAny) ? [...others, { ...replaced, from: addHours(from, -1) }] : others;
}

/** More than two a day and hour that can still be closed. */
const VERSIONS_KEPT = 100;

/** A stored item holds 400 KB. */
const VERSIONS_BYTES = 300_000;

function kept(versions: readonly EntitlementVersion[]): readonly EntitlementVersion[] {
  const latest = versions.slice(-VERSIONS_KEPT);
  while (latest.length > 1 && Buffer.byteLength(JSON.stringify(latest)) > VERSIONS_BYTES) latest.shift();
  return latest;
}

function termStartOf(begun: readonly EntitlementVersion[], next: readonly Entitlement[], askedAtMs: number): HourStart {
  const last = begun.at(-1);
  if (last && next.length === 0) return last.termStart;
  const contract = begun.findLast(hasAny);
  const hour = hourOf(askedAtMs);
  if (!last || !contract) return hour;
  const [oldEnd, newEnd] = [latestExpiry(contract.entitlements), latestExpiry(next)];
  if (!hasAny(last)) return newEnd === oldEnd ? contract.termStart : hour;
  const isRenewed = oldEnd !== undefined && newEnd !== undefined && newEnd > oldEnd;
  if (!isRenewed || askedAtMs < oldEnd - RENEWAL_SLACK_MS) return contract.termStart;
  // The hour in which the old term runs out is the old term's.
  const afterOld = hourStartMs(hourOf(oldEnd)) === oldEnd ? hourOf(oldEnd) : addHours(hourOf(oldEnd), 1);
  return laterHour(afterOld, contract.termStart);
}

function hasAny({ entitlements }: EntitlementVersion): boolean {
  return entitlements.length > 0;
}

function latestExpiry(entitlements: readonly Entitlement[]): number | undefined {
  const all = entitlements.flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : [expiresAt]));
  return all.length === 0 ? undefined : Math.max(...all);
}

/** By what they say: neither the order of entitlements nor that of their members means anything. */
function isSame(version: EntitlementVersion | undefined, entitlements: readonly Entitlement[]): boolean {
  const textsOf = (all: readonly Entitlement[]) => JSON.stringify(all.map(textOf).sort());
  return version !== undefined && textsOf(version.entitlements) === textsOf(entitlements);
}

function sortedBy<T>(all: readonly T[], keyOf: (one: T) => string): T[] {
  return [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function textOf({ dimension, value, expiresAt }: Entitlement): string {
  return JSON.stringify([dimension, value.kind, value.value, expiresAt]);
}
