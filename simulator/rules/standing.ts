// What an agreement makes of a record: whether AWS would honour it now, and if not, why.
import type { Switches } from '../switches.ts';

// AWS: after "License Deprovisioned" final usage is accepted for one hour.
const FINAL_HOUR_MS = 3_600_000;

/** The life of a licence in epoch milliseconds; undefined where an end is not known yet. */
export interface LicencePeriod {
  readonly startsMs: number;
  readonly provisionedMs: number | undefined;
  readonly endedMs: number | undefined;
  readonly deprovisionedMs: number | undefined;
  readonly suspended: boolean;
}

type Standing = 'honoured' | 'notSubscribed' | 'beforeStart' | 'afterEnd' | 'finalHourOver';

/** All instants in epoch milliseconds. Stamps are judged against the licence's life, `nowMs` against its final hour. */
function standingOf(period: LicencePeriod, stampMs: number, nowMs: number, switches: Switches): Standing {
  const { provisionedMs, deprovisionedMs } = period;
  if (period.suspended) return 'notSubscribed';
  // Bought, but not yet given: AWS knows no active subscription until the licence is provisioned.
  if (provisionedMs === undefined || nowMs < provisionedMs) return 'notSubscribed';
  const windowOpensMs = switches.finalHourOpensAt === 'ended' ? period.endedMs : deprovisionedMs;
  if (windowOpensMs !== undefined && deprovisionedMs !== undefined && nowMs >= windowOpensMs + FINAL_HOUR_MS) {
    return 'finalHourOver';
  }
  const startMs = switches.licenceStart === 'provisioned' ? provisionedMs : period.startsMs;
  if (stampMs < startMs) return 'beforeStart';
  if (deprovisionedMs !== undefined && stampMs > deprovisionedMs) return 'afterEnd';
  return 'honoured';
}

export type Verdict = 'accept' | 'CustomerNotSubscribed' | 'InvalidLicenseException';

/** The verdict on a record metered by licence. */
export function licenceVerdict(period: LicencePeriod, stampMs: number, nowMs: number, switches: Switches): Verdict {
  switch (standingOf(period, stampMs, nowMs, switches)) {
    case 'honoured':
      return 'accept';
    case 'notSubscribed':
      return 'CustomerNotSubscribed';
    case 'beforeStart':
      return switches.beforeLicenceStart;
    case 'afterEnd':
      return switches.afterLicenceEnd;
    case 'finalHourOver':
      return switches.afterFinalHour;
  }
}

/** Whether a legacy record is honoured: AWS has no licence to blame there, so the rest is "not subscribed". */
export function isHonoured(period: LicencePeriod, stampMs: number, nowMs: number, switches: Switches): boolean {
  return standingOf(period, stampMs, nowMs, switches) === 'honoured';
}

/** Whether the buyer may use the product now: what MeterUsage and RegisterUsage ask. */
export function isEntitled(period: LicencePeriod, nowMs: number): boolean {
  const given = period.provisionedMs !== undefined && nowMs >= period.provisionedMs;
  const taken = period.deprovisionedMs !== undefined && nowMs >= period.deprovisionedMs;
  return given && !taken && !period.suspended;
}
