// The hours of one instance, task or pod by dimension: what was used, what was sent, what AWS said. Rules only, no I/O.
import {
  addHours,
  HOUR_MS,
  type HourStart,
  hourEndMs,
  hourOf,
  hourStartMs,
  MINUTE_MS,
  SECOND_MS,
} from '../lambdas/domain/hour.ts';
import { isSurelyUnmetered, stopOf } from './container-answer.ts';
import { CONTAINER_WINDOW_MS, MAX_QUANTITY, PATIENCE_MS } from './container-limits.ts';

/** One dimension in one hour. AWS takes one record of it from each instance, and keeps the first. */
export interface MeteredHour {
  readonly hour: HourStart;
  readonly dimension: string;
  /** Whole units. Frozen once the hour is sealed. */
  readonly quantity: number;
  readonly state: HourState;
  /** Fixed at the seal: AWS answers a repeat under it as it answered the first. */
  readonly clientToken?: string;
  /** Calls that were begun. */
  readonly attempts: number;
  /** Whether AWS may have billed it: a call was begun, and was not refused for certain. */
  readonly mayBeBilled: boolean;
  readonly nextTryAt?: number;
  /** AWS's name for what it last said against it. */
  readonly code?: string;
  readonly meteringRecordId?: string;
}

/**
 * `open`: still counted into. `sealed`: to be sent, as it is. `honoured`: AWS took it. `disputed`: AWS holds another
 * amount of this instance's hour. `refused`: AWS does not take it as it is. `uncertain`: the window has passed, and a
 * call was never answered. `carried`: the window has passed without a call that AWS could have billed; its units went
 * on into a later hour.
 */
export type HourState = 'open' | 'sealed' | 'honoured' | 'disputed' | 'refused' | 'uncertain' | 'carried';

export type Hours = ReadonlyMap<string, MeteredHour>;

export function nameOf({ hour, dimension }: Pick<MeteredHour, 'hour' | 'dimension'>): string {
  return `${hour}#${dimension}`;
}

function withHour(hours: Hours, changed: MeteredHour): Hours {
  return new Map(hours).set(nameOf(changed), changed);
}

/**
 * Counts units into the hour of an instant, or into the next one that is not sealed: a sealed hour is never added to.
 * What one record cannot hold goes on into the hour after it.
 */
export function counted(hours: Hours, dimension: string, quantity: number, atMs: number): Hours {
  let left = quantity;
  let after = hours;
  for (let hour = hourOf(atMs); left > 0; hour = addHours(hour, 1)) {
    const known = after.get(nameOf({ hour, dimension })) ?? newHour(hour, dimension);
    if (known.state !== 'open') continue;
    const taken = Math.min(left, MAX_QUANTITY - known.quantity);
    if (taken > 0) after = withHour(after, { ...known, quantity: known.quantity + taken });
    left -= taken;
  }
  return after;
}

function newHour(hour: HourStart, dimension: string): MeteredHour {
  return { hour, dimension, quantity: 0, state: 'open', attempts: 0, mayBeBilled: false };
}

/** Freezes the hours that are over; with `isLast`, when nothing more will be counted, the running one too. */
export function sealed(hours: Hours, nowMs: number, newToken: () => string, isLast: boolean): Hours {
  let after = hours;
  for (const each of hours.values()) {
    const isOver = isLast ? hourStartMs(each.hour) <= nowMs : hourEndMs(each.hour) <= nowMs;
    if (each.state === 'open' && isOver) after = withHour(after, { ...each, state: 'sealed', clientToken: newToken() });
  }
  return after;
}

/** What becomes of sealed hours whose window has passed: units that AWS cannot have billed go on, once. */
export function settledByTime(hours: Hours, nowMs: number): Hours {
  let after = hours;
  for (const each of hours.values()) {
    if (each.state !== 'sealed' || nowMs < hourStartMs(each.hour) + CONTAINER_WINDOW_MS) continue;
    after = outOfTime(after, each, nowMs);
  }
  return after;
}

function outOfTime(hours: Hours, each: MeteredHour, nowMs: number): Hours {
  if (each.mayBeBilled) return withHour(hours, { ...each, state: 'uncertain' });
  // What was used without a subscription is not billed to one that begins later.
  if (each.code === NOT_ENTITLED) return withHour(hours, { ...each, state: 'refused' });
  // One change of the journal: either both stand or neither.
  return counted(withHour(hours, { ...each, state: 'carried' }), each.dimension, each.quantity, nowMs);
}

const NOT_ENTITLED = 'CustomerNotEntitledException';

