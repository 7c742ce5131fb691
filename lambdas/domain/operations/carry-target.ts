// Into which later hour an operator may carry units, and why into none.
import { lastHourFor } from '../close.ts';
import { deadlineOf, lastHourOf, lastHourSealsByAt } from '../deadline.ts';
import { addHours, type HourStart, hourOf, laterHour } from '../hour.ts';
import type { Carry, SealedHour } from '../ledger.ts';
import { isOnSideOf, type Licence, periodOfHour } from '../licence.ts';
import type { MeteringPolicy } from '../metering-policy.ts';
import { hasDimension, type Product, rehearsalOf } from '../product.ts';
import type { TagSet } from '../tag-set.ts';
import { type Act, type Refused, refuse } from './act.ts';

/** What is known of the licence and product that a record belongs to, as of now. */
export interface Surroundings {
  readonly licence: Licence | undefined;
  /** Absent where the product has left the settings. */
  readonly product: Product | undefined;
  readonly nowMs: number;
  readonly policy: MeteringPolicy;
}

type CarryTarget =
  | { readonly kind: 'target'; readonly hour: HourStart; readonly onlyInto: 'any' | 'unsealed' }
  | Refused;

/** The running hour, or the one after the record's own; where the licence has a last hour, no later than that. */
export function carryTargetOf(record: SealedHour, around: Surroundings): CarryTarget {
  const { licence, product, nowMs, policy } = around;
  if (!licence) {
    return refuse('licenceUnknown', 'The licence of the record is not known, so that no hour of it can take units.');
  }
  if (product && !hasDimension(product, record.dimension)) {
    return refuse(
      'dimensionUnknown',
      `The product's settings no longer list the dimension '${record.dimension}', so that an hour with it would not be billed. Add it to them first.`,
    );
  }
  const running = laterHour(addHours(record.hour, 1), hourOf(nowMs));
  const last = lastHourFor(licence, policy);
  const hour = last === undefined || running < last ? running : last;
  const refused = endRefusal(record, licence, hour, last, around) ?? rehearsalRefusal(product, hour);
  return refused ?? { kind: 'target', hour, onlyInto: last === undefined ? 'any' : 'unsealed' };
}

function endRefusal(
  { hour: origin }: SealedHour,
  licence: Licence,
  hour: HourStart,
  last: HourStart | undefined,
  { nowMs, policy }: Surroundings,
): Refused | undefined {
  const isPast = last !== undefined && (hour <= origin || nowMs >= takesUntilMs(licence, last, policy));
  if (!isPast && periodOfHour(licence, hour) && isOnSideOf(licence, hour)) return undefined;
  const why = licence.ending || last === undefined ? 'the licence ends' : 'the buyer was cut over to another licence';
  return refuse(
    'licenceEnded',
    last === undefined
      ? `The licence does not run in ${hour}, so that nothing can be billed in it. Bill the units in another way.`
      : `The last hour of the licence is ${last}, since ${why}, and it takes nothing more. Bill the units in another way.`,
  );
}

/** Until when the last hour of a licence takes units, with time left to seal and to send it. */
function takesUntilMs(licence: Licence, last: HourStart, policy: MeteringPolicy): number {
  const { ending } = licence;
  if (ending && last === lastHourOf(ending, policy)) return lastHourSealsByAt(ending, policy);
  return deadlineOf(last, ending, policy) - policy.lastHourMarginMs;
}

function rehearsalRefusal(product: Product | undefined, hour: HourStart): Refused | undefined {
  const rehearsal = rehearsalOf(product, hour);
  if (rehearsal === undefined) return undefined;
  const { until } = product?.rehearsal ?? {};
  return refuse(
    'rehearsed',
    `Hour ${hour} of the product is rehearsed (${rehearsal}) and never sent; units carried into it would not be billed. Carry them ${until === undefined ? 'once the product is billed' : `from ${until} on`}.`,
  );
}

export function carryInto(
  record: SealedHour,
  hour: HourStart,
  [tagSet, quantity]: readonly [TagSet, number],
  act: Act,
  nowMs: number,
): Carry {
  const { shard, licenceKey, dimension, hour: originHour, accounted: originAccounted } = record;
  return {
    kind: 'carry',
    hour,
    shard,
    licenceKey,
    dimension,
    originHour,
    originAccounted,
    tagSet,
    quantity,
    carriedAt: nowMs,
    actionId: act.actionId,
  };
}

/** Said where a record is only made up as if it were to be sent. */
export function rehearsedRecord(rehearsal: string) {
  return refuse(
    'rehearsed',
    `The hour is rehearsed (${rehearsal}): another pipeline bills it, and sending it too would bill it twice. Nothing is to be done.`,
  );
}
