// The metering identity: what AWS Marketplace meters by, and the standing that decides when its hours may close.
import { createHash } from 'node:crypto';
import { accessEndsAt } from './deadline.ts';
import { HOUR_MS, type HourStart, hourStartMs } from './hour.ts';
import { DEFAULT_METERING_POLICY, type MeteringPolicy } from './metering-policy.ts';
import type { IdentityStyle, PricingModel, Product } from './product.ts';

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

/** A notice that an agreement has begun to hold a licence. It is noted when its instant has come, not before. */
export interface LicenceStart {
  readonly agreementId?: string;
  readonly from: number;
}

/** A notice of a step of an end. The agreement, where it is named, tells which period the end is of. */
export interface EndNotice extends LicenceEnding {
  readonly agreementId?: string;
}

export interface Licence {
  readonly licenceKey: string;
  readonly identityStyle: IdentityStyle;
  readonly licenceArn?: string;
  /** Legacy products only. */
  readonly customerIdentifier?: string;
  readonly customerAwsAccountId?: string;
  readonly productCode: string;
  /**
   * The first hour that is metered by licence, where the buyer was metered by customer identifier before. It stands on
   * both of the buyer's licences: what is metered by customer identifier ends there, and the licence's own begins.
   * AWS would bill an hour that is sent under both.
   */
  readonly cutOverHour?: HourStart;
  /** The buyer's other licence, on the far side of the cut-over hour. */
  readonly counterpartKey?: string;
  /** As the product's settings said when the licence was first seen; they win while they name the product. */
  readonly pricingModel: PricingModel;
  /** Pinned when the licence is first seen: AWS removes duplicates per region only. */
  readonly meteringRegion: string;
  readonly customerId: string;
  /** When we first heard of the licence, by registration or notice. */
  readonly firstSeenAt: number;
  /** In order of time. The last is the one that runs, or whose end `ending` tells. */
  readonly periods: readonly LicencePeriod[];
  readonly ending?: LicenceEnding;
  /** Every notice of an end: a start that is told late decides anew which period each is of. */
  readonly endNotices?: readonly EndNotice[];
}

/** The names under which a caller or AWS may speak of a licence. */
export type LicenceName =
  | { readonly style: 'licence'; readonly licenceArn: string }
  | { readonly style: 'legacy'; readonly productCode: string; readonly customerIdentifier: string };

/** `LicenseArn` in the API model. */
export const LICENCE_ARN_PATTERN =
  /^arn:aws[a-zA-Z-]*:[A-Za-z0-9][A-Za-z0-9_/.-]{0,62}:[A-Za-z0-9_/.-]{0,63}:[A-Za-z0-9_/.-]{0,63}:[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]{0,1023}$/;

/** What `licenceKeyOf` makes. */
export const LICENCE_KEY_PATTERN = /^[lhc]-[0-9a-f]{32}$/;

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

/** The periods as far as the buyer is metered by this licence in them: up to a cut-over, or from it on. */
export function meteredPeriods({ periods, identityStyle, cutOverHour }: Licence): readonly LicencePeriod[] {
  if (cutOverHour === undefined) return periods;
  const cutMs = hourStartMs(cutOverHour);
  return identityStyle === 'legacy'
    ? periods
        .filter(({ from = Number.NEGATIVE_INFINITY }) => from < cutMs)
        .map((period) => ({ ...period, to: Math.min(period.to ?? Infinity, cutMs) }))
    : periods
        .filter(({ to = Infinity }) => to > cutMs)
        .map((period) => ({ ...period, from: Math.max(period.from ?? Number.NEGATIVE_INFINITY, cutMs) }));
}

/** Whether an hour is metered under the licence's own name, as far as a cut-over decides it. */
export function isOnSideOf({ identityStyle, cutOverHour }: Licence, hour: HourStart): boolean {
  return cutOverHour === undefined || (identityStyle === 'legacy') === hour < cutOverHour;
}

/** The buyer's other licence, where an hour is metered by that one. */
export function counterpartAt(licence: Licence, hour: HourStart): string | undefined {
  return isOnSideOf(licence, hour) ? undefined : licence.counterpartKey;
}

/** The hour before which everything of this licence has to be metered, since another takes over. */
export function handOverHour({ identityStyle, cutOverHour }: Licence): HourStart | undefined {
  return identityStyle === 'legacy' ? cutOverHour : undefined;
}

/** Whether the licence covers an instant. A licence without a known start covers what came before it, too. */
export function coversInstant(licence: Licence, atMs: number): boolean {
  return meteredPeriods(licence).some((period) => atMs >= (period.from ?? 0) && atMs < (period.to ?? Infinity));
}

/**
 * Whether a licence is known to run at an instant: from its start, or from when it was heard of where that is not known,
 * until access to it ends.
 */
export function isKnownToRunAt(licence: Licence, atMs: number, policy: MeteringPolicy): boolean {
  const { ending, firstSeenAt } = licence;
  const startMs = periodAt(licence, atMs)?.from ?? firstSeenAt;
  return coversInstant(licence, atMs) && atMs >= startMs && (!ending || atMs < accessEndsAt(ending, policy));
}

/** The period that an instant falls into, or falls behind: the newest that has begun by then. */
export function periodAt(licence: Licence, atMs: number): LicencePeriod | undefined {
  return meteredPeriods(licence).findLast((period) => atMs >= (period.from ?? Number.NEGATIVE_INFINITY));
}

/**
 * The newest period that covers some of an hour; undefined where the hour lies before the licence or in a gap. The
 * newest, since it is the agreement that AWS knows now by which it judges a record.
 */
