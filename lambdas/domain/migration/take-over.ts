// Which of the old stack's pending records are taken over, and what becomes of the others.
import { admit } from '../door.ts';
import { type HourStart, hourStartMs } from '../hour.ts';
import type { Licence } from '../licence.ts';
import type { MeteringPolicy } from '../metering-policy.ts';
import type { Product, Products } from '../product.ts';
import type { PendingRecord } from './old-record.ts';
import type { Doubt } from './untold-sends.ts';

/** What is known around a record when it is judged. */
export interface TakeOverFacts {
  readonly licence: Licence | undefined;
  readonly product: Product | undefined;
  /** The first hour that this deployment bills; undefined where the settings name none. */
  readonly cutOverHour: HourStart | undefined;
  readonly doubt: Doubt | undefined;
  readonly products: Products;
  readonly policy: MeteringPolicy;
  readonly nowMs: number;
}

export interface Fate {
  /** `sent`: AWS's log shows it. `lost`: AWS takes it no more. `refused`: stays pending until a person has mended it. */
  readonly kind: 'take' | 'sent' | 'lost' | 'refused';
  readonly code: string;
  readonly message: string;
}

/**
 * Decides on one pending record. What is taken is billed in the cut-over hour: the old sender stamps what it sends with
 * the time of sending, so that any hour before may hold a record of its own, next to which AWS takes no second.
 */
export function fateOf(record: PendingRecord, facts: TakeOverFacts): Fate {
  const { licence, product, cutOverHour, doubt, products, policy, nowMs } = facts;
  const { atMs, amounts } = record;
  if (doubt === 'sentUntold') {
    return fate('sent', 'sentUntold', 'AWS has it; the old sender died before it noted that.');
  }
  if (doubt === 'doubtful') {
    return fate(
      'refused',
      'doubtful',
      'AWS has units of this buyer that no row tells of, and the oldest pending records do not come to just as many. Find out which of them AWS has, delete those rows or correct them, and run this again.',
    );
  }
  if (!product || !licence) {
    return fate(
      'refused',
      'buyerUnknown',
      'The buyer is not a customer here: no row of the subscribers names it, or that row was refused. Mend the row, and run this again.',
    );
  }
  const contract = contractFate(record, product);
  if (contract) return contract;
  if (cutOverHour === undefined) {
    return fate('refused', 'cutOverUnset', `Product ${product.productCode} has no cut-over hour: set rehearsal.until.`);
  }
  if (atMs >= hourStartMs(cutOverHour)) {
    return fate(
      'refused',
      'afterCutOver',
      `It was recorded after the cut-over at ${cutOverHour}, from which on usage is reported here. If it was not, report it with usage import.`,
    );
  }
  for (const { dimension, quantity } of amounts) {
    const usage = { id: 'taken', dimension, quantity };
    const own = admit({ ...usage, atMs }, undefined, new Map(), nowMs, policy);
    if (own.kind === 'refused') return fate(isTooOld(own.code) ? 'lost' : 'refused', own.code, own.message);
    const placed = admit({ ...usage, atMs: hourStartMs(cutOverHour) }, licence, products, nowMs, policy);
    if (placed.kind === 'refused') return fate('refused', placed.code, placed.message);
  }
  return fate('take', 'taken', `Billed in ${cutOverHour}.`);
}

/** The old stack's records are what is beyond the contract: the product has taken off what the contract includes. */
function contractFate({ amounts }: PendingRecord, { productCode, pricingModel, included }: Product): Fate | undefined {
  if (pricingModel === 'contract') {
    return fate('refused', 'neverMetered', `Product ${productCode} is a contract, of which no usage is billed.`);
  }
  const counted = amounts.find(({ dimension }) => included?.[dimension] !== 'none');
  if (pricingModel === 'subscription' || !counted) return undefined;
  const { dimension } = counted;
  return fate(
    'refused',
    'includedTwice',
    `The old stack records ${dimension} beyond the contract alone; here it would be counted into what the contract includes, and not be billed. Set included: { "${dimension}": "none" } of product ${productCode}, deploy, go on reporting what is beyond the contract alone, and run this again.`,
  );
}

function isTooOld(code: string): boolean {
  return code === 'timeTooOld' || code === 'monthClosed';
}

function fate(kind: Fate['kind'], code: string, message: string): Fate {
  return { kind, code, message };
}
