// How long AWS takes a record, and the times that follow from a licence's end.
import { type HourStart, hourEndMs, hourOf, hourStartMs } from './hour.ts';
import type { LicenceEnding } from './licence.ts';
import type { MeteringPolicy } from './metering-policy.ts';

/** When AWS stops taking usage of the month in which an instant lies (06:00 UTC on the 1st of the next). */
export function monthCutOffMs(atMs: number, policy: MeteringPolicy): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) + policy.monthCutOffMs;
}

/** The last instant before which AWS takes the record of an hour: the earliest of every rule that we know. */
export function deadlineOf(hour: HourStart, ending: LicenceEnding | undefined, policy: MeteringPolicy): number {
  const startMs = hourStartMs(hour);
  return Math.min(
    startMs + policy.meteringWindowMs,
    monthCutOffMs(startMs, policy),
    (ending?.deprovisionedAt ?? Infinity) + policy.finalWindowMs,
  );
}

/** When access counts as revoked: the revocation, or a while after the first notice if none has come by then. */
export function accessEndsAt(ending: LicenceEnding, policy: MeteringPolicy): number {
  return Math.min(ending.noticeAt + policy.noticeToRevokeMs, revokedAtOf(ending));
}

/** AWS refuses usage stamped after the deprovisioning, so that it revokes where nobody said so before. */
function revokedAtOf({ revokedAt = Infinity, deprovisionedAt = Infinity }: LicenceEnding): number {
  return Math.min(revokedAt, deprovisionedAt);
}

/** The hour in which access is revoked: the last that may take usage or carries. */
export function lastHourOf(ending: LicenceEnding, policy: MeteringPolicy): HourStart {
  return hourOf(accessEndsAt(ending, policy));
}

/**
 * From when on the last hour may be sealed, if every earlier hour is settled: when usage has drained after the
 * revocation, or a while after the notice where no revocation has come by then.
 */
export function lastHourSealsAt(ending: LicenceEnding, policy: MeteringPolicy): number {
  const presumedAt = ending.noticeAt + policy.noticeToRevokeMs;
  const revokedAt = revokedAtOf(ending);
  return revokedAt <= presumedAt ? revokedAt + policy.drainMs : presumedAt;
}

/** From when on the last hour is sealed whether the earlier ones are settled or not, to leave time to send it. */
export function lastHourSealsByAt(ending: LicenceEnding, policy: MeteringPolicy): number {
  const finalWindowEndsAt = (ending.deprovisionedAt ?? ending.noticeAt) + policy.finalWindowMs;
  const deadline = Math.min(finalWindowEndsAt, deadlineOf(lastHourOf(ending, policy), ending, policy));
  return Math.max(lastHourSealsAt(ending, policy), deadline - policy.lastHourMarginMs);
}

/** Whether an hour of a licence may be closed now. `earlierSettled` matters for the last hour of an ending one. */
export function mayClose(
  hour: HourStart,
  ending: LicenceEnding | undefined,
  nowMs: number,
  policy: MeteringPolicy,
  earlierSettled: boolean,
): boolean {
  if (!ending) return nowMs >= hourEndMs(hour) + policy.settleDelayMs;
  if (hour < lastHourOf(ending, policy)) return nowMs >= hourEndMs(hour);
  if (nowMs < lastHourSealsAt(ending, policy)) return false;
  return earlierSettled || nowMs >= lastHourSealsByAt(ending, policy);
}
