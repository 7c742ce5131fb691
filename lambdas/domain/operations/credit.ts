// Granting a credit: later hours are billed less, since AWS takes nothing back that it has billed.
import type { AuditEntry } from '../amendment.ts';
import { lastHourFor } from '../close.ts';
import { hourOf } from '../hour.ts';
import type { Licence } from '../licence.ts';
import { MAX_QUANTITY } from '../marketplace-limits.ts';
import { hasDimension } from '../product.ts';
import { isQuantity } from '../quantity.ts';
import { type Act, auditOf, type Refused, refuse } from './act.ts';
import type { Surroundings } from './carry-target.ts';

interface CreditWanted {
  readonly dimension: string;
  readonly quantity: number;
  /** Units of earlier credits that are not used up. */
  readonly remaining: number;
}

export type CreditDecision =
  | Refused
  | { readonly kind: 'grant'; readonly audit: AuditEntry; readonly remaining: number };

export function decideCredit(wanted: CreditWanted, act: Act, around: Surroundings): CreditDecision {
  const { licence, nowMs } = around;
  if (!licence) {
    return refuse('licenceUnknown', 'No licence of this key is known, so that no later hour could be billed less.');
  }
  const refused = quantityRefusal(wanted) ?? licenceRefusal(wanted, licence, around);
  if (refused) return refused;
  const { dimension, quantity } = wanted;
  const remaining = wanted.remaining + quantity;
  const of = { licenceKey: licence.licenceKey, dimension };
  return { kind: 'grant', remaining, audit: auditOf(act, 'credit', of, nowMs, { units: quantity, remaining }) };
}

function quantityRefusal({ quantity }: CreditWanted): Refused | undefined {
  if (isQuantity(quantity) && quantity > 0 && quantity <= MAX_QUANTITY) return undefined;
  return refuse(
    'quantityInvalid',
    `A credit of ${quantity} was asked for; expected is a whole number from 1 to ${MAX_QUANTITY}.`,
  );
}

function licenceRefusal(
  { dimension }: CreditWanted,
  licence: Licence,
  { product, nowMs, policy }: Surroundings,
): Refused | undefined {
  if ((product?.pricingModel ?? licence.pricingModel) === 'contract') {
    return refuse('contractOnly', 'The product is a pure contract and never metered: there is nothing to bill less.');
  }
  if (product && !hasDimension(product, dimension)) {
    const known = product.dimensions.map((each) => `'${each}'`).join(', ');
    return refuse('dimensionUnknown', `dimension '${dimension}' is not listed; expected one of ${known}.`);
  }
  const last = lastHourFor(licence, policy);
  if (last === undefined || hourOf(nowMs) <= last) return undefined;
  const other = licence.ending ? undefined : licence.counterpartKey;
  return refuse(
    'licenceEnded',
    other === undefined
      ? `The last hour of the licence was ${last}: no later one can be billed less. Make good for it outside of AWS Marketplace.`
      : `The buyer is metered by licence ${other} since ${last} ended. Grant the credit to that one.`,
  );
}