/** The sealed hours that are to be sent now, oldest first; with `isLast`, those too that were to wait. */
export function dueHours(hours: Hours, nowMs: number, isLast = false): readonly MeteredHour[] {
  return [...hours.values()]
    .filter(({ state, nextTryAt = 0 }) => state === 'sealed' && (isLast || nextTryAt <= nowMs))
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Notes a call before it is made. */
export function intended(hours: Hours, { hour, dimension }: MeteredHour): Hours {
  const known = hours.get(nameOf({ hour, dimension }));
  if (known?.state !== 'sealed') return hours;
  return withHour(hours, { ...known, attempts: known.attempts + 1, mayBeBilled: true });
}

export type MeterAnswer =
  | { readonly kind: 'metered'; readonly meteringRecordId: string | undefined }
  | { readonly kind: 'fault'; readonly code: string };

/** AWS holds another amount under this hour, or under the same token. (API reference MeterUsage.) */
const DISPUTES: ReadonlySet<string> = new Set(['DuplicateRequestException', 'IdempotencyConflictException']);

/** Too old; or this machine's clock is wrong, and the same may be taken later, or go on when its window has passed. */
const OUT_OF_BOUNDS = 'TimestampOutOfBoundsException';

/** The record itself is at fault: the same again ends the same. */
const REFUSALS: ReadonlySet<string> = new Set([
  'InvalidProductCodeException',
  'InvalidUsageDimensionException',
  'InvalidTagException',
  'InvalidUsageAllocationsException',
  'ValidationException',
]);

/** AWS's clock says that the window has passed, though this machine's does not yet. */
const WINDOW_EDGE_MS = HOUR_MS;

const FIRST_WAIT_MS = 30 * SECOND_MS;
const LONGEST_WAIT_MS = 15 * MINUTE_MS;

/** Writes down what AWS said of a call. `before` is the hour as it stood before the call was noted. */
export function answered(hours: Hours, before: MeteredHour, answer: MeterAnswer, nowMs: number): Hours {
  const known = hours.get(nameOf(before));
  if (known?.state !== 'sealed') return hours;
  const { nextTryAt: _next, code: _code, ...rest } = known;
  if (answer.kind === 'metered') {
    const { meteringRecordId } = answer;
    return withHour(hours, {
      ...rest,
      state: 'honoured',
      ...(meteringRecordId === undefined ? {} : { meteringRecordId }),
    });
  }
  // A throttle, say, takes nothing back of what AWS said before: that there is no subscription.
  const isStillUnentitled = known.code === NOT_ENTITLED && isSurelyUnmetered(answer.code) && !REFUSALS.has(answer.code);
  const code = isStillUnentitled ? NOT_ENTITLED : answer.code;
  if (DISPUTES.has(code)) return withHour(hours, { ...rest, state: 'disputed', code });
  // A call that was refused for certain takes back only what it had made possible itself.
  const mayBeBilled = isSurelyUnmetered(code) || REFUSALS.has(code) ? before.mayBeBilled : true;
  const isAtEdge = nowMs >= hourStartMs(known.hour) + CONTAINER_WINDOW_MS - WINDOW_EDGE_MS;
  if (answer.code === OUT_OF_BOUNDS && isAtEdge) return outOfTime(hours, { ...rest, mayBeBilled, code }, nowMs);
  if (REFUSALS.has(code)) return withHour(hours, { ...rest, mayBeBilled, state: 'refused', code });
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(known.attempts - 1, 10));
  return withHour(hours, { ...rest, mayBeBilled, code, nextTryAt: nowMs + waitMs });
}

/** How long what is settled stays in the journal: as long as AWS could be asked about its hour again, and a day. */
const KEPT_MS = 24 * 60 * MINUTE_MS;

/** Without the hours that are settled for good. What needs a person stays. */
export function pruned(hours: Hours, nowMs: number): Hours {
  const isDone = ({ state, hour, quantity }: MeteredHour) =>
    (state === 'honoured' || state === 'carried' || (state === 'open' && quantity === 0)) &&
    nowMs - hourEndMs(hour) > KEPT_MS;
  return new Map([...hours].filter(([, each]) => !isDone(each)));
}

const TROUBLES: ReadonlySet<HourState> = new Set(['disputed', 'refused', 'uncertain']);

/** The hours that have come to need a person. */
export function troubledSince(before: Hours, after: Hours): readonly MeteredHour[] {
  return [...after.values()].filter(
    (each) => TROUBLES.has(each.state) && before.get(nameOf(each))?.state !== each.state,
  );
}

/** How metering goes, for whoever decides whether to serve. */
export type MeteringStanding =
  | { readonly kind: 'ok' }
  /** Calls fail since then (epoch ms). Go on serving, until `mayStopAtMs` at least: AWS asks for two hours' patience. */
  | { readonly kind: 'failing'; readonly sinceMs: number; readonly mayStopAtMs: number; readonly code: string }
  /** AWS says that this account may not use the software. */
  | { readonly kind: 'stop'; readonly code: string; readonly tellBuyer: string };

/** The standing after an answer, which left its hour in `state`. */
export function standingAfter(
  before: MeteringStanding,
  answer: MeterAnswer,
  state: HourState | undefined,
  nowMs: number,
): MeteringStanding {
  if (answer.kind === 'metered') return { kind: 'ok' };
  // What is wrong with one record says nothing of the subscription.
  if (state !== 'sealed') return before;
  const { code } = answer;
  if (code === NOT_ENTITLED) return stopOf(code) ?? before;
  return failing(before.kind === 'failing' ? before.sinceMs : nowMs, code);
}

export function failing(sinceMs: number, code: string): MeteringStanding {
  return { kind: 'failing', sinceMs, mayStopAtMs: sinceMs + PATIENCE_MS, code };
}