export function periodOfHour(licence: Licence, hour: HourStart): LicencePeriod | undefined {
  const startMs = hourStartMs(hour);
  return meteredPeriods(licence).findLast(({ from = 0, to = Infinity }) => from < startMs + HOUR_MS && to > startMs);
}

/** The earliest instant at which AWS can take usage of an hour: its start, or the licence's within it. */
export function licenceStartMsIn(licence: Licence, hour: HourStart): number {
  const period = periodOfHour(licence, hour);
  return period ? (period.from ?? licence.firstSeenAt) : hourStartMs(hour);
}

/**
 * Notes a start. A customer identifier outlives its agreements, and so may a licence: the end that was noted before
 * is then the end of the period before, and the licence runs again.
 */
export function withStart(licence: Licence, start: LicenceStart): Licence {
  return standing(licence, [...startsOf(licence.periods), start], noticesOf(licence));
}

/** Notes a step of an end: of the period that it is of, which need not be the running one. */
export function withEnding(licence: Licence, notice: EndNotice): Licence {
  return standing(licence, startsOf(licence.periods), [...noticesOf(licence), notice]);
}

function startsOf(periods: readonly LicencePeriod[]): LicenceStart[] {
  return periods.flatMap(({ agreementId, from }) => (from === undefined ? [] : [startOf(agreementId, from)]));
}

function startOf(agreementId: string | undefined, from: number): LicenceStart {
  return agreementId === undefined ? { from } : { agreementId, from };
}

function noticesOf({ endNotices, ending }: Licence): readonly EndNotice[] {
  return endNotices ?? (ending ? [ending] : []);
}

/** A fold over all starts and ends that have been told, so that any order of arrival and any repeat ends the same. */
function standing(licence: Licence, heardStarts: readonly LicenceStart[], heardEnds: readonly EndNotice[]): Licence {
  const endNotices = joinedNotices(heardEnds);
  const ended = new Set(endNotices.map(({ agreementId }) => agreementId));
  const starts = joinedStarts(heardStarts).sort(
    // Bought again in the instant of the end: what has ended came before what runs.
    (a, b) => a.from - b.from || Number(ended.has(b.agreementId)) - Number(ended.has(a.agreementId)) || byName(a, b),
  );
  const unknown = licence.periods.find(({ from }) => from === undefined);
  // A start no later than our first sight is that of the agreement under which we first saw the licence.
  const isUnknown = unknown && !starts.some(({ from }) => from <= licence.firstSeenAt);
  const periods: LicencePeriod[] = isUnknown ? [named(unknown), ...starts] : starts;
  const endings = periods.map((_, index) => endingOf(periods, index, endNotices));
  const { ending: _ending, endNotices: _endNotices, ...rest } = licence;
  const ending = endings.at(-1);
  return {
    ...rest,
    periods: periods.map((period, index) => closed(period, periods[index + 1], endings[index])),
    ...(ending === undefined ? {} : { ending }),
    ...(endNotices.length === 0 ? {} : { endNotices }),
  };
}

function named({ agreementId }: LicencePeriod): LicencePeriod {
  return agreementId === undefined ? {} : { agreementId };
}

function byName(one: { agreementId?: string }, other: { agreementId?: string }): number {
  return (one.agreementId ?? '') < (other.agreementId ?? '') ? -1 : 1;
}

/** One start an agreement, its earliest. */
function joinedStarts(heard: readonly LicenceStart[]): LicenceStart[] {
  const byAgreement = Map.groupBy(heard, ({ agreementId, from }) => agreementId ?? from);
  return [...byAgreement.values()].map((starts) =>
    startOf(starts[0]?.agreementId, Math.min(...starts.map(({ from }) => from))),
  );
}

/** One notice an agreement. Notices that name none are joined only where no start could ever come between them. */
function joinedNotices(heard: readonly EndNotice[]): EndNotice[] {
  const joined = new Map<string | number, EndNotice>();
  for (const notice of heard) {
    const { agreementId } = notice;
    const key = agreementId ?? notice.noticeAt;
    const ending = mergeEnding(joined.get(key), notice);
    joined.set(key, agreementId === undefined ? ending : { ...ending, agreementId });
  }
  return [...joined.values()].sort((a, b) => a.noticeAt - b.noticeAt || byName(a, b));
}

/** All that was told of the end of one period. */
function endingOf(
  periods: readonly LicencePeriod[],
  index: number,
  notices: readonly EndNotice[],
): LicenceEnding | undefined {
  return notices
    .filter((notice) => periodOf(periods, notice) === periods[index])
    .reduce<LicenceEnding | undefined>(mergeEnding, undefined);
}

/** By the agreement where both name one; else the newest period that had begun when the notice was given. */
function periodOf(periods: readonly LicencePeriod[], { agreementId, noticeAt }: EndNotice): LicencePeriod | undefined {
  const own = agreementId === undefined ? undefined : periods.find((period) => period.agreementId === agreementId);
  if (own) return own;
  // An end that names another agreement than a period's is not that period's.
  const candidates = agreementId === undefined ? periods : periods.filter((period) => period.agreementId === undefined);
  return candidates.findLast(({ from = Number.NEGATIVE_INFINITY }) => from <= noticeAt);
}

/** A period that another has followed ends with its access, and no later than the next begins. */
function closed(
  period: LicencePeriod,
  next: LicencePeriod | undefined,
  ending: LicenceEnding | undefined,
): LicencePeriod {
  if (next?.from === undefined) return period;
  // By the default policy: a setting decides only where nobody ever told of the revocation, and only of old usage.
  const accessEnd = ending ? accessEndsAt(ending, DEFAULT_METERING_POLICY) : next.from;
  return { ...period, to: Math.max(period.from ?? Number.NEGATIVE_INFINITY, Math.min(accessEnd, next.from)) };
}
