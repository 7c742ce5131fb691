// Usage that somebody has to see to before AWS stops taking it.
import type { AccessEvent } from './access-event.ts';
import { HOUR_MS, type HourStart, MINUTE_MS } from './hour.ts';
import { isLive, type RecordStatus, type SealedHour } from './ledger.ts';

/** The sealed hour that a metering event is about. */
export interface TroubledUsage {
  readonly hour: HourStart;
  readonly licenceKey: string;
  readonly dimension: string;
  readonly quantity: number;
  readonly status: RecordStatus;
  readonly reason?: string;
  /** When AWS stops taking it. */
  readonly deadlineAt: number;
}

/** An event as it is told: a metering event says which usage it is about. */
export interface ToldEvent extends AccessEvent {
  readonly usage?: TroubledUsage;
}

const IS_TYPE: Readonly<Record<ToldEvent['type'], true>> = {
  customerRegistered: true,
  accessGranted: true,
  accessChanged: true,
  accessEnding: true,
  accessRevoked: true,
  entitlementsChanged: true,
  usageHeld: true,
  usageAboutToExpire: true,
};

/** Every type of event there is. */
export const EVENT_TYPES = Object.keys(IS_TYPE) as readonly ToldEvent['type'][];

/** Once per record and `name`. */
export interface Trouble {
  readonly type: 'usageHeld' | 'usageAboutToExpire';
  readonly name: string;
}

/** The sender's usual tries are over by then; before that, a short deadline alone is no reason to wake anybody. */
const SENDERS_TIME_MS = 15 * MINUTE_MS;

/** What a record's state is to be told as: of the steps of time left that it has passed, only the last. */
export function troublesOf(
  { status, deadlineAt }: Pick<SealedHour, 'status' | 'deadlineAt'>,
  warnAtHours: readonly number[],
  nowMs: number,
): readonly Trouble[] {
  if (!isLive(status)) return [];
  const leftMs = deadlineAt - nowMs;
  const passed = leftMs > 0 ? warnAtHours.filter((hours) => leftMs <= hours * HOUR_MS) : [];
  const held: readonly Trouble[] = status === 'held' ? [{ type: 'usageHeld', name: 'usageHeld' }] : [];
  if (passed.length === 0) return held;
  return [...held, { type: 'usageAboutToExpire', name: `usageAboutToExpire.${Math.min(...passed)}` }];
}

/** Whether a record that was just read is still worth telling. A zero that can't be sent harms nobody. */
export function isTrouble(sealed: SealedHour, { type }: Trouble, nowMs: number): boolean {
  if (!isLive(sealed.status) || sealed.record.quantity === 0) return false;
  if (type === 'usageHeld') return sealed.status === 'held';
  return sealed.status !== 'open' || nowMs - sealed.sealedAt >= SENDERS_TIME_MS;
}

export function troubledUsage(sealed: SealedHour): TroubledUsage {
  const { hour, licenceKey, dimension, record, status, reason, deadlineAt } = sealed;
  return {
    hour,
    licenceKey,
    dimension,
    quantity: record.quantity,
    status,
    ...(reason === undefined ? {} : { reason }),
    deadlineAt,
  };
}
