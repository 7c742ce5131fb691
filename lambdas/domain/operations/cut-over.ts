// Cutting a buyer over from metering by customer identifier to metering by licence, at a whole hour.
import type { AuditEntry } from '../amendment.ts';
import { HOUR_MS, type HourStart, hourStartMs } from '../hour.ts';
import { LICENCE_ARN_PATTERN, type Licence, licenceKeyOf } from '../licence.ts';
import { type Act, auditOf, instant, type Refused, refuse } from './act.ts';

/** An hour whose usage nobody can have reported yet: events may lie a few minutes ahead, never hours. */
const AHEAD_MS = 2 * HOUR_MS;

/** It can't be moved once it stands, so that a slip of the year must not pass. */
const FARTHEST_MS = 31 * 24 * HOUR_MS;

export interface CutOverWanted {
  readonly legacyKey: string;
  readonly licenceArn: string;
  /** The first hour that is metered by licence. */
  readonly hour: HourStart;
  /** Where AWS has not told the buyer's account yet: records by licence have to name it. */
  readonly customerAwsAccountId?: string;
}

/** How things stand before a cut-over. */
export interface CutOverStanding {
  readonly legacy: Licence | undefined;
  /** The licence of the ARN; undefined while it is not known. */
  readonly licence: Licence | undefined;
  /** Whether the licence of the ARN has usage or ledger entries that could be billed by now. */
  readonly isMetered: boolean;
}

export type CutOverDecision =
  | Refused
  | { readonly kind: 'already'; readonly audit: AuditEntry }
  | { readonly kind: 'cutOver'; readonly legacy: Licence; readonly licence: Licence; readonly audit: AuditEntry };

/** Both of the buyer's licences as they are to stand. */
export function decideCutOver(
  wanted: CutOverWanted,
  standing: CutOverStanding,
  act: Act,
  nowMs: number,
): CutOverDecision {
  const { licenceArn, hour, legacyKey } = wanted;
  if (!LICENCE_ARN_PATTERN.test(licenceArn)) {
    return refuse(
      'licenceArnInvalid',
      'The licence is not named by an ARN as AWS Marketplace gives it. Take it from the agreement.',
    );
  }
  const licenceKey = licenceKeyOf({ style: 'licence', licenceArn });
  const audit = auditOf(act, 'cutOver', { licenceKey: legacyKey, hour }, nowMs, {
    licenceKey,
    firstHourByLicence: hour,
  });
  const { legacy, licence } = standing;
  if (!legacy) {
    return refuse(
      'licenceUnknown',
      'No licence of this key is known. Name the one under which the buyer is metered now.',
    );
  }
  const refused = styleRefusal(legacy);
  if (refused) return refused;
  if (legacy.cutOverHour !== undefined) return repeated(legacy, licenceKey, hour, audit);
  return (
    endRefusal(legacy, licence) ??
    hourRefusal(hour, nowMs) ??
    licenceRefusal(licence, legacy, standing.isMetered) ??
    cutOver(wanted, { legacy, licence, licenceKey }, audit, nowMs)
  );
}

function styleRefusal(legacy: Licence): Refused | undefined {
  if (legacy.identityStyle === 'legacy') return undefined;
  return refuse(
    'notLegacy',
    'The buyer is metered by licence already; only one that is metered by customer identifier is cut over.',
  );
}

/** A licence that ends has no later hour to hand over, or to take over. */
function endRefusal(...licences: readonly (Licence | undefined)[]): Refused | undefined {
  const ended = licences.find((licence) => licence?.ending);
  if (!ended) return undefined;
  return refuse(
    'licenceEnded',
    `The end of licence ${ended.licenceKey} has been noted: no later hour is metered by it. Check the buyer's agreements.`,
  );
}

function repeated(legacy: Licence, licenceKey: string, hour: HourStart, audit: AuditEntry): CutOverDecision {
  if (legacy.cutOverHour === hour && legacy.counterpartKey === licenceKey) return { kind: 'already', audit };
  return refuse(
    'cutOverElsewhere',
    `The buyer is cut over to ${legacy.counterpartKey ?? 'another licence'} at ${legacy.cutOverHour}; that can't be changed, since hours may have been billed by it.`,
  );
}

function hourRefusal(hour: HourStart, nowMs: number): Refused | undefined {
  const aheadMs = hourStartMs(hour) - nowMs;
  if (aheadMs < AHEAD_MS) {
    return refuse(
      'hourTooSoon',
      `Hour ${hour} is less than two hours ahead of now (${instant(nowMs)}): usage of it could have been reported by customer identifier. Choose a later one.`,
    );
  }
  if (aheadMs <= FARTHEST_MS) return undefined;
  return refuse(
    'hourTooFar',
    `Hour ${hour} is more than 31 days ahead, and a cut-over can't be moved. Choose a nearer one.`,
  );
}

function licenceRefusal(licence: Licence | undefined, legacy: Licence, isMetered: boolean): Refused | undefined {
  if (licence && licence.customerId !== legacy.customerId) {
    return refuse(
      'licenceTaken',
      'The licence belongs to another customer. Check the ARN against the buyer’s agreement.',
    );
  }
  if (licence?.cutOverHour !== undefined) {
    return refuse('licenceTaken', 'The licence has taken over from another name of the buyer already.');
  }
  if (!isMetered) return undefined;
  return refuse(
    'licenceMetered',
    'Usage stands under the licence already, and would be billed beside that by customer identifier. Report by customer identifier until the hour, and try again a day after the last of it.',
  );
}

function cutOver(
  { licenceArn, hour, customerAwsAccountId, legacyKey }: CutOverWanted,
  { legacy, licence, licenceKey }: { legacy: Licence; licence: Licence | undefined; licenceKey: string },
  audit: AuditEntry,
  nowMs: number,
): CutOverDecision {
  const account = licence?.customerAwsAccountId ?? legacy.customerAwsAccountId ?? customerAwsAccountId;
  if (account === undefined) {
    return refuse('accountUnknown', "A record by licence names the buyer's AWS account, which is not known. Give it.");
  }
  const { productCode, pricingModel, meteringRegion, customerId } = legacy;
  const made: Licence = {
    licenceKey,
    identityStyle: 'licence',
    productCode,
    pricingModel,
    // AWS removes duplicates per region only: the buyer stays in the one that it was metered in.
    meteringRegion,
    customerId,
    firstSeenAt: nowMs,
    periods: [{}],
  };
  return {
    kind: 'cutOver',
    legacy: { ...legacy, cutOverHour: hour, counterpartKey: licenceKey },
    licence: {
      ...(licence ?? made),
      licenceArn: licence?.licenceArn ?? licenceArn,
      customerAwsAccountId: account,
      cutOverHour: hour,
      counterpartKey: legacyKey,
    },
    audit,
  };
}
